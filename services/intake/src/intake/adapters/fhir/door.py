"""The FHIR REST door: takes resources and bundles, and answers after they are durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from chassis.domain import Transient, Unavailable
from chassis.inbound.awaited_answers import AwaitedAnswers
from chassis.inbound.receiving_queue import TooBusy
from chassis.security.tokens import Forbidden, RememberingVerifier
from chassis.telemetry.correlation import current_cause
from chassis.telemetry.metrics import DOOR_REFUSALS
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from intake.adapters.fhir.about import about_routes, http_failure
from intake.adapters.fhir.clients import CREATE, UPDATE, Caller, Guard, SourcesOf
from intake.adapters.fhir.names import FhirNames
from intake.adapters.fhir.negotiation import (
    NotOurs,
    Preference,
    check_accept,
    check_content_type,
    preference_of,
)
from intake.adapters.fhir.outcomes import (
    batch_response,
    fhir_response,
    issue,
    location_headers,
    operation_outcome,
    outcome_of,
    refused,
    represented,
    status_of,
    transaction_response,
)
from intake.adapters.fhir.reading import Sender, SourceNotAllowed, Submission, read_submission
from intake.adapters.fhir.reading_back import ReadingBack
from intake.adapters.fhir.shown import contents_of
from intake.adapters.fhir.strict_json import BODY_BYTES_MAX, Json
from intake.application.deliveries import InboundDelivery, Outcome
from intake.application.showing_resources import ResourceShowing
from intake.domain.source_reference import ResourceVersion

BASE = "/fhir"
ANSWER_SECONDS = 30
BUSY_SECONDS = 2
KEY_CHARACTERS_MAX = 100
READERS = 3
SMALL_BYTES_MAX = 32_768

Submit = Callable[[InboundDelivery], "Future[Outcome]"]
MoreRoutes = Callable[[Guard], Sequence[BaseRoute]]


def no_more_routes(guard: Guard) -> Sequence[BaseRoute]:
    """For a door beside which there is no other."""
    return ()


class TooLarge(Exception):
    """The body is over the limit."""


@dataclass(frozen=True)
class FhirDoor:
    """What the door works with: `submit` takes a delivery, `showing` gives resources back."""

    submit: Submit
    showing: ResourceShowing
    clock: Callable[[], datetime]
    names: FhirNames
    verifier: RememberingVerifier
    sources_of: SourcesOf
    token_url: str = ""
    more_routes: MoreRoutes = no_more_routes


def fhir_app(door: FhirDoor) -> Starlette:
    """The application. Every message needs a token of its source's client; what the door takes is open to read."""
    guard = Guard(door.verifier, door.sources_of)
    reading = ReadingBack(door.showing, door.clock)
    rest = _Rest(door, reading)
    routes = [
        Route(BASE, guard(rest.bundle), methods=["POST"]),
        *about_routes(door.token_url),
        *door.more_routes(guard),
        Route(f"{BASE}/{{type}}", guard(rest.write), methods=["POST", "PUT"]),
        Route(f"{BASE}/{{type}}/{{id}}", guard(rest.one), methods=["GET", "PUT"]),
        Route(f"{BASE}/{{type}}/{{id}}/_history", guard(reading.history), methods=["GET"]),
        Route(f"{BASE}/{{type}}/{{id}}/_history/{{version}}", guard(reading.version), methods=["GET"]),
    ]
    failures = {404: http_failure, 405: http_failure, 413: http_failure}
    return Starlette(routes=routes, exception_handlers=failures)


class _Rest:
    def __init__(self, door: FhirDoor, reading: ReadingBack) -> None:
        self._door = door
        self._reading = reading
        self._awaited = AwaitedAnswers()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="fhir-reading")

    async def bundle(self, request: Request, caller: Caller) -> Response:
        return await self._take(request, caller, "")

    async def write(self, request: Request, caller: Caller) -> Response:
        """A create, or an update by condition."""
        address = request.path_params["type"]
        return await self._take(request, caller, f"{address}?{request.url.query}" if request.url.query else address)

    async def one(self, request: Request, caller: Caller) -> Response:
        """One resource by its id, to be read or updated."""
        if request.method == "PUT":
            reference = f"{request.path_params['type']}/{request.path_params['id']}"
            return await self._take(request, caller, reference)
        return await self._reading.newest(request, caller)

    async def _take(self, request: Request, caller: Caller, address: str) -> Response:
        try:
            check_content_type(request)
            check_accept(request)
            raw = await _body(request)
            submission = await self._in_turn(partial(self._read, request, caller, raw, address), len(raw))
            preference = preference_of(request)
            if submission.kind == "batch":
                return await self._answer_batch(submission, preference)
            outcome = await self._submitted(submission.deliveries[0])
        except NotOurs as other:
            return refused(other.status, other.code, str(other))
        except TooLarge:
            return refused(413, "too-long", f"at most {BODY_BYTES_MAX} bytes")
        except ClientDisconnect:
            return Response(status_code=400)
        except SourceNotAllowed:
            raise Forbidden("meta.source is no source of this client") from None
        except TooBusy:
            return refused(429, "throttled", "too much waits; send it again", {"Retry-After": str(BUSY_SECONDS)})
        except (Transient, Unavailable, TimeoutError):
            return refused(503, "transient", "not kept; send it again", {"Retry-After": "5"})
        return _answer(outcome, submission, preference, raw)

    async def _in_turn(self, read: Callable[[], Submission], size_bytes: int) -> Submission:
        """What is small at once, for a thread costs as much as reading it; of the rest few at once, for threads only take turns."""
        if size_bytes <= SMALL_BYTES_MAX:
            return read()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, copy_context().run, read)

    def _read(self, request: Request, caller: Caller, raw: bytes, address: str) -> Submission:
        headers = request.headers
        sender = Sender(
            actor=caller.principal.actor,
            sources=caller.sources,
            key=headers.get("idempotency-key", "")[:KEY_CHARACTERS_MAX],
            method=request.method if address else "",
            address=address,
            if_match=headers.get("if-match"),
            if_none_exist=headers.get("if-none-exist"),
        )
        submission = read_submission(raw, self._door.names, sender)
        _check_scopes(caller, submission, UPDATE if request.method == "PUT" else CREATE, address)
        cause = current_cause()
        assert cause is not None, "a protected endpoint has a caller"
        caused = partial(replace, traceparent=cause.traceparent, correlation_id=cause.correlation_id)
        return replace(submission, deliveries=tuple(caused(_within(caller, each)) for each in submission.deliveries))

    async def _submitted(self, delivery: InboundDelivery) -> Outcome:
        """Raises TooBusy, Transient, Unavailable, TimeoutError where it is not known to be kept."""
        return await self._awaited.result_of(self._door.submit(delivery), ANSWER_SECONDS)

    async def _answer_batch(self, submission: Submission, preference: Preference) -> Response:
        """Hands the entries in by rank, all at once, and answers them in their own order."""
        order = sorted(range(len(submission.deliveries)), key=submission.ranks.__getitem__)
        waiting = {number: asyncio.ensure_future(self._of_batch(submission.deliveries[number])) for number in order}
        answers = [await waiting[number] for number in range(len(waiting))]
        return fhir_response(200, batch_response(answers, preference))

    async def _of_batch(self, delivery: InboundDelivery) -> tuple[int, Json, ResourceVersion | None]:
        try:
            outcome = await self._submitted(delivery)
        except TooBusy:
            return 429, operation_outcome([issue("error", "throttled", "send it again")]), None
        except (Transient, Unavailable, TimeoutError):
            return 503, operation_outcome([issue("error", "transient", "not kept; send it again")]), None
        if not outcome.accepted:
            DOOR_REFUSALS.labels("fhir", outcome.rule).inc()
        return status_of(outcome), outcome_of(outcome), next(iter(outcome.resources), None)


def _check_scopes(caller: Caller, submission: Submission, action: str, address: str) -> None:
    """Each resource by what is asked to be done with it; what cannot be read, by the request itself.

    Raises:
        Forbidden: the caller may not do all of it.
    """
    seen = [each for delivery in submission.deliveries for each in delivery.resources]
    if not seen:
        caller.require(action, [address.split("/")[0].split("?")[0] or "*"])
    for is_update, kind in {(each.is_update, each.kind) for each in seen}:
        caller.require(UPDATE if is_update else CREATE, [kind])


def _within(caller: Caller, delivery: InboundDelivery) -> InboundDelivery:
    """Says of each resource whether the caller may update it, where it turns out to be known."""
    if caller.may(UPDATE, {each.kind for each in delivery.resources}):
        return delivery
    resources = (replace(each, may_update=caller.may(UPDATE, [each.kind])) for each in delivery.resources)
    return replace(delivery, resources=tuple(resources))


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_BYTES_MAX:
            raise TooLarge
        chunks.append(chunk)
    return b"".join(chunks)


def _answer(outcome: Outcome, submission: Submission, preference: Preference, raw: bytes) -> Response:
    if not outcome.accepted:
        DOOR_REFUSALS.labels("fhir", outcome.rule).inc()
        return fhir_response(status_of(outcome), outcome_of(outcome))
    contents = contents_of(raw) if preference.returns == "representation" else {}
    if submission.kind == "transaction":
        return fhir_response(200, transaction_response(outcome, preference, contents))
    version = next(iter(outcome.resources), None)
    headers = location_headers(version, BASE) if version else {}
    if preference.returns == "minimal":
        return fhir_response(status_of(outcome), None, headers)
    body = represented(contents[version.entry], version) if contents and version else outcome_of(outcome)
    return fhir_response(status_of(outcome), body, headers)
