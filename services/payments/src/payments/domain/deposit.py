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


class DepositSource(StrEnum):
    """What told of a deposit: a balance report, or the bank's file of electronic entries with their addenda."""

    BAI2 = "bai2"
    NACHA = "nacha"


class DepositKind(StrEnum):
    """What the bank's text says the deposit is: it carries a TRN, a payout id, or neither."""

    REMITTANCE = "remittance"
    PAYOUT = "payout"
    OTHER = "other"


class Deposit(Aggregate):
    """One credit on one account, or what the bank took for a payout below zero (`amount` is below zero too). `matched_to` is the remittance or payout that it pays, the first where it pays several.

    Where another file tells the same credit under a reference of its own, that one is the deposit's repetition: it keeps
    what it was told, and has no money.
    """

    def start(self) -> None:
        self.entity = ""
        self.kind = DepositKind.OTHER
        self.reference = ""
        self.originator = ""
        self.amount = Money(0)
        self.on = date.min
        self.matched_to: UUID | None = None
        self.is_unidentified = False
        self.told_again_by: UUID | None = None
        self.same_as: UUID | None = None

    class Recorded(Event):
        """`reference` is the trace number, the payout's id at the gateway, or the bank's own reference.

        `originator` is TRN03 where the bank gives it; `further_references` are the trace numbers of a deposit that pays
        several remittances.
        """

        TOPIC = "payments.deposit.recorded"
        entity: Public[str]
        kind: DepositKind
        amount: Money
        effective_date: Financial[date]
        reference: Financial[str]
        message_id: UUID
        span_start: int = 0
        span_length: int = 0
        originator: Financial[str] = ""
        further_references: tuple[Financial[str], ...] = ()
        source: DepositSource = DepositSource.BAI2
        is_ach: bool = True

        def apply(self, deposit: Deposit) -> None:
            deposit.entity = self.entity
            deposit.kind = self.kind
            deposit.reference = self.reference
            deposit.originator = self.originator
            deposit.amount = self.amount
            deposit.on = self.effective_date

    class Matched(Event):
        """`further` are the other remittances that it pays, where it pays several."""

        TOPIC = "payments.deposit.matched"
        matched_to: UUID
        further: tuple[UUID, ...] = ()

        def apply(self, deposit: Deposit) -> None:
            deposit.matched_to = self.matched_to

    class Unidentified(Event):
        """Nothing explained it within the time allowed: it is booked as a receipt that nobody can name."""

        TOPIC = "payments.deposit.unidentified"
        entity: Public[str]
        amount: Money
        effective_date: Financial[date]

        def apply(self, deposit: Deposit) -> None:
            deposit.is_unidentified = True

    class ToldAgain(Event):
        """Another file told of it. `reference` and `originator` are what it is known by since."""

        TOPIC = "payments.deposit.told-again"
        told_by: UUID
        source: DepositSource
        kind: DepositKind
        reference: Financial[str]
        originator: Financial[str]
        message_id: UUID
        span_start: int = 0
        span_length: int = 0

        def apply(self, deposit: Deposit) -> None:
            deposit.told_again_by = self.told_by
            deposit.kind = self.kind
            deposit.reference = self.reference
            deposit.originator = self.originator

    class Repeated(Event):
        """What one file told, and another had told before: `same_as` is the deposit that has the money."""

        TOPIC = "payments.deposit.repeated"
        same_as: UUID
        amount: Money
        effective_date: Financial[date]

        def apply(self, deposit: Deposit) -> None:
            deposit.same_as = self.same_as
            deposit.amount = self.amount
            deposit.on = self.effective_date

    def match(self, target: UUID, *further: UUID) -> None:
        """Says whose money it is, once.

        Raises:
            DepositTaken: it is somebody else's, or another deposit told again.
        """
        if self.matched_to == target:
            return
        if self.same_as is not None:
            raise DepositTaken(f"deposit {self.id} is deposit {self.same_as}, told again")
        if self.matched_to is not None:
            raise DepositTaken(f"deposit {self.id} is matched to {self.matched_to}")
        self.trigger_event(self.Matched, matched_to=target, further=further)

    def give_up_waiting(self) -> None:
        """Books it as unidentified, once, unless somebody knows by now whose it is."""
        if self.matched_to is None and self.same_as is None and not self.is_unidentified:
            self.trigger_event(self.Unidentified, entity=self.entity, amount=self.amount, effective_date=self.on)

    def refuse_change(self, amount: Money, on: date) -> None:
        """Raises DepositChanged where a known deposit is reported with other facts."""
        if self.exists and (self.amount, self.on) != (amount, on):
            raise DepositChanged(f"deposit {self.id}: {self.amount} on {self.on}, now {amount} on {on}")
