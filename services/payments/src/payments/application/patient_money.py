"""What happens to a patient's payment after it was paid: told by the gateway or decided by people, and moved in the books.

The payment keeps what was told; once it has succeeded, each step moves the payment, the patient's account and, by the
events of both, the ledger. The steps follow from the facts, so their order of arrival does not matter.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import Work
from chassis.exceptions import ExceptionCase, case_id_of, end_case, raise_case

from payments.domain.disputes import Dispute, DisputeStep, ToldDispute, dispute_id_of
from payments.domain.gateway_order import GatewayOrder, OrderKind, order_id_of
from payments.domain.patient_account import PatientAccount, TakenBack
from payments.domain.payment import Channel, Payment, PaymentState
from payments.domain.refunds import (
    NOTHING,
    Refund,
    RefundChanged,
    RefundDecided,
    RefundNotRequested,
    RefundStep,
    SecondPersonNeeded,
    ToldState,
)
from payments.domain.returns import ReturnChanged

REFUND_FAILED = "RefundFailed"
DISPUTE_OPEN = "DisputeOpen"
OVERDRAWN = "PaymentOverdrawn"


def tell_refund(
    work: Work,
    payment: Payment,
    refund_id: UUID,
    *,
    gateway_refund_id: str,
    state: ToldState,
    amount: Money,
    on: date,
    message_id: UUID | None,
) -> None:
    """Keeps the gateway's word of a refund, where it goes beyond what is known, and moves what follows.

    Raises:
        RefundChanged: known with another amount.
    """
    known = payment.refunds.get(refund_id)
    if known is not None and known.amount != amount:
        raise RefundChanged(f"refund {refund_id}: {known.amount}, now {amount}")
    if known is None or known.is_news(state):
        payment.trigger_event(
            Payment.RefundTold,
            refund_id=refund_id,
            gateway_refund_id=gateway_refund_id,
            state=state,
            amount=amount,
            effective_date=on,
            message_id=message_id,
        )
    follow(work, payment)


def tell_dispute(work: Work, payment: Payment, told: ToldDispute, gateway: str, message_id: UUID | None) -> None:
    """Keeps the gateway's word of a dispute, and moves what follows; until it is decided a person has its case."""
    dispute_id = dispute_id_of(gateway, told.gateway_id)
    known = payment.disputes.get(dispute_id)
    if known is None or known.is_news(told):
        payment.trigger_event(
            Payment.DisputeTold,
            dispute_id=dispute_id,
            gateway_dispute_id=told.gateway_id,
            state=told.state,
            amount=told.amount,
            fee=told.fee,
            is_withdrawn=told.is_withdrawn,
            is_given_back=told.is_given_back,
            respond_by=told.respond_by,
            effective_date=told.on,
            message_id=message_id,
        )
        _follow_case(work, payment, dispute_id, told)
    follow(work, payment)


def tell_return(
    work: Work, payment: Payment, return_id: UUID, *, amount: Money, reason: str, on: date, message_id: UUID | None
) -> None:
    """Keeps that the payer's bank took the payment back, and moves what follows.

    Raises:
        ReturnChanged: known with another amount.
    """
    known = payment.returns.get(return_id)
    if known is None:
        payment.trigger_event(
            Payment.ReturnTold,
            return_id=return_id,
            amount=amount,
            reason=reason,
            effective_date=on,
            message_id=message_id,
        )
    elif known.amount != amount:
        raise ReturnChanged(f"return {return_id}: {known.amount}, now {amount}")
    follow(work, payment)


def follow(work: Work, payment: Payment) -> None:
    """Moves what was told of a payment and has not moved the books yet; nothing before the payment has succeeded."""
    if payment.state is not PaymentState.SUCCEEDED:
        return
    for refund_id, refund in list(payment.refunds.items()):
        if refund.told is not None:
            for step in refund.steps_due():
                move_refund(work, payment, refund_id, refund, step, refund.on)
            _follow_failure(work, payment, refund_id, refund)
    for dispute_id, dispute in list(payment.disputes.items()):
        for due in dispute.steps_due():
            _move_dispute(work, payment, dispute_id, dispute, due)
        _say_whose_case_it_is(work, payment, dispute_id)
    for return_id, told in list(payment.returns.items()):
        if not told.is_booked and payment.undoes_the_payment(return_id):
            payment.trigger_event(
                Payment.Returned,
                return_id=return_id,
                amount=told.amount,
                **payment.owner,
                effective_date=told.on,
            )
            _take_back(work, payment, return_id, TakenBack.RETURN, told.amount, told.on)
    _follow_overdraft(work, payment)


def move_refund(work: Work, payment: Payment, refund_id: UUID, refund: Refund, step: RefundStep, on: date) -> None:
    """One step of a refund on payment and account."""
    payment.trigger_event(
        Payment.RefundMoved,
        refund_id=refund_id,
        step=step,
        amount=refund.amount,
        channel=payment.channel,
        **payment.owner,
        effective_date=on,
    )
    if step is RefundStep.APPROVED:
        _take_back(work, payment, refund_id, TakenBack.REFUND, refund.amount, on)
    elif step is RefundStep.CANCELLED:
        _take_back(work, payment, derive("refund-cancelled", refund_id), TakenBack.REFUND, -refund.amount, on)


def approve_refund(work: Work, payment: Payment, refund_id: UUID, *, by: str, limit: Money, on: date) -> None:
    """Owes a refund to the patient that somebody asked for: a second person says so, or nobody has to below the limit.

    Raises:
        RefundNotRequested, RefundDecided: there is nothing to approve.
        SecondPersonNeeded: above the limit by the same person.
    """
    refund = _undecided(payment, refund_id)
    if by == refund.requested_by and refund.amount > limit:
        raise SecondPersonNeeded(f"a refund above {limit} is approved by somebody else than who asked for it")
    move_refund(work, payment, refund_id, refund, RefundStep.APPROVED, on)
    if payment.channel is Channel.GATEWAY:
        work.get_or_new(GatewayOrder, order_id_of(refund_id)).place(
            OrderKind.REFUND,
            gateway=payment.gateway,
            entity=payment.entity,
            amount=refund.amount,
            refund_id=refund_id,
            of_payment=payment.gateway_id,
            by=by,
        )


def deny_refund(payment: Payment, refund_id: UUID, *, by: str) -> None:
    """Ends a refund that nobody approved.

    Raises:
        RefundNotRequested, RefundDecided: there is nothing to deny.
    """
    _undecided(payment, refund_id)
    payment.trigger_event(Payment.RefundDenied, refund_id=refund_id, denied_by=by)


def cancel_failed_refund(work: Work, payment: Payment, refund_id: UUID, *, on: date) -> None:
    """Gives the patient's account the cash back of a refund that the gateway could not pay, or would not.

    Raises:
        RefundDecided: it has not failed, or was cancelled before.
    """
    refund = payment.refunds.get(refund_id)
    order = work.get(GatewayOrder, order_id_of(refund_id))
    is_without_effect = refund is not None and refund.told is None and order is not None and order.is_without_effect
    if refund is None or not (refund.told is ToldState.FAILED or is_without_effect) or refund.is_over:
        raise RefundDecided(f"refund {refund_id} has not failed, or was cancelled before")
    move_refund(work, payment, refund_id, refund, RefundStep.CANCELLED, on)
    end_case(work, refund_id, REFUND_FAILED, "the refund was cancelled; its cash is on the account again")


def _undecided(payment: Payment, refund_id: UUID) -> Refund:
    refund = payment.refunds.get(refund_id)
    if refund is None or not refund.requested_by:
        raise RefundNotRequested(f"nobody asked for refund {refund_id} of payment {payment.id}")
    if refund.steps or refund.told is not None:
        raise RefundDecided(f"refund {refund_id} is decided")
    return refund


def _move_dispute(work: Work, payment: Payment, dispute_id: UUID, dispute: Dispute, step: DisputeStep) -> None:
    payment.trigger_event(
        Payment.DisputeMoved,
        dispute_id=dispute_id,
        step=step,
        amount=dispute.amount,
        fee=dispute.fee,
        **payment.owner,
        effective_date=dispute.on,
    )
    if step is DisputeStep.LOST:
        _take_back(work, payment, dispute_id, TakenBack.DISPUTE, dispute.amount, dispute.on)
    elif step is DisputeStep.RECOVERED:
        _take_back(
            work, payment, derive("dispute-recovered", dispute_id), TakenBack.DISPUTE, -dispute.amount, dispute.on
        )


def _take_back(work: Work, payment: Payment, cause: UUID, reason: TakenBack, amount: Money, on: date) -> None:
    """Off the account that the payment pays; cash that nobody claimed is the payment's own."""
    if payment.account_id is not None and amount:
        account = work.require(PatientAccount, payment.account_id)
        account.take_back(payment.id, cause, reason=reason, amount=amount, on=on)


def _follow_failure(work: Work, payment: Payment, refund_id: UUID, refund: Refund) -> None:
    if refund.told is ToldState.FAILED and not refund.is_over:
        raise_case(
            work,
            refund_id,
            code=REFUND_FAILED,
            summary=f"the gateway could not pay refund {refund_id} of {refund.amount}; it is still owed to the patient: "
            "cancel it, or pay it another way",
            subject="payment",
            subject_id=payment.id,
            entity=payment.entity,
            amount=refund.amount,
        )


def _follow_overdraft(work: Work, payment: Payment) -> None:
    """More came back than was paid: a refund and a lost dispute of the same money. The patient has it, and owes it."""
    if payment.cash < NOTHING:
        raise_case(
            work,
            payment.id,
            code=OVERDRAWN,
            summary=f"of payment {payment.id} of {payment.amount}, {-payment.cash} more than that went back to the payer",
            subject="payment",
            subject_id=payment.id,
            entity=payment.entity,
            amount=-payment.cash,
        )
    elif payment.refunds or payment.disputes or payment.returns:
        end_case(work, payment.id, OVERDRAWN, "no more went back than was paid")


def _follow_case(work: Work, payment: Payment, dispute_id: UUID, told: ToldDispute) -> None:
    dispute = payment.disputes[dispute_id]
    if dispute.is_decided:
        end_case(work, dispute_id, DISPUTE_OPEN, f"the dispute is {dispute.state}")
        return
    until = f" until {told.respond_by}" if told.respond_by else ""
    raise_case(
        work,
        dispute_id,
        code=DISPUTE_OPEN,
        summary=f"dispute {told.gateway_id} of {told.amount}: evidence can be given at the gateway{until}",
        subject="payment",
        subject_id=payment.id,
        entity=payment.entity,
        amount=told.amount,
        due_on=told.respond_by,
    )


def _say_whose_case_it_is(work: Work, payment: Payment, dispute_id: UUID) -> None:
    """A dispute may be told of before its payment, whose entity nobody knows then."""
    case = work.get(ExceptionCase, case_id_of(dispute_id, DISPUTE_OPEN))
    if case is not None:
        case.restate(case.summary, case.amount, payment.entity)
