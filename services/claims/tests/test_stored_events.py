"""Stored events stay readable for ever."""

from pathlib import Path

from chassis.testing import assert_golden
from claims.main import SHAPE

from .examples import examples

GOLDEN = Path(__file__).parent / "golden"


def test_every_stored_event_is_written_and_read_as_its_golden_file_says() -> None:
    assert_golden(SHAPE.registry(), GOLDEN, examples())
