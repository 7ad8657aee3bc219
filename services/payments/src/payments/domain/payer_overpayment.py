"""What a payer paid too much: owed back within sixty days of the day on which somebody knew it."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Conflict, Event, Refusal

DAYS_ALLOWED = 60
"""42 CFR 401.305: report and return within 60 days of identification."""
NOTHING = Money(0)


class OverpaymentChanged(Conflict):
    """The same overpayment, or the same return of it, came with another amount."""


class MoreThanOverpaid(Refusal):
    """More would be returned or withdrawn than is still owed back."""


class NotAnOverpayment(Refusal):
    """An overpayment is more than nothing, and its evidence is named."""


class OwnOverpayment(Refusal):
    """Another person than the one who identified it says what ended it."""


class OverpaymentReason(StrEnum):
    DUPLICATE_PAYMENT = "duplicate-payment"
    CREDIT_BALANCE = "credit-balance"
    REVERSAL_PENDING = "reversal-pending"
    OTHER = "other"


class OverpaymentStep(StrEnum):
    """`returned` by check or transfer; `recouped` by the payer out of another payment (PLB WO or 72); `withdrawn` where
    it is none, or the payer has reversed the claim, so that the receivable says so itself."""

    IDENTIFIED = "identified"
    RETURNED = "returned"
    RECOUPED = "recouped"
    WITHDRAWN = "withdrawn"


def overpayment_id_of(entity: str, payer: str, cause: str, rounds: int = 0) -> UUID:
    """The overpayment that one claim or remittance, named by `cause`, has made; `rounds` were taken back by the payer before it."""
    return derive("payer-overpayment", entity, payer, cause, *([rounds] if rounds else []))


class PayerOverpayment(Aggregate):
    """Identified once, then returned, recouped or withdrawn, in parts, until nothing of it is open."""

    def start(self) -> None:
        self.entity = ""
        self.payer = ""
        self.amount = NOTHING
        self.open_amount = NOTHING
        self.due_on = date.min
        self.moves: dict[UUID, Money] = {}
        self.identified_by = ""

    class Identified(Event):
        """`cause` is the claim or remittance, `evidence` what shows it; no PHI in either."""

        TOPIC = "payments.payer-overpayment.identified"
        entity: Public[str]
        payer: Public[str]
        cause: Public[str]
        reason: OverpaymentReason
        evidence: Public[str]
        amount: Money
        effective_date: Financial[date]
        due_on: Financial[date]
        identified_by: Public[str] = ""

        def apply(self, overpayment: PayerOverpayment) -> None:
            overpayment.identified_by = self.identified_by
            overpayment.entity = self.entity
            overpayment.payer = self.payer
            overpayment.amount = overpayment.open_amount = self.amount
            overpayment.due_on = self.due_on

    class Moved(Event):
        """`evidence` is the number of the check, or the trace and reference of the PLB."""

        TOPIC = "payments.payer-overpayment.moved"
        move_id: UUID
        step: OverpaymentStep
        entity: Public[str]
        payer: Public[str]
        amount: Money
        open_amount: Money
        evidence: Public[str]
        effective_date: Financial[date]

        def apply(self, overpayment: PayerOverpayment) -> None:
            overpayment.moves[self.move_id] = self.amount
            overpayment.open_amount = self.open_amount

    def identify(
        self,
        *,
        entity: str,
        payer: str,
        cause: str,
        reason: OverpaymentReason,
        evidence: str,
        amount: Money,
        by: str,
        on: date,
    ) -> None:
        """Starts the sixty days, once.

        Raises:
            NotAnOverpayment, OverpaymentChanged: see there.
        """
        if amount <= NOTHING or not evidence.strip():
            raise NotAnOverpayment(f"{amount}, evidence {evidence.strip() or 'none'}")
        if self.exists and self.amount != amount:
            raise OverpaymentChanged(f"overpayment {self.id}: {self.amount} before, now {amount}")
        if not self.exists:
            self.trigger_event(
                self.Identified,
                entity=entity,
                payer=payer,
                cause=cause,
                reason=reason,
                evidence=evidence,
                amount=amount,
                effective_date=on,
                due_on=on + timedelta(days=DAYS_ALLOWED),
                identified_by=by,
            )

    def move(self, step: OverpaymentStep, amount: Money, evidence: str, *, by: str, on: date) -> None:
        """Takes evidence that it, or a part of it, is no longer owed back; the same evidence twice is once.

        Raises:
            NotAnOverpayment, OverpaymentChanged, MoreThanOverpaid, OwnOverpayment: see there.
        """
        assert step is not OverpaymentStep.IDENTIFIED, "an overpayment is identified by `identify`"
        if amount <= NOTHING or not evidence.strip():
            raise NotAnOverpayment(f"{amount}, evidence {evidence.strip() or 'none'}")
        move_id = derive("payer-overpayment-move", self.id, step.value, evidence)
        known = self.moves.get(move_id)
        if known is not None:
            if known != amount:
                raise OverpaymentChanged(f"overpayment {self.id}, {step} by {evidence}: {known} before, now {amount}")
            return
        if by == self.identified_by:
            raise OwnOverpayment(f"overpayment {self.id}: {by} identified it; another person says that it is {step}")
        if amount > self.open_amount:
            raise MoreThanOverpaid(f"overpayment {self.id}: {self.open_amount} is owed back, not {amount}")
        self.trigger_event(
            self.Moved,
            move_id=move_id,
            step=step,
            entity=self.entity,
            payer=self.payer,
            amount=amount,
            open_amount=self.open_amount - amount,
            evidence=evidence,
            effective_date=on,
        )
