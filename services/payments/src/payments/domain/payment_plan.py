"""A plan by which a patient pays what they owe in instalments; how it stands follows from what was paid and the day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.money import Money
from chassis.domain import Aggregate, Conflict, Event, Refusal
from pydantic import BaseModel, ConfigDict

from payments.domain.cash_spread import NOTHING

INSTALMENTS_MAX: Final = 120


class OtherPlan(Conflict):
    """The same plan was agreed before, of other instalments or another account."""


class PlanUnsound(Refusal):
    """A plan has one to 120 instalments above zero, in the order of their days, from the day it is agreed on."""


class PlanBeyondOwed(Refusal):
    """A plan is for what is owed, and for no more."""


class PlanEnded(Refusal):
    """The plan ended before."""


class PlanEnd(StrEnum):
    """Why a plan ended: all is paid, nothing is owed any more, or a person ended it."""

    PAID = "paid"
    NOTHING_OWED = "nothing-owed"
    CANCELLED = "cancelled"


class Instalment(BaseModel):
    """What is to be paid by a day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    due_on: Financial[date]
    amount: Money


@dataclass(frozen=True, slots=True)
class PlanStanding:
    """`missed` are due and not paid by then, the first perhaps in part; `next_due` is what comes next, if anything does."""

    paid: Money
    missed: tuple[Instalment, ...]
    missed_amount: Money
    next_due: Instalment | None
    left: Money


class PaymentPlan(Aggregate):
    """What was agreed, and whether it has ended; the account knows what was paid."""

    def start(self) -> None:
        self.account_id: UUID | None = None
        self.instalments: tuple[Instalment, ...] = ()
        self.agreed_on = date.min
        self.ended: PlanEnd | None = None

    class Agreed(Event):
        TOPIC = "payments.payment-plan.agreed"
        account_id: UUID
        entity: Public[str]
        instalments: tuple[Instalment, ...]
        agreed_by: Public[str]
        effective_date: Financial[date]

        def apply(self, plan: PaymentPlan) -> None:
            plan.account_id = self.account_id
            plan.instalments = self.instalments
            plan.agreed_on = self.effective_date

    class Ended(Event):
        TOPIC = "payments.payment-plan.ended"
        why: PlanEnd
        effective_date: Financial[date]

        def apply(self, plan: PaymentPlan) -> None:
            plan.ended = self.why

    @property
    def total(self) -> Money:
        return Money.total(each.amount for each in self.instalments)

    def agree(
        self, *, account_id: UUID, entity: str, instalments: Sequence[Instalment], owed: Money, by: str, on: date
    ) -> None:
        """The same plan again changes nothing.

        Raises:
            OtherPlan: known otherwise.
            PlanUnsound, PlanBeyondOwed: see there.
        """
        wanted = tuple(instalments)
        if self.exists:
            if (account_id, wanted) != (self.account_id, self.instalments):
                raise OtherPlan(f"plan {self.id} of {self.total} was agreed with other instalments")
            return
        days = [each.due_on for each in wanted]
        is_sound = 0 < len(wanted) <= INSTALMENTS_MAX and all(each.amount > NOTHING for each in wanted)
        if not is_sound or days != sorted(set(days)) or days[0] < on:
            raise PlanUnsound(f"plan {self.id}: {len(wanted)} instalments, agreed on {on}")
        total = Money.total(each.amount for each in wanted)
        if total > owed:
            raise PlanBeyondOwed(f"plan {self.id} of {total}, where {owed} is owed")
        self.trigger_event(
            self.Agreed, account_id=account_id, entity=entity, instalments=wanted, agreed_by=by, effective_date=on
        )

    def end(self, why: PlanEnd, on: date) -> None:
        """Raises PlanEnded."""
        if self.ended is not None:
            raise PlanEnded(f"plan {self.id} has ended: {self.ended}")
        self.trigger_event(self.Ended, why=why, effective_date=on)


def standing_of(instalments: Sequence[Instalment], paid: Money, as_of: date) -> PlanStanding:
    """How a plan stands on a day by what was paid since it was agreed; an instalment may be paid until its day ends."""
    due = NOTHING
    left = max(paid, NOTHING)
    missed = []
    coming = None
    for each in instalments:
        short = each.amount - min(each.amount, left)
        left -= each.amount - short
        if short and each.due_on < as_of:
            missed.append(each)
            due += short
        elif short and coming is None:
            coming = Instalment(due_on=each.due_on, amount=short)
    total = Money.total(each.amount for each in instalments)
    return PlanStanding(paid, tuple(missed), due, coming, max(total - paid, NOTHING))
