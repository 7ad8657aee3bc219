"""What a balance transaction of Stripe is about.

Source: Stripe API reference, balance transaction types and reporting categories.
"""

from __future__ import annotations

from payments.adapters.webhook_fields import MINOR_MAX, Fields, WebhookRefused, money, named, nested, text
from payments.domain.payout import BalanceTransaction, LineKind

_KINDS = {
    "charge": LineKind.PAYMENT,
    "payment": LineKind.PAYMENT,
    "refund": LineKind.REFUND,
    "payment_refund": LineKind.REFUND,
    "refund_failure": LineKind.REFUND_FAILED,
    "payment_failure_refund": LineKind.RETURN,
    "payment_reversal": LineKind.RETURN,
    "payout_failure": LineKind.PAYOUT_CAME_BACK,
    "payout_cancel": LineKind.PAYOUT_CAME_BACK,
    "stripe_fee": LineKind.FEE,
    "stripe_fx_fee": LineKind.FEE,
    "tax_fee": LineKind.FEE,
}


def balance_transaction(line: Fields) -> BalanceTransaction:
    """The line in our words; its source should be given whole.

    Raises:
        WebhookRefused: an amount is missing, or they do not add up.
    """
    amount, fee, net = (money(line, name, least=-MINOR_MAX) for name in ("amount", "fee", "net"))
    if amount - fee != net:
        raise WebhookRefused("net: not the amount less the fee")
    source = nested(line, "source")
    source_id = named(line, "source")
    return BalanceTransaction(
        gateway_id=text(line, "id"),
        amount=amount,
        fee=fee,
        net=net,
        payment_gateway_id=named(source, "payment_intent") or named(source, "charge") or source_id,
        kind=_kind(line, source, amount.minor),
        source_gateway_id=source_id,
    )


def _kind(line: Fields, source: Fields, minor: int) -> LineKind:
    kind = _KINDS.get(text(line, "type"), LineKind.UNKNOWN)
    category = line.get("reporting_category")
    is_dispute = source.get("object") == "dispute" or category in ("dispute", "dispute_reversal")
    if kind is LineKind.UNKNOWN and is_dispute:
        return LineKind.DISPUTE_WITHDRAWN if minor < 0 else LineKind.DISPUTE_GIVEN_BACK
    return kind
