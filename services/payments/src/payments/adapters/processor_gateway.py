"""The second processor: webhooks signed over their time and body in headers of their own, and its API by HTTP.

X-Processor-Time: milliseconds since 1970      X-Processor-Signature: HMAC-SHA512(secret, time + LF + body), hex
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime

import httpx
from chassis.domain import Unavailable

from payments.adapters.processor_objects import day_of, settlement_fact, settlement_line, transaction_fact
from payments.adapters.webhook_fields import (
    Fields,
    ForgedWebhook,
    WebhookRefused,
    json_object,
    listed,
    metadata,
    nested,
    text,
)
from payments.adapters.webhook_scheme import WebhookScheme
from payments.application.ports import GatewayEvent, GatewayRefused, PaymentOrder, RefundOrder, UnreadableEvent
from payments.domain.gateway_facts import GatewayFact, NothingNew, ObjectKind
from payments.domain.payout import BalanceTransaction, PayoutUnreadable

NAME = "processor"
TOLERANCE_SECONDS = 300
TIMEOUT = httpx.Timeout(20.0, connect=5.0)
KEY_SECONDS = 3600


def processor_webhooks(secrets: Sequence[str]) -> WebhookScheme:
    """How the processor's webhooks are believed and read; two secrets while one is rotated."""

    def check(raw: bytes, headers: Mapping[str, str], now: datetime) -> None:
        stamp = headers.get("x-processor-time", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 15):
            raise ForgedWebhook("x-processor-time: missing")
        if abs(int(stamp) // 1000 - int(now.timestamp())) > TOLERANCE_SECONDS:
            raise ForgedWebhook(f"the signature is more than {TOLERANCE_SECONDS} seconds off")
        given = headers.get("x-processor-signature", "").encode("ascii", "replace")
        for secret in secrets:
            digest = hmac.new(secret.encode(), stamp.encode() + b"\n" + raw, hashlib.sha512).hexdigest()
            if hmac.compare_digest(digest.encode(), given):
                return
        raise ForgedWebhook("no signature fits the body")

    return WebhookScheme(NAME, "/webhooks/processor", check, notice_of)


def notice_of(raw: bytes) -> tuple[str, GatewayFact]:
    """The notice's id, and what it tells us.

    Raises:
        WebhookRefused: no such notice, or a field that we need is missing or of the wrong kind.
    """
    notice = json_object(raw)
    identity, topic = text(notice, "notice"), text(notice, "topic")
    readers: dict[str, Callable[[Fields, date], GatewayFact]] = {
        "transaction": transaction_fact,
        "settlement": settlement_fact,
    }
    if topic not in readers:
        return identity, NothingNew(topic)
    return identity, readers[topic](nested(notice, topic), day_of(notice, "sent"))


class ProcessorGateway:
    """Implements PaymentGateway."""

    key_seconds = KEY_SECONDS

    def __init__(self, api_key: str, base_url: str) -> None:
        headers = {"Authorization": f"Key {api_key}"}
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=TIMEOUT, trust_env=False)

    def balance_transactions(self, payout_gateway_id: str) -> list[BalanceTransaction]:
        """What one settlement is made of."""
        try:
            found = self._ask("GET", f"/settlements/{payout_gateway_id}/lines")
            return [settlement_line(line) for line in listed(found, "lines")]
        except (GatewayRefused, WebhookRefused) as refused:
            raise PayoutUnreadable(f"settlement {payout_gateway_id}: {refused}") from None

    def object_of(self, kind: ObjectKind, gateway_id: str, on: date) -> GatewayFact:
        """How an object stands."""
        if kind is ObjectKind.PAYOUT:
            return _read(settlement_fact, self._ask("GET", f"/settlements/{gateway_id}"), on)
        return _read(transaction_fact, self._ask("GET", f"/transactions/{gateway_id}"), on)

    def create_payment(self, order: PaymentOrder, on: date) -> GatewayFact:
        """A sale by the payer's saved method."""
        told = {"request_id": str(order.request_id), "patient_account": str(order.account_id), "entity": order.entity}
        asked = {"kind": "sale", "amount": _written(order.amount.minor), "by": order.kind, "method": order.method}
        return self._order(str(order.request_id), {**asked, "currency": order.amount.currency, "custom": told}, on)

    def find_payment(self, order: PaymentOrder, on: date) -> GatewayFact | None:
        """The sale that carries the order's id."""
        return self._find("request_id", str(order.request_id), on)

    def create_refund(self, order: RefundOrder, on: date) -> GatewayFact:
        """A refund of a sale."""
        asked = {"kind": "refund", "amount": _written(order.amount.minor), "original": order.payment_gateway_id}
        told = {"refund_id": str(order.refund_id)}
        return self._order(str(order.refund_id), {**asked, "currency": order.amount.currency, "custom": told}, on)

    def find_refund(self, order: RefundOrder, on: date) -> GatewayFact | None:
        """The refund that carries the order's id."""
        return self._find("refund_id", str(order.refund_id), on)

    def events_between(self, since: datetime, until: datetime) -> list[GatewayEvent]:
        """The notices sent in that time, oldest first."""
        wanted = {"since": _instant(since), "until": _instant(until)}
        return [_event(found) for found in listed(self._ask("GET", "/notices", wanted), "notices")]

    def _order(self, key: str, asked: Fields, on: date) -> GatewayFact:
        return _read(transaction_fact, self._ask("POST", "/transactions", asked=asked, key=key), on)

    def _find(self, name: str, value: str, on: date) -> GatewayFact | None:
        for found in listed(self._ask("GET", "/transactions", {"custom": value}), "transactions"):
            if metadata(found, "custom").get(name) == value:
                return _read(transaction_fact, found, on)
        return None

    def _ask(
        self,
        method: str,
        path: str,
        wanted: Mapping[str, str] | None = None,
        *,
        asked: Fields | None = None,
        key: str = "",
    ) -> Fields:
        headers = {"Request-Id": key} if key else {}
        try:
            answer = self._http.request(method, path, params=wanted, json=asked, headers=headers)
        except httpx.HTTPError as error:
            raise Unavailable(f"the processor does not answer: {type(error).__name__}") from None
        if answer.status_code in (400, 404, 409, 422):
            raise GatewayRefused(f"the processor answered {answer.status_code}")
        if answer.status_code != httpx.codes.OK:
            raise Unavailable(f"the processor answered {answer.status_code}")
        try:
            return json_object(answer.content)
        except WebhookRefused as refused:
            raise Unavailable(f"the processor's answer: {refused}") from None


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _written(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def _read(reader: Callable[[Fields, date], GatewayFact], found: Fields, on: date) -> GatewayFact:
    try:
        return reader(found, on)
    except WebhookRefused as refused:
        raise GatewayRefused(str(refused)) from None


def _event(found: Fields) -> GatewayEvent:
    raw = json.dumps(found, sort_keys=True, separators=(",", ":")).encode()
    try:
        at = datetime.fromisoformat(text(found, "sent"))
        event_id, fact = notice_of(raw)
    except (WebhookRefused, ValueError) as refused:
        now = datetime.fromtimestamp(0, UTC)
        return GatewayEvent(
            str(found.get("notice"))[:255], now, raw, NothingNew("unreadable"), UnreadableEvent(str(refused))
        )
    return GatewayEvent(event_id, at, raw, fact)
