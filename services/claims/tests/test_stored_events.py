"""Stored events stay readable for ever."""

from pathlib import Path

from chassis.testing import assert_golden
from chassis.testing.projections import unasked
from claims.main import SHAPE

from .examples import examples

GOLDEN = Path(__file__).parent / "golden"


def test_every_stored_event_is_written_and_read_as_its_golden_file_says() -> None:
    assert_golden(SHAPE.registry(), GOLDEN, examples())


def test_each_projection_makes_rows_of_the_events_that_it_is_asked_about_alone() -> None:
    assert unasked(SHAPE.all_projections, examples()) == []
