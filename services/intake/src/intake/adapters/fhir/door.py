"""The FHIR REST door: takes resources and bundles, and answers after they are durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from chassis.domain import Transient, Unavailable
from chassis.security.http import requires
from chassis.security.tokens import Verifier
from chassis.telemetry.correlation import current_cause
from chassis.telemetry.metrics import DOOR_REFUSALS
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from intake.adapters.fhir.names import FhirNames
from intake.adapters.fhir.outcomes import (
    acceptance,
    capability_statement,
    issue,
    operation_outcome,
    refusal,
    transaction_response,
)
from intake.adapters.fhir.strict_json import BODY_BYTES_MAX, Json
from intake.adapters.fhir.translation import read_delivery
from intake.application.deliveries import InboundDelivery, Outcome

MEDIA_TYPE = "application/fhir+json"
MEDIA_TYPES = (MEDIA_TYPE, "application/json")
ANSWER_SECONDS = 30
WRITE_SCOPE = "intake.write"
KEY_CHARACTERS_MAX = 100
_STATUS_OF_CODE = {"ChargeChanged": 409, "EncounterMoved": 409, "too-large": 413, "json": 400, "utf-8": 400}
REFUSED = 422

Submit = Callable[[InboundDelivery], "Future[Outcome]"]


class TooLarge(Exception):
    """The body is over the limit."""


def fhir_app(submit: Submit, names: FhirNames, verifier: Verifier) -> Starlette:
    """The application. Every write needs a token of scope `intake.write`; what the door takes is open to read."""
    door = _Door(submit, names)
    protect = requires(verifier, WRITE_SCOPE)
    routes = [
        Route("/fhir/metadata", _metadata, methods=["GET"]),
        Route("/fhir", protect(door.bundle), methods=["POST"]),
        Route("/fhir/{type}", protect(door.create), methods=["POST"]),
        Route("/fhir/{type}/{id}", protect(door.update), methods=["PUT"]),
    ]
    return Starlette(routes=routes)


async def _metadata(request: Request) -> Response:
    return _json(200, capability_statement())


class _Door:
    def __init__(self, submit: Submit, names: FhirNames) -> None:
        self._submit = submit
        self._names = names

    async def bundle(self, request: Request) -> Response:
        return await self._take(request, "")

    async def create(self, request: Request) -> Response:
        return await self._take(request, request.path_params["type"])

    async def update(self, request: Request) -> Response:
        return await self._take(request, f"{request.path_params['type']}/{request.path_params['id']}")

    async def _take(self, request: Request, expect: str) -> Response:
        if request.headers.get("content-type", "").split(";")[0].strip() not in MEDIA_TYPES:
            return _refused(415, "not-supported", f"send {MEDIA_TYPE}")
        try:
            raw = await _body(request)
        except TooLarge:
            return _refused(413, "too-long", f"at most {BODY_BYTES_MAX} bytes")
        except ClientDisconnect:
            return Response(status_code=400)
        delivery = await asyncio.to_thread(self._read, request, raw, expect)
        try:
            answered = asyncio.wrap_future(self._submit(delivery))
            outcome = await asyncio.wait_for(answered, ANSWER_SECONDS)
        except (Transient, Unavailable, TimeoutError):
            return _refused(503, "transient", "not kept; send it again", {"Retry-After": "5"})
        return _answer(outcome, is_bundle=not expect, entries=delivery.entry_count)

    def _read(self, request: Request, raw: bytes, expect: str) -> InboundDelivery:
        cause = current_cause()
        assert cause is not None, "a protected endpoint has a caller"
        key = request.headers.get("idempotency-key", "")[:KEY_CHARACTERS_MAX]
        delivery = read_delivery(raw, self._names, actor=cause.actor, key=key, expect=expect)
        return replace(delivery, traceparent=cause.traceparent, correlation_id=cause.correlation_id)


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            raise TooLarge
        chunks.append(chunk)
    return b"".join(chunks)


def _answer(outcome: Outcome, *, is_bundle: bool, entries: int) -> Response:
    if not outcome.accepted:
        DOOR_REFUSALS.labels("fhir", outcome.rule).inc()
        return _json(_STATUS_OF_CODE.get(outcome.rule, REFUSED), refusal(outcome))
    return _json(200, transaction_response(outcome, entries) if is_bundle else acceptance(outcome))


def _refused(status: int, code: str, text: str, headers: dict[str, str] | None = None) -> Response:
    return _json(status, operation_outcome([issue("error", code, text)]), headers)


def _json(status: int, content: Json, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)
