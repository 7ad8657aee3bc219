"""What a batch was decided on, beside what it changes: it is decided again where somebody else was quicker."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from canonical.money import Money
from chassis.eventstore import EventStore, Work, transact
from chassis.testing import context
from chassis.testing.sample import PURSES, Purse, purse_id

OURS = {"owner": "someone"}


def opened(work: Work, *names: str) -> None:
    for name in names:
        work.get_or_new(Purse, purse_id(name)).open("someone")


def closed(work: Work, name: str) -> None:
    work.require(Purse, purse_id(name)).close()


def decisions(store: EventStore, look: Callable[[Work], object], meanwhile: Callable[[Work], None]) -> list[object]:
    """What each attempt looked at, where somebody else does something before the first is saved."""
    seen: list[object] = []

    def decide(work: Work) -> None:
        seen.append(look(work))
        if len(seen) == 1:
            transact(store, context(), meanwhile)
        work.get_or_new(Purse, purse_id("of this batch")).open("this batch")

    transact(store, context(), decide)
    return seen


def came_for_it(work: Work) -> None:
    closed(work, "a")
    opened(work, "b")


@pytest.mark.parametrize(
    ("meanwhile", "then"),
    [
        (came_for_it, {"b"}),
        (lambda work: closed(work, "a"), set()),
        (lambda work: opened(work, "b"), {"a", "b"}),
    ],
    ids=["another came for it", "one went", "one came"],
)
def test_rows_that_come_and_go_are_the_same_or_the_batch_is_decided_again(
    store: EventStore, meanwhile: Callable[[Work], None], then: set[str]
) -> None:
    transact(store, context(), lambda work: opened(work, "a"))

    def look(work: Work) -> set[object]:
        return {row["purse_id"] for row in work.same_rows(PURSES, OURS)}

    first, second = decisions(store, look, meanwhile)
    assert (first, second) == ({purse_id("a")}, {purse_id(name) for name in then})


def test_rows_that_stayed_are_decided_on_once(store: EventStore) -> None:
    transact(store, context(), lambda work: opened(work, "a"))
    seen = decisions(store, lambda work: len(work.same_rows(PURSES, OURS)), lambda work: None)
    assert seen == [1]


@pytest.mark.parametrize("name", ["known", "new"])
def test_a_batch_that_only_reads_what_others_change_is_decided_again(store: EventStore, name: str) -> None:
    transact(store, context(), lambda work: opened(work, "known"))

    def look(work: Work) -> int:
        purse = work.get_or_new(Purse, purse_id(name))
        work.expect_unmoved(purse)
        return purse.version

    before = 1 if name == "known" else 0
    assert decisions(store, look, lambda work: opened(work, name)) == [before, before + 1]


def test_what_a_batch_changes_itself_of_what_it_read_is_no_news(store: EventStore) -> None:
    transact(store, context(), lambda work: opened(work, "a"))
    work = Work(store, context())
    purse = work.require(Purse, purse_id("a"))
    work.expect_unmoved(purse)
    purse.fill(Money(1))
    assert work.commit() > 0
