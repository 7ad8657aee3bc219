"""A payer's remittance: accepted once, however often and in whatever layout it comes."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import ClaimPayment, RemittanceSummary
from chassis.domain import Aggregate, Conflict, Event, Refusal


class RemittanceConflict(Conflict):
    """The payer's trace number came again with other content."""


class RemittanceUnsupported(Refusal):
    """The remittance holds what is not booked yet: reversals or provider-level adjustments."""


class DepositDiffers(Refusal):
    """The deposit of this trace number is not the amount of the remittance."""


class ReceiptVerdict(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICTING = "conflicting"
    UNSUPPORTED = "unsupported"


class Remittance(Aggregate):
    """One remittance of one payer, by trace number; each copy of it is a receipt with a verdict of its own."""

    def start(self) -> None:
        self.summary: RemittanceSummary | None = None
        self.verdicts: dict[UUID, ReceiptVerdict] = {}
        self.deposit_id: UUID | None = None

    class Accepted(Event):
        TOPIC = "payments.remittance.accepted"
        summary: RemittanceSummary

        def apply(self, remittance: Remittance) -> None:
            remittance.summary = self.summary
            remittance.verdicts[self.summary.receipt_id] = ReceiptVerdict.ACCEPTED

    class Refused(Event):
        """A copy that was not posted. `first_message_id` is the accepted copy's message, where there is one."""

        TOPIC = "payments.remittance.refused"
        receipt_id: UUID
        message_id: UUID
        verdict: ReceiptVerdict
        entity: Public[str]
        payment: Money
        trace_number: Financial[str]
        first_message_id: UUID | None = None

        def apply(self, remittance: Remittance) -> None:
            remittance.verdicts[self.receipt_id] = self.verdict

    class DepositMatched(Event):
        TOPIC = "payments.remittance.deposit-matched"
        deposit_id: UUID
        entity: Public[str]
        amount: Money
        effective_date: Financial[date]

        def apply(self, remittance: Remittance) -> None:
            remittance.deposit_id = self.deposit_id

    def receive(self, summary: RemittanceSummary) -> ReceiptVerdict:
        """Takes one copy; the verdict on it. The same copy again changes nothing."""
        known = self.verdicts.get(summary.receipt_id)
        if known is not None:
            return known
        verdict = self._judge(summary)
        if verdict is ReceiptVerdict.ACCEPTED:
            self.trigger_event(self.Accepted, summary=summary)
        else:
            self.trigger_event(
                self.Refused,
                receipt_id=summary.receipt_id,
                message_id=summary.message_id,
                verdict=verdict,
                entity=summary.entity,
                payment=summary.payment,
                trace_number=summary.trace_number,
                first_message_id=self.summary.message_id if self.summary else None,
            )
        return verdict

    def _judge(self, summary: RemittanceSummary) -> ReceiptVerdict:
        if self.summary is not None:
            same = self.summary.content_hash == summary.content_hash
            return ReceiptVerdict.DUPLICATE if same else ReceiptVerdict.CONFLICTING
        if summary.reversal_count or summary.provider_adjustments or summary.total_provider_adjustments:
            return ReceiptVerdict.UNSUPPORTED
        return ReceiptVerdict.ACCEPTED

    def match_deposit(self, deposit_id: UUID, amount: Money, on: date) -> None:
        """Says that a bank deposit is this remittance's money.

        Raises:
            DepositDiffers: another amount, or another deposit already is.
        """
        assert self.summary is not None, "only an accepted remittance is matched"
        if self.deposit_id == deposit_id:
            return
        if self.deposit_id is not None:
            raise DepositDiffers(f"trace {self.summary.trace_number} has deposit {self.deposit_id} already")
        if amount != self.summary.payment:
            residual = amount - self.summary.payment
            raise DepositDiffers(f"trace {self.summary.trace_number}: deposit minus remittance is {residual}")
        self.trigger_event(
            self.DepositMatched,
            deposit_id=deposit_id,
            entity=self.summary.entity,
            amount=amount,
            effective_date=on,
        )


class RemittanceChunk(Aggregate):
    """A part of an accepted remittance, at most 500 claims, passed on to claims."""

    class Accepted(Event):
        TOPIC = "payments.remittance-chunk.accepted"
        remittance_id: UUID
        chunk: int
        entity: Public[str]
        payer: Public[str]
        effective_date: Financial[date]
        claims: tuple[ClaimPayment, ...]

    def accept(self, summary: RemittanceSummary, chunk: int, claims: tuple[ClaimPayment, ...]) -> None:
        """Passes the part on, once."""
        if self.exists:
            return
        self.trigger_event(
            self.Accepted,
            remittance_id=summary.remittance_id,
            chunk=chunk,
            entity=summary.entity,
            payer=summary.payer_id,
            effective_date=summary.effective_date,
            claims=claims,
        )


def chunk_id(receipt_id: UUID, chunk: int) -> UUID:
    """The id of one part of one copy."""
    return derive("remittance-chunk", receipt_id, chunk)
