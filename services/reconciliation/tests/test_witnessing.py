"""What the public streams tell is kept the same, whatever comes twice, late or in another order."""

from __future__ import annotations

import random

import pytest
from canonical.events.ledger import JournalConfirmed, JournalIntended, JournalRejected
from canonical.events.payments import DepositMatched, RemittanceAccepted
from canonical.money import Money
from chassis.exceptions import CASES
from reconciliation.application.queries import (
    CLEARING_ITEMS,
    CONFIRMED_BALANCES,
    WITNESSED_JOURNALS,
    confirmed_journals,
    witnessed,
)

from .examples import HEAD, LINES
from .test_planted_errors import REMITTANCE
from .world import Bench, World, consistent_world

KEPT = (CLEARING_ITEMS, CONFIRMED_BALANCES)


def kept(bench: Bench) -> list[object]:
    """Everything of our own record but what the order of arrival may colour: who was the last to speak."""
    return [
        [{name: value for name, value in row.items() if name not in ("cause", "effective_date")} for row in rows]
        for rows in (bench.store.rows(table, {}) for table in KEPT)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_redelivery_and_reordering_leave_the_same_record(seed: int) -> None:
    world = consistent_world()
    expected = kept(Bench(world))
    shuffled = world.events * 2
    random.Random(seed).shuffle(shuffled)
    bench = Bench(World())
    for start in range(0, len(shuffled), 7):
        bench.deliver(shuffled[start : start + 7])
    assert kept(bench) == expected
    states = {row["state"] for row in bench.store.rows(WITNESSED_JOURNALS, {})}
    assert states == {"confirmed"}


def test_our_own_record_of_the_confirmed_entries_adds_up_to_zero() -> None:
    bench = Bench(consistent_world())
    own = witnessed(bench.store, [REMITTANCE])
    assert Money.total(own.confirmed.values()) == Money(0)
    assert own.payments_by_remittance == {REMITTANCE: Money(12_000)}
    assert len(confirmed_journals(bench.store, "NORTH")) == len(
        [entry for entry in bench.world.entries.values() if entry.entity == "NORTH"]
    )


def test_an_entry_confirmed_with_other_lines_becomes_an_exception() -> None:
    bench = Bench(World())
    changed = tuple(line.model_copy(update={"amount": line.amount + line.amount}) for line in LINES)
    bench.deliver(
        [
            JournalIntended(head=HEAD, lines=LINES),
            JournalConfirmed(head=HEAD, lines=changed, erp="fake", erp_document="1"),
        ]
    )
    assert [row["code"] for row in bench.store.rows(CASES, {})] == ["JournalChanged"]


def test_a_rejected_entry_may_still_be_confirmed_and_a_confirmed_one_stays_it() -> None:
    bench = Bench(World())
    rejected = JournalRejected(journal_id=HEAD.journal_id, reason="ErpRejected: closed")
    bench.deliver([JournalIntended(head=HEAD, lines=LINES), rejected])
    assert [row["state"] for row in bench.store.rows(WITNESSED_JOURNALS, {})] == ["rejected"]
    bench.deliver([JournalConfirmed(head=HEAD, lines=LINES, erp="fake", erp_document="1")])
    bench.deliver([rejected.model_copy(update={"reason": "late"})])
    assert [row["state"] for row in bench.store.rows(WITNESSED_JOURNALS, {})] == ["confirmed"]


def test_the_same_deposit_with_another_amount_becomes_an_exception() -> None:
    world = consistent_world()
    bench = Bench(world)
    deposit = next(event for event in world.events if isinstance(event, DepositMatched))
    bench.deliver([deposit.model_copy(update={"amount": deposit.amount + Money(1)})])
    assert [row["code"] for row in bench.store.rows(CASES, {})] == ["ClearingChanged"]


def test_a_deposit_that_overtakes_its_remittance_is_cleared_by_it() -> None:
    world = consistent_world()
    accepted = next(
        event
        for event in world.events
        if isinstance(event, RemittanceAccepted) and event.summary.remittance_id == REMITTANCE
    )
    world.events.remove(accepted)
    bench = Bench(world)
    assert [row["balance_minor"] for row in bench.store.rows(CLEARING_ITEMS, {"item_id": REMITTANCE})] == [-12_000]
    bench.deliver([accepted])
    assert [row["is_open"] for row in bench.store.rows(CLEARING_ITEMS, {"item_id": REMITTANCE})] == [False]
