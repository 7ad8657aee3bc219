"""The queue of exceptions on a real PostgreSQL holds what it holds in memory, and is rebuilt to the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from uuid import UUID

import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Refusal
from chassis.eventstore import EventRegistry, EventStore, Work, transact
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.migrations import migrate
from chassis.eventstore.postgres import PostgresEventStore
from chassis.exceptions import CASES, ExceptionCase, project_cases, raise_case
from chassis.testing import context

REGISTRY = EventRegistry((ExceptionCase,))
DUE = date(2026, 6, 30)


@pytest.fixture
def postgres(request: pytest.FixtureRequest) -> Iterator[PostgresEventStore]:
    database = request.getfixturevalue("database")
    migrate(database.owner, (CASES,), "sample_app")
    with PostgresEventStore(database.app, REGISTRY, [project_cases], (CASES,)) as opened:
        yield opened


def work_cases(store: EventStore) -> None:
    """One case that is given away and dismissed by two, one whose dismissal news takes back, one that only waits."""
    given, restated, waiting = (raised(store, number) for number in range(3))
    dismiss(store, given, "user:anna")
    change(store, given, "user:ben", lambda case: case.assign("cash-team"))
    dismiss(store, given, "user:anna")
    dismiss(store, given, "user:ben")
    dismiss(store, restated, "user:anna")
    change(store, restated, "service:x", lambda case: case.restate("grown", Money(900)))
    dismiss(store, waiting, "user:anna")


def raised(store: EventStore, number: int) -> UUID:
    due_on = DUE if number else None

    def decide(work: Work) -> UUID:
        cause = derive("cause", number)
        return raise_case(
            work, cause, code="Loose", summary="nobody claims it", subject="deposit", due_on=due_on, amount=Money(500)
        )

    return transact(store, context(causation_id=derive("raise", number)), decide)


def change(store: EventStore, case_id: UUID, actor: str, act: Callable[[ExceptionCase], object]) -> None:
    transact(store, context(actor=actor), lambda work: act(work.require(ExceptionCase, case_id)))


def dismiss(store: EventStore, case_id: UUID, actor: str) -> None:
    change(store, case_id, actor, lambda case: case.dismiss("the bank took it back", by_two=True))


def test_what_becomes_of_cases_is_told_in_their_rows() -> None:
    store = MemoryEventStore(REGISTRY, [project_cases])
    work_cases(store)
    names = ("state", "owner", "actor", "dismissal_by", "due_on")
    rows = [tuple(row[name] for name in names) for row in store.rows(CASES, {})]
    assert sorted(rows, key=str) == sorted(
        [
            ("dismissed", "cash-team", "user:ben", "user:anna", None),
            ("open", None, None, None, DUE),
            ("open", None, None, "user:anna", DUE),
        ],
        key=str,
    )


def test_who_proposed_a_dismissal_cannot_agree_to_it() -> None:
    store = MemoryEventStore(REGISTRY, [project_cases])
    case_id = raised(store, 1)
    dismiss(store, case_id, "user:anna")
    with pytest.raises(Refusal, match="another has to agree"):
        dismiss(store, case_id, "user:anna")


@pytest.mark.servers
def test_postgres_holds_the_same_rows_and_rebuilds_them(postgres: PostgresEventStore) -> None:
    memory = MemoryEventStore(REGISTRY, [project_cases])
    for store in (memory, postgres):
        work_cases(store)
    assert postgres.read_model_hash(CASES) == memory.read_model_hash(CASES)
    postgres.rebuild_read_models()
    assert postgres.read_model_hash(CASES) == memory.read_model_hash(CASES)
