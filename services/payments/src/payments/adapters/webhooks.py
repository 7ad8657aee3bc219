"""The webhook door: the signature over the raw bytes first, durable second, the answer last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from chassis.domain import Transient, Unavailable
from chassis.inbound.awaited_answers import AwaitedAnswers
from chassis.inbound.receiving_queue import ReceivingQueue
from chassis.telemetry.metrics import DOOR_REFUSALS
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from payments.adapters.webhook_fields import BODY_BYTES_MAX, ForgedWebhook, WebhookRefused
from payments.adapters.webhook_scheme import WebhookScheme
from payments.application.doors import Answer, Doors, GatewayMessage

ANSWER_SECONDS = 20.0


class TooLarge(WebhookRefused):
    """The body is over the limit."""


def webhook_app(doors: Doors, schemes: Sequence[WebhookScheme], clock: Callable[[], datetime]) -> Starlette:
    """The HTTP application with one path for each gateway, such as `POST /webhooks/stripe`."""
    queue: ReceivingQueue[GatewayMessage, Answer] = ReceivingQueue(doors.receive_webhooks)
    awaited = AwaitedAnswers()

    async def durable(message: GatewayMessage) -> Answer:
        return await awaited.result_of(queue.submit(message), ANSWER_SECONDS)

    return Starlette(routes=[_route(scheme, durable, clock) for scheme in schemes])


def _route(
    scheme: WebhookScheme, durable: Callable[[GatewayMessage], Awaitable[Answer]], clock: Callable[[], datetime]
) -> Route:
    async def receive(request: Request) -> Response:
        try:
            raw = await _body(request)
            scheme.verify(raw, request.headers, clock())
            event_id, fact = scheme.read(raw)
        except WebhookRefused as refused:
            return _refused(refused)
        try:
            answer = await durable(GatewayMessage(raw, event_id, fact, scheme.gateway))
        except (Transient, Unavailable, TimeoutError):
            return JSONResponse({"code": "busy"}, 503, {"Retry-After": "2"})
        return JSONResponse({"answer": answer.value})

    return Route(scheme.path, receive, methods=["POST"])


async def _body(request: Request) -> bytes:
    chunks = bytearray()
    async for chunk in request.stream():
        chunks.extend(chunk)
        if len(chunks) > BODY_BYTES_MAX:
            raise TooLarge(f"a webhook may have {BODY_BYTES_MAX} bytes")
    return bytes(chunks)


def _refused(refused: WebhookRefused) -> Response:
    code = type(refused).__name__
    DOOR_REFUSALS.labels("webhook", code).inc()
    status = {ForgedWebhook: 401, TooLarge: 413}.get(type(refused), 400)
    return JSONResponse({"code": code, "message": str(refused)}, status)
