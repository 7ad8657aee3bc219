"""What an object of Stripe says in the state it is in, in our words.

A fact is read from the object and never from the name of the event that carries it: many events tell one fact, and an
object that was asked for tells it as well.

Source: Stripe API reference: payment intents, charges, refunds, disputes, payouts.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from canonical.money import Money

from payments.adapters.webhook_fields import (
    CODE_MAX,
    MINOR_MAX,
    Fields,
    WebhookRefused,
    day,
    listed,
    metadata,
    money,
    named,
    nested,
    own_id,
    plain_code,
    text,
    whole,
)
from payments.domain.disputes import DisputeState, ToldDispute
from payments.domain.gateway_facts import (
    DisputeReported,
    GatewayFact,
    NothingNew,
    ObjectKind,
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
from payments.domain.refunds import ToldState

_WAITING = ("partially_funded", "requires_capture")


def fact_of(kind: ObjectKind, content: Fields, on: date) -> GatewayFact:
    """What the object tells; `on` is the day on which it came into the state it is in.

    Raises:
        WebhookRefused: a field that we need is missing or of the wrong kind.
    """
    return _READERS[kind](content, on)


def _payment_intent(content: Fields, on: date) -> GatewayFact:
    told = metadata(content)
    entity, identity, status = told.get("entity", ""), text(content, "id"), text(content, "status")
    if status == "succeeded":
        amount = money(content, "amount_received" if "amount_received" in content else "amount")
        return _arrived(identity, amount, on, told, _latest_charge(content))
    amount = money(content, "amount")
    if status == "processing" or (status == "requires_action" and content.get("amount_received")):
        return PaymentPending(identity, amount, entity)
    if status in _WAITING:
        return PaymentPending(identity, amount, entity)
    if status == "canceled":
        return PaymentCancelled(identity, amount, entity, plain_code(content.get("cancellation_reason"), "canceled"))
    error = nested(content, "last_payment_error")
    if status == "requires_payment_method" and error:
        return PaymentDeclined(identity, amount, entity, plain_code(error.get("code"), "declined"))
    return NothingNew(f"payment intent {status[:CODE_MAX]}")


def _latest_charge(content: Fields) -> str:
    """The attempt that succeeded; before 2022-11-15 the attempts stood in a list, newest first."""
    attempts = listed(nested(content, "charges"), "data")
    return named(content, "latest_charge") or (named(attempts[0], "id") if attempts else "")


def _charge(content: Fields, on: date) -> GatewayFact:
    """A charge of a payment intent tells what came back; one without is a payment by itself."""
    facts: list[OneFact] = []
    status, own = text(content, "status"), not named(content, "payment_intent")
    payment = named(content, "payment_intent") or text(content, "id")
    told = metadata(content)
    if status == "failed" and content.get("failure_balance_transaction"):
        reason = plain_code(content.get("failure_code"), "returned")
        facts.append(ReturnReported(text(content, "id"), payment, money(content, "amount"), reason, on))
    elif own:
        facts += _own_charge(status, content, on, told)
    for refund in listed(nested(content, "refunds"), "data"):
        fact = _refund({"payment_intent": payment, **{k: v for k, v in refund.items() if v is not None}}, on)
        facts.append(fact)
    if not facts:
        return NothingNew(f"charge {status[:CODE_MAX]}")
    return facts[0] if len(facts) == 1 else Several(tuple(facts))


def _own_charge(status: str, content: Fields, on: date, told: dict[str, str]) -> list[OneFact]:
    identity, amount, entity = text(content, "id"), money(content, "amount"), told.get("entity", "")
    if status == "succeeded" and content.get("captured", True):
        taken = money(content, "amount_captured") if "amount_captured" in content else amount
        return [_arrived(identity, taken, day(content, "created"), told, identity)]
    if status == "failed":
        return [PaymentDeclined(identity, amount, entity, plain_code(content.get("failure_code"), "declined"))]
    return [PaymentPending(identity, amount, entity)]


_REFUND_STATES = {
    "pending": ToldState.PENDING,
    "requires_action": ToldState.PENDING,
    "succeeded": ToldState.SUCCEEDED,
    "failed": ToldState.FAILED,
    "canceled": ToldState.CANCELLED,
}


def _refund(content: Fields, on: date) -> RefundReported:
    """Made on the day it was created; what ends it is of the day it is told."""
    state = _REFUND_STATES.get(text(content, "status"))
    if state is None:
        raise WebhookRefused("status: not one of a refund")
    ends = state in (ToldState.FAILED, ToldState.CANCELLED)
    return RefundReported(
        gateway_id=text(content, "id"),
        payment_gateway_id=_payment_of(content),
        refund_id=own_id(metadata(content), "refund_id"),
        state=state,
        amount=money(content, "amount"),
        on=on if ends else day(content, "created"),
    )


_DISPUTE_STATES = {
    "warning_needs_response": DisputeState.INQUIRY,
    "warning_under_review": DisputeState.INQUIRY,
    "warning_closed": DisputeState.CLOSED,
    "prevented": DisputeState.CLOSED,
    "needs_response": DisputeState.NEEDS_RESPONSE,
    "under_review": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}


def _dispute(content: Fields, on: date) -> DisputeReported:
    """Its balance transactions say what it has moved: below zero taken, with the fee; above zero given back."""
    state = _DISPUTE_STATES.get(text(content, "status"))
    if state is None:
        raise WebhookRefused("status: not one of a dispute")
    moves = listed(content, "balance_transactions")
    taken = [move for move in moves if whole(move, "amount", least=-MINOR_MAX) < 0]
    amount = money(content, "amount")
    fee = sum(whole(move, "fee") for move in taken)
    details = nested(content, "evidence_details")
    told = ToldDispute(
        gateway_id=text(content, "id"),
        amount=amount,
        fee=Money(fee, amount.currency),
        state=state,
        is_withdrawn=bool(taken),
        is_given_back=len(taken) < len(moves),
        respond_by=day(details, "due_by") if details.get("due_by") else None,
        on=on,
    )
    return DisputeReported(_payment_of(content), told)


def _payout(content: Fields, on: date) -> GatewayFact:
    status = text(content, "status")
    if status not in ("paid", "failed", "canceled"):
        return NothingNew(f"payout {status[:CODE_MAX]}")
    identity, net = text(content, "id"), money(content, "amount", least=-MINOR_MAX)
    arrives_on = day(content, "arrival_date")
    if status == "paid":
        return PayoutAnnounced(identity, net, arrives_on)
    return PayoutCameBack(identity, net, arrives_on, plain_code(content.get("failure_code"), status), on)


def _payment_of(content: Fields) -> str:
    payment = named(content, "payment_intent") or named(content, "charge")
    if not payment:
        raise WebhookRefused("payment_intent: missing, and no charge either")
    return payment


def _arrived(identity: str, amount: Money, on: date, told: dict[str, str], charge_id: str) -> PaymentArrived:
    return PaymentArrived(
        identity,
        amount,
        on,
        told.get("entity", ""),
        own_id(told, "patient_account"),
        charge_id,
        patient_id=own_id(told, "patient_id"),
        encounter_id=own_id(told, "encounter_id"),
    )


_READERS: dict[ObjectKind, Callable[[Fields, date], GatewayFact]] = {
    ObjectKind.PAYMENT: _payment_intent,
    ObjectKind.CHARGE: _charge,
    ObjectKind.REFUND: _refund,
    ObjectKind.DISPUTE: _dispute,
    ObjectKind.PAYOUT: _payout,
}
