"""Stored events are kept for ever: every one ever written loads."""

from __future__ import annotations

from pathlib import Path

from chassis.eventstore import EventRegistry
from chassis.testing import assert_golden
from chassis.testing.projections import unasked
from ledger_adapter.main import SHAPE

from .examples import stored_examples


def test_every_stored_event_is_written_as_its_golden_file_says() -> None:
    assert_golden(EventRegistry(SHAPE.aggregates), Path(__file__).parent / "golden", stored_examples())


def test_each_projection_makes_rows_of_the_events_that_it_is_asked_about_alone() -> None:
    assert unasked(SHAPE.all_projections, stored_examples()) == []
