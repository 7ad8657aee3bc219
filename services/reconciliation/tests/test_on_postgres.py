"""On real PostgreSQL the proofs, the breaks and the read models are the same as in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chassis.eventstore.migrations import migrate
from chassis.eventstore.postgres import PostgresEventStore
from reconciliation.main import SHAPE
from sandbox.servers.postgres import PostgresServer

from .test_planted_errors import found_in, never_in_a_journal_entry
from .world import Bench, World, consistent_world

pytestmark = pytest.mark.servers
NAME, OWNER, APP = "reconciliation", "reconciliation_owner", "reconciliation_app"


@pytest.fixture
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresEventStore]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as running:
        running.ensure_database(NAME, owner_role=OWNER, owner_password="o", app_role=APP, app_password="a")
        migrate(running.dsn(NAME, OWNER, "o"), SHAPE.all_tables, APP)
        dsn = running.dsn(NAME, APP, "a")
        with PostgresEventStore(dsn, SHAPE.registry(), SHAPE.all_projections, SHAPE.all_tables) as opened:
            yield opened


def spoiled() -> World:
    world = consistent_world()
    never_in_a_journal_entry(world)
    return world


def test_the_same_world_gives_the_same_findings_and_the_same_rows(store: PostgresEventStore) -> None:
    there, in_memory = Bench(spoiled(), store=store), Bench(spoiled())
    assert found_in(there.prove()) == found_in(in_memory.prove()) != set()
    for bench in (there, in_memory):
        bench.world.erp["SOUTH"].popitem()
    assert found_in(there.prove()) == found_in(in_memory.prove())
    live = [store.read_model_hash(table) for table in SHAPE.all_tables]
    assert live == [in_memory.store.read_model_hash(table) for table in SHAPE.all_tables]
    store.rebuild_read_models()
    assert [store.read_model_hash(table) for table in SHAPE.all_tables] == live
