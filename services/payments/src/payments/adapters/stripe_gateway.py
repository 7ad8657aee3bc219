"""Stripe: webhooks verified on the raw bytes by the official library, and the questions we ask its API.

Source: Stripe API reference, webhooks and balance transactions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from uuid import UUID

import stripe
from canonical.money import Money, MoneyRefused
from chassis.domain import Unavailable

from payments.domain.gateway_facts import (
    GatewayFact,
    NothingNew,
    PaymentArrived,
    PaymentDeclined,
    PayoutAnnounced,
)
from payments.domain.payout import BalanceTransaction, PayoutUnreadable

TOLERANCE_SECONDS = 300
BODY_BYTES_MAX = 1_000_000
TRANSACTIONS_PER_PAYOUT_MAX = 100_000


class WebhookRefused(ValueError):
    """The webhook cannot be believed or read; the message names the rule and never the content."""


class ForgedWebhook(WebhookRefused):
    """The signature does not fit the raw bytes, or is too old or too far in the future."""


def verify(raw: bytes, signature: str, secrets: Sequence[str], now: datetime) -> None:
    """Checks the signature header over the raw bytes against each secret (two while one is rotated).

    The library refuses timestamps that are too old; those from the future are refused here.

    Raises:
        ForgedWebhook: no secret fits, or the time is more than 300 seconds off.
    """
    if len(raw) > BODY_BYTES_MAX:
        raise WebhookRefused(f"a webhook may have {BODY_BYTES_MAX} bytes")
    stamps = [part[2:] for part in signature.split(",") if part.startswith("t=")]
    if len(stamps) != 1 or not (stamps[0].isascii() and stamps[0].isdigit()) or len(stamps[0]) > 12:
        raise ForgedWebhook("the signature header has no timestamp")
    if abs(int(stamps[0]) - int(now.timestamp())) > TOLERANCE_SECONDS:
        raise ForgedWebhook(f"the signature is more than {TOLERANCE_SECONDS} seconds off")
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(raw.decode("utf-8"), signature, secret, None)
        except UnicodeDecodeError:
            raise ForgedWebhook("the body is not UTF-8") from None
        except stripe.SignatureVerificationError:
            continue
        return
    raise ForgedWebhook("no signature fits the body")


def event_of(raw: bytes) -> tuple[str, GatewayFact]:
    """The event's id, and what it tells us.

    Raises:
        WebhookRefused: not a Stripe event, or a field that we need is missing or of the wrong kind.
    """
    try:
        event = json.loads(raw, parse_float=_no_float, parse_constant=_no_float)
    except (ValueError, RecursionError):
        raise WebhookRefused("the body is not JSON that we read") from None
    if not isinstance(event, dict) or event.get("object") != "event":
        raise WebhookRefused("object: must be `event`")
    identity, kind = _text(event, "id"), _text(event, "type")
    data = event.get("data")
    content = data.get("object") if isinstance(data, dict) else None
    if not isinstance(content, dict):
        raise WebhookRefused("data.object: missing")
    return identity, _fact(kind, content)


def _fact(kind: str, content: Mapping[str, object]) -> GatewayFact:
    if kind == "payment_intent.succeeded":
        metadata = _metadata(content)
        amount = _money(content, "amount_received" if "amount_received" in content else "amount")
        return PaymentArrived(
            _text(content, "id"), amount, _day(content, "created"), metadata.get("entity", ""), _account(metadata)
        )
    if kind == "payment_intent.payment_failed":
        error = content.get("last_payment_error")
        reason = str(error.get("code", "declined")) if isinstance(error, dict) else "declined"
        return PaymentDeclined(
            _text(content, "id"), _money(content, "amount"), _metadata(content).get("entity", ""), reason[:60]
        )
    if kind == "payout.paid":
        return PayoutAnnounced(_text(content, "id"), _money(content, "amount"), _day(content, "arrival_date"))
    return NothingNew(kind)


def _metadata(content: Mapping[str, object]) -> dict[str, str]:
    found = content.get("metadata")
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _account(metadata: Mapping[str, str]) -> UUID | None:
    try:
        return UUID(metadata["patient_account"])
    except (KeyError, ValueError):
        return None


def _no_float(text: str) -> object:
    raise ValueError("gateway amounts are whole cents")


def _text(content: Mapping[str, object], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= 255 or not value.isascii():
        raise WebhookRefused(f"{name}: missing, or not a short text")
    return value


def _whole(content: Mapping[str, object], name: str) -> int:
    value = content.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**12:
        raise WebhookRefused(f"{name}: missing, or not a whole number in range")
    return value


def _money(content: Mapping[str, object], name: str) -> Money:
    try:
        return Money(_whole(content, name), _text(content, "currency").upper())
    except MoneyRefused:
        raise WebhookRefused("currency: not one whose minor unit is a hundredth") from None


def _day(content: Mapping[str, object], name: str) -> date:
    return datetime.fromtimestamp(_whole(content, name), UTC).date()


class StripeReader:
    """Asks Stripe's API through the official library; it blocks, with the library's own bounded retries."""

    def __init__(self, api_key: str, api_base: str = "") -> None:
        options: dict[str, object] = {"base_addresses": {"api": api_base}} if api_base else {}
        self._client = stripe.StripeClient(api_key, max_network_retries=2, **options)  # type: ignore[arg-type]

    def balance_transactions(self, payout_gateway_id: str) -> list[BalanceTransaction]:
        """What one payout is made of; the payout's own line is left out.

        Raises:
            PayoutUnreadable: Stripe refuses the question; asking again does not help.
            Unavailable: Stripe does not answer, or answers with another error.
        """
        found: list[BalanceTransaction] = []
        try:
            listing = self._client.v1.balance_transactions.list(
                {"payout": payout_gateway_id, "limit": 100, "expand": ["data.source"]}
            )
            for line in listing.auto_paging_iter():
                if line.type == "payout":
                    continue
                found.append(_balance_transaction(line))
                if len(found) > TRANSACTIONS_PER_PAYOUT_MAX:
                    raise Unavailable(f"payout {payout_gateway_id} has more transactions than are read at once")
        except stripe.InvalidRequestError as error:
            raise PayoutUnreadable(f"payout {payout_gateway_id}: the gateway answered {error.code or 'no'}") from None
        except stripe.StripeError as error:
            raise Unavailable(f"the gateway answered {type(error).__name__}") from None
        return found


def _balance_transaction(line: stripe.BalanceTransaction) -> BalanceTransaction:
    currency = line.currency.upper()
    source = line.source
    intent = getattr(source, "payment_intent", None) if not isinstance(source, str) else source
    return BalanceTransaction(
        gateway_id=line.id,
        amount=Money(line.amount, currency),
        fee=Money(line.fee, currency),
        net=Money(line.net, currency),
        payment_gateway_id=str(intent or ""),
    )
