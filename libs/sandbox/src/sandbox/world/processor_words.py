"""How the second processor tells what its book holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sandbox.world.gateway_objects import BalanceTransaction, Json

_SALES = {
    "succeeded": "captured",
    "processing": "pending",
    "canceled": "voided",
    "requires_payment_method": "declined",
    "requires_confirmation": "new",
}
_REFUNDS = {"pending": "pending", "succeeded": "paid", "failed": "rejected", "canceled": "voided"}
_CHARGEBACKS = {
    "warning_needs_response": "inquiry",
    "warning_closed": "withdrawn",
    "needs_response": "open",
    "under_review": "answered",
    "won": "won",
    "lost": "lost",
}
_LINES = {
    "charge": "sale",
    "payment": "sale",
    "refund": "refund",
    "refund_failure": "refund-rejected",
    "dispute": "chargeback",
    "dispute_reversal": "chargeback-won",
    "payment_failure_refund": "return",
    "payout_failure": "settlement-returned",
    "fee": "fee",
}


def decimals(cents: int) -> str:
    """An amount as this processor writes it."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def notice_of(event: Json) -> Json | None:
    """The notice of a fact; none where another one tells it."""
    kind = str(event["type"])
    subject = _subject(event)
    if subject.get("failure_balance_transaction") and kind == "charge.failed":
        told: Json = {"transaction": {**_returned(subject), "at": _at(event)}}
    elif kind.startswith("payment_intent."):
        told = {"transaction": {**sale_of(subject), "at": _at(event)}}
    elif kind in ("refund.created", "refund.updated"):
        told = {"transaction": {**refund_of(subject), "at": _at(event)}}
    elif kind.startswith("charge.dispute.") and not kind.endswith("funds_withdrawn"):
        told = {"transaction": {**_chargeback(subject), "at": _at(event)}}
    elif kind.startswith("payout."):
        told = {"settlement": settlement_of(subject)}
    else:
        return None
    topic = next(iter(told))
    return {"notice": str(event["id"]).replace("evt_", "ntc_"), "topic": topic, "sent": _at(event), **told}


def sale_of(intent: Mapping[str, object]) -> Json:
    error = intent["last_payment_error"]
    return {
        "reference": intent["id"],
        "kind": "sale",
        "status": _SALES[str(intent["status"])],
        "amount": _amount(intent),
        "currency": "USD",
        "code": error["code"] if isinstance(error, dict) else None,
        "custom": intent["metadata"],
        "at": _day_of(intent),
    }


def _returned(charge: Mapping[str, object]) -> Json:
    return {
        "reference": charge["payment_intent"],
        "kind": "sale",
        "status": "returned",
        "amount": _amount(charge),
        "currency": "USD",
        "code": charge["failure_code"],
        "custom": charge["metadata"],
    }


def refund_of(refund: Mapping[str, object]) -> Json:
    return {
        "reference": refund["id"],
        "kind": "refund",
        "status": _REFUNDS[str(refund["status"])],
        "amount": _amount(refund),
        "currency": "USD",
        "original": refund["payment_intent"],
        "custom": refund["metadata"],
        "at": _day_of(refund),
    }


def _chargeback(dispute: Mapping[str, object]) -> Json:
    moves = dispute["balance_transactions"]
    assert isinstance(moves, list)
    taken = [move for move in moves if move["amount"] < 0]
    return {
        "reference": dispute["id"],
        "kind": "chargeback",
        "status": _CHARGEBACKS[str(dispute["status"])],
        "amount": _amount(dispute),
        "currency": "USD",
        "original": dispute["payment_intent"],
        "taken": bool(taken),
        "given_back": len(moves) > len(taken),
        "fee": decimals(sum(move["fee"] for move in taken)),
        "answer_by": None,
        "custom": {},
    }


def settlement_of(payout: Mapping[str, object]) -> Json:
    arrives = payout["arrival_date"]
    assert isinstance(arrives, int)
    return {
        "reference": payout["id"],
        "status": {"paid": "paid", "failed": "returned"}[str(payout["status"])],
        "net": _amount(payout),
        "currency": "USD",
        "value_date": datetime.fromtimestamp(arrives, UTC).date().isoformat(),
        "code": payout["failure_code"],
    }


def line_of(line: BalanceTransaction, original: str) -> Json:
    return {
        "reference": line.id,
        "kind": _LINES[line.category or line.kind],
        "gross": decimals(line.amount),
        "fee": decimals(line.fee),
        "net": decimals(line.net),
        "currency": "USD",
        "of": original,
    }


def _subject(event: Json) -> Mapping[str, object]:
    data = event["data"]
    assert isinstance(data, dict)
    found = data["object"]
    assert isinstance(found, dict)
    return found


def _amount(subject: Mapping[str, object]) -> str:
    cents = subject["amount"]
    assert isinstance(cents, int)
    return decimals(cents)


def _at(event: Json) -> str:
    return _instant(event["created"])


def _day_of(subject: Mapping[str, object]) -> str:
    return _instant(subject["created"])


def _instant(seconds: object) -> str:
    assert isinstance(seconds, int)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
