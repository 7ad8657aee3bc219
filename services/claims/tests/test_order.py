"""Messages may come twice, late and in any order: the same claims result."""

from __future__ import annotations

from itertools import permutations
from random import Random
from typing import Any

from chassis.eventstore import Table
from claims.application.money_read_models import ADJUDICATIONS, UNKNOWN_PAYMENTS
from claims.application.read_models import CLAIMS, INTERCHANGES
from hypothesis import given, settings
from hypothesis import strategies as st

from .world import ClaimsUnderTest, acknowledged, charged, chunk, delivery, paid, status

STORIES = (
    acknowledged("TA1", "A"),
    acknowledged("999", "A"),
    status(1),
    status(2, accepted=False),
    chunk(paid(1, 0)),
    chunk(paid(1, 0), remittance=2),
)
_WHEN = ("drafted_at", "changed_at", "recorded_at", "intended_at", "sent_at", "first")


def state(service: ClaimsUnderTest) -> list[Any]:
    """All read models, without instants and without which decision happened to be first."""
    tables: tuple[Table, ...] = (CLAIMS, ADJUDICATIONS, INTERCHANGES, UNKNOWN_PAYMENTS)
    rows = [row for table in tables for row in service.store.rows(table, {})]
    return [{column: value for column, value in row.items() if column not in _WHEN} for row in rows]


def after(order: tuple[Any, ...]) -> list[Any]:
    service = ClaimsUnderTest().submitted(1, 2)
    for event in order:
        service.receive(event)
    return state(service)


def test_answers_in_any_order_leave_the_same_claims() -> None:
    expected = after(STORIES)

    assert all(after(order) == expected for order in list(permutations(STORIES))[::7])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_redelivery_in_any_grouping_changes_nothing(seed: int) -> None:
    random = Random(seed)
    told = [event for event in STORIES for _ in range(random.randint(1, 3))]
    random.shuffle(told)
    service = ClaimsUnderTest().submitted(1, 2)

    while told:
        size = random.randint(1, 4)
        batch, told = told[:size], told[size:]
        for name, consumer in service.core.consumers.items():
            consumer.handle([delivery(event) for event in batch if name == event.SERVICE])

    assert state(service) == after(STORIES)


def test_charges_delivered_again_after_everything_change_nothing() -> None:
    service = ClaimsUnderTest().submitted(1, 2)
    for event in STORIES:
        service.receive(event)
    before, position = state(service), service.store.last_position()

    handled = service.receive(charged(1), charged(2), charged(1))

    assert handled.repeated == 3
    assert (state(service), service.store.last_position()) == (before, position)


def test_read_models_rebuilt_from_the_log_equal_the_live_ones() -> None:
    service = ClaimsUnderTest().submitted(1, 2)
    for event in STORIES:
        service.receive(event)
    live = [service.store.read_model_hash(table) for table in (CLAIMS, ADJUDICATIONS, INTERCHANGES)]

    service.store.rebuild_read_models()

    assert live == [service.store.read_model_hash(table) for table in (CLAIMS, ADJUDICATIONS, INTERCHANGES)]
