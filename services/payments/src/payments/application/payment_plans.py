"""Payment plans: agreed and ended by people, watched day by day, and ended by themselves once all is paid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Refusal
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.exceptions import end_case, raise_case

from payments.application.account_history import AccountThen, Moment, accounts_at
from payments.application.plan_rows import PAYMENT_PLANS, RUNNING
from payments.application.row_values import uuid_of
from payments.application.sweeps import context_for
from payments.domain.cash_spread import NOTHING
from payments.domain.patient_account import PatientAccount
from payments.domain.payment_plan import Instalment, PaymentPlan, PlanEnd, PlanStanding, standing_of

MISSED = "InstalmentMissed"
PLANS_MAX = 10_000
PORTION = 500


class PlanRuns(Refusal):
    """An account has one plan at a time: the one that runs is ended first."""


def agree_plan(work: Work, plan_id: UUID, *, account_id: UUID, instalments: Sequence[Instalment], on: date) -> None:
    """The actor agrees on instalments of what an account owes.

    Raises:
        UnknownAggregate: no such account.
        PlanRuns, OtherPlan, PlanUnsound, PlanBeyondOwed: see there.
    """
    account = work.require(PatientAccount, account_id)
    plan = work.get_or_new(PaymentPlan, plan_id)
    if not plan.exists and work.rows_to_stay(PAYMENT_PLANS, {"account_id": account_id, "state": RUNNING}):
        raise PlanRuns(f"account {account_id} has a plan that runs")
    plan.agree(
        account_id=account_id,
        entity=account.entity,
        instalments=instalments,
        owed=account.balance,
        by=work.context.meta.actor,
        on=on,
    )


def cancel_plan(work: Work, plan_id: UUID, on: date) -> None:
    """Raises UnknownAggregate, PlanEnded."""
    work.require(PaymentPlan, plan_id).end(PlanEnd.CANCELLED, on)
    _end_cases(work, work.require(PaymentPlan, plan_id).instalments, plan_id, "the plan was ended")


@dataclass(frozen=True, slots=True)
class PlanThen:
    """A plan's row, its instalments, and how it stands; one that ended stands as on the day it ended."""

    row: Row
    instalments: tuple[Instalment, ...]
    standing: PlanStanding


def plans_standing(store: EventStore, rows: Sequence[Row], now: datetime) -> list[PlanThen]:
    """How each plan stands now."""
    accounts = {uuid_of(row["account_id"]) for row in rows}
    then = {each.account_id: each for each in accounts_at(store, accounts, Moment(None, now))}
    agreed = _agreed(store, [uuid_of(row["plan_id"]) for row in rows])
    found = []
    for row in rows:
        first, ended = agreed[uuid_of(row["plan_id"])], row["ended_on"]
        as_of = ended if isinstance(ended, date) else now.date()
        paid = paid_since(then[uuid_of(row["account_id"])], first.effective_date)
        found.append(PlanThen(row, first.instalments, standing_of(first.instalments, paid, as_of)))
    return found


def _agreed(store: EventStore, plan_ids: Sequence[UUID]) -> dict[UUID, PaymentPlan.Agreed]:
    found = {}
    for plan_id, history in store.load(plan_ids).items():
        first = history.events[0]
        assert isinstance(first, PaymentPlan.Agreed), "a plan begins by being agreed on"
        found[plan_id] = first
    return found


def plan_of(store: EventStore, account: AccountThen, as_of: date) -> PlanStanding | None:
    """How the plan stands that an account keeps on a day, None where it has none."""
    rows = store.rows(PAYMENT_PLANS, {"account_id": account.account_id}, order=("-agreed_on",), limit=PORTION)
    for row in rows:
        agreed, ended = row["agreed_on"], row["ended_on"]
        assert isinstance(agreed, date), "a plan has its day"
        if agreed <= as_of and (ended is None or (isinstance(ended, date) and ended > as_of)):
            (first,) = _agreed(store, [uuid_of(row["plan_id"])]).values()
            return standing_of(first.instalments, paid_since(account, agreed), as_of)
    return None


def paid_since(account: AccountThen, agreed_on: date) -> Money:
    """What of payments since a plan was agreed on the account still has."""
    return Money.total(held.amount for held in account.cash if held.received_on >= agreed_on)


class PlanWatch:
    """Ends plans that are paid, and tells a person of instalments that were missed."""

    def __init__(self, store: EventStore, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._seen: dict[UUID, tuple[Instalment, ...]] = {}

    def run(self) -> int:
        """Looks at every plan that runs; of how many the missed instalments changed."""
        rows = self._store.rows(PAYMENT_PLANS, {"state": RUNNING}, order=("agreed_on",), limit=PLANS_MAX)
        plans = {uuid_of(row["plan_id"]): uuid_of(row["account_id"]) for row in rows}
        self._seen = {plan_id: missed for plan_id, missed in self._seen.items() if plan_id in plans}
        wanted = sorted(plans, key=str)
        return sum(
            self._look(wanted[at : at + PORTION], plans, Moment(None, self._clock()))
            for at in range(0, len(wanted), PORTION)
        )

    def _look(self, portion: Sequence[UUID], plans: dict[UUID, UUID], moment: Moment) -> int:
        accounts = accounts_at(self._store, {plans[plan_id] for plan_id in portion}, moment)
        by_id = {account.account_id: account for account in accounts}
        return sum(self._follow(plan_id, by_id[plans[plan_id]]) for plan_id in portion)

    def _follow(self, plan_id: UUID, account: AccountThen) -> int:
        today = self._clock().date()

        def decide(work: Work) -> tuple[Instalment, ...]:
            plan = work.require(PaymentPlan, plan_id)
            standing = standing_of(plan.instalments, paid_since(account, plan.agreed_on), today)
            if plan.ended is None and (not standing.left or account.balance <= NOTHING):
                plan.end(PlanEnd.NOTHING_OWED if standing.left else PlanEnd.PAID, today)
            missed = () if plan.ended else standing.missed
            if self._seen.get(plan_id, ()) != missed or plan.ended:
                _end_cases(work, [i for i in plan.instalments if i not in missed], plan_id, "it was paid after all")
                for each in missed:
                    _raise(work, plan_id, account, each, standing)
            return missed

        missed = transact(self._store, context_for(plan_id, self._clock()), decide)
        changed = self._seen.get(plan_id, ()) != missed
        self._seen[plan_id] = missed
        return int(changed)


def _raise(work: Work, plan_id: UUID, account: AccountThen, missed: Instalment, standing: PlanStanding) -> None:
    raise_case(
        work,
        _missed_id(plan_id, missed),
        code=MISSED,
        summary=f"the instalment of {missed.amount} due on {missed.due_on} was not paid; {standing.missed_amount} of the plan "
        "is due: call the patient, or end the plan, and the account is asked to pay as any other",
        subject="patient-account",
        subject_id=account.account_id,
        entity=account.entity,
        amount=missed.amount,
    )


def _end_cases(work: Work, instalments: Sequence[Instalment], plan_id: UUID, reason: str) -> None:
    for each in instalments:
        end_case(work, _missed_id(plan_id, each), MISSED, reason)


def _missed_id(plan_id: UUID, instalment: Instalment) -> UUID:
    return derive("instalment", plan_id, instalment.due_on)
