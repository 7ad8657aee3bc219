"""On real PostgreSQL the books are the same as in memory, to the row."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from chassis.eventstore.migrations import migrate
from chassis.eventstore.postgres import PostgresEventStore
from ledger_adapter.adapters.grpc_feeds import LedgerFeeds
from ledger_adapter.main import SHAPE
from sandbox.servers.postgres import PostgresServer

from .examples import accepted, adjudicated, charged
from .test_drafting import EXPECTED_BALANCES, WHOLE_STORY, hashes
from .test_feeds import all_changes, receivables_of
from .test_parties import Desk
from .world import World

pytestmark = pytest.mark.servers
NUMBERS = count(1)
OWNER, APP = "ledger_owner", "ledger_app"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as running:
        yield running


@pytest.fixture
def world(postgres: PostgresServer) -> Iterator[World]:
    name = f"ledger_{next(NUMBERS)}"
    postgres.ensure_database(name, owner_role=OWNER, owner_password="o", app_role=APP, app_password="a")
    migrate(postgres.dsn(name, OWNER, "o"), SHAPE.all_tables, APP)
    dsn = postgres.dsn(name, APP, "a")
    with PostgresEventStore(dsn, SHAPE.registry(), SHAPE.all_projections, SHAPE.all_tables) as store:
        yield World(store=store)


def test_the_whole_story_ends_the_same_as_in_memory(world: World) -> None:
    in_memory = World()
    for either in (world, in_memory):
        either.deliver(*WHOLE_STORY)
        either.settle()
    assert world.balances("confirmed_minor") == EXPECTED_BALANCES
    assert world.cases() == []
    live = hashes(world.store)
    assert live == hashes(in_memory.store)
    world.store.rebuild_read_models()
    assert hashes(world.store) == live


def test_what_waits_is_released_and_journalled(world: World) -> None:
    world.deliver(accepted(claims=1), adjudicated(1))
    assert len(world.store.parked()) == 1
    world.deliver(charged(1))
    world.settle()
    assert world.journals() == {"charges": ["confirmed"], "remittance": ["confirmed"]}


def test_feeds_and_parties_are_told_page_by_page_as_in_memory(world: World) -> None:
    in_memory = World()
    told = []
    for either in (world, in_memory):
        either.deliver(*WHOLE_STORY)
        either.settle()
        ours = Desk(either)
        ours.upsert("MEDICARE")
        ours.upsert("ACME")
        ours.merge("ACME", "MEDICARE")
        page = ours.listed(1)
        changes, _ = all_changes(LedgerFeeds(either.core), 0, 1)
        balances = receivables_of(LedgerFeeds(either.core), 1)
        told.append((changes, balances, page, ours.listed(1, page.next_page_token), ours.get("ACME")))
    assert told[0] == told[1]
    assert len(told[0][1]) > 1
