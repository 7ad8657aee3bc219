"""A deposit on a bank account of ours: a remittance's money, a payout's, or nobody's yet."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.money import Money
from chassis.domain import Aggregate, Conflict, Event, Refusal


class DepositChanged(Conflict):
    """The bank reported this deposit before, with another amount or date."""


class DepositTaken(Refusal):
    """The deposit is matched to something else already."""


class DepositKind(StrEnum):
    """What the bank's text says the deposit is: it carries a TRN, a payout id, or neither."""

    REMITTANCE = "remittance"
    PAYOUT = "payout"
    OTHER = "other"


class Deposit(Aggregate):
    """One credit on one account. `matched_to` is the remittance or payout that it pays."""

    def start(self) -> None:
        self.amount = Money(0)
        self.on = date.min
        self.matched_to: UUID | None = None

    class Recorded(Event):
        """`reference` is the trace number or the payout's id at the gateway, empty for a deposit of another kind."""

        TOPIC = "payments.deposit.recorded"
        entity: Public[str]
        kind: DepositKind
        amount: Money
        effective_date: Financial[date]
        reference: Financial[str]
        message_id: UUID
        span_start: int = 0
        span_length: int = 0

        def apply(self, deposit: Deposit) -> None:
            deposit.amount = self.amount
            deposit.on = self.effective_date

    class Matched(Event):
        TOPIC = "payments.deposit.matched"
        matched_to: UUID

        def apply(self, deposit: Deposit) -> None:
            deposit.matched_to = self.matched_to

    def match(self, target: UUID) -> None:
        """Says whose money it is, once.

        Raises:
            DepositTaken: it is somebody else's.
        """
        if self.matched_to == target:
            return
        if self.matched_to is not None:
            raise DepositTaken(f"deposit {self.id} is matched to {self.matched_to}")
        self.trigger_event(self.Matched, matched_to=target)

    def refuse_change(self, amount: Money, on: date) -> None:
        """Raises DepositChanged where a known deposit is reported with other facts."""
        if self.exists and (self.amount, self.on) != (amount, on):
            raise DepositChanged(f"deposit {self.id}: {self.amount} on {self.on}, now {amount} on {on}")
