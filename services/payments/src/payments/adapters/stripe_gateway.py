"""Stripe's webhooks: verified on the raw bytes by the official library, and read as facts.

Source: Stripe API reference: webhook signatures, events, event destinations (thin events).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import stripe

from payments.adapters.stripe_objects import fact_of
from payments.adapters.webhook_fields import (
    BODY_BYTES_MAX,
    Fields,
    ForgedWebhook,
    WebhookRefused,
    day,
    json_object,
    named,
    nested,
    text,
)
from payments.adapters.webhook_scheme import WebhookScheme
from payments.domain.gateway_facts import GatewayFact, NothingNew, ObjectChanged, ObjectKind
from payments.domain.payment import STRIPE

TOLERANCE_SECONDS = 300
_KINDS = (
    ("charge.dispute.", ObjectKind.DISPUTE),
    ("charge.refund.", ObjectKind.REFUND),
    ("charge.", ObjectKind.CHARGE),
    ("payment_intent.", ObjectKind.PAYMENT),
    ("refund.", ObjectKind.REFUND),
    ("payout.", ObjectKind.PAYOUT),
)
"""What an event is about, by how its type begins; the first that fits."""
_RELATED = {
    "payment_intent": ObjectKind.PAYMENT,
    "charge": ObjectKind.CHARGE,
    "refund": ObjectKind.REFUND,
    "dispute": ObjectKind.DISPUTE,
    "payout": ObjectKind.PAYOUT,
}


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


def stripe_webhooks(secrets: Sequence[str]) -> WebhookScheme:
    """How Stripe's webhooks are believed and read; two secrets while one is rotated."""

    def check(raw: bytes, headers: Mapping[str, str], now: datetime) -> None:
        verify(raw, headers.get("stripe-signature", ""), secrets, now)

    return WebhookScheme(STRIPE, "/webhooks/stripe", check, event_of)


def event_of(raw: bytes) -> tuple[str, GatewayFact]:
    """The event's id, and what it tells us.

    Raises:
        WebhookRefused: not a Stripe event, or a field that we need is missing or of the wrong kind.
    """
    event = json_object(raw)
    if event.get("object") == "v2.core.event":
        return text(event, "id"), _thin(event)
    if event.get("object") != "event":
        raise WebhookRefused("object: must be `event` or `v2.core.event`")
    identity, name = text(event, "id"), text(event, "type")
    content = nested(nested(event, "data"), "object")
    if not content:
        raise WebhookRefused("data.object: missing")
    kind = next((kind for start, kind in _KINDS if name.startswith(start)), None)
    return identity, fact_of(kind, content, day(event, "created")) if kind else NothingNew(name)


def _thin(event: Fields) -> GatewayFact:
    """A thin event names its object and does not say how it stands."""
    name, related = text(event, "type"), nested(event, "related_object")
    kind = _RELATED.get(named(related, "type").rpartition(".")[2])
    if kind is None:
        return NothingNew(name)
    return ObjectChanged(kind, text(related, "id"), _day_of_text(text(event, "created")))


def _day_of_text(found: str) -> date:
    try:
        return datetime.fromisoformat(found).astimezone(UTC).date()
    except ValueError:
        raise WebhookRefused("created: not an instant") from None
