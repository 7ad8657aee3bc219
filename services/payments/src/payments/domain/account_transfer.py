"""Cash or a share of what is owed, moved by people from one patient's account to another's of the same entity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Conflict, Event, Refusal


class TransferChanged(Conflict):
    """The same transfer was made before, of another amount or between other accounts."""


class NoTransfer(Refusal):
    """A transfer is above zero, between two accounts of one entity, and of no more than is there."""


class TransferDecided(Refusal):
    """It was made or turned down before."""


class OtherAmountMoved(Refusal):
    """Whoever approves says how much; it must be what was asked for."""


class OwnTransfer(Refusal):
    """Above the limit another person approves than the one who asked."""


class Moved(StrEnum):
    """What a transfer moves."""

    CASH = "cash"
    SHARE = "share"


class TransferState(StrEnum):
    REQUESTED = "requested"
    MADE = "made"
    TURNED_DOWN = "turned-down"


@dataclass(frozen=True, slots=True)
class TransferOf:
    """What is moved whence and whither. `source` is the payment whose cash moves, or the claim or encounter whose share does."""

    moved: Moved
    source: UUID
    from_account_id: UUID
    to_account_id: UUID
    amount: Money


class AccountTransfer(Aggregate):
    """Asked for by one person, approved by another above a limit, and made once."""

    def start(self) -> None:
        self.state = TransferState.REQUESTED
        self.asked: TransferOf | None = None
        self.requested_by = ""
        self.reason = ""

    class Requested(Event):
        """`reason` is a code or a short text without names of patients."""

        TOPIC = "payments.account-transfer.requested"
        moved: Moved
        source: UUID
        entity: Public[str]
        from_account_id: UUID
        to_account_id: UUID
        amount: Money
        reason: Public[str]
        requested_by: Public[str]

        def apply(self, transfer: AccountTransfer) -> None:
            transfer.asked = _of(self)
            transfer.requested_by = self.requested_by
            transfer.reason = self.reason

    class TurnedDown(Event):
        TOPIC = "payments.account-transfer.turned-down"
        turned_down_by: Public[str]
        reason: Public[str]

        def apply(self, transfer: AccountTransfer) -> None:
            transfer.state = TransferState.TURNED_DOWN

    class Made(Event):
        """`reason` is a code or a short text without names of patients. `origin` is the payment that first brought the cash,
        where that is known to the gateway or the front desk."""

        TOPIC = "payments.account-transfer.made"
        moved: Moved
        source: UUID
        entity: Public[str]
        from_account_id: UUID
        to_account_id: UUID
        from_patient_id: UUID
        to_patient_id: UUID
        amount: Money
        reason: Public[str]
        made_by: Public[str]
        effective_date: Financial[date]
        origin: UUID | None = None

        def apply(self, transfer: AccountTransfer) -> None:
            transfer.asked = _of(self)
            transfer.state = TransferState.MADE

    @property
    def is_made(self) -> bool:
        return self.state is TransferState.MADE

    def is_known(self, wanted: TransferOf) -> bool:
        """Whether it was asked for or made already.

        Raises:
            TransferChanged: it was otherwise.
        """
        if self.asked is None:
            return False
        if self.asked != wanted:
            raise TransferChanged(
                f"transfer {self.id} of {self.asked.amount} of {self.asked.source}, now {wanted.amount} of {wanted.source}"
            )
        return True

    def refuse_approval(self, amount: Money, *, by: str, limit: Money) -> None:
        """
        Raises:
            TransferDecided, OtherAmountMoved, OwnTransfer: see there.
        """
        self.refuse_decided()
        assert self.asked is not None, "a transfer that exists was asked for"
        if amount != self.asked.amount:
            raise OtherAmountMoved(f"transfer {self.id}: {amount} approved, {self.asked.amount} asked for")
        if by == self.requested_by and amount > limit:
            raise OwnTransfer(f"transfer {self.id}: {by} asked for {amount}; above {limit} another person approves it")

    def turn_down(self, *, by: str, reason: str) -> None:
        """Raises TransferDecided; whoever asked may take the request back."""
        self.refuse_decided()
        self.trigger_event(self.TurnedDown, turned_down_by=by, reason=reason)

    def refuse_decided(self) -> None:
        """Raises TransferDecided."""
        if self.state is not TransferState.REQUESTED:
            raise TransferDecided(f"transfer {self.id} is {self.state}")


def cash_transfer_id(transfer_id: UUID) -> UUID:
    """The id of transferred cash on the account it came to: a payment of its own, so that what is counted stays apart."""
    return derive("cash-transfer", transfer_id)


def _of(event: AccountTransfer.Requested | AccountTransfer.Made) -> TransferOf:
    return TransferOf(event.moved, event.source, event.from_account_id, event.to_account_id, event.amount)
