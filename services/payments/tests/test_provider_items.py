"""Which provider-level adjustment opens an item and which settles it, as a table and whatever the order of arrival."""

from __future__ import annotations

from itertools import permutations

import pytest
from canonical.money import Money
from hypothesis import given as for_all
from hypothesis import strategies as st
from payments.domain.provider_items import ITEM_REASONS, Move, Pairing, significant

from .examples import move

Case = tuple[str, list[Move], dict[tuple[str, int], int]]
FORWARDED: Case = (
    "a balance forwarded twice and applied to zero",
    [move("FB", -10000), move("FB", 10000, day=2), move("FB", -4000, day=2), move("FB", 4000, day=3)],
    {},
)
CASES: tuple[Case, ...] = (
    FORWARDED,
    (
        "a recoupment put off and taken later",
        [move("WO", -5000, "CLAIM1"), move("WO", 5000, "CLAIM1", day=9)],
        {},
    ),
    (
        "a recoupment taken in two parts",
        [move("WO", -5000, "CLAIM1"), move("WO", 3000, "CLAIM1", day=5), move("WO", 1500, "CLAIM1", day=9)],
        {("CLAIM1", 1): -500},
    ),
    (
        "a refund acknowledged beside the recoupment of one reference",
        [move("WO", 5000, "CLAIM1"), move("72", -5000, "CLAIM1")],
        {},
    ),
    (
        "a refund acknowledged after its recoupment was taken",
        [move("WO", 5000, "CLAIM1"), move("72", -5000, "claim-1", day=4)],
        {},
    ),
    (
        "a refund acknowledged for another claim",
        [move("WO", 5000, "CLAIM1"), move("72", -5000, "CLAIM2", day=4)],
        {("CLAIM1", 1): 5000, ("CLAIM2", 4): -5000},
    ),
    ("a recoupment that nothing explains", [move("WO", 700, "CLAIM9")], {("CLAIM9", 1): 700}),
    ("more taken than was open", [move("FB", -500), move("FB", 700, day=2)], {("", 2): 200}),
    (
        "the reference goes before age",
        [move("WO", -500, "OLD"), move("WO", -500, "NEW", day=2), move("WO", 500, "NEW", day=3)],
        {("OLD", 1): -500},
    ),
    (
        "the oldest of the code where no reference fits",
        [move("FB", -500, "OLD"), move("FB", -500, "NEW", day=2), move("FB", 500, "OTHER", day=3)],
        {("NEW", 2): -500},
    ),
    (
        "an advance and a forwarded balance do not settle each other",
        [move("AP", -500), move("FB", 500, day=2)],
        {("", 1): -500, ("", 2): 500},
    ),
    (
        "a balance forwarded later does not explain what was taken before it without a reference",
        [move("FB", 500), move("FB", -500, day=2)],
        {("", 1): 500, ("", 2): -500},
    ),
    (
        "a deferral that comes after what it names",
        [move("WO", 500, "CLAIM1"), move("WO", -500, "CLAIM1", day=2)],
        {},
    ),
    (
        "interest, levies and withholds",
        [move("L6", -35), move("LE", 500), move("IR", 20), move("CS", 12), move("E3", 9), move("FB", 0)],
        {},
    ),
)


def left_open(moves: list[Move]) -> dict[tuple[str, int], int]:
    """The open cents by reference and day of the item."""
    items = Pairing(moves).open_items
    return {(item.opened_by.reference, item.opened_by.effective_date.day): item.open_amount.minor for item in items}


@pytest.mark.parametrize(("moves", "still_open"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_items_open_and_settle(moves: list[Move], still_open: dict[tuple[str, int], int]) -> None:
    assert left_open(moves) == still_open


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_chain_over_three_remittances_ends_at_zero_in_whatever_order_they_come(order: tuple[int, ...]) -> None:
    moves = FORWARDED[1]
    pairing = Pairing([moves[index] for index in order])
    assert pairing.open_items == []
    assert [[part.amount.minor for part in item.settled_by] for item in pairing.items] == [[10000], [4000]]


def test_each_part_that_settles_an_item_names_the_move_that_did() -> None:
    moves = [move("WO", -5000, "CLAIM1"), move("WO", 3000, "CLAIM1", day=5), move("WO", 2000, "CLAIM1", day=9)]
    (item,) = Pairing(moves).items
    assert [(part.move.id, part.amount.minor) for part in item.settled_by] == [
        (moves[1].id, 3000),
        (moves[2].id, 2000),
    ]
    assert {Pairing(moves).item_of[each.id] for each in moves} == {item.id}


@pytest.mark.parametrize(("one", "other"), [("ab 12-c", "AB12C"), (" 0099 ", "0099"), ("", "--")])
def test_references_are_compared_without_what_payers_write_differently(one: str, other: str) -> None:
    assert significant(one) == significant(other)


def _move_of(day: int, reason: str, minor: int, reference: str) -> Move:
    return move(reason, minor, reference, day=day)


MOVES = st.lists(
    st.builds(
        _move_of,
        st.integers(1, 28),
        st.sampled_from(["WO", "72", "FB", "AP", "L6"]),
        st.integers(-30, 30).map(lambda tens: tens * 10),
        st.sampled_from(["", "A", "B"]),
    ),
    max_size=14,
    unique_by=lambda each: each.id,
)


@for_all(MOVES, st.randoms(use_true_random=False))
def test_no_cent_of_a_move_is_lost_and_the_order_of_arrival_does_not_matter(moves: list[Move], random: object) -> None:
    pairing = Pairing(moves)
    owed = Money.total(each.amount for each in moves if each.reason in ITEM_REASONS)
    assert Money.total(item.open_amount for item in pairing.items) == owed
    assert all(
        item.open_amount == item.amount + Money.total(part.amount for part in item.settled_by)
        and (not item.open_amount or (item.open_amount > Money(0)) == (item.amount > Money(0)))
        for item in pairing.items
    )
    shuffled = list(moves)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = Pairing(shuffled)
    assert [(item.id, item.open_amount) for item in again.items] == [
        (item.id, item.open_amount) for item in pairing.items
    ]
    assert again.item_of == pairing.item_of
