"""A patient's payment, at the gateway or the front desk: it succeeds or fails, and may be refunded, disputed, returned."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Event

from payments.domain.disputes import Dispute, DisputeState, DisputeStep, ToldDispute
from payments.domain.payment_refusals import PaymentChanged, PaymentNotSucceeded
from payments.domain.refunds import NOTHING, MoreThanRefundable, Refund, RefundChanged, RefundStep, ToldState
from payments.domain.returns import TakenByBank, return_id_of

STRIPE = "stripe"


class PaymentState(StrEnum):
    NEW = "new"
    PROCESSING = "processing"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUCCEEDED = "succeeded"


class Channel(StrEnum):
    """Where a patient paid: what a gateway took comes in its payouts, what a front desk took is banked by hand."""

    GATEWAY = "gateway"
    FRONT_DESK = "front-desk"


class Payment(Aggregate):
    """One payment of a patient: it pays an account, or waits for a person to say whose it is.

    What the gateway tells of its refunds, disputes and returns is kept in whatever order it comes, and moves the books
    once the payment itself has succeeded.
    """

    def start(self) -> None:
        self.state = PaymentState.NEW
        self.entity = ""
        self.channel = Channel.GATEWAY
        self.gateway = STRIPE
        self.gateway_id = ""
        self.charge_id = ""
        self.amount = NOTHING
        self.on = date.min
        self.account_id: UUID | None = None
        self.patient_id: UUID | None = None
        self.refunds: dict[UUID, Refund] = {}
        self.disputes: dict[UUID, Dispute] = {}
        self.returns: dict[UUID, TakenByBank] = {}
        self.returned = NOTHING
        self.moved_away: dict[UUID, Money] = {}

    class Succeeded(Event):
        """`account_id` is empty where nobody could be matched: all of it is unapplied then.

        `gateway_id` is the gateway's payment intent, empty for the front desk; `method` is that one's own word.
        `charge_id` is the attempt that brought the money, where `gateway` tells its attempts apart. `named_*` is what the
        payer's form carried, known to us or not.
        """

        TOPIC = "payments.payment.succeeded"
        entity: Public[str]
        gateway_id: Financial[str]
        amount: Money
        effective_date: Financial[date]
        account_id: UUID | None
        patient_id: UUID | None
        applied: Money
        unapplied: Money
        message_id: UUID
        channel: Channel = Channel.GATEWAY
        method: Public[str] = ""
        gateway: Public[str] = STRIPE
        charge_id: Financial[str] = ""
        named_account_id: UUID | None = None
        named_patient_id: UUID | None = None
        named_encounter_id: UUID | None = None

        def apply(self, payment: Payment) -> None:
            payment.state = PaymentState.SUCCEEDED
            payment.gateway = self.gateway
            payment.gateway_id = self.gateway_id
            payment.charge_id = self.charge_id
            payment.entity = self.entity
            payment.channel = self.channel
            payment.amount = self.amount
            payment.on = self.effective_date
            payment.account_id = self.account_id
            payment.patient_id = self.patient_id

    class Processing(Event):
        """The gateway has taken the order to pay (an ACH debit, say), and no money yet."""

        TOPIC = "payments.payment.processing"
        entity: Public[str]
        gateway_id: Financial[str]
        amount: Money
        message_id: UUID
        gateway: Public[str] = STRIPE

        def apply(self, payment: Payment) -> None:
            payment.state = PaymentState.PROCESSING

    class Failed(Event):
        TOPIC = "payments.payment.failed"
        entity: Public[str]
        gateway_id: Financial[str]
        amount: Money
        reason: Public[str]
        message_id: UUID

        def apply(self, payment: Payment) -> None:
            payment.state = PaymentState.FAILED

    class Cancelled(Event):
        TOPIC = "payments.payment.cancelled"
        entity: Public[str]
        gateway_id: Financial[str]
        amount: Money
        reason: Public[str]
        message_id: UUID

        def apply(self, payment: Payment) -> None:
            payment.state = PaymentState.CANCELLED

    class Matched(Event):
        """A person said whose payment it is; the account says what of it is applied."""

        TOPIC = "payments.payment.matched"
        account_id: UUID
        entity: Public[str]
        patient_id: UUID
        applied: Money
        effective_date: Financial[date]

        def apply(self, payment: Payment) -> None:
            payment.account_id = self.account_id
            payment.patient_id = self.patient_id

    class RefundRequested(Event):
        """A person asks for it; `reason` is a code of ours. The books move once it is approved."""

        TOPIC = "payments.payment.refund-requested"
        refund_id: UUID
        amount: Money
        reason: Public[str]
        requested_by: Public[str]
        entity: Public[str] = ""

        def apply(self, payment: Payment) -> None:
            payment.refunds[self.refund_id] = Refund(self.amount, self.requested_by)

    class RefundTold(Event):
        """The gateway's word of a refund, ours or one that somebody made there."""

        TOPIC = "payments.payment.refund-told"
        refund_id: UUID
        gateway_refund_id: Financial[str]
        state: ToldState
        amount: Money
        effective_date: Financial[date]
        message_id: UUID | None

        def apply(self, payment: Payment) -> None:
            refund = payment.refunds.setdefault(self.refund_id, Refund(self.amount))
            refund.gateway_id = self.gateway_refund_id
            refund.told = self.state
            refund.on = self.effective_date

    class RefundMoved(Event):
        """A refund moves the books; who approved it is the actor of the event."""

        TOPIC = "payments.payment.refund-moved"
        refund_id: UUID
        step: RefundStep
        amount: Money
        channel: Channel
        entity: Public[str]
        patient_id: UUID | None
        effective_date: Financial[date]

        def apply(self, payment: Payment) -> None:
            payment.refunds[self.refund_id].steps.append(self.step)

    class RefundDenied(Event):
        """A second person said no, or the one who asked took it back; the books never knew it."""

        TOPIC = "payments.payment.refund-denied"
        refund_id: UUID
        denied_by: Public[str]

        def apply(self, payment: Payment) -> None:
            payment.refunds[self.refund_id].steps.append(RefundStep.CANCELLED)

    class DisputeTold(Event):
        """The gateway's word of a dispute, with all that it has moved by then."""

        TOPIC = "payments.payment.dispute-told"
        dispute_id: UUID
        gateway_dispute_id: Financial[str]
        state: DisputeState
        amount: Money
        fee: Money
        is_withdrawn: bool
        is_given_back: bool
        respond_by: Financial[date] | None
        effective_date: Financial[date]
        message_id: UUID | None

        def apply(self, payment: Payment) -> None:
            told = ToldDispute(
                gateway_id=self.gateway_dispute_id,
                amount=self.amount,
                fee=self.fee,
                state=self.state,
                is_withdrawn=self.is_withdrawn,
                is_given_back=self.is_given_back,
                respond_by=self.respond_by,
                on=self.effective_date,
            )
            payment.disputes.setdefault(self.dispute_id, Dispute()).take(told)

    class DisputeMoved(Event):
        """A dispute moves the books."""

        TOPIC = "payments.payment.dispute-moved"
        dispute_id: UUID
        step: DisputeStep
        amount: Money
        fee: Money
        entity: Public[str]
        patient_id: UUID | None
        effective_date: Financial[date]

        def apply(self, payment: Payment) -> None:
            payment.disputes[self.dispute_id].steps.append(self.step)

    class ReturnTold(Event):
        """The bank of the payer took the money back after it had succeeded (an ACH return)."""

        TOPIC = "payments.payment.return-told"
        return_id: UUID
        amount: Money
        reason: Public[str]
        effective_date: Financial[date]
        message_id: UUID | None

        def apply(self, payment: Payment) -> None:
            payment.returns[self.return_id] = TakenByBank(self.amount, self.effective_date)

    class Returned(Event):
        """A return moves the books."""

        TOPIC = "payments.payment.returned"
        return_id: UUID
        amount: Money
        entity: Public[str]
        patient_id: UUID | None
        effective_date: Financial[date]

        def apply(self, payment: Payment) -> None:
            payment.returned += self.amount
            payment.returns[self.return_id].is_booked = True

    class CashTransferred(Event):
        """So much of its cash is on another account now; below zero it came home to the payment's own."""

        TOPIC = "payments.payment.cash-transferred"
        transfer_id: UUID
        amount: Money

        def apply(self, payment: Payment) -> None:
            payment.moved_away[self.transfer_id] = self.amount

    @property
    def owner(self) -> dict[str, object]:
        """Whose money it is, as its events say it."""
        return {"entity": self.entity, "patient_id": self.patient_id}

    @property
    def cash(self) -> Money:
        """What of the payment is the patient's still: less what was refunded, returned or lost; below zero where that is more."""
        refunded = Money.total(refund.taken for refund in self.refunds.values())
        lost = Money.total(dispute.taken for dispute in self.disputes.values())
        return self.amount - refunded - lost - self.returned

    @property
    def refundable(self) -> Money:
        """What a further refund may take: less refunds asked for, what is in dispute, and what pays another account now."""
        asked = Money.total(refund.holds - refund.taken for refund in self.refunds.values())
        disputed = Money.total(dispute.holds for dispute in self.disputes.values())
        return self.cash - asked - disputed - Money.total(self.moved_away.values())

    def refuse_change(self, amount: Money) -> None:
        """Raises PaymentChanged where a known payment is reported with another amount."""
        if self.state is PaymentState.SUCCEEDED and self.amount != amount:
            raise PaymentChanged(f"payment {self.id}: {self.amount}, now {amount}")

    def refuse_no_cash(self) -> None:
        """Raises PaymentNotSucceeded unless the gateway has the money; a declined payment may still succeed later."""
        if self.state is not PaymentState.SUCCEEDED:
            raise PaymentNotSucceeded(f"payment {self.id} is {self.state}; only one that succeeded can be matched")

    def request_refund(self, refund_id: UUID, amount: Money, reason: str, requested_by: str) -> None:
        """Notes what a person asks for; the same request again changes nothing.

        Raises:
            PaymentNotSucceeded: there is no cash.
            RefundChanged: known with another amount.
            MoreThanRefundable: not positive, or more than is left.
        """
        known = self.refunds.get(refund_id)
        if known is not None:
            if known.amount != amount:
                raise RefundChanged(f"refund {refund_id}: {known.amount}, now {amount}")
            return
        self.refuse_no_cash()
        if not NOTHING < amount <= self.refundable:
            raise MoreThanRefundable(f"{self.refundable} of payment {self.id} can be refunded, not {amount}")
        self.trigger_event(
            self.RefundRequested,
            refund_id=refund_id,
            amount=amount,
            reason=reason,
            requested_by=requested_by,
            entity=self.entity,
        )

    def note_transfer(self, transfer_id: UUID, from_id: UUID, to_id: UUID, amount: Money) -> None:
        """Notes cash that leaves the payment's own account for another, or comes back to it."""
        if self.account_id in (from_id, to_id):
            leaving = amount if from_id == self.account_id else -amount
            self.trigger_event(self.CashTransferred, transfer_id=transfer_id, amount=leaving)

    def undoes_the_payment(self, return_id: UUID) -> bool:
        """Whether a return takes back the attempt that brought the money, and not an earlier one that failed."""
        return not self.charge_id or return_id == return_id_of(self.gateway, self.charge_id)


def payment_id_of(gateway_id: str, gateway: str = STRIPE) -> UUID:
    """The id of the payment behind a payment intent of the gateway."""
    return derive("payment", gateway, gateway_id)
