"""What one patient owes one entity, what was paid on it, and what was paid too early."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Event

from payments.domain.account_refusals import (
    AllocationChanged,
    CashChanged,
    MoreThanOwed,
    MoreThanTheCash,
    ResponsibilityChanged,
    WriteOffChanged,
)
from payments.domain.cash_spread import NOTHING, Cash, Owed, Part, Reserved, open_of_each, spread, used_of_each


class WriteOffKind(StrEnum):
    """Why what a patient owes is given up; each is another account of the books."""

    CHARITY = "charity"
    SMALL_BALANCE = "small-balance"
    BAD_DEBT = "bad-debt"


class TakenBack(StrEnum):
    """Why cash leaves an account again."""

    REFUND = "refund"
    RETURN = "return"
    DISPUTE = "dispute"
    TRANSFER = "transfer"


def account_id_of(entity: str, patient_id: UUID) -> UUID:
    """The account of a patient at an entity."""
    return derive("patient-account", entity, patient_id)


class PatientAccount(Aggregate):
    """Owed less applied cash is the balance; cash beyond it stays unapplied, visibly, until something is owed.

    After every fact the cash is spread anew over what is owed (`cash_spread`); what that changes is an event of each
    payment. So the balances follow from the facts, whatever came first.
    """

    snapshot_every = 0

    def start(self) -> None:
        self.entity = ""
        self.patient_id: UUID | None = None
        self.owed: dict[UUID, Owed] = {}
        self.written_off: dict[UUID, Owed] = {}
        self.cash: dict[UUID, Cash] = {}
        self.used: dict[UUID, Money] = {}
        self.taken_back: dict[UUID, Money] = {}
        self.reserved: dict[UUID, Reserved] = {}
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
            place = self.claim_id or self.encounter_id
            account.owed[self.source_id] = Owed(place, self.encounter_id, self.amount, self.effective_date)

    class PaymentReceived(Event):
        TOPIC = "payments.patient-account.payment-received"
        entity: Public[str]
        patient_id: UUID
        payment_id: UUID
        applied: Money
        unapplied: Money
        effective_date: Financial[date]

        def apply(self, account: PatientAccount) -> None:
            account.entity = self.entity
            account.patient_id = self.patient_id
            account.cash[self.payment_id] = Cash(self.applied + self.unapplied, self.effective_date)
            account.used[self.payment_id] = self.applied

    class UnappliedApplied(Event):
        """Cash of an earlier payment pays what is owed now; below zero it stands free again. `application` counts them."""

        TOPIC = "payments.patient-account.unapplied-applied"
        entity: Public[str]
        patient_id: UUID
        payment_id: UUID
        application: int
        amount: Money
        effective_date: Financial[date]

        def apply(self, account: PatientAccount) -> None:
            account.applications = self.application
            account.used[self.payment_id] += self.amount

    class CashTakenBack(Event):
        """Cash of one payment leaves the account, or comes back to it below zero. `cause_id` is the refund, return, …"""

        TOPIC = "payments.patient-account.cash-taken-back"
        entity: Public[str]
        patient_id: UUID
        payment_id: UUID
        cause_id: UUID
        reason: TakenBack
        amount: Money
        effective_date: Financial[date]

        def apply(self, account: PatientAccount) -> None:
            held = account.cash[self.payment_id]
            account.cash[self.payment_id] = Cash(held.amount - self.amount, held.on)
            account.taken_back[self.cause_id] = self.amount

    class WrittenOff(Event):
        """What is owed at one claim or encounter is given up; below zero it is owed again."""

        TOPIC = "payments.patient-account.written-off"
        entity: Public[str]
        patient_id: UUID
        write_off_id: UUID
        kind: WriteOffKind
        place: UUID
        encounter_id: UUID
        amount: Money
        effective_date: Financial[date]

        def apply(self, account: PatientAccount) -> None:
            account.written_off[self.write_off_id] = Owed(
                self.place, self.encounter_id, -self.amount, self.effective_date
            )

    class Allocated(Event):
        """A person set cash of a payment aside for one claim or encounter; zero takes that back."""

        TOPIC = "payments.patient-account.allocated"
        entity: Public[str]
        patient_id: UUID
        allocation_id: UUID
        payment_id: UUID
        target: UUID
        amount: Money
        effective_date: Financial[date]

        def apply(self, account: PatientAccount) -> None:
            account.reserved[self.allocation_id] = Reserved(
                self.payment_id, self.target, self.amount, self.effective_date
            )

    @property
    def balance(self) -> Money:
        """What the patient owes; below zero only where more was taken off than was ever owed."""
        return Money.total(entry.amount for entry in self._entries()) - Money.total(self.used.values())

    @property
    def applied(self) -> Money:
        return Money.total(self.used.values())

    @property
    def unapplied(self) -> dict[UUID, Money]:
        """What of each payment pays nothing, where there is any."""
        left = {payment_id: held.amount - self.used[payment_id] for payment_id, held in self.cash.items()}
        return {payment_id: amount for payment_id, amount in left.items() if amount}

    @property
    def unapplied_total(self) -> Money:
        return Money.total(self.unapplied.values())

    @property
    def parts(self) -> list[Part]:
        """Which cash pays what."""
        return spread(self._entries(), self.cash, self.reserved)

    def open_at(self, place: UUID) -> Money:
        """What is still owed at one claim or encounter."""
        return open_of_each(self._entries(), self.parts).get(place, NOTHING)

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
        """Adds what one adjudication left to the patient, and spreads the cash over it.

        Raises:
            ResponsibilityChanged: that adjudication is known with another amount.
        """
        known = self.owed.get(source_id)
        if known is not None:
            if known.amount != amount:
                raise ResponsibilityChanged(f"{source_id}: {known.amount}, now {amount}")
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
        self._spread_anew(on)

    def receive(
        self, *, entity: str, patient_id: UUID, payment_id: UUID, amount: Money, on: date
    ) -> tuple[Money, Money]:
        """Takes a payment: what of it is applied at once, and what stays unapplied. The same payment again: nothing."""
        if payment_id in self.cash:
            return NOTHING, NOTHING
        held = {**self.cash, payment_id: Cash(amount, on)}
        applied = used_of_each(spread(self._entries(), held, self.reserved)).get(payment_id, NOTHING)
        self.trigger_event(
            self.PaymentReceived,
            entity=entity,
            patient_id=patient_id,
            payment_id=payment_id,
            applied=applied,
            unapplied=amount - applied,
            effective_date=on,
        )
        self._spread_anew(on)
        return applied, amount - applied

    def take_back(self, payment_id: UUID, cause_id: UUID, *, reason: TakenBack, amount: Money, on: date) -> None:
        """Takes cash of one payment off the account, or gives it back below zero; the same cause again changes nothing.

        What the gateway took is taken also where the payment has less: its cash is below zero then.

        Raises:
            CashChanged: that cause is known with another amount.
        """
        known = self.taken_back.get(cause_id)
        if known is not None:
            if known != amount:
                raise CashChanged(f"{reason} {cause_id}: {known}, now {amount}")
            return
        self.trigger_event(
            self.CashTakenBack,
            **self._owner(),
            payment_id=payment_id,
            cause_id=cause_id,
            reason=reason,
            amount=amount,
            effective_date=on,
        )
        self._spread_anew(on)

    def write_off(self, write_off_id: UUID, *, kind: WriteOffKind, place: UUID, amount: Money, on: date) -> None:
        """Gives up what is owed at one claim or encounter, or has it owed again below zero.

        Raises:
            WriteOffChanged: that write-off is known with another amount.
            MoreThanOwed: less than that is owed there, or it is nowhere owed.
        """
        known = self.written_off.get(write_off_id)
        if known is not None:
            if known.amount != -amount:
                raise WriteOffChanged(f"write-off {write_off_id}: {-known.amount}, now {amount}")
            return
        owed = next((entry for entry in self.owed.values() if entry.place == place), None)
        if owed is None or amount > self.open_at(place):
            raise MoreThanOwed(f"{self.open_at(place)} is owed at {place}, not {amount}")
        self.trigger_event(
            self.WrittenOff,
            **self._owner(),
            write_off_id=write_off_id,
            kind=kind,
            place=place,
            encounter_id=owed.encounter_id,
            amount=amount,
            effective_date=on,
        )
        self._spread_anew(on)

    def allocate(self, allocation_id: UUID, payment_id: UUID, *, target: UUID, amount: Money, on: date) -> None:
        """Sets cash of a payment aside for one claim or encounter, also before anything is owed there; zero ends that.

        Raises:
            AllocationChanged: that allocation is known for another payment or place.
            MoreThanTheCash: so much of the payment is not free.
        """
        known = self.reserved.get(allocation_id)
        if known is not None:
            if (known.payment_id, known.target) != (payment_id, target):
                raise AllocationChanged(f"allocation {allocation_id} is for another payment or place")
            if known.amount == amount:
                return
        held = self.cash.get(payment_id)
        others = (r.amount for i, r in self.reserved.items() if r.payment_id == payment_id and i != allocation_id)
        free = (held.amount if held else NOTHING) - Money.total(others)
        if amount > free:
            raise MoreThanTheCash(f"{free} of payment {payment_id} is free, not {amount}")
        self.trigger_event(
            self.Allocated,
            **self._owner(),
            allocation_id=allocation_id,
            payment_id=payment_id,
            target=target,
            amount=amount,
            effective_date=on,
        )
        self._spread_anew(on)

    def _entries(self) -> list[Owed]:
        return [*self.owed.values(), *self.written_off.values()]

    def _owner(self) -> dict[str, object]:
        return {"entity": self.entity, "patient_id": self.patient_id}

    def _spread_anew(self, on: date) -> None:
        """Says of each payment what the last fact changed: first what stands free again, then what pays now."""
        wanted = used_of_each(self.parts)
        changes = [(wanted.get(payment_id, NOTHING) - used, payment_id) for payment_id, used in self.used.items()]
        for change, payment_id in sorted(changes, key=lambda entry: (entry[0].minor, entry[1].bytes)):
            if change:
                self.trigger_event(
                    self.UnappliedApplied,
                    **self._owner(),
                    payment_id=payment_id,
                    application=self.applications + 1,
                    amount=change,
                    effective_date=on,
                )
