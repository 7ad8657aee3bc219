"""Stored events stay readable for ever."""

from pathlib import Path

from chassis.eventstore import EventRegistry
from chassis.inbound import InboundMessage
from chassis.testing.golden import assert_golden
from payments.main import SHAPE

from .examples import EXAMPLES


def test_every_stored_event_is_as_it_was_first_written() -> None:
    registry = EventRegistry([kind for kind in SHAPE.aggregates if kind is not InboundMessage])
    assert_golden(registry, Path(__file__).parent / "golden", EXAMPLES)
