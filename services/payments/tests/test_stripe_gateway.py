"""Webhooks are believed only when their signature fits the raw bytes, now."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from payments.adapters.stripe_gateway import TOLERANCE_SECONDS, event_of, verify
from payments.adapters.webhook_fields import ForgedWebhook, WebhookRefused
from payments.domain.gateway_facts import DisputeReported, NothingNew, PaymentArrived, PayoutAnnounced, Several

CORPUS = Path(os.environ.get("THROUGHLINE_CORPUS", Path(__file__).resolve().parents[4] / "shared" / "data"))


def corpus(name: str) -> Path:
    path = CORPUS / "stripe" / name
    if not path.exists():
        pytest.skip("the corpus of real files is not beside the repository")
    return path


def test_the_official_signature_vectors_are_judged_as_stated() -> None:
    """The vector that is too old for its own tolerance is as much older here as ours is longer."""
    vectors = json.loads(corpus("signature/stpy__signature_vectors.json").read_text())["vectors"]
    for vector in vectors:
        stamp = next((part[2:] for part in vector["header"].split(",") if part.startswith("t=")), "0")
        late = 0 if vector["tolerance"] is None else TOLERANCE_SECONDS + vector["now"] - 12345 - vector["tolerance"]
        now = datetime.fromtimestamp((int(stamp) if stamp.isdigit() else 0) + late, UTC)
        if vector["expect"] == "ok":
            verify(vector["payload"].encode(), vector["header"], [vector["secret"]], now)
        else:
            with pytest.raises(WebhookRefused):
                verify(vector["payload"].encode(), vector["header"], [vector["secret"]], now)
    assert len(vectors) == 6


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
    ("name", "kind"),
    [
        ("rubymock__payment_intent.succeeded.json", PaymentArrived),
        ("rubymock__payment_intent.created.json", NothingNew),
        ("rubymock__payout.paid.json", PayoutAnnounced),
        ("rubymock__payout.created.json", PayoutAnnounced),
        ("rubymock__charge.succeeded.json", NothingNew),
        ("rubymock__charge.failed.json", NothingNew),
        ("rubymock__charge.refunded.json", Several),
        ("rubymock__charge.dispute.created.json", DisputeReported),
        ("rubymock__invoice.payment_succeeded.json", NothingNew),
        ("rubymock__balance.available.json", NothingNew),
    ],
)
def test_the_public_sample_events_are_read(name: str, kind: type) -> None:
    _, fact = event_of(corpus(f"events/{name}").read_bytes())
    assert isinstance(fact, kind)


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
