"""Stored events are kept for ever: every one ever written loads; and the read models are nothing but what they say."""

from __future__ import annotations

from pathlib import Path

from chassis.eventstore import EventRegistry
from chassis.testing import assert_golden
from reconciliation.main import SHAPE

from .examples import stored_examples
from .test_planted_errors import missing_at_the_erp
from .world import Bench, consistent_world


def test_every_stored_event_is_written_as_its_golden_file_says() -> None:
    assert_golden(EventRegistry(SHAPE.aggregates), Path(__file__).parent / "golden", stored_examples())


def test_rebuilt_read_models_are_the_live_ones() -> None:
    world = consistent_world()
    missing_at_the_erp(world)
    bench = Bench(world)
    bench.prove()
    live = [bench.store.read_model_hash(table) for table in SHAPE.all_tables]
    bench.store.rebuild_read_models()
    assert [bench.store.read_model_hash(table) for table in SHAPE.all_tables] == live
