"""Stripe's API through the official library: what a payout is made of, what stands behind an id, what we order there.

Source: Stripe API reference: idempotent requests, errors, pagination, balance transaction types, events.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime

import stripe
from chassis.domain import Unavailable

from payments.adapters.stripe_gateway import event_of
from payments.adapters.stripe_lines import balance_transaction
from payments.adapters.stripe_objects import fact_of
from payments.adapters.webhook_fields import Fields, WebhookRefused, json_object, listed, metadata, nested, text, whole
from payments.application.ports import GatewayEvent, GatewayRefused, PaymentOrder, RefundOrder, UnreadableEvent
from payments.domain.gateway_facts import GatewayFact, NothingNew, ObjectKind
from payments.domain.payout import BalanceTransaction, PayoutUnreadable

TRANSACTIONS_PER_PAYOUT_MAX = 100_000
EVENTS_MAX = 200_000
PROBED_MAX = 5_000
KEY_SECONDS = 20 * 3600
"""Stripe keeps idempotency keys for 24 hours at least."""
_PATHS = {
    ObjectKind.PAYMENT: "payment_intents",
    ObjectKind.CHARGE: "charges",
    ObjectKind.REFUND: "refunds",
    ObjectKind.DISPUTE: "disputes",
    ObjectKind.PAYOUT: "payouts",
}
_METHODS = {"card": "card", "ach": "us_bank_account"}


class StripeGateway:
    """Implements PaymentGateway; it blocks, with the library's own bounded retries under one idempotency key."""

    key_seconds = KEY_SECONDS

    def __init__(
        self, api_key: str, api_base: str = "", retries: int = 2, http_client: stripe.HTTPClient | None = None
    ) -> None:
        options: dict[str, object] = {"base_addresses": {"api": api_base}} if api_base else {}
        options |= {"http_client": http_client} if http_client else {}
        self._client = stripe.StripeClient(api_key, max_network_retries=retries, **options)  # type: ignore[arg-type]

    def balance_transactions(self, payout_gateway_id: str) -> list[BalanceTransaction]:
        """What one payout is made of; the payout's own line is left out.

        Raises:
            PayoutUnreadable: Stripe refuses the question; asking again does not help.
            Unavailable: Stripe does not answer, or answers with another error.
        """
        wanted = {"payout": payout_gateway_id, "expand": ["data.source"]}
        try:
            lines = list(self._pages("balance_transactions", wanted, TRANSACTIONS_PER_PAYOUT_MAX))
            return [balance_transaction(line) for line in lines if line.get("type") != "payout"]
        except (GatewayRefused, WebhookRefused) as refused:
            raise PayoutUnreadable(f"payout {payout_gateway_id}: {refused}") from None

    def object_of(self, kind: ObjectKind, gateway_id: str, on: date) -> GatewayFact:
        """How an object stands."""
        return _read(kind, self._ask("get", f"{_PATHS[kind]}/{gateway_id}"), on)

    def create_payment(self, order: PaymentOrder, on: date) -> GatewayFact:
        """A payment intent, confirmed at once with the payer's saved method."""
        fields: dict[str, object] = {
            "amount": order.amount.minor,
            "currency": order.amount.currency.lower(),
            "confirm": True,
            "payment_method": order.method,
            "payment_method_types": [_METHODS[order.kind]],
            "metadata": {
                "request_id": str(order.request_id),
                "patient_account": str(order.account_id),
                "entity": order.entity,
            },
        }
        found = self._ask("post", "payment_intents", fields, key=f"payment-{order.request_id}")
        return _read(ObjectKind.PAYMENT, found, on)

    def find_payment(self, order: PaymentOrder, on: date) -> GatewayFact | None:
        """Looks through the payment intents made since the order for the one that carries its id."""
        wanted = {"created": {"gte": int(order.since.timestamp()) - 60}}
        for found in self._pages("payment_intents", wanted, PROBED_MAX):
            if metadata(found).get("request_id") == str(order.request_id):
                return _read(ObjectKind.PAYMENT, found, on)
        return None

    def create_refund(self, order: RefundOrder, on: date) -> GatewayFact:
        """A refund that carries our id in its metadata."""
        told = {"refund_id": str(order.refund_id)}
        fields: dict[str, object] = {**_of_payment(order), "amount": order.amount.minor, "metadata": told}
        return _read(ObjectKind.REFUND, self._ask("post", "refunds", fields, key=f"refund-{order.refund_id}"), on)

    def find_refund(self, order: RefundOrder, on: date) -> GatewayFact | None:
        """Looks through the payment's refunds for the one that carries the order's id."""
        for found in self._pages("refunds", _of_payment(order), PROBED_MAX):
            if metadata(found).get("refund_id") == str(order.refund_id):
                return _read(ObjectKind.REFUND, found, on)
        return None

    def events_between(self, since: datetime, until: datetime) -> list[GatewayEvent]:
        """The events made in that time, oldest first."""
        wanted = {"created": {"gte": int(since.timestamp()), "lt": int(until.timestamp())}}
        try:
            return [_event(found) for found in self._pages("events", wanted, EVENTS_MAX)][::-1]
        except WebhookRefused as refused:
            raise Unavailable(f"events: {refused}") from None

    def _pages(self, path: str, wanted: Mapping[str, object], most: int) -> Iterator[Fields]:
        """All objects of a list, page by page; a longer list than that is refused."""
        count, after = 0, ""
        while True:
            page = self._ask("get", path, {**wanted, "limit": 100, **({"starting_after": after} if after else {})})
            found = listed(page, "data")
            yield from found
            count += len(found)
            if not found or not page.get("has_more"):
                return
            if count >= most:
                raise Unavailable(f"the gateway lists more than {most} {path}")
            after = text(found[-1], "id")

    def _ask(self, method: str, path: str, fields: Mapping[str, object] | None = None, key: str = "") -> Fields:
        options: dict[str, object] = {"idempotency_key": key} if key else {}
        try:
            answer = self._client.raw_request(method, f"/v1/{path}", **(fields or {}), **options)
        except stripe.CardError as error:
            declined = nested(
                nested(error.json_body if isinstance(error.json_body, dict) else {}, "error"), "payment_intent"
            )
            if declined:
                return declined
            raise GatewayRefused(f"the gateway answered {error.code or 'no'}") from None
        except (stripe.InvalidRequestError, stripe.IdempotencyError) as error:
            raise GatewayRefused(f"the gateway answered {error.code or type(error).__name__}") from None
        except stripe.StripeError as error:
            raise Unavailable(f"the gateway answered {type(error).__name__}") from None
        try:
            return json_object(answer.body.encode() if isinstance(answer.body, str) else answer.body)
        except WebhookRefused:
            raise Unavailable("the gateway's answer is not JSON that we read") from None


def _of_payment(order: RefundOrder) -> Mapping[str, object]:
    name = "payment_intent" if order.payment_gateway_id.startswith("pi_") else "charge"
    return {name: order.payment_gateway_id}


def _read(kind: ObjectKind, found: Fields, on: date) -> GatewayFact:
    try:
        return fact_of(kind, found, on)
    except WebhookRefused as refused:
        raise GatewayRefused(f"{kind}: {refused}") from None


def _event(found: Fields) -> GatewayEvent:
    raw = json.dumps(found, sort_keys=True, separators=(",", ":")).encode()
    at = datetime.fromtimestamp(whole(found, "created"), UTC)
    try:
        event_id, fact = event_of(raw)
    except WebhookRefused as refused:
        return GatewayEvent(text(found, "id"), at, raw, NothingNew("unreadable"), UnreadableEvent(str(refused)))
    return GatewayEvent(event_id, at, raw, fact)
