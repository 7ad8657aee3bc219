"""What the gateway tells, taken once per object and state, whichever events tell it and in whatever order they come."""

from __future__ import annotations

from uuid import UUID

from canonical.money import USD, Money
from chassis.eventstore import Work
from chassis.exceptions import raise_case

from payments.application.patient_money import follow, tell_dispute, tell_refund, tell_return
from payments.application.payouts import take_payout
from payments.application.use_cases import UNMATCHED
from payments.domain.gateway_facts import (
    DisputeReported,
    GatewayFact,
    NothingNew,
    ObjectChanged,
    OneFact,
    PaymentArrived,
    PaymentCancelled,
    PaymentDeclined,
    PaymentPending,
    PayoutAnnounced,
    PayoutCameBack,
    RefundReported,
    ReturnReported,
    Several,
)
from payments.domain.gateway_question import GatewayQuestion, question_id_of
from payments.domain.patient_account import PatientAccount
from payments.domain.payment import STRIPE, Payment, PaymentState, payment_id_of
from payments.domain.payment_refusals import OtherCurrency
from payments.domain.refunds import refund_id_of
from payments.domain.returns import return_id_of


def take_gateway_fact(
    work: Work, fact: GatewayFact, message_id: UUID, default_entity: str, gateway: str = STRIPE
) -> None:
    """Records what the gateway of that name tells, once per object and state, whichever events tell it.

    Raises:
        PaymentChanged, PayoutDiffers, RefundChanged, ReturnChanged: known before with another amount.
        MoreThanRefundable: a refund of more than is left of its payment.
        OtherCurrency: not in the currency of the books.
    """
    for told in fact.facts if isinstance(fact, Several) else (fact,):
        _refuse_other_currency(told)
        match told:
            case PaymentArrived():
                follow(work, _take_payment(work, told, message_id, default_entity, gateway))
            case PaymentPending() | PaymentDeclined() | PaymentCancelled():
                _take_state(work, told, message_id, default_entity, gateway)
            case RefundReported() | DisputeReported() | ReturnReported():
                _take_later(work, told, message_id, gateway)
            case PayoutAnnounced() | PayoutCameBack():
                take_payout(work, told, message_id, gateway)
            case ObjectChanged():
                _ask(work, told, message_id, gateway, default_entity)
            case NothingNew():
                pass


def _take_later(
    work: Work, fact: RefundReported | DisputeReported | ReturnReported, message_id: UUID, gateway: str
) -> None:
    payment = work.get_or_new(Payment, payment_id_of(fact.payment_gateway_id, gateway))
    match fact:
        case RefundReported():
            tell_refund(
                work,
                payment,
                fact.refund_id or refund_id_of(gateway, fact.gateway_id),
                gateway_refund_id=fact.gateway_id,
                state=fact.state,
                amount=fact.amount,
                on=fact.on,
                message_id=message_id,
            )
        case DisputeReported():
            tell_dispute(work, payment, fact.told, gateway, message_id)
        case ReturnReported():
            tell_return(
                work,
                payment,
                return_id_of(gateway, fact.gateway_id),
                amount=fact.amount,
                reason=fact.reason,
                on=fact.on,
                message_id=message_id,
            )


def _ask(work: Work, fact: ObjectChanged, message_id: UUID, gateway: str, entity: str) -> None:
    question = work.get_or_new(GatewayQuestion, question_id_of(message_id, fact.kind, fact.gateway_id))
    question.ask(gateway, fact.kind, fact.gateway_id, entity=entity, on=fact.on, message_id=message_id)


_EARLIER = {
    PaymentPending: (PaymentState.NEW,),
    PaymentDeclined: (PaymentState.NEW, PaymentState.PROCESSING),
    PaymentCancelled: (PaymentState.NEW, PaymentState.PROCESSING, PaymentState.FAILED),
}


def _take_state(
    work: Work,
    fact: PaymentPending | PaymentDeclined | PaymentCancelled,
    message_id: UUID,
    default_entity: str,
    gateway: str,
) -> None:
    """A state without money, where it comes after the one that is known; an attempt after a decline says nothing new."""
    payment = work.get_or_new(Payment, payment_id_of(fact.gateway_id, gateway))
    if payment.state not in _EARLIER[type(fact)]:
        return
    told = {
        "entity": fact.entity or default_entity,
        "gateway_id": fact.gateway_id,
        "amount": fact.amount,
        "message_id": message_id,
    }
    if isinstance(fact, PaymentPending):
        payment.trigger_event(Payment.Processing, gateway=gateway, **told)
    elif isinstance(fact, PaymentDeclined):
        payment.trigger_event(Payment.Failed, reason=fact.reason, **told)
    else:
        payment.trigger_event(Payment.Cancelled, reason=fact.reason, **told)


def _refuse_other_currency(fact: OneFact) -> None:
    amount = fact.net if isinstance(fact, PayoutAnnounced | PayoutCameBack) else getattr(fact, "amount", None)
    if isinstance(amount, Money) and amount.currency != USD:
        raise OtherCurrency(f"{amount.currency} where the books are kept in {USD}")


def _take_payment(work: Work, fact: PaymentArrived, message_id: UUID, default_entity: str, gateway: str) -> Payment:
    payment = work.get_or_new(Payment, payment_id_of(fact.gateway_id, gateway))
    payment.refuse_change(fact.amount)
    if payment.state is PaymentState.SUCCEEDED:
        return payment
    account = work.get(PatientAccount, fact.account_id) if fact.account_id else None
    applied, unapplied = Money(0), fact.amount
    if account is not None and account.patient_id is not None:
        applied, unapplied = account.receive(
            entity=account.entity,
            patient_id=account.patient_id,
            payment_id=payment.id,
            amount=fact.amount,
            on=fact.on,
        )
    entity = account.entity if account else fact.entity or default_entity
    payment.trigger_event(
        Payment.Succeeded,
        entity=entity,
        gateway_id=fact.gateway_id,
        amount=fact.amount,
        effective_date=fact.on,
        account_id=account.id if account else None,
        patient_id=account.patient_id if account else None,
        applied=applied,
        unapplied=unapplied,
        message_id=message_id,
        gateway=gateway,
        charge_id=fact.charge_id,
        named_account_id=fact.account_id,
        named_patient_id=fact.patient_id,
        named_encounter_id=fact.encounter_id,
    )
    if account is None:
        raise_case(
            work,
            payment.id,
            code=UNMATCHED,
            summary=f"payment {fact.gateway_id} of {fact.amount} {_whose(fact)}; it is kept as unapplied cash",
            subject="payment",
            subject_id=payment.id,
            entity=entity,
            amount=fact.amount,
        )
    return payment


def _whose(fact: PaymentArrived) -> str:
    if fact.account_id or fact.patient_id or fact.encounter_id:
        return "names an account, patient or visit that is not matched yet, and is matched by itself once that is known"
    return "names no account of ours"
