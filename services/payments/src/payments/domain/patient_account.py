"""What one patient owes one entity, what was paid on it, and what was paid too early."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Conflict, Event


class ResponsibilityChanged(Conflict):
    """The same adjudication came with another amount."""


def account_id_of(entity: str, patient_id: UUID) -> UUID:
    """The account of a patient at an entity."""
    return derive("patient-account", entity, patient_id)


class PatientAccount(Aggregate):
    """Responsibility minus applied cash is the balance; cash beyond it stays unapplied, visibly, until there is some."""

    snapshot_every = 0

    def start(self) -> None:
        self.entity = ""
        self.patient_id: UUID | None = None
        self.responsibility: dict[UUID, Money] = {}
        self.payments: set[UUID] = set()
        self.applied = Money(0)
        self.unapplied: dict[UUID, Money] = {}
        self.applications = 0

    class ResponsibilityAssigned(Event):
        """`source_id` is the adjudication (or the self-pay posting) that left the amount to the patient."""

        TOPIC = "payments.patient-account.responsibility-assigned"
        entity: Public[str]
        patient_id: UUID
        source_id: UUID
        claim_id: UUID | None = None
        encounter_id: UUID
        amount: Money
        effective_date: Financial[date]

        def apply(self, account: PatientAccount) -> None:
            account.entity = self.entity
            account.patient_id = self.patient_id
            account.responsibility[self.source_id] = self.amount

    class PaymentReceived(Event):
        TOPIC = "payments.patient-account.payment-received"
        entity: Public[str]
        patient_id: UUID
        payment_id: UUID
        applied: Money
        unapplied: Money
        effective_date: Financial[date]

        def apply(self, account: PatientAccount) -> None:
            account.payments.add(self.payment_id)
            account.applied += self.applied
            if self.unapplied:
                account.unapplied[self.payment_id] = self.unapplied

    class UnappliedApplied(Event):
        """Cash of an earlier payment pays what is owed now. `application` counts them, from 1."""

        TOPIC = "payments.patient-account.unapplied-applied"
        entity: Public[str]
        patient_id: UUID
        payment_id: UUID
        application: int
        amount: Money
        effective_date: Financial[date]

        def apply(self, account: PatientAccount) -> None:
            account.applications = self.application
            account.applied += self.amount
            account.unapplied[self.payment_id] -= self.amount

    @property
    def balance(self) -> Money:
        """What the patient owes; never below zero unless responsibility itself is."""
        return Money.total(self.responsibility.values()) - self.applied

    @property
    def unapplied_total(self) -> Money:
        return Money.total(self.unapplied.values())

    def assign(
        self,
        *,
        entity: str,
        patient_id: UUID,
        source_id: UUID,
        claim_id: UUID | None,
        encounter_id: UUID,
        amount: Money,
        on: date,
    ) -> None:
        """Adds what one adjudication left to the patient, and applies waiting cash to it.

        Raises:
            ResponsibilityChanged: that adjudication is known with another amount.
        """
        known = self.responsibility.get(source_id)
        if known is not None:
            if known != amount:
                raise ResponsibilityChanged(f"{source_id}: {known}, now {amount}")
            return
        self.trigger_event(
            self.ResponsibilityAssigned,
            entity=entity,
            patient_id=patient_id,
            source_id=source_id,
            claim_id=claim_id,
            encounter_id=encounter_id,
            amount=amount,
            effective_date=on,
        )
        self._apply_waiting_cash(on)

    def receive(
        self, *, entity: str, patient_id: UUID, payment_id: UUID, amount: Money, on: date
    ) -> tuple[Money, Money]:
        """Takes a payment: what of it is applied at once, and what stays unapplied. The same payment again: nothing."""
        if payment_id in self.payments:
            return Money(0), Money(0)
        applied = min(amount, max(self.balance, Money(0)))
        self.trigger_event(
            self.PaymentReceived,
            entity=entity,
            patient_id=patient_id,
            payment_id=payment_id,
            applied=applied,
            unapplied=amount - applied,
            effective_date=on,
        )
        return applied, amount - applied

    def _apply_waiting_cash(self, on: date) -> None:
        for payment_id in sorted(self.unapplied, key=str):
            amount = min(self.unapplied[payment_id], max(self.balance, Money(0)))
            if amount:
                self.trigger_event(
                    self.UnappliedApplied,
                    entity=self.entity,
                    patient_id=self.patient_id,
                    payment_id=payment_id,
                    application=self.applications + 1,
                    amount=amount,
                    effective_date=on,
                )
