"""Reads resources back: the newest version (read), an earlier one (vread), and the versions of one (history)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from chassis.domain import Context
from chassis.inbound import ExpiredRaw
from chassis.keys import ErasedKey
from chassis.telemetry.correlation import call_context
from starlette.requests import Request
from starlette.responses import Response

from intake.adapters.fhir.clients import READ, Caller
from intake.adapters.fhir.negotiation import NotOurs, check_accept
from intake.adapters.fhir.outcomes import fhir_response, history_bundle, refused, represented, version_headers
from intake.adapters.fhir.shown import resource_in
from intake.adapters.fhir.strict_json import Json, parse_object
from intake.application.showing_resources import ResourceShowing, ShownResource

COUNT_DEFAULT, COUNT_MAX = 20, 100
NUMBER_DIGITS_MAX = 9
_T = TypeVar("_T")


class ReadingBack:
    """The reads of the door. A client is shown what its own sources have sent, and each look is recorded."""

    def __init__(self, showing: ResourceShowing, clock: Callable[[], datetime]) -> None:
        self._showing = showing
        self._clock = clock

    async def newest(self, request: Request, caller: Caller) -> Response:
        return await self._one(request, caller, 0)

    async def version(self, request: Request, caller: Caller) -> Response:
        number = _number(request.path_params["version"])
        return await self._one(request, caller, number) if number else _unknown()

    async def history(self, request: Request, caller: Caller) -> Response:
        """The versions, the newest first, `_count` to a page; a link tells the next page."""
        query = request.query_params
        count = min(_number(query.get("_count", "")) or COUNT_DEFAULT, COUNT_MAX)
        before = _number(query.get("_before", ""))

        def look(context: Context, source: str, reference: str) -> tuple[list[ShownResource], int] | None:
            return self._showing.history(context, source, reference, before, count)

        found = await self._looked(request, caller, look)
        if isinstance(found, Response):
            return found
        shown, total = found
        entries = [(each.version, _content(each)) for each in shown]
        following = f"{request.url.path}?_count={count}&_before={shown[-1].version.version}" if shown else ""
        is_last = not shown or shown[-1].version.version == 1
        return fhir_response(200, history_bundle(entries, total, "" if is_last else following))

    async def _one(self, request: Request, caller: Caller, version: int) -> Response:
        def look(context: Context, source: str, reference: str) -> ShownResource | None:
            return self._showing.show(context, source, reference, version)

        found = await self._looked(request, caller, look)
        return found if isinstance(found, Response) else _answer(request, found)

    async def _looked(
        self, request: Request, caller: Caller, look: Callable[[Context, str, str], _T | None]
    ) -> _T | Response:
        """What one of the caller's sources has sent, or the answer that says why it is not shown."""
        kind, identity = request.path_params["type"], request.path_params["id"]
        try:
            check_accept(request)
        except NotOurs as other:
            return refused(other.status, other.code, str(other))
        caller.require(READ, [kind])
        for source in caller.sources:
            context = call_context(self._clock())
            try:
                found = await asyncio.to_thread(look, context, source, f"{kind}/{identity}")
            except (ErasedKey, ExpiredRaw):
                return _gone()
            if found is not None:
                return found
        return _unknown()


def _answer(request: Request, shown: ShownResource) -> Response:
    content = _content(shown)
    if content is None:
        return _gone()
    headers = version_headers(shown.version)
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return fhir_response(200, content, headers)


def _content(shown: ShownResource) -> Json | None:
    """The resource under the id and version that it has here; nothing where its bytes are not kept any more."""
    if not shown.is_kept:
        return None
    return represented(resource_in(parse_object(shown.raw), shown.version.entry), shown.version)


def _number(text: str) -> int:
    """A positive number; 0 for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS_MAX else 0


def _gone() -> Response:
    return refused(410, "deleted", "its bytes have been erased, or kept as long as they are kept")


def _unknown() -> Response:
    return refused(404, "not-found", "no such resource or version of this client's sources")
