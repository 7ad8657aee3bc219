"""Provider balances and suspected duplicates end the same, whatever the order and number of the remittances."""

from __future__ import annotations

import random
from itertools import permutations

import pytest
from canonical.events.payments import ProviderBalanceMoved
from canonical.money import Money
from canonical.remittance import RemittanceSummary
from chassis.eventstore import Work
from chassis.exceptions import CASES
from chassis.testing.contexts import context
from chassis.testing.given import given
from payments.application.balances import entity_balances
from payments.application.provider_rows import PROVIDER_BALANCES, PROVIDER_MOVES, REVERSALS
from payments.application.publishing import publish
from payments.application.queries import RECEIPTS, REMITTANCES
from payments.domain.provider_balance import ProviderAdjustmentChanged, ProviderBalance, provider_balance_id

from .examples import DAY, PROVIDER, adjusted, claim_payment, move, plb, summary
from .world import World, remittance

BALANCE = provider_balance_id("ACME", PROVIDER)
CHAIN = (
    adjusted("TRACE1", plb("FB", -3000), paid=-3000, effective_date=DAY.replace(day=2)),
    adjusted("TRACE2", plb("FB", 3000), plb("FB", -1000), paid=2000, effective_date=DAY.replace(day=9)),
    adjusted("TRACE3", plb("FB", 1000), plb("L6", -35), paid=5000, effective_date=DAY.replace(day=16)),
)


def deliver(world: World, *heads: RemittanceSummary) -> None:
    for head in heads:
        world.deliver(*remittance(head))


def balance_of(world: World) -> ProviderBalance:
    return Work(world.store, context()).require(ProviderBalance, BALANCE)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_chain_of_forwarded_balances_ends_at_zero_and_without_a_case(order: tuple[int, ...]) -> None:
    world = World()
    deliver(world, *(CHAIN[index] for index in order), *CHAIN)
    (row,) = world.rows(PROVIDER_BALANCES)
    assert (row["open_minor"], row["other_minor"], row["move_count"]) == (0, -35, 5)
    assert balance_of(world).pairing.open_items == []
    assert world.open_cases() == []


def test_a_remittance_that_forwards_all_it_has_is_settled_without_a_deposit() -> None:
    world = World()
    deliver(world, *CHAIN)
    settled = {row["trace_number"]: (row["payment_minor"], row["settlement"]) for row in world.rows(REMITTANCES)}
    assert settled == {
        "TRACE1": (0, "nothing-to-pay"),
        "TRACE2": (0, "nothing-to-pay"),
        "TRACE3": (4035, "waiting"),
    }


def test_a_recoupment_that_nothing_explains_is_a_case_until_an_older_remittance_explains_it() -> None:
    world = World()
    put_off = adjusted("TRACE1", plb("WO", -500, "CLAIM1"), effective_date=DAY.replace(day=2))
    taken = adjusted("TRACE2", plb("WO", 500, "CLAIM1"), effective_date=DAY.replace(day=9))
    deliver(world, taken)
    (case,) = world.rows(CASES)
    assert (case["code"], case["amount_minor"], case["subject_id"]) == (
        "UnexplainedRecoupment",
        500,
        taken.remittance_id,
    )
    said = str(case["summary"])
    assert "adjustment 1 of its remittance" in said
    assert "CLAIM1" not in said, "a payer's reference may name a patient's account"
    deliver(world, put_off)
    assert world.open_cases() == []
    assert balance_of(world).open_amount == Money(0)


def test_a_recoupment_whose_item_was_another_ones_has_a_case_again() -> None:
    put_off = adjusted("TRACE1", plb("FB", -500), effective_date=DAY.replace(day=2))
    first = adjusted("TRACE2", plb("FB", 500), effective_date=DAY.replace(day=9))
    second = adjusted("TRACE3", plb("FB", 500), effective_date=DAY.replace(day=16))
    for order in permutations((put_off, first, second)):
        world = World()
        deliver(world, *order, *order)
        assert world.open_cases() == ["UnexplainedRecoupment"]
        assert [item.opened_by.remittance_id for item in balance_of(world).pairing.open_items] == [second.remittance_id]


def test_what_is_explained_in_part_has_a_case_of_what_is_left() -> None:
    world = World()
    deliver(world, adjusted("TRACE2", plb("WO", 500, "CLAIM1"), effective_date=DAY.replace(day=9)))
    deliver(world, adjusted("TRACE1", plb("WO", -200, "CLAIM1"), effective_date=DAY.replace(day=2)))
    (case,) = world.store.rows(CASES, {"state": "open"})
    assert case["amount_minor"] == 300


@pytest.mark.parametrize("seed", range(8))
def test_repetition_and_order_change_no_balance(seed: int) -> None:
    heads = [
        *CHAIN,
        adjusted("TRACE4", plb("WO", 700, "CLAIM7"), plb("72", -700, "CLAIM7"), plb("WO", 80, "CLAIM8")),
        adjusted("TRACE5", plb("AP", -900, provider="1999999984")),
    ]
    straight, shuffled = World(), World()
    deliver(straight, *heads)
    mixed = [message for head in heads for message in remittance(head)] * 2
    random.Random(seed).shuffle(mixed)
    shuffled.deliver(*mixed)
    tables = (REMITTANCES, PROVIDER_BALANCES, PROVIDER_MOVES)
    assert shuffled.state(*tables) == straight.state(*tables)
    assert shuffled.open_cases() == straight.open_cases() == ["UnexplainedRecoupment"]
    shuffled.memory.rebuild_read_models()
    assert shuffled.state(*tables) == straight.state(*tables)


def test_every_adjustment_is_announced_with_the_item_it_moves_and_interest_moves_none() -> None:
    world = World()
    deliver(world, *CHAIN)
    moved = [
        public
        for logged in world.store.log(0, 1000)
        for public in publish(logged.event)
        if isinstance(public, ProviderBalanceMoved)
    ]
    assert [(each.reason, each.amount.minor, each.open_amount.minor) for each in moved] == [
        ("FB", -3000, -3000),
        ("FB", 3000, 0),
        ("FB", -1000, -1000),
        ("FB", 1000, 0),
        ("L6", -35, 0),
    ]
    assert moved[0].item_id == moved[1].item_id
    assert moved[2].item_id == moved[3].item_id
    assert (moved[4].item_id, moved[4].balance_id) == (None, BALANCE)


def test_a_balance_is_the_same_from_a_snapshot_as_from_its_history() -> None:
    def take_many(balance: ProviderBalance) -> None:
        for day in range(1, 29):
            moves = [move("FB", minor * 100, day=day) for minor in range(-4, 5)]
            balance.take(entity="NORTH", payer="ACME", provider=PROVIDER, moves=moves)

    whole = given(ProviderBalance)
    whole.when(take_many)
    assert whole.aggregate.version > ProviderBalance.snapshot_every
    restored = given(ProviderBalance).aggregate
    restored.restore(whole.aggregate.snapshot().model_dump_json().encode())
    assert restored.moves == whole.aggregate.moves
    assert restored.open_amount == whole.aggregate.open_amount


def test_another_content_of_one_adjustment_is_a_conflict() -> None:
    known = move("FB", -500)
    other = known.model_copy(update={"amount": Money(-501)})
    balance = given(ProviderBalance)
    for repetition in range(2):
        taken = balance.when(lambda b: b.take(entity="NORTH", payer="ACME", provider=PROVIDER, moves=[known]))
        assert len(taken.events) == 1, f"taken again, time {repetition}"
    balance.aggregate.pending.clear()
    balance.when(lambda b: b.take(entity="NORTH", payer="ACME", provider=PROVIDER, moves=[other])).then_refused(
        ProviderAdjustmentChanged
    )


def test_the_same_content_under_another_trace_is_posted_and_suspected_once() -> None:
    heads = (summary("TRACE1"), summary("TRACE2"), summary("TRACE2", copy=2), summary("TRACE3", content="other"))
    for order in permutations(heads):
        world = World()
        deliver(world, *order, *order)
        assert world.open_cases() == ["SuspectedDuplicateRemittance"]
        assert sorted(str(row["verdict"]) for row in world.rows(RECEIPTS)) == [
            "accepted",
            "accepted",
            "accepted",
            "duplicate",
        ]


def test_the_same_content_of_another_payer_is_no_duplicate() -> None:
    world = World()
    deliver(world, summary("TRACE1"), summary("TRACE2", payer_id="OTHER"))
    assert world.open_cases() == []


def test_remittances_that_say_nothing_are_no_duplicates_of_each_other() -> None:
    world = World()
    empty = {"claim_count": 0, "chunk_count": 0, "total_charge": Money(0)}
    deliver(world, *(summary(trace, paid=0).model_copy(update=empty) for trace in ("TRACE1", "TRACE2")))
    assert world.open_cases() == []


def test_reversals_are_kept_by_the_control_numbers_that_a_recoupment_names() -> None:
    world = World()
    reversal = claim_payment(position=1, paid=-4000).model_copy(
        update={"status": "22", "payer_control_number": "ICN 1"}
    )
    world.deliver(*remittance(summary(paid=4000, claim_count=2), claim_payment(), reversal))
    (row,) = world.rows(REVERSALS)
    assert (row["position"], row["payer_control_number"], row["paid_minor"]) == (1, "ICN 1", -4000)


def test_what_is_open_is_summed_by_entity_without_interest() -> None:
    world = World()
    deliver(world, *CHAIN[:2])
    deliver(world, adjusted("TRACE9", plb("WO", 300), plb("L6", -35), entity="SOUTH"))
    _, sums = entity_balances(world.store, "")
    assert sums["NORTH"]["provider_items_open"] == Money(-1000)
    assert sums["SOUTH"]["provider_items_open"] == Money(300)
