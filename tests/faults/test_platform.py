"""Whatever goes wrong on the way to a platform and back, the books end as if nothing had, and as if nobody else worked the claims."""

from __future__ import annotations

from collections import Counter
from functools import cache
from random import Random

import pytest
from chassis.domain import Unavailable
from claims.application.ports import TransportUnavailable, TransportUncertain
from intake.application.deliveries import InboundDelivery
from sandbox.world.payer import Answer

from tests.contracts.platform_road import PAID_ON, PLATFORM, Road, Way, charges

from .simulation.mischief import Crashed, Kind, Mischief, rates_of

SEEDS = range(1, 41)
FAULTY_ROUNDS = 40
SETTLED_MAX = 20
FAULTS = ("crash", "send", "door", "bus:delivered-twice", "bus:delayed")
pytestmark = pytest.mark.slow
STRIKING = (
    Kind.CRASH_AFTER_RECEIVE,
    Kind.CRASH_BEFORE_COMMIT,
    Kind.CRASH_AFTER_COMMIT,
    Kind.CRASH_BEFORE_SEND,
    Kind.CRASH_AFTER_SEND,
    Kind.SEND_DOWN,
    Kind.SEND_TIMEOUT_BEFORE_WORK,
    Kind.SEND_TIMEOUT_AFTER_WORK,
    Kind.DOOR_SENT_AGAIN,
    Kind.DOOR_ANSWER_LOST,
    Kind.BUS_DELIVERED_TWICE,
    Kind.BUS_DELAYED,
)


class _FaultyWay(Way):
    """To a platform that is down at times, or takes a batch and says nothing, or says nothing and takes none."""

    def __init__(self, road: FaultyRoad) -> None:
        super().__init__(road)
        self._mischief = road.mischief

    def probe(self, name: str) -> str | None:
        if self._mischief.strikes(Kind.SEND_DOWN):
            raise TransportUnavailable("simulated: the platform is down")
        return super().probe(name)

    def send(self, name: str, content: bytes) -> None:
        if self._mischief.strikes(Kind.SEND_TIMEOUT_BEFORE_WORK):
            raise TransportUncertain("simulated: no reply, and it took nothing")
        super().send(name, content)
        if self._mischief.strikes(Kind.SEND_TIMEOUT_AFTER_WORK):
            raise TransportUncertain("simulated: no reply, and it took the batch")


class FaultyRoad(Road):
    """Charges, reports and messages come late, repeated and in any order; processes die at every step."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.mischief = Mischief(self.random, rates_of(FAULTS))
        self.past: list[Answer] = []
        super().__init__(PLATFORM)
        self.way = _FaultyWay(self)
        self.assemble()

    def crash(self, step: str) -> None:
        self.mischief.crash(step)

    def play(self) -> FaultyRoad:
        """The whole story with faults, and then without any until nothing waits."""
        untold = charges()
        self.random.shuffle(untold)
        for _ in range(FAULTY_ROUNDS):
            untold = untold[self._told_some(untold) :]
            if self.random.random() < 0.2:
                self._let_the_payers_pay()
            self._reports_come()
            for name in self.random.sample(list(self.cores), len(self.cores)):
                self._may_die(name)
        with self.mischief.without("crash", "send", "door", "bus"):
            self.intake.messages.receive(untold or charges())
            for _ in range(SETTLED_MAX):
                self.settle_down()
                if not self._let_the_payers_pay():
                    return self
        raise AssertionError("the payers never come to an end")

    def _told_some(self, untold: list[InboundDelivery]) -> int:
        """How many of the charges that wait the EHR got an answer for."""
        some = untold[: self.random.randint(0, 3)]
        try:
            self.intake.messages.receive(some)
        except Crashed:
            self.assemble()
            return 0
        return len(some)

    def _let_the_payers_pay(self) -> bool:
        _, report = self.desk.settle(PAID_ON)
        self.waiting += [report] if report else []
        return report is not None

    def _reports_come(self) -> None:
        """Some of the reports that wait, in any order, perhaps with one that came before, under its name or another."""
        some = self.random.sample(self.waiting, self.random.randint(0, len(self.waiting)))
        if self.past and self.mischief.strikes(Kind.DOOR_SENT_AGAIN):
            again = self.random.choice(self.past)
            name = self.random.choice((again.name, f"again-{len(self.past)}-{again.name}"))
            some.append(Answer(again.kind, name, again.content))
        for report in some:
            try:
                self.receive(report)
            except Crashed:
                self.assemble()
                continue
            self.past.append(report)
            if report in self.waiting and not self.mischief.strikes(Kind.DOOR_ANSWER_LOST):
                self.waiting.remove(report)

    def _may_die(self, name: str) -> None:
        """A step of one service, perhaps with messages that it had, or none of those that it should have."""
        if self.mischief.strikes(Kind.BUS_DELAYED):
            return
        for key in [key for key in self.told if key[0] == name]:
            if self.mischief.strikes(Kind.BUS_DELIVERED_TWICE):
                self.told[key] = self.random.randint(0, self.told[key])
        try:
            self.step(name)
        except Crashed:
            self.assemble()
        except Unavailable:
            return


@cache
def outcome_of(seed: int) -> FaultyRoad:
    return FaultyRoad(seed).play()


@pytest.fixture(scope="module")
def ours() -> Road:
    return Road("").charge().pay()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_platforms_claims_make_the_same_books_whatever_goes_wrong(ours: Road, seed: int) -> None:
    road = outcome_of(seed)
    assert road.books() == ours.books()
    assert road.cases() == ours.cases()
    assert road.proved() == []


def test_every_kind_of_fault_struck_on_the_way() -> None:
    struck: Counter[Kind] = Counter()
    for seed in SEEDS:
        struck.update(outcome_of(seed).mischief.struck)
    assert [kind.value for kind in STRIKING if not struck[kind]] == []
