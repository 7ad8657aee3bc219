"""Webhooks are believed only when their signature fits the raw bytes, now."""

from datetime import UTC, datetime

import pytest
from payments.adapters.stripe_gateway import event_of, verify
from payments.adapters.webhook_fields import ForgedWebhook, WebhookRefused

VALID = '{"id": "evt_1"}'


def signed(secret: str, at: int) -> str:
    import hashlib
    import hmac

    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.{VALID}'.encode(), hashlib.sha256).hexdigest()}"


@pytest.mark.parametrize("drift", [-301, 301, 10**6])
def test_a_signature_from_too_far_in_the_past_or_the_future_is_refused(drift: int) -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    header = signed("s", int(now.timestamp()) + drift)
    with pytest.raises(ForgedWebhook, match="300 seconds"):
        verify(VALID.encode(), header, ["s"], now)


def test_either_secret_fits_while_one_is_rotated_and_no_other() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    header = signed("new", int(now.timestamp()))
    verify(VALID.encode(), header, ["old", "new"], now)
    with pytest.raises(ForgedWebhook):
        verify(VALID.encode(), header, ["old"], now)
    with pytest.raises(ForgedWebhook):
        verify(VALID.encode() + b" ", header, ["old", "new"], now)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"object": "event"}',
        b'{"object": "event", "id": "evt_1", "type": "payout.paid", "data": {"object": {"id": "po_1"}}}',
        b'{"object": "event", "id": "evt_1", "type": "payout.paid", "data": {"object": {"id": "po_1", "amount": 1.5}}}',
        b'{"object": "event", "id": "evt_1", "type": "payout.paid", "data": {"object": {"id": "po_1", "amount": -5, "currency": "usd"}}}',
        b"[" * 100000,
        b"\xff",
    ],
)
def test_what_is_no_event_is_refused_by_rule(raw: bytes) -> None:
    with pytest.raises(WebhookRefused):
        event_of(raw)
