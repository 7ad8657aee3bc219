"""Plans are kept, missed, caught up and ended by what was paid; the asking follows days and stops."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import Work, transact
from chassis.testing.clock import START
from payments.application.gateway_taking import take_gateway_fact
from payments.application.payment_plans import PlanRuns, agree_plan, cancel_plan
from payments.application.plan_rows import PAYMENT_PLANS
from payments.application.statements import statement
from payments.application.sweeps import context_for
from payments.domain.disputes import DisputeState, ToldDispute
from payments.domain.dunning import DEFAULT_POLICY, DunningStep, OpenVisit, Stop, dunning
from payments.domain.gateway_facts import DisputeReported, PaymentArrived
from payments.domain.patient_account import PatientAccount, account_id_of
from payments.domain.payment_plan import (
    Instalment,
    OtherPlan,
    PlanBeyondOwed,
    PlanEnded,
    PlanUnsound,
    standing_of,
)
from payments.domain.statement import Statement
from payments.domain.statement_words import notes_on, to_pay

from .examples import DAY, PATIENT
from .world import World, adjudication

ACCOUNT = account_id_of("NORTH", PATIENT)
PLAN = derive("test-plan", 1)
FIRST, SECOND, THIRD = (DAY + timedelta(days=days) for days in (10, 40, 70))


def instalments(*parts: tuple[date, int]) -> list[Instalment]:
    return [Instalment(due_on=on, amount=Money(minor)) for on, minor in parts]


THREE = instalments((FIRST, 1000), (SECOND, 1000), (THIRD, 500))


class Planned(World):
    """A patient who owes 25.00; the test says what day it is."""

    def __init__(self) -> None:
        super().__init__()
        self.deliver(adjudication(2500))

    def change(self, decide: Callable[[Work], object]) -> None:
        transact(self.store, context_for(ACCOUNT, self.clock()), decide)

    def agree(self, wanted: list[Instalment] = THREE, number: int = 1, on: date = DAY) -> None:
        plan_id = derive("test-plan", number)
        self.change(lambda work: agree_plan(work, plan_id, account_id=ACCOUNT, instalments=wanted, on=on))

    def pay(self, amount: int, on: date, number: int = 1) -> None:
        facts = {"entity": "NORTH", "patient_id": PATIENT, "amount": Money(amount), "on": on}
        self.change(
            lambda work: work.require(PatientAccount, ACCOUNT).receive(payment_id=derive("p", number), **facts)  # type: ignore[arg-type]
        )

    def at(self, on: date) -> None:
        self.clock.advance(days=(on - self.clock().date()).days)
        self.sweep()

    def plan_state(self) -> str:
        return str(self.rows(PAYMENT_PLANS)[0]["state"])

    def told(self, as_of: date) -> Statement:
        found = statement(self.store, ACCOUNT, as_of, START + timedelta(days=3650))
        assert found is not None
        return found


@pytest.mark.parametrize(
    ("paid", "on", "missed", "due", "coming", "left"),
    [
        (0, FIRST, 0, 0, 1000, 2500),
        (0, FIRST + timedelta(days=1), 1, 1000, 1000, 2500),
        (400, FIRST + timedelta(days=1), 1, 600, 1000, 2100),
        (1000, FIRST + timedelta(days=1), 0, 0, 1000, 1500),
        (1200, SECOND, 0, 0, 800, 1300),
        (1200, SECOND + timedelta(days=1), 1, 800, 500, 1300),
        (2500, THIRD, 0, 0, None, 0),
        (3000, THIRD, 0, 0, None, 0),
        (-100, FIRST, 0, 0, 1000, 2600),
    ],
)
def test_how_a_plan_stands_follows_from_what_was_paid_and_the_day(
    paid: int, on: date, missed: int, due: int, coming: int | None, left: int
) -> None:
    standing = standing_of(THREE, Money(paid), on)
    assert len(standing.missed) == missed
    assert standing.missed_amount == Money(due)
    assert (standing.next_due.amount if standing.next_due else None) == (None if coming is None else Money(coming))
    assert standing.left == Money(left)


@pytest.mark.parametrize(
    "unsound",
    [
        [],
        instalments((FIRST, 0)),
        instalments((SECOND, 100), (FIRST, 100)),
        instalments((FIRST, 100), (FIRST, 100)),
        instalments((DAY - timedelta(days=1), 100)),
        instalments(*((DAY + timedelta(days=n), 1) for n in range(121))),
    ],
)
def test_unsound_instalments_are_refused(unsound: list[Instalment]) -> None:
    with pytest.raises(PlanUnsound):
        Planned().agree(unsound)


def test_a_plan_is_for_no_more_than_is_owed_and_one_at_a_time() -> None:
    world = Planned()
    with pytest.raises(PlanBeyondOwed):
        world.agree(instalments((FIRST, 2501)))
    world.agree()
    world.agree()
    with pytest.raises(OtherPlan):
        world.agree(instalments((FIRST, 100)))
    with pytest.raises(PlanRuns):
        world.agree(number=2)
    world.change(lambda work: cancel_plan(work, PLAN, DAY))
    with pytest.raises(PlanEnded):
        world.change(lambda work: cancel_plan(work, PLAN, DAY))
    world.agree(number=2)
    assert sorted(str(row["state"]) for row in world.rows(PAYMENT_PLANS)) == ["cancelled", "running"]


def test_a_missed_instalment_is_a_case_until_it_is_paid() -> None:
    world = Planned()
    world.agree()
    world.at(FIRST + timedelta(days=1))
    world.sweep()
    assert world.open_cases() == ["InstalmentMissed"]
    world.pay(1000, FIRST + timedelta(days=2))
    world.sweep()
    assert world.open_cases() == []
    assert world.plan_state() == "running"


def test_a_plan_ends_when_it_is_paid_or_nothing_is_owed() -> None:
    world = Planned()
    world.agree()
    world.pay(2500, FIRST)
    world.sweep()
    assert world.plan_state() == "paid"
    other = Planned()
    other.agree()
    other.deliver(adjudication(-2500, 1, kind="reversal"))
    other.sweep()
    assert other.plan_state() == "nothing-owed"


def test_a_statement_asks_for_what_was_agreed_and_for_all_that_was_missed() -> None:
    world = Planned()
    world.agree()
    kept = world.told(DAY + timedelta(days=5))
    assert to_pay(kept) == "Please pay $10.00 by March 12, 2026, as we agreed."
    assert kept.asking.step is DunningStep.HELD
    missed = world.told(SECOND + timedelta(days=1))
    assert to_pay(missed) == "Please pay $20.00 of your plan, which was due."
    assert (missed.asking.step, missed.asking.due) == (DunningStep.STATEMENT_1, DunningStep.STATEMENT_2)


@pytest.mark.parametrize(
    ("days", "step"),
    [
        (0, DunningStep.STATEMENT_1),
        (29, DunningStep.STATEMENT_1),
        (30, DunningStep.STATEMENT_2),
        (60, DunningStep.STATEMENT_3),
        (90, DunningStep.FINAL_NOTICE),
        (120, DunningStep.PRE_COLLECTION),
        (900, DunningStep.PRE_COLLECTION),
    ],
)
def test_what_is_due_grows_firmer_with_the_days(days: int, step: DunningStep) -> None:
    assert dunning([OpenVisit(Money(2500), DAY)], DAY + timedelta(days=days)).due is step
    assert Planned().told(DAY + timedelta(days=days)).asking.due is step


def test_what_is_stopped_is_not_asked_for_and_a_credit_lowers_the_oldest() -> None:
    stopped = frozenset({Stop.PENDING_INSURANCE})
    visits = [
        OpenVisit(Money(2500), DAY, stopped),
        OpenVisit(Money(1000), DAY + timedelta(days=100)),
        OpenVisit(Money(-500), DAY),
    ]
    found = dunning(visits, DAY + timedelta(days=130))
    assert (found.due, found.asked, found.held, found.days) == (
        DunningStep.STATEMENT_2,
        Money(1000),
        Money(2000),
        30,
    )
    assert found.next_in_days == 30
    assert found.stops == stopped


def test_less_than_the_least_is_not_asked_for() -> None:
    least = DEFAULT_POLICY.steps[0].least.minor
    assert dunning([OpenVisit(Money(least - 1), DAY)], DAY).step is DunningStep.NOTHING_DUE
    assert dunning([OpenVisit(Money(least), DAY)], DAY).step is DunningStep.STATEMENT_1
    assert dunning([], DAY).step is DunningStep.NOTHING_DUE


def test_a_dispute_stops_the_asking_until_it_is_decided() -> None:
    world = Planned()
    told = ToldDispute("dp_1", Money(1000), Money(1500), DisputeState.NEEDS_RESPONSE, True, False, None, DAY)
    for number, fact in enumerate(
        (PaymentArrived("pi_1", Money(1000), DAY, "NORTH", ACCOUNT), DisputeReported("pi_1", told))
    ):
        world.change(lambda work, fact=fact, n=number: take_gateway_fact(work, fact, derive("m", n), "NORTH"))  # type: ignore[misc]
    later = DAY + timedelta(days=100)
    assert world.told(later).asking.step is DunningStep.HELD
    assert to_pay(world.told(later)) == "You do not have to pay now."
    assert notes_on(world.told(later)) == [
        "One of your payments is disputed. We do not ask you to pay until that is decided."
    ]
    lost = ToldDispute("dp_1", Money(1000), Money(1500), DisputeState.LOST, True, False, None, DAY)
    world.change(lambda work: take_gateway_fact(work, DisputeReported("pi_1", lost), derive("m", 9), "NORTH"))
    assert world.told(later).asking.due is DunningStep.FINAL_NOTICE
