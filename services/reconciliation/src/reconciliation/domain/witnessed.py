"""What the public streams tell of journal entries and of clearing accounts, kept as our own independent record."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.ids import derive
from canonical.journal import JournalHead, JournalLine
from canonical.money import Money
from chassis.domain import Aggregate, Conflict, Event


class JournalChanged(Conflict):
    """A journal entry was announced again with other lines, or confirmed with lines that were never intended."""


class ClearingChanged(Conflict):
    """The same fact moved a clearing item before, by another amount."""


class WitnessedState(StrEnum):
    UNKNOWN = "unknown"
    INTENDED = "intended"
    REJECTED = "rejected"
    CONFIRMED = "confirmed"


def witnessed_journal_id(journal_id: UUID) -> UUID:
    return derive("witnessed-journal", journal_id)


def clearing_item_id(entity: str, account: str, item_id: UUID) -> UUID:
    return derive("clearing-item", entity, account, item_id)


class WitnessedJournal(Aggregate):
    """A journal entry as it was announced: intended, perhaps rejected and intended again, confirmed."""

    def start(self) -> None:
        self.state = WitnessedState.UNKNOWN
        self.lines: tuple[JournalLine, ...] = ()

    class Intended(Event):
        TOPIC = "reconciliation.witnessed-journal.intended"
        head: JournalHead
        lines: tuple[JournalLine, ...]
        group_id: UUID | None = None

        def apply(self, journal: WitnessedJournal) -> None:
            journal.state = WitnessedState.INTENDED
            journal.lines = self.lines

    class Rejected(Event):
        TOPIC = "reconciliation.witnessed-journal.rejected"
        journal_id: UUID
        reason: Public[str]

        def apply(self, journal: WitnessedJournal) -> None:
            journal.state = WitnessedState.REJECTED

    class Confirmed(Event):
        TOPIC = "reconciliation.witnessed-journal.confirmed"
        head: JournalHead
        lines: tuple[JournalLine, ...]
        erp: Public[str]
        erp_document: Public[str]

        def apply(self, journal: WitnessedJournal) -> None:
            journal.state = WitnessedState.CONFIRMED
            journal.lines = self.lines

    def intend(self, head: JournalHead, lines: tuple[JournalLine, ...], group_id: UUID | None) -> None:
        """
        Raises:
            JournalChanged: known with other lines.
        """
        self._refuse_other(lines)
        if self.state is WitnessedState.UNKNOWN:
            self.trigger_event(self.Intended, head=head, lines=lines, group_id=group_id)

    def reject(self, journal_id: UUID, reason: str) -> None:
        """The ERP refused it; it may still be confirmed, once a person mended the cause."""
        if self.state is not WitnessedState.CONFIRMED:
            self.trigger_event(self.Rejected, journal_id=journal_id, reason=reason)

    def confirm(self, head: JournalHead, lines: tuple[JournalLine, ...], erp: str, erp_document: str) -> None:
        """
        Raises:
            JournalChanged: intended or confirmed before with other lines.
        """
        self._refuse_other(lines)
        if self.state is not WitnessedState.CONFIRMED:
            self.trigger_event(self.Confirmed, head=head, lines=lines, erp=erp, erp_document=erp_document)

    def _refuse_other(self, lines: tuple[JournalLine, ...]) -> None:
        if self.lines and self.lines != lines:
            raise JournalChanged(f"{self.id}: announced before with other lines")


class ClearingCause(StrEnum):
    """What moves a clearing item."""

    REMITTANCE_ACCEPTED = "remittance-accepted"
    DEPOSIT_MATCHED = "deposit-matched"
    DEPOSIT_UNIDENTIFIED = "deposit-unidentified"
    PAYMENT_SUCCEEDED = "payment-succeeded"
    PAYOUT_PAID = "payout-paid"
    REFUND_PAID = "refund-paid"
    REFUND_FAILED = "refund-failed"
    DISPUTE_WITHDRAWN = "dispute-withdrawn"
    DISPUTE_WON = "dispute-won"
    PAYMENT_RETURNED = "payment-returned"


class ClearingItem(Aggregate):
    """One remittance, deposit, payment, payout, refund, dispute or return on a clearing account: what is not cleared of it."""

    def start(self) -> None:
        self.moves: dict[tuple[ClearingCause, UUID], Money] = {}
        self.balance = Money(0)

    class Moved(Event):
        """`amount` is what the fact does to the account, debits positive; `balance` what is left of the item after it."""

        TOPIC = "reconciliation.clearing-item.moved"
        entity: Public[str]
        account: Public[str]
        item_id: UUID
        cause: ClearingCause
        cause_id: UUID
        amount: Money
        balance: Money
        effective_date: Financial[date]
        reference: Financial[str] = ""

        def apply(self, item: ClearingItem) -> None:
            item.moves[self.cause, self.cause_id] = self.amount
            item.balance = self.balance

    def move(
        self,
        *,
        entity: str,
        account: str,
        item_id: UUID,
        cause: ClearingCause,
        cause_id: UUID,
        amount: Money,
        on: date,
        reference: str = "",
    ) -> None:
        """Records what one fact does to the item, once.

        Raises:
            ClearingChanged: the same fact moved it before by another amount.
        """
        known = self.moves.get((cause, cause_id))
        if known is not None:
            if known != amount:
                raise ClearingChanged(f"{cause} {cause_id}: {known} before, now {amount}")
            return
        self.trigger_event(
            self.Moved,
            entity=entity,
            account=account,
            item_id=item_id,
            cause=cause,
            cause_id=cause_id,
            amount=amount,
            balance=self.balance + amount,
            effective_date=on,
            reference=reference,
        )
