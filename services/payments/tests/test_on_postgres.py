"""The same remittances on a real PostgreSQL: same read models, same items from snapshots, and rebuilt equal to live."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chassis.eventstore import Work
from chassis.eventstore.migrations import migrate
from chassis.eventstore.postgres import PostgresEventStore
from chassis.testing.contexts import context
from payments.application.balances import entity_balances
from payments.domain.provider_balance import ProviderBalance, provider_balance_id
from payments.main import SHAPE
from sandbox.servers.postgres import PostgresServer

from .examples import DAY, PROVIDER, adjusted, claim_payment, plb, summary
from .world import World, adjudication, remittance

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresEventStore]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as server:
        roles = {"owner_role": "payments_owner", "owner_password": "o", "app_role": "payments_app", "app_password": "a"}
        server.ensure_database("payments", **roles)
        migrate(server.dsn("payments", "payments_owner", "o"), SHAPE.all_tables, "payments_app")
        dsn = server.dsn("payments", "payments_app", "a")
        with PostgresEventStore(dsn, SHAPE.registry(), SHAPE.all_projections, SHAPE.all_tables) as opened:
            yield opened


def told(world: World) -> World:
    """A balance forwarded from remittance to remittance, past a snapshot, and what else moves a row."""
    reversal = claim_payment().model_copy(update={"status": "22", "payer_control_number": "ICN1"})
    for number in range(130):
        head = adjusted(f"TRACE{number}", plb("FB", 100), plb("FB", -100), effective_date=DAY)
        world.deliver(*remittance(head, reversal))
    world.deliver(*remittance(adjusted("FIRST", plb("FB", -100), effective_date=DAY.replace(day=1))))
    world.deliver(*remittance(summary("ZERO", paid=0)), adjudication(2500), adjudication(-2500, 1, kind="reversal"))
    return world


def test_postgres_and_memory_hold_the_same_and_rebuild_to_the_same(store: PostgresEventStore) -> None:
    on_postgres, in_memory = told(World(store)), told(World())
    tables = [store.read_model_hash(table) for table in SHAPE.all_tables]
    assert tables == [in_memory.memory.read_model_hash(table) for table in SHAPE.all_tables]
    store.rebuild_read_models()
    assert tables == [store.read_model_hash(table) for table in SHAPE.all_tables]
    balance_id = provider_balance_id("ACME", PROVIDER)
    one, other = (Work(each.store, context()).require(ProviderBalance, balance_id) for each in (on_postgres, in_memory))
    assert one.moves == other.moves
    assert one.version > ProviderBalance.snapshot_every
    assert [item.id for item in one.pairing.open_items] == [item.id for item in other.pairing.open_items]
    assert entity_balances(store, "NORTH")[1] == entity_balances(in_memory.store, "NORTH")[1]
