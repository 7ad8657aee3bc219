"""The same stories on a real PostgreSQL: same answers, same read models, and rebuilt equal to live."""

from __future__ import annotations

import pytest
from canonical.money import Money
from chassis.eventstore.postgres import PostgresEventStore
from claims.application.queries import decisions_on, subledger_balances
from claims.main import SHAPE

from .money_world import reversal_of
from .world import DENIAL, ClaimsUnderTest, acknowledged, charged, chunk, claim_id, paid, status

pytestmark = pytest.mark.servers


def told(service: ClaimsUnderTest) -> ClaimsUnderTest:
    service.receive(charged(4, has_member_id=False), charged(1), charged(2), charged(3))
    service.sweep()
    service.receive(acknowledged("TA1", "A"), acknowledged("999", "A"), status(1), status(3, accepted=False))
    stranger = paid(1, 2).model_copy(update={"patient_control_number": "TNOBODYSENTTHIS01"})
    service.receive(chunk(paid(1, 0), paid(2, 1), stranger))
    service.receive(chunk(paid(1, 0), paid(2, 1), stranger))
    early = reversal_of(paid(2, amount="20.00", adjustments=(DENIAL,), charge=Money.of("270.00")))
    service.receive(chunk(reversal_of(paid(1)), early, paid(3, 1, status="25", amount="0.00"), remittance=2))
    service.receive(chunk(paid(2, amount="20.00", adjustments=(DENIAL,), charge=Money.of("270.00")), remittance=3))
    return service


def test_postgres_and_memory_hold_the_same_and_rebuild_to_the_same(store: PostgresEventStore) -> None:
    on_postgres, in_memory = told(ClaimsUnderTest(store=store)), told(ClaimsUnderTest())

    tables = [store.read_model_hash(table) for table in SHAPE.all_tables]
    assert tables == [in_memory.store.read_model_hash(table) for table in SHAPE.all_tables]
    assert decisions_on(store, claim_id(1)) == decisions_on(in_memory.store, claim_id(1))
    assert subledger_balances(store, "NORTH") == subledger_balances(in_memory.store, "NORTH")
    assert on_postgres.public_events() == in_memory.public_events()
    store.rebuild_read_models()
    assert tables == [store.read_model_hash(table) for table in SHAPE.all_tables]
