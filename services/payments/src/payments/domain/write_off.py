"""One write-off of a patient's balance: asked for by one person, approved by another above a limit, reversed if need be."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.money import Money
from chassis.domain import Aggregate, Conflict, Event, Refusal

from payments.domain.cash_spread import NOTHING
from payments.domain.write_off_rules import WriteOffKind


class OtherWriteOff(Conflict):
    """The same write-off was asked for before, of another amount, place or kind."""


class WriteOffDecided(Refusal):
    """It was approved or turned down before."""


class NotWrittenOff(Refusal):
    """Only what was approved can be reversed."""


class OtherAmountAsked(Refusal):
    """Whoever approves says how much; it must be what was asked for, which may have changed since they saw it."""


class OwnWriteOff(Refusal):
    """Above the limit another person approves than the one who asked."""


class NothingToWriteOff(Refusal):
    """A write-off is above zero."""


class WriteOffState(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    TURNED_DOWN = "turned-down"


class PatientWriteOff(Aggregate):
    """The account says what it does to the balance; who wanted it, who allowed it and why stands here."""

    def start(self) -> None:
        self.state = WriteOffState.REQUESTED
        self.account_id: UUID | None = None
        self.place: UUID | None = None
        self.kind = WriteOffKind.CHARITY
        self.amount = NOTHING
        self.requested_by = ""
        self.reversals: dict[UUID, Money] = {}

    class Requested(Event):
        """`reason` is a code or a short text without names of patients; `place` is a claim, or an encounter without one."""

        TOPIC = "payments.patient-write-off.requested"
        account_id: UUID
        entity: Public[str]
        place: UUID
        kind: WriteOffKind
        amount: Money
        reason: Public[str]
        requested_by: Public[str]

        def apply(self, write_off: PatientWriteOff) -> None:
            write_off.account_id = self.account_id
            write_off.place = self.place
            write_off.kind = self.kind
            write_off.amount = self.amount
            write_off.requested_by = self.requested_by

    class Approved(Event):
        TOPIC = "payments.patient-write-off.approved"
        approved_by: Public[str]
        effective_date: Financial[date]

        def apply(self, write_off: PatientWriteOff) -> None:
            write_off.state = WriteOffState.APPROVED

    class TurnedDown(Event):
        TOPIC = "payments.patient-write-off.turned-down"
        turned_down_by: Public[str]
        reason: Public[str]

        def apply(self, write_off: PatientWriteOff) -> None:
            write_off.state = WriteOffState.TURNED_DOWN

    class Reversed(Event):
        """So much of it is owed again, by a person's decision."""

        TOPIC = "payments.patient-write-off.reversed"
        reversal_id: UUID
        amount: Money
        reason: Public[str]
        reversed_by: Public[str]
        effective_date: Financial[date]

        def apply(self, write_off: PatientWriteOff) -> None:
            write_off.reversals[self.reversal_id] = self.amount

    def request(
        self, *, account_id: UUID, entity: str, place: UUID, kind: WriteOffKind, amount: Money, reason: str, by: str
    ) -> None:
        """Notes what a person asks for; the same request again changes nothing.

        Raises:
            OtherWriteOff: known otherwise.
            NothingToWriteOff: not above zero.
        """
        asked = (account_id, place, kind, amount)
        if self.exists:
            if asked != (self.account_id, self.place, self.kind, self.amount):
                raise OtherWriteOff(f"write-off {self.id}: {self.kind} of {self.amount}, now {kind} of {amount}")
            return
        if amount <= NOTHING:
            raise NothingToWriteOff(f"write-off {self.id}: {amount}")
        self.trigger_event(
            self.Requested,
            account_id=account_id,
            entity=entity,
            place=place,
            kind=kind,
            amount=amount,
            reason=reason,
            requested_by=by,
        )

    def approve(self, amount: Money, *, by: str, limit: Money, on: date) -> None:
        """
        Raises:
            WriteOffDecided, OtherAmountAsked, OwnWriteOff: see there.
        """
        self._refuse_decided()
        if amount != self.amount:
            raise OtherAmountAsked(f"write-off {self.id}: {amount} approved, {self.amount} asked for")
        if by == self.requested_by and amount > limit:
            raise OwnWriteOff(f"write-off {self.id}: {by} asked for {amount}; above {limit} another person approves it")
        self.trigger_event(self.Approved, approved_by=by, effective_date=on)

    def turn_down(self, *, by: str, reason: str) -> None:
        """Raises WriteOffDecided; whoever asked may take the request back."""
        self._refuse_decided()
        self.trigger_event(self.TurnedDown, turned_down_by=by, reason=reason)

    def reverse(self, reversal_id: UUID, amount: Money, *, by: str, reason: str, on: date) -> None:
        """Raises NotWrittenOff; the account refuses more than stands."""
        if self.state is not WriteOffState.APPROVED:
            raise NotWrittenOff(f"write-off {self.id} is {self.state}")
        if reversal_id not in self.reversals:
            self.trigger_event(
                self.Reversed,
                reversal_id=reversal_id,
                amount=amount,
                reason=reason,
                reversed_by=by,
                effective_date=on,
            )

    def _refuse_decided(self) -> None:
        if self.state is not WriteOffState.REQUESTED:
            raise WriteOffDecided(f"write-off {self.id} is {self.state}")
