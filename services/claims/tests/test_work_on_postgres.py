"""People's work on claims on a real PostgreSQL: the same rows, the same order and the same deadlines as in memory."""

from __future__ import annotations

import pytest
from canonical.money import Money
from chassis.eventstore import transact
from chassis.eventstore.postgres import PostgresEventStore
from chassis.testing import context
from claims.application import work_queries
from claims.application.work_read_models import OPEN_STATES
from claims.application.working_denials import DEADLINE_CASE, approve_write_off, request_write_off
from claims.domain.denial import denial_id_of
from claims.main import SHAPE

from .world import DENIAL, ClaimsUnderTest, chunk, claim_id, paid

pytestmark = pytest.mark.servers


def told(service: ClaimsUnderTest) -> ClaimsUnderTest:
    service.submitted(1, 2, 3)
    service.receive(chunk(*(paid(number, number, amount="0.00", adjustments=(DENIAL,)) for number in (1, 2, 3))))
    first = denial_id_of(claim_id(1), 1)
    asked = context(actor="user:ann", now=service.clock.now)
    transact(service.store, asked, lambda work: request_write_off(work, first, Money.of("250.00"), "too old"))
    decided = context(actor="user:ben", now=service.clock.now)
    transact(service.store, decided, lambda work: approve_write_off(work, first, Money.of("250.00")))
    service.clock.advance(days=190)
    service.sweep()
    return service


def test_denials_are_found_and_warned_of_as_in_memory(store: PostgresEventStore) -> None:
    on_postgres, in_memory = told(ClaimsUnderTest(store=store)), told(ClaimsUnderTest())

    tables = [store.read_model_hash(table) for table in SHAPE.all_tables]
    assert tables == [in_memory.store.read_model_hash(table) for table in SHAPE.all_tables]
    assert len(on_postgres.cases(code=DEADLINE_CASE)) == 2
    rows = work_queries.denial_rows(store, {"state": OPEN_STATES}, skip=0, size=10)
    assert len(rows) == 2
    assert rows == work_queries.denial_rows(in_memory.store, {"state": OPEN_STATES}, skip=0, size=10)
    happened = list(work_queries.history_of_denial(store, denial_id_of(claim_id(1), 1)))
    assert happened == list(work_queries.history_of_denial(in_memory.store, denial_id_of(claim_id(1), 1)))
