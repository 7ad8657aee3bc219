"""The commands of payments: the front desk's payments, and matching by a person."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.events.intake import PatientPaymentReported
from canonical.money import Money
from chassis.eventstore import Work
from chassis.exceptions import end_case

from payments.domain.patient_account import PatientAccount, account_id_of
from payments.domain.payment import Channel, Payment, PaymentState
from payments.domain.payment_refusals import PaymentAlreadyMatched, PaymentOfOtherEntity

UNMATCHED = "UnmatchedPayment"


def take_front_desk_payment(work: Work, event: PatientPaymentReported) -> None:
    """Takes what the source's front desk took from a patient, once.

    Raises:
        PaymentChanged: known before with another amount.
    """
    payment = work.get_or_new(Payment, event.payment_id)
    payment.refuse_change(event.amount)
    if payment.state is PaymentState.SUCCEEDED:
        return
    account = work.get_or_new(PatientAccount, account_id_of(event.entity, event.patient_id))
    applied, unapplied = account.receive(
        entity=event.entity,
        patient_id=event.patient_id,
        payment_id=payment.id,
        amount=event.amount,
        on=event.received_on,
    )
    payment.trigger_event(
        Payment.Succeeded,
        entity=event.entity,
        gateway_id="",
        amount=event.amount,
        effective_date=event.received_on,
        account_id=account.id,
        patient_id=event.patient_id,
        applied=applied,
        unapplied=unapplied,
        message_id=event.message_id,
        channel=Channel.FRONT_DESK,
        method=event.method,
    )


def match_payment(work: Work, payment_id: UUID, account_id: UUID, on: date, why: str = "") -> Money:
    """A person, or a rule that says why, tells whose payment it is; what of it was applied at once.

    Raises:
        UnknownAggregate: no such payment or account.
        PaymentNotSucceeded: there is no cash to match.
        PaymentAlreadyMatched: it belongs to another account.
        PaymentOfOtherEntity: its cash is in the books of another legal entity than the account.
    """
    payment = work.require(Payment, payment_id)
    account = work.require(PatientAccount, account_id)
    payment.refuse_no_cash()
    if payment.account_id is not None:
        if payment.account_id == account_id:
            return Money(0)
        raise PaymentAlreadyMatched(f"payment {payment_id} belongs to account {payment.account_id}")
    if payment.entity != account.entity:
        raise PaymentOfOtherEntity(
            f"payment {payment_id} is booked at {payment.entity}, the account is {account.entity}'s"
        )
    assert account.patient_id is not None, "an account that exists has a patient"
    applied, _ = account.receive(
        entity=payment.entity,
        patient_id=account.patient_id,
        payment_id=payment_id,
        amount=payment.cash,
        on=on,
    )
    payment.trigger_event(
        Payment.Matched,
        account_id=account_id,
        entity=payment.entity,
        patient_id=account.patient_id,
        applied=applied,
        effective_date=on,
    )
    end_case(work, payment_id, UNMATCHED, f"matched to account {account_id}{why}")
    return applied
