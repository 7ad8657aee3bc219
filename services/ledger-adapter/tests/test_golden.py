"""Stored events are kept for ever: every one ever written loads."""

from __future__ import annotations

from pathlib import Path

from chassis.eventstore import EventRegistry
from chassis.testing import assert_golden
from ledger_adapter.main import SHAPE

from .examples import stored_examples


def test_every_stored_event_is_written_as_its_golden_file_says() -> None:
    assert_golden(EventRegistry(SHAPE.aggregates), Path(__file__).parent / "golden", stored_examples())
