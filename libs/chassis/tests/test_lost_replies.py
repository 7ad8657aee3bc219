"""A command whose commit went through and whose reply was lost is answered as done, once, and never as a conflict."""

from __future__ import annotations

from dataclasses import replace

import pytest
from canonical.money import Money
from chassis.domain import Context
from chassis.eventstore import Commit, VersionConflict, Work, transact
from chassis.eventstore.memory import MemoryEventStore
from chassis.telemetry.correlation import call_context, caused_by, incoming
from chassis.testing import FixedClock, context, sample
from chassis.testing.sample import Purse, PurseIsClosed, purse_id


class StoreThatLosesReplies(MemoryEventStore):
    """Commits, and then sees its own rows: what the recorder does when the reply to COMMIT is lost."""

    def __init__(self) -> None:
        super().__init__(sample.registry(), [sample.project_purses])
        self.replies_to_lose = 0

    def save(self, commit: Commit) -> int:
        position = super().save(commit)
        if self.replies_to_lose:
            self.replies_to_lose -= 1
            raise VersionConflict("its own rows are taken")
        return position


def open_and_fill(work: Work) -> str:
    purse = work.get_or_new(Purse, purse_id("a"))
    if purse.exists:
        raise PurseIsClosed("it was opened before")
    purse.open("a")
    purse.fill(Money(5))
    return "opened"


def one_call() -> Context:
    with caused_by(incoming("user:a", None, None)):
        return call_context(FixedClock().now)


def test_a_call_whose_reply_was_lost_is_answered_as_done() -> None:
    store = StoreThatLosesReplies()
    store.replies_to_lose = 1
    assert transact(store, one_call(), open_and_fill) == "opened"
    assert store.last_position() == 2


def test_what_somebody_else_did_meanwhile_is_still_a_refusal() -> None:
    store = StoreThatLosesReplies()
    transact(store, one_call(), open_and_fill)
    with pytest.raises(PurseIsClosed):
        transact(store, one_call(), open_and_fill)


def test_a_race_with_another_call_is_decided_again() -> None:
    store = StoreThatLosesReplies()
    transact(store, one_call(), open_and_fill)
    seen: list[Money] = []

    def fill(work: Work) -> None:
        purse = work.require(Purse, purse_id("a"))
        seen.append(purse.balance)
        if len(seen) == 1:
            transact(store, one_call(), lambda other: other.require(Purse, purse_id("a")).fill(Money(1)))
        purse.fill(Money(1))

    transact(store, one_call(), fill)
    assert seen == [Money(5), Money(6)]


def test_a_cause_that_others_share_proves_nothing() -> None:
    store = StoreThatLosesReplies()
    store.replies_to_lose = 1
    with pytest.raises(PurseIsClosed):
        transact(store, replace(context(), is_one_call=False), open_and_fill)
