"""Payments and the ledger die before and after each of their commits; money ends where it does when nobody dies."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from chassis.eventstore import Commit
from chassis.eventstore.memory import MemoryEventStore
from chassis.runtime import ServiceShape

from tests.contracts.gateway_table import STORIES
from tests.contracts.gateway_till import patient_of
from tests.contracts.money_road import MoneyRoad, OwnGateway, Told, charged
from tests.contracts.test_money_in_any_order import at_the_bank

KILLED = (
    "a payout less a lost dispute",
    "a refund that fails",
    "a payment that names nobody, refunded",
    "a payout that the bank does not take, made again",
    "an ACH debit returned late",
)


class Killed(BaseException):
    """The process has ended here."""


@dataclass
class Fate:
    """At which commit of all a process dies, and on which side of it; at none where it is 0."""

    at: int = 0
    is_durable: bool = False
    commits: int = 0


class MortalStore(MemoryEventStore):
    """A store whose process may die just before a commit, or just after it."""

    def __init__(self, shape: ServiceShape, fate: Fate) -> None:
        super().__init__(shape.registry(), shape.all_projections)
        self._fate = fate

    def save(self, commit: Commit) -> int:
        fate = self._fate
        fate.commits += 1
        dies = fate.commits == fate.at
        if dies and not fate.is_durable:
            raise Killed
        position = super().save(commit)
        if dies:
            raise Killed
        return position


def lived(name: str, fate: Fate) -> MoneyRoad:
    """The story with the charges last; who was not answered tells it again, and what was not acknowledged comes again."""
    gateway = OwnGateway()
    till = gateway.till(name)
    STORIES[name].happens(till)
    told: list[Told] = [*till.webhooks, *at_the_bank([till], []), charged(patient_of(name))]
    road = MoneyRoad(gateway, lambda shape: MortalStore(shape, fate))
    for each in told:
        try:
            road.tell(each)
            road.settle()
        except Killed:
            road.assemble()
            road.tell(each)
            road.settle()
    return road


@pytest.mark.parametrize("name", KILLED)
def test_a_death_before_or_after_any_commit_changes_nothing(name: str) -> None:
    whole = Fate()
    ends = lived(name, whole).ends()
    assert whole.commits > 10
    for at in range(1, whole.commits + 1):
        for is_durable in (False, True):
            fate = Fate(at, is_durable)
            assert lived(name, fate).ends() == ends, f"killed {'after' if is_durable else 'before'} commit {at}"
            assert fate.commits >= at, "it died"
