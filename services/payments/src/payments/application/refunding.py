"""Refunds that people ask for, approve, deny, cancel, and pay by other means than the gateway."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Refusal
from chassis.eventstore import Work
from chassis.eventstore.work import UnknownAggregate

from payments.application.patient_money import approve_refund, cancel_failed_refund, deny_refund, tell_refund
from payments.application.patient_rows import REFUNDS
from payments.domain.card_numbers import refuse_card_numbers
from payments.domain.payment import Channel, Payment
from payments.domain.refunds import ToldState


class OtherAmountRequested(Refusal):
    """Whoever approves says how much; it must be what was asked for."""


class NotPaidByHand(Refusal):
    """Only an approved refund of money that was taken outside the gateway is paid by hand, and only once."""


class RefundReason(StrEnum):
    """Why money goes back: a code, for words may name a patient."""

    DUPLICATE = "duplicate"
    OVERPAID = "overpaid"
    NOT_PROVIDED = "not-provided"
    GOODWILL = "goodwill"
    CREDIT_BALANCE = "credit-balance"
    OTHER = "other"


def refund_id_for(key: str) -> UUID:
    """The id of a refund that a person or system asks for under its own name."""
    return derive("refund-request", key)


def ask_for_refund(work: Work, payment_id: UUID, key: str, amount: Money, reason: RefundReason, by: str) -> UUID:
    """Notes what somebody asks for; the same key again is the same refund.

    Raises:
        UnknownAggregate: no such payment.
        PaymentNotSucceeded, RefundChanged, MoreThanRefundable: see `Payment.request_refund`.
    """
    refuse_card_numbers(idempotency_key=key)
    refund_id = refund_id_for(key)
    work.require(Payment, payment_id).request_refund(refund_id, amount, reason.value, by)
    return refund_id


def decide_refund(
    work: Work, refund_id: UUID, amount: Money, *, by: str, limit: Money, on: date, approves: bool
) -> None:
    """Approves what was asked for, or denies it whatever the amount.

    Raises:
        UnknownAggregate: no such refund.
        OtherAmountRequested: another amount is approved than was asked for.
        RefundNotRequested, RefundDecided, SecondPersonNeeded: see `approve_refund`.
    """
    payment = payment_of(work, refund_id)
    if not approves:
        deny_refund(payment, refund_id, by=by)
        return
    asked = payment.refunds[refund_id].amount
    if asked != amount:
        raise OtherAmountRequested(f"refund {refund_id}: {asked} was asked for, {amount} is approved")
    approve_refund(work, payment, refund_id, by=by, limit=limit, on=on)


def cancel_refund(work: Work, refund_id: UUID, on: date) -> None:
    """Gives the account the cash back of a refund that failed.

    Raises:
        UnknownAggregate: no such refund.
        RefundDecided: it has not failed, or was cancelled before.
    """
    cancel_failed_refund(work, payment_of(work, refund_id), refund_id, on=on)


def note_refund_paid(work: Work, refund_id: UUID, reference: str, on: date) -> None:
    """Notes that an approved refund of money from outside the gateway was paid, under this reference.

    Raises:
        UnknownAggregate: no such refund.
        NotPaidByHand: not approved, paid before under another reference, or the gateway pays it.
    """
    refuse_card_numbers(reference=reference)
    payment = payment_of(work, refund_id)
    refund = payment.refunds[refund_id]
    if refund.told is not None and refund.gateway_id == reference:
        return
    if payment.channel is Channel.GATEWAY or not refund.is_approved or refund.told is not None:
        raise NotPaidByHand(f"refund {refund_id} of a payment by {payment.channel} is not open for payment by hand")
    tell_refund(
        work,
        payment,
        refund_id,
        gateway_refund_id=reference,
        state=ToldState.SUCCEEDED,
        amount=refund.amount,
        on=on,
        message_id=None,
    )


def payment_of(work: Work, refund_id: UUID) -> Payment:
    """The payment that a refund is of.

    Raises:
        UnknownAggregate: no such refund.
    """
    rows = work.rows(REFUNDS, {"refund_id": refund_id})
    if not rows or not isinstance(payment_id := rows[0]["payment_id"], UUID):
        raise UnknownAggregate(f"no refund {refund_id}")
    return work.require(Payment, payment_id)
