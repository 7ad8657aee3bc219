"""The card gateway: enough of the Stripe API for the official library, with signed webhooks; a simulation, not Stripe.

`metadata[patient_account]` is our opaque patient account id, `metadata[entity]` the legal entity's code. Events carry
`account`, the entity's connected account (`acct_north`), also where a payment has no metadata. A payout is of one entity and
carries `metadata.entity`; `GET /v1/balance_transactions?payout=` lists its charges and, as Stripe does, the payout's own
negative transaction (type `payout`). Ids, fees and answers are deterministic by seed.

`refund`, `dispute` and `happen` let happen what comes later: refunds that fail, disputes, bank debits (`pm_usBankAccount`) that
settle or come back, payouts that the bank does not take.

For the driver of a demo: `POST /_sandbox/webhook` {url, secret}, `/_sandbox/payouts` {entity}, `/_sandbox/misbehave`
{fault, target, times, measure}, `/_sandbox/lift` {fault}, and `GET /_sandbox/state`.

Faults of the API by target `api`: DOWN (503), SERVER_ERROR (500), SLOW (`measure` milliseconds), TIMEOUT_AFTER_WORK (does the
work, holds the answer `measure` milliseconds, then 504; also by target `api refunds` and the like); by target `payment`: WITHOUT_METADATA; by event type:
CORRUPT_ONE_CENT and what `WebhookSender` names.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl

from canonical.money import Money
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.world.gateway_api import Answer, Call, GatewayApi, error
from sandbox.world.gateway_book import GatewayBook, NothingToPayOut
from sandbox.world.gateway_later import LaterMoney
from sandbox.world.gateway_later_objects import Dispute, Refund, RefundStatus
from sandbox.world.gateway_objects import Json, PaymentIntent, Payout
from sandbox.world.loopback import LoopbackApp
from sandbox.world.misbehaviour import Fault, Misbehaviour, Strike
from sandbox.world.webhooks import WebhookSender

API_KEY = "sk_test_sandbox"
WEBHOOK_SECRET = "whsec_sandbox_of_throughline"  # noqa: S105 (a simulation's secret guards nothing)


class CardGateway:
    """The gateway as a Starlette app on a free loopback port, with its webhooks; a context manager."""

    def __init__(
        self,
        seed: int = 1,
        *,
        api_key: str = API_KEY,
        misbehaviour: Misbehaviour | None = None,
        clock: Callable[[], float] = time.time,
        retry_pause_seconds: float = 1.0,
        port: int = 0,
    ) -> None:
        self.misbehaviour = misbehaviour or Misbehaviour()
        self.api_key = api_key
        self.book = GatewayBook(seed, clock, self.misbehaviour)
        self.later = LaterMoney(self.book)
        self.webhooks = WebhookSender(self.misbehaviour, clock, retry_pause_seconds=retry_pause_seconds)
        self._lock = threading.Lock()
        self._api = GatewayApi(self.book, self.later, self.webhooks.put)
        self._server = LoopbackApp(self._app(), port=port)

    @property
    def url(self) -> str:
        return self._server.url

    def start(self, webhook_url: str = "", webhook_secret: str = WEBHOOK_SECRET) -> None:
        """Serve the API, and send webhooks to that URL."""
        self.webhooks.configure(webhook_url, webhook_secret)
        self.webhooks.start()
        self._server.start()

    def stop(self) -> None:
        self._server.stop()
        self.webhooks.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def pay(self, amount: Money, patient_account: str, entity: str) -> PaymentIntent:
        """A patient pays by card, outside the API; webhooks follow."""
        fields = {"amount": str(amount.minor), "confirm": "true", "payment_method": "pm_card_visa"}
        fields |= {"metadata[patient_account]": patient_account, "metadata[entity]": entity}
        with self._lock:
            intent, events = self.book.create_intent(fields)
        self.webhooks.put(events)
        return intent

    def pay_out(self, entity: str) -> Payout:
        """Pay out the entity's balance; a webhook follows, and the bank must be told.

        Raises:
            NothingToPayOut: no charge since the last payout.
        """
        with self._lock:
            payout, events = self.book.pay_out(entity)
        self.webhooks.put(events)
        return payout

    def refund(
        self, payment: str, amount: Money | None = None, status: RefundStatus = RefundStatus.SUCCEEDED
    ) -> Refund:
        """Somebody refunds a payment in the gateway's dashboard; webhooks follow."""
        with self._lock:
            made, events = self.later.refund(payment, amount.minor if amount else 0, status=status)
        self.webhooks.put(events)
        return made

    def dispute(self, payment: str, amount: Money | None = None, *, inquiry: bool = False) -> Dispute:
        """A payer disputes a payment; webhooks follow."""
        with self._lock:
            made, events = self.later.dispute(payment, amount.minor if amount else 0, inquiry=inquiry)
        self.webhooks.put(events)
        return made

    def happen(self, act: Callable[[LaterMoney], list[Json]]) -> None:
        """Something else happens to a payment or payout; webhooks follow."""
        with self._lock:
            events = act(self.later)
        self.webhooks.put(events)

    def _app(self) -> Starlette:
        routes = [
            Route("/v1/{path:path}", self._guarded(), methods=["GET", "POST"]),
            Route("/_sandbox/{command}", self._control, methods=["GET", "POST"]),
        ]
        return Starlette(routes=routes)

    def _guarded(self) -> Callable[[Request], Awaitable[Response]]:
        """Key and faults round every call."""

        async def handle(request: Request) -> Response:
            fields = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
            if request.headers.get("authorization") != f"Bearer {self.api_key}":
                return _json(401, error("invalid_request_error", "Invalid API Key provided"))
            if self.misbehaviour.strike(Fault.DOWN, "api"):
                return _json(503, error("api_error", "the gateway is down"))
            if self.misbehaviour.strike(Fault.SERVER_ERROR, "api"):
                return _json(500, error("api_error", "something went wrong"))
            slow = self.misbehaviour.strike(Fault.SLOW, "api")
            await asyncio.sleep(slow.measure / 1000 if slow else 0)
            status, body = await asyncio.to_thread(self._answer, _call_of(request, fields))
            held = self._held("api") or self._held(f"api {request.path_params['path']}")
            if held:
                await asyncio.sleep(held.measure / 1000)
                return _json(504, error("api_error", "the answer was lost"))
            return _json(status, body)

        return handle

    def _held(self, target: str) -> Strike | None:
        return self.misbehaviour.strike(Fault.TIMEOUT_AFTER_WORK, target)

    def _answer(self, call: Call) -> Answer:
        with self._lock:
            return self._api.answer(call)

    async def _control(self, request: Request) -> Response:
        body = json.loads(await request.body() or b"{}")
        match request.path_params["command"]:
            case "webhook":
                self.webhooks.configure(body["url"], body.get("secret", WEBHOOK_SECRET))
            case "misbehave":
                numbers = {name: int(body.get(name, 1)) for name in ("times", "measure")}
                self.misbehaviour.request(Fault(body["fault"]), target=body.get("target", ""), **numbers)
            case "lift":
                self.misbehaviour.lift(Fault(body["fault"]))
            case "payouts":
                try:
                    return _json(200, self.pay_out(body["entity"]).wire())
                except NothingToPayOut as empty:
                    return _json(409, error("invalid_request_error", str(empty)))
            case "state":
                pass
            case unknown:
                return _json(404, error("invalid_request_error", f"no command {unknown}"))
        struck = [[strike.fault.value, strike.target] for strike in self.misbehaviour.struck]
        return _json(200, {"struck": struck, "webhooks_waiting": self.webhooks.waiting_count})


def _call_of(request: Request, fields: dict[str, str]) -> Call:
    headers = request.headers
    asked = dict(request.query_params) if request.method == "GET" else fields
    account, key = headers.get("stripe-account", ""), headers.get("idempotency-key", "")
    return Call(request.method, request.path_params["path"], asked, account=account, key=key)


def _json(status: int, body: Json) -> JSONResponse:
    return JSONResponse(body, status_code=status, headers={"Request-Id": "req_sandbox"})


def main() -> None:
    """Serve on loopback until interrupted: `python -m sandbox.world.gateway --port N --webhook-url URL`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--webhook-url", default="")
    parser.add_argument("--webhook-secret", default=WEBHOOK_SECRET)
    arguments = parser.parse_args()
    gateway = CardGateway(arguments.seed, port=arguments.port)
    gateway.start(arguments.webhook_url, arguments.webhook_secret)
    print(gateway.url, flush=True)  # noqa: T201 (whoever started it reads the address)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        gateway.stop()


if __name__ == "__main__":
    main()
