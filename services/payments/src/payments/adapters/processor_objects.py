"""What the second processor tells, in our words: transactions and settlements, amounts as texts with two decimals."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

from canonical.money import Money, MoneyRefused

from payments.adapters.webhook_fields import Fields, WebhookRefused, metadata, own_id, plain_code, text
from payments.domain.disputes import DisputeState, ToldDispute
from payments.domain.gateway_facts import (
    DisputeReported,
    GatewayFact,
    NothingNew,
    PaymentArrived,
    PaymentCancelled,
    PaymentDeclined,
    PaymentPending,
    PayoutAnnounced,
    PayoutCameBack,
    RefundReported,
    ReturnReported,
)
from payments.domain.payout import BalanceTransaction, LineKind
from payments.domain.refunds import ToldState

_AMOUNT = re.compile(r"(-?)([0-9]{1,10})\.([0-9]{2})", re.ASCII)


def transaction_fact(content: Fields, on: date) -> GatewayFact:
    """What a transaction tells in the state that it is in.

    Raises:
        WebhookRefused: a field that we need is missing or of the wrong kind.
    """
    reader = _KINDS.get(text(content, "kind"))
    return reader(content, on) if reader else NothingNew(f"transaction {text(content, 'kind')[:60]}")


def settlement_fact(content: Fields, on: date) -> GatewayFact:
    """What a settlement tells: paid out, or come back."""
    reference, net = text(content, "reference"), amount(content, "net")
    arrives_on, status = _day(content, "value_date"), text(content, "status")
    if status == "paid":
        return PayoutAnnounced(reference, net, arrives_on)
    if status == "returned":
        return PayoutCameBack(reference, net, arrives_on, plain_code(content.get("code"), "returned"), on)
    return NothingNew(f"settlement {status[:60]}")


_LINES = {
    "sale": LineKind.PAYMENT,
    "refund": LineKind.REFUND,
    "refund-rejected": LineKind.REFUND_FAILED,
    "chargeback": LineKind.DISPUTE_WITHDRAWN,
    "chargeback-won": LineKind.DISPUTE_GIVEN_BACK,
    "return": LineKind.RETURN,
    "settlement-returned": LineKind.PAYOUT_CAME_BACK,
    "fee": LineKind.FEE,
}


def settlement_line(content: Fields) -> BalanceTransaction:
    """One line of a settlement."""
    gross, fee, net = (amount(content, name) for name in ("gross", "fee", "net"))
    if gross - fee != net:
        raise WebhookRefused("net: not the gross less the fee")
    of = content.get("of")
    source = of if isinstance(of, str) else ""
    kind = _LINES.get(text(content, "kind"), LineKind.UNKNOWN)
    return BalanceTransaction(text(content, "reference"), gross, fee, net, source, kind, source)


def amount(content: Fields, name: str) -> Money:
    """An amount of the form `12.30`, with the object's `currency`."""
    found = _AMOUNT.fullmatch(str(content.get(name)))
    if found is None or not isinstance(content.get(name), str):
        raise WebhookRefused(f"{name}: missing, or not an amount with two decimals")
    minor = int(found[2] + found[3]) * (-1 if found[1] else 1)
    try:
        return Money(minor, text(content, "currency"))
    except MoneyRefused:
        raise WebhookRefused("currency: not one whose minor unit is a hundredth") from None


def day_of(content: Fields, name: str) -> date:
    """The day (UTC) of an instant as a text."""
    try:
        return datetime.fromisoformat(text(content, name)).astimezone(UTC).date()
    except ValueError:
        raise WebhookRefused(f"{name}: not an instant") from None


def _sale(content: Fields, on: date) -> GatewayFact:
    reference, status, total = text(content, "reference"), text(content, "status"), _above_zero(content)
    told = metadata(content, "custom")
    entity, code = told.get("entity", ""), plain_code(content.get("code"), status[:60])
    if status == "captured":
        return PaymentArrived(reference, total, on, entity, own_id(told, "patient_account"), reference)
    if status == "pending":
        return PaymentPending(reference, total, entity)
    if status == "declined":
        return PaymentDeclined(reference, total, entity, code)
    if status == "voided":
        return PaymentCancelled(reference, total, entity, code)
    if status == "returned":
        return ReturnReported(reference, reference, total, code, on)
    return NothingNew(f"sale {status[:60]}")


_REFUNDS = {
    "pending": ToldState.PENDING,
    "paid": ToldState.SUCCEEDED,
    "rejected": ToldState.FAILED,
    "voided": ToldState.CANCELLED,
}


def _refund(content: Fields, on: date) -> GatewayFact:
    state = _REFUNDS.get(text(content, "status"))
    if state is None:
        raise WebhookRefused("status: not one of a refund")
    ours = own_id(metadata(content, "custom"), "refund_id")
    return RefundReported(text(content, "reference"), text(content, "original"), ours, state, _above_zero(content), on)


_CHARGEBACKS = {
    "inquiry": DisputeState.INQUIRY,
    "withdrawn": DisputeState.CLOSED,
    "open": DisputeState.NEEDS_RESPONSE,
    "answered": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}


def _chargeback(content: Fields, on: date) -> GatewayFact:
    state = _CHARGEBACKS.get(text(content, "status"))
    if state is None:
        raise WebhookRefused("status: not one of a chargeback")
    told = ToldDispute(
        gateway_id=text(content, "reference"),
        amount=_above_zero(content),
        fee=amount(content, "fee"),
        state=state,
        is_withdrawn=content.get("taken") is True,
        is_given_back=content.get("given_back") is True,
        respond_by=_day(content, "answer_by") if content.get("answer_by") else None,
        on=on,
    )
    return DisputeReported(text(content, "original"), told)


def _above_zero(content: Fields) -> Money:
    found = amount(content, "amount")
    if found.minor <= 0:
        raise WebhookRefused("amount: not above zero")
    return found


def _day(content: Fields, name: str) -> date:
    try:
        return date.fromisoformat(text(content, name))
    except ValueError:
        raise WebhookRefused(f"{name}: not a day") from None


_KINDS: dict[str, Callable[[Fields, date], GatewayFact]] = {
    "sale": _sale,
    "refund": _refund,
    "chargeback": _chargeback,
}
