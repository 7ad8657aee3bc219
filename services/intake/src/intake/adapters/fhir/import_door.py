"""`$import`: begins an import of NDJSON files, and tells how far it is (Bulk Data Import: kick-off, status, outcomes)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.eventstore import Row
from chassis.security.tokens import Forbidden
from chassis.telemetry.correlation import call_context
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from intake.adapters.fhir.clients import CREATE, UPDATE, Caller, Guard
from intake.adapters.fhir.negotiation import NDJSON, NotOurs, check_accept, check_content_type, preference_of
from intake.adapters.fhir.outcomes import fhir_response, finding_issue, operation_outcome, refused
from intake.adapters.fhir.resources import TAKEN
from intake.adapters.fhir.strict_json import Json, parse_object, written
from intake.application import bulk_importing
from intake.application.bulk_importing import BulkImporting
from intake.domain.bulk_import import ImportFile, ImportState
from intake.domain.refusals import Finding, InvalidMessage

MANIFEST_BYTES_MAX = 100_000
FILES_MAX = 100
KEY_CHARACTERS_MAX = 100
PAGES_MAX = 10_000
"""So many pages of refusals are listed, and can be asked for by their number alone; the last one leads to those after it."""
LINE_NUMBER_DIGITS_MAX = 18
POLL_SECONDS = 2


@dataclass(frozen=True)
class ImportDoor:
    """The routes of imports; they go before those of resources."""

    importing: BulkImporting
    clock: Callable[[], datetime]
    pages_max: int = PAGES_MAX

    def routes(self, guard: Guard) -> list[BaseRoute]:
        status = Route("/fhir/$import-status/{job:uuid}", guard(self._status), methods=["GET", "DELETE"])
        outcomes = Route("/fhir/$import-outcomes/{job:uuid}/{page:int}", guard(self._outcomes), methods=["GET"])
        return [Route("/fhir/$import", guard(self._begin), methods=["POST"]), status, outcomes]

    async def _begin(self, request: Request, caller: Caller) -> Response:
        try:
            check_content_type(request)
            check_accept(request)
            if not preference_of(request).responds_later:
                raise NotOurs(400, "required", "Prefer: respond-async")
            manifest = manifest_of(parse_object(await _body(request)))
            source = _source_for(manifest, caller)
            for action in (CREATE, UPDATE):
                caller.require(action, [kind for kind, _ in manifest.inputs])
            files = await asyncio.to_thread(self._looked_at, manifest)
        except NotOurs as other:
            return refused(other.status, other.code, str(other))
        except InvalidMessage as invalid:
            return fhir_response(422, operation_outcome(finding_issue(str(each)) for each in invalid.findings))
        key = request.headers.get("idempotency-key", "")[:KEY_CHARACTERS_MAX]
        context = call_context(self.clock())
        job = await asyncio.to_thread(self.importing.begin, context, source, files, key)
        return Response(status_code=202, headers={"Content-Location": f"/fhir/$import-status/{job}"})

    def _looked_at(self, manifest: Manifest) -> list[ImportFile]:
        """The files, in the order in which they are to be taken.

        Raises:
            InvalidMessage: one of them is not there.
        """
        ordered = sorted(enumerate(manifest.inputs), key=lambda each: TAKEN.index(each[1][0]))
        found = [(number, self.importing.look(kind, name)) for number, (kind, name) in ordered]
        missing = [number for number, file in found if file is None]
        if missing:
            note = "a plain .ndjson file in the import folder"
            raise InvalidMessage([Finding(f"input[{number}].url", "import-file", note) for number in missing])
        return [file for _, file in found if file is not None]

    async def _status(self, request: Request, caller: Caller) -> Response:
        job = request.path_params["job"]
        row = await asyncio.to_thread(self._owned, job, caller)
        if row is None:
            return refused(404, "not-found", "no such import of this client's sources")
        if request.method == "DELETE":
            await asyncio.to_thread(self.importing.cancel, call_context(self.clock()), job)
            return Response(status_code=202)
        if row["state"] == ImportState.RUNNING.value:
            progress = f"{row['accepted']} accepted, {row['refused']} refused"
            return Response(status_code=202, headers={"X-Progress": progress, "Retry-After": str(POLL_SECONDS)})
        return JSONResponse(_completed(job, row, self.pages_max))

    async def _outcomes(self, request: Request, caller: Caller) -> Response:
        job, page = request.path_params["job"], request.path_params["page"]
        after = request.query_params.get("after", "")
        row = await asyncio.to_thread(self._owned, job, caller)
        if row is None:
            return refused(404, "not-found", "no such import of this client's sources")
        if after and not (after.isascii() and after.isdigit() and len(after) <= LINE_NUMBER_DIGITS_MAX):
            return refused(400, "value", "after: as the page before says it in Link")
        if not after and page >= self.pages_max:
            note = f"the number alone leads to pages below {self.pages_max}; each leads to the next by Link"
            return refused(404, "not-found", note)
        find, place = (self.importing.refusals_after, int(after)) if after else (self.importing.refusals, page)
        refusals = await asyncio.to_thread(find, job, place)
        lines = (written(operation_outcome(_line_issues(each))) + "\n" for each in refusals)
        return Response("".join(lines), media_type=NDJSON, headers=_next(job, page, refusals))

    def _owned(self, job: UUID, caller: Caller) -> Row | None:
        if not caller.may(CREATE, TAKEN):
            raise Forbidden("the scope intake.write is missing")
        row = self.importing.status(job)
        return row if row and (row["source"] in caller.sources or "*" in caller.sources) else None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What to import: type and file name of each input; `source` is empty where the client has only one."""

    source: str
    inputs: tuple[tuple[str, str], ...]


def manifest_of(content: Json) -> Manifest:
    """A manifest in JSON, or as a Parameters resource.

    Raises:
        InvalidMessage: it is none; or it wants files that would have to be fetched, which is never done.
    """
    told = _parameters(content) if content.get("resourceType") == "Parameters" else content
    inputs = told.get("input")
    findings = []
    if told.get("inputFormat") not in (NDJSON, "application/ndjson", "ndjson"):
        findings.append(Finding("inputFormat", "import-format", NDJSON))
    if not isinstance(inputs, list) or not 0 < len(inputs) <= FILES_MAX:
        raise InvalidMessage([*findings, Finding("input", "required", f"1 to {FILES_MAX} files")])
    found = []
    for number, each in enumerate(inputs):
        kind, url = (each.get("type"), each.get("url")) if isinstance(each, dict) else (None, None)
        if kind not in TAKEN:
            findings.append(Finding(f"input[{number}].type", "resource-type", f"one of {', '.join(TAKEN)}"))
        elif not isinstance(url, str) or "/" in url.removeprefix("file:") or "\\" in url:
            note = "the name of a file in the import folder; nothing is fetched"
            findings.append(Finding(f"input[{number}].url", "import-file", note))
        else:
            found.append((str(kind), url.removeprefix("file:")))
    if findings:
        raise InvalidMessage(findings)
    source = told.get("inputSource")
    return Manifest(source if isinstance(source, str) else "", tuple(found))


def _parameters(content: Json) -> Json:
    """The same as a plain manifest."""
    told: Json = {}
    inputs: list[Json] = []
    parameters = content.get("parameter")
    for each in parameters if isinstance(parameters, list) else ():
        if not isinstance(each, dict):
            continue
        parts = each.get("part")
        if each.get("name") == "input" and isinstance(parts, list):
            named = [(str(part.get("name", "")), _value(part)) for part in parts if isinstance(part, dict)]
            inputs.append({name.removeprefix("input").lower(): value for name, value in named})
        else:
            told[str(each.get("name"))] = _value(each)
    return told | {"input": inputs}


def _value(parameter: Json) -> object:
    return next((value for name, value in parameter.items() if name.startswith("value")), None)


def _source_for(manifest: Manifest, caller: Caller) -> str:
    """The source that the import speaks for.

    Raises:
        InvalidMessage: it names none, and the client has several.
        Forbidden: it is none of the client's.
    """
    source = manifest.source or (caller.sources[0] if len(caller.sources) == 1 else "")
    if not source or source == "*" or len(source) > 64 or not source.isprintable():
        raise InvalidMessage([Finding("inputSource", "source-system", "names the source system")])
    if source not in caller.sources and "*" not in caller.sources:
        raise Forbidden("inputSource is no source of this client")
    return source


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MANIFEST_BYTES_MAX:
            raise NotOurs(413, "too-long", f"at most {MANIFEST_BYTES_MAX} bytes")
    return body


def _next(job: UUID, page: int, refusals: Sequence[Row]) -> dict[str, str]:
    """Where the next page begins, after a full one: found at once, however many came before it."""
    if len(refusals) < bulk_importing.REFUSALS_PER_PAGE:
        return {}
    address = f"/fhir/$import-outcomes/{job}/{page + 1}?after={refusals[-1]['number']}"
    return {"Link": f'<{address}>; rel="next"'}


def _completed(job: UUID, row: Row, pages_max: int) -> Json:
    refusals = int(str(row["refused"]))
    pages = range(min(pages_max, -(-refusals // bulk_importing.REFUSALS_PER_PAGE)))
    errors = [{"type": "OperationOutcome", "url": f"/fhir/$import-outcomes/{job}/{page}"} for page in pages]
    return {
        "transactionTime": str(row["ended_at"]),
        "request": "/fhir/$import",
        "requiresAccessToken": True,
        "state": row["state"],
        "reason": row["reason"],
        "accepted": row["accepted"],
        "refused": refusals,
        "output": [],
        "error": errors,
    }


def _line_issues(row: Row) -> list[Json]:
    place = f"file {row['file']} line {row['line']}"
    issues = [finding_issue(finding) for finding in str(row["findings"]).split("\n")]
    return [each | {"details": {"text": place}} for each in issues]
