"""A second payment processor, of another make than the card gateway: other words, other JSON, other signatures; a simulation.

Amounts are texts with two decimals. A webhook carries `X-Processor-Time` (milliseconds) and `X-Processor-Signature`, HMAC-SHA512
over the time, a line feed and the body. The API: `POST /transactions` (header `Request-Id` makes it once), `GET
/transactions/{reference}`, `GET /transactions?custom=...`, `GET /settlements/{reference}`, `.../lines`, `GET /notices?since=&until=`.

Faults by target `api`: DOWN (503), TIMEOUT_AFTER_WORK (does the work, and answers 504); by topic what `WebhookSender` names.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.world.gateway_book import GatewayBook, NotFound
from sandbox.world.gateway_later import LaterMoney, NotPossible
from sandbox.world.gateway_objects import Json, PaymentIntent
from sandbox.world.loopback import LoopbackApp
from sandbox.world.misbehaviour import Fault, Misbehaviour
from sandbox.world.processor_words import decimals, line_of, notice_of, refund_of, sale_of, settlement_of
from sandbox.world.webhooks import WebhookSender

PROCESSOR_KEY = "key_sandbox"
PROCESSOR_SECRET = "secret_of_the_processor"  # noqa: S105 (a simulation's secret guards nothing)
_METHODS = {"card": "pm_card_visa", "ach": "pm_usBankAccount"}


def signed_headers(payload: bytes, secret: str, timestamp: int) -> dict[str, str]:
    """How this processor signs."""
    stamp = str(timestamp * 1000)
    digest = hmac.new(secret.encode(), stamp.encode() + b"\n" + payload, hashlib.sha512).hexdigest()
    return {"X-Processor-Time": stamp, "X-Processor-Signature": digest}


class Processor:
    """The processor as a Starlette app on a free loopback port, with its webhooks; a context manager."""

    def __init__(
        self,
        seed: int = 2,
        *,
        misbehaviour: Misbehaviour | None = None,
        clock: Callable[[], float] = time.time,
        port: int = 0,
    ) -> None:
        self.misbehaviour = misbehaviour or Misbehaviour()
        self.book = GatewayBook(seed, clock, self.misbehaviour)
        self.later = LaterMoney(self.book)
        self.webhooks = WebhookSender(self.misbehaviour, clock, retry_pause_seconds=0.2, sign=signed_headers)
        self.notices: list[Json] = []
        self._lock = threading.Lock()
        self._answered: dict[str, Json] = {}
        self._server = LoopbackApp(self._app(), port=port)

    @property
    def url(self) -> str:
        return self._server.url

    def start(self, webhook_url: str = "") -> None:
        self.webhooks.configure(webhook_url, PROCESSOR_SECRET)
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

    def pay(self, cents: int, account: str, entity: str, kind: str = "card") -> PaymentIntent:
        """A patient pays outside the API."""
        with self._lock:
            return self._sale({"amount": decimals(cents), "kind": "sale", "by": kind}, account, entity)

    def happen(self, act: Callable[[LaterMoney], list[Json]]) -> None:
        """Something happens to a payment later."""
        with self._lock:
            self._tell(act(self.later))

    def settle(self, entity: str) -> str:
        """Pay the entity's balance out; the settlement's reference."""
        with self._lock:
            payout, events = self.book.pay_out(entity)
            self._tell(events)
        return payout.id

    def _sale(self, asked: Mapping[str, object], account: str, entity: str) -> PaymentIntent:
        fields = {
            "amount": str(asked["amount"]).replace(".", "").lstrip("0"),
            "confirm": "true",
            "payment_method": _METHODS[str(asked["by"])],
            "metadata[patient_account]": account,
            "metadata[entity]": entity,
            "metadata[request_id]": str(asked.get("request_id", "")),
        }
        intent, events = self.book.create_intent(fields)
        self._tell(events)
        return intent

    def _tell(self, events: list[Json]) -> None:
        made = [notice for event in events if (notice := notice_of(event)) is not None]
        self.notices += made
        self.webhooks.put([{"id": notice["notice"], "type": notice["topic"], **notice} for notice in made])

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/transactions", self._create, methods=["POST"]),
                Route("/transactions", self._search),
                Route("/transactions/{reference}", self._transaction),
                Route("/settlements/{reference}", self._settlement),
                Route("/settlements/{reference}/lines", self._lines),
                Route("/notices", self._notices),
            ]
        )

    async def _create(self, request: Request) -> Response:
        asked = await request.json()
        key = request.headers.get("request-id", "")
        refused = self._refusal(request)
        if refused:
            return refused
        with self._lock:
            try:
                answer = self._answered.get(key) or self._do(asked)
            except (NotFound, NotPossible) as no:
                return JSONResponse({"error": "impossible", "message": str(no)}, 422)
            self._answered[key] = answer
        if self.misbehaviour.strike(Fault.TIMEOUT_AFTER_WORK, "api"):
            return JSONResponse({"error": "lost"}, 504)
        return JSONResponse(answer)

    def _do(self, asked: Mapping[str, object]) -> Json:
        custom = asked.get("custom")
        told = {str(key): str(value) for key, value in custom.items()} if isinstance(custom, dict) else {}
        if asked["kind"] == "refund":
            cents = int(str(asked["amount"]).replace(".", ""))
            made, events = self.later.refund(str(asked["original"]), cents, told)
            self._tell(events)
            return refund_of(made.wire())
        return sale_of(self._sale({**asked, **told}, told["patient_account"], told["entity"]).wire())

    async def _search(self, request: Request) -> Response:
        wanted = request.query_params.get("custom", "")
        found = [each for each in self._transactions().values() if wanted in str(each["custom"])]
        return self._refusal(request) or JSONResponse({"transactions": found})

    async def _transaction(self, request: Request) -> Response:
        found = self._transactions().get(request.path_params["reference"])
        return self._refusal(request) or (JSONResponse(found) if found else JSONResponse({"error": "unknown"}, 404))

    async def _settlement(self, request: Request) -> Response:
        found = self.book.payouts.get(request.path_params["reference"])
        answer = JSONResponse(settlement_of(found.wire())) if found else JSONResponse({"error": "unknown"}, 404)
        return self._refusal(request) or answer

    async def _lines(self, request: Request) -> Response:
        lines = [each for each in self.book.transactions_of(request.path_params["reference"]) if each.kind != "payout"]
        return self._refusal(request) or JSONResponse(
            {"lines": [line_of(line, self._original(line.source)) for line in lines]}
        )

    async def _notices(self, request: Request) -> Response:
        since, until = request.query_params["since"], request.query_params["until"]
        sent = [notice for notice in self.notices if since <= str(notice["sent"]) < until]
        return self._refusal(request) or JSONResponse({"notices": sent})

    def _transactions(self) -> dict[str, Json]:
        sales = {identity: sale_of(each.wire()) for identity, each in self.book.intents.items()}
        return sales | {identity: refund_of(each.wire()) for identity, each in self.later.refunds.items()}

    def _original(self, source: str) -> str:
        """The sale behind a line of the balance."""
        charge = self.book.charges.get(source)
        return charge.intent_id if charge else source

    def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Key {PROCESSOR_KEY}":
            return JSONResponse({"error": "key"}, 401)
        return JSONResponse({"error": "down"}, 503) if self.misbehaviour.strike(Fault.DOWN, "api") else None
