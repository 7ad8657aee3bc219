"""A payer's remittance: accepted once, however often and in whatever layout it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


class RemittanceUnbalanced(Refusal):
    """The head of a remittance does not add up; its reader should never have passed it on."""


class NegativePayment(Refusal):
    """A payer cannot pay less than nothing: what is owed to it is forwarded to a later remittance."""


class DepositDiffers(Refusal):
    """The deposits of this trace number are not the amount of the remittance."""


class ReceiptVerdict(StrEnum):
    """What became of one copy. `UNSUPPORTED` is no longer given: it was, before reversals and PLBs were booked."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICTING = "conflicting"
    UNSUPPORTED = "unsupported"


class Settlement(StrEnum):
    """How far the money of an accepted remittance has come."""

    WAITING = "waiting"
    DEPOSITED = "deposited"
    NOTHING_TO_PAY = "nothing-to-pay"


@dataclass(frozen=True, slots=True)
class DepositPart:
    """What of a deposit pays one remittance; all of it, unless the deposit pays several."""

    deposit_id: UUID
    amount: Money
    on: date
    was_unidentified: bool = False


class Remittance(Aggregate):
    """One remittance of one payer, by trace number; each copy of it is a receipt with a verdict of its own."""

    def start(self) -> None:
        self.summary: RemittanceSummary | None = None
        self.verdicts: dict[UUID, ReceiptVerdict] = {}
        self.deposits: set[UUID] = set()
        self.settlement = Settlement.WAITING

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
        """One for each deposit, all at once; `was_unidentified` where it had been booked as nobody's."""

        TOPIC = "payments.remittance.deposit-matched"
        deposit_id: UUID
        entity: Public[str]
        amount: Money
        effective_date: Financial[date]
        was_unidentified: bool = False

        def apply(self, remittance: Remittance) -> None:
            remittance.deposits.add(self.deposit_id)
            remittance.settlement = Settlement.DEPOSITED

    class SettledWithoutDeposit(Event):
        """The remittance pays nothing, so that no deposit will come."""

        TOPIC = "payments.remittance.settled-without-deposit"
        entity: Public[str]
        effective_date: Financial[date]

        def apply(self, remittance: Remittance) -> None:
            remittance.settlement = Settlement.NOTHING_TO_PAY

    def receive(self, summary: RemittanceSummary) -> ReceiptVerdict:
        """Takes one copy; the verdict on it. The same copy again changes nothing.

        Raises:
            RemittanceUnbalanced: the head does not add up.
            NegativePayment: it says that less than nothing was paid.
        """
        known = self.verdicts.get(summary.receipt_id)
        if known is not None:
            return known
        refuse_impossible(summary)
        verdict = self._judge(summary)
        if verdict is ReceiptVerdict.ACCEPTED:
            self.trigger_event(self.Accepted, summary=summary)
            if not summary.payment:
                on = summary.effective_date
                self.trigger_event(self.SettledWithoutDeposit, entity=summary.entity, effective_date=on)
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
        return ReceiptVerdict.ACCEPTED

    def match_deposits(self, parts: Sequence[DepositPart]) -> None:
        """Says that bank deposits are this remittance's money: all of it, or nothing is said.

        Raises:
            DepositDiffers: another amount, or others already are, or there is nothing to deposit.
        """
        assert self.summary is not None, "only an accepted remittance is matched"
        trace, amount = self.summary.trace_number, Money.total(part.amount for part in parts)
        if self.deposits == {part.deposit_id for part in parts}:
            return
        if self.settlement is Settlement.NOTHING_TO_PAY:
            raise DepositDiffers(f"trace {trace} pays nothing, the deposit is {amount}")
        if self.deposits:
            raise DepositDiffers(f"trace {trace} has deposit {min(map(str, self.deposits))} already")
        if amount != self.summary.payment:
            raise DepositDiffers(f"trace {trace}: deposit minus remittance is {amount - self.summary.payment}")
        for part in parts:
            self.trigger_event(
                self.DepositMatched,
                deposit_id=part.deposit_id,
                entity=self.summary.entity,
                amount=part.amount,
                effective_date=part.on,
                was_unidentified=part.was_unidentified,
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


def refuse_impossible(summary: RemittanceSummary) -> None:
    """Refuses a head whose payment is not what it pays for claims less its provider-level adjustments.

    Raises:
        RemittanceUnbalanced, NegativePayment
    """
    adjusted = Money.total(adjustment.amount for adjustment in summary.provider_adjustments)
    trace = summary.trace_number
    if adjusted != summary.total_provider_adjustments:
        residual = summary.total_provider_adjustments - adjusted
        raise RemittanceUnbalanced(f"trace {trace}: provider-level adjustments are {residual} off their sum")
    residual = summary.payment - (summary.total_paid - adjusted)
    if residual:
        raise RemittanceUnbalanced(f"trace {trace}: {summary.total_paid} - {adjusted} is {residual} off the payment")
    if summary.payment < Money(0):
        raise NegativePayment(
            f"trace {trace} pays {summary.payment}; a balance owed to the payer is forwarded by a PLB"
        )


def chunk_id(receipt_id: UUID, chunk: int) -> UUID:
    """The id of one part of one copy."""
    return derive("remittance-chunk", receipt_id, chunk)
