"""The REST interface of the NetSuite double: records, SuiteQL, asynchronous jobs, and errors in NetSuite's form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

from canonical.exact_json import read_exact, write_exact
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.erps.netsuite_books import PAGE_ROWS_MAX, NetSuiteBooks, NotSuiteQL
from sandbox.erps.netsuite_receivables import KINDS, Receivables
from sandbox.erps.netsuite_records import CUSTOMER, JOURNAL, Json, RecordRefused, Records
from sandbox.erps.netsuite_token import TokenEndpoint, TokenRefused

RECORDS = "/services/rest/record/v1"
JOBS = "/services/rest/async/v1/job"
TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 a path, no secret
SUITEQL = "/services/rest/query/v1/suiteql"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_TYPES = {JOURNAL: "Journal", **{name: kind.type for name, kind in KINDS.items()}}


@dataclass
class _Job:
    """A request that was accepted: its work, and its answer once it was done."""

    work: Callable[[], Response]
    answer: Response | None = None


class NetSuiteApi:
    """One account's interface. While `holds_jobs`, accepted jobs wait for `run_jobs`."""

    def __init__(self, books: NetSuiteBooks, records: Records, tokens: TokenEndpoint) -> None:
        self.holds_jobs = False
        self._books = books
        self._records = records
        self._receivables = Receivables(records)
        self._tokens = tokens
        self._jobs: dict[int, _Job] = {}
        self._job_numbers = count(1)
        self._keys: dict[str, int] = {}
        record = f"{RECORDS}/{{kind}}/{{ref}}"
        self.app = Starlette(
            routes=[
                Route(TOKEN_PATH, self._token, methods=["POST"]),
                Route(SUITEQL, self._checked(self._suiteql), methods=["POST"]),
                Route(f"{RECORDS}/{{kind}}", self._checked(self._change), methods=["POST"]),
                Route(record, self._checked(self._change), methods=["PUT", "PATCH"]),
                Route(record, self._checked(self._get), methods=["GET"]),
                Route(record, self._checked(self._delete), methods=["DELETE"]),
                Route(f"{JOBS}/{{job:int}}", self._checked(self._job), methods=["GET"]),
                Route(f"{JOBS}/{{job:int}}/task/1/result", self._checked(self._result), methods=["GET"]),
            ]
        )

    def run_jobs(self) -> None:
        """What the processors of asynchronous requests do when they get to it."""
        for job in self._jobs.values():
            if job.answer is None:
                job.answer = _said(job.work)

    def _checked(self, work: Callable[[Request, bytes], Response]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            if not self._tokens.knows(request.headers.get("authorization", "")):
                return problem(401, "INVALID_LOGIN", "Invalid login attempt.")
            body = await request.body()
            return _said(lambda: work(request, body))

        return answer

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("ascii", "replace")))
        try:
            return _json(200, self._tokens.give(form))
        except TokenRefused as refused:
            return _json(400, {"error": str(refused)})

    def _suiteql(self, request: Request, body: bytes) -> Response:
        if request.headers.get("prefer", "").lower() != "transient":
            return problem(400, "INVALID_HEADER", "The Prefer header must be transient.")
        limit, offset = (
            int(request.query_params.get(name, default)) for name, default in (("limit", 1000), ("offset", 0))
        )
        if not 1 <= limit <= PAGE_ROWS_MAX or offset % limit:
            return problem(400, "INVALID_PARAMETER", "Invalid limit or offset.")
        try:
            rows = self._books.suiteql(str(_object(body).get("q", "")))
        except NotSuiteQL as refused:
            return problem(400, "INVALID_PARAMETER", str(refused))
        page = rows[offset : offset + limit]
        items = [{"links": [], **row} for row in page]
        more = offset + len(page) < len(rows)
        told = {"links": [], "count": len(page), "hasMore": more, "items": items, "offset": offset}
        return _json(200, told | {"totalResults": len(rows)})

    def _change(self, request: Request, body: bytes) -> Response:
        """A POST, PUT or PATCH: at once, or as a job where the client prefers so."""
        kind, sent = request.path_params["kind"].lower(), _object(body)
        if request.headers.get("x-netsuite-propertynamevalidation", "Warning") == "Error":
            self._records.refuse_unknown(kind, sent)
        work = self._work(request, kind, sent)
        if "respond-async" not in request.headers.get("prefer", "").lower():
            return work()
        key = request.headers.get("x-netsuite-idempotency-key", "")
        if key and not _UUID.fullmatch(key):
            return problem(400, "INVALID_HEADER", "The idempotency key is not a UUID.")
        if key in self._keys:
            told = problem(400, "IDEMPOTENCY_ERROR", "A request with the same idempotency key is already submitted.")
            told.headers["location"] = f"{JOBS}/{self._keys[key]}"
            return told
        number = next(self._job_numbers)
        self._jobs[number] = _Job(work)
        if key:
            self._keys[key] = number
        if not self.holds_jobs:
            self.run_jobs()
        return Response(
            status_code=202, headers={"location": f"{JOBS}/{number}", "preference-applied": "respond-async"}
        )

    def _work(self, request: Request, kind: str, body: Json) -> Callable[[], Response]:
        ref, root = request.path_params.get("ref"), str(request.base_url).rstrip("/")
        replaces = "line" in request.query_params.get("replace", "").split(",")

        def work() -> Response:
            if ref is None:
                identity = self._create(kind, body)
            elif request.method == "PUT":
                identity = self._upsert(kind, ref, body, replaces_lines=replaces)
            else:
                identity = self._update(kind, self._found(kind, ref), body, replaces_lines=replaces)
            return Response(status_code=204, headers={"location": f"{root}{RECORDS}/{kind}/{identity}"})

        return work

    def _create(self, kind: str, body: Json) -> int:
        if kind == JOURNAL:
            return self._records.create_journal(body)
        if kind == CUSTOMER:
            return self._records.put_customer(body.get("externalId"), body)
        if kind in KINDS:
            return self._receivables.create(kind, body)
        raise self._records.refuse("missing", status=404)

    def _upsert(self, kind: str, ref: str, body: Json, *, replaces_lines: bool) -> int:
        """Creates what is not there, and changes what is: a PUT is no way to book a document once."""
        if not ref.startswith("eid:"):
            raise self._records.refuse("reference", detail="An upsert needs an external ID.")
        try:
            identity = self._found(kind, ref)
        except RecordRefused:
            return self._create(kind, body | {"externalId": ref.removeprefix("eid:")})
        return self._update(kind, identity, body, replaces_lines=replaces_lines)

    def _update(self, kind: str, identity: int, body: Json, *, replaces_lines: bool) -> int:
        if kind == CUSTOMER:
            return self._records.put_customer(None, body, identity)
        if kind == JOURNAL:
            self._records.change_journal(identity, body, replaces_lines=replaces_lines)
            return identity
        raise self._records.refuse("content", detail=f"The double changes no {kind}.")

    def _get(self, request: Request, body: bytes) -> Response:
        kind = request.path_params["kind"].lower()
        identity = self._found(kind, request.path_params["ref"])
        if kind == CUSTOMER:
            return _json(200, self._records.show_customer(identity))
        if kind in KINDS:
            return _json(200, self._receivables.show(identity))
        shown = self._records.show_journal(identity)
        if request.query_params.get("expandSubResources", "").lower() != "true":
            shown["line"] = {"links": [{"rel": "self", "href": f"{request.url}/line"}]}
        return _json(200, shown)

    def _delete(self, request: Request, body: bytes) -> Response:
        kind = request.path_params["kind"].lower()
        identity = self._found(kind, request.path_params["ref"])
        with self._books.changing() as data:
            data.execute(f"DELETE FROM {'customer' if kind == CUSTOMER else 'txn'} WHERE id = ?", (identity,))
        return Response(status_code=204)

    def _found(self, kind: str, ref: str) -> int:
        is_external = ref.startswith("eid:")
        column, value = ("externalid", ref.removeprefix("eid:")) if is_external else ("id", ref)
        table, type_of = ("customer", None) if kind == CUSTOMER else ("txn", _TYPES.get(kind, ""))
        row = self._books.row(f"SELECT * FROM {table} WHERE {column} = ?", value)
        if row is None or (type_of is not None and row["type"] != type_of):
            raise self._records.refuse("missing", status=404)
        return int(row["id"])

    def _job(self, request: Request, body: bytes) -> Response:
        number = int(request.path_params["job"])
        job = self._jobs.get(number)
        if job is None:
            raise self._records.refuse("missing", status=404)
        is_done = job.answer is not None
        progress = "pending" if job.answer is None else ("succeeded" if job.answer.status_code < 300 else "failed")
        task = {"links": [{"rel": "self", "href": f"{request.url}/task"}]}
        return _json(200, {"completed": is_done, "id": str(number), "progress": progress, "task": task})

    def _result(self, request: Request, body: bytes) -> Response:
        job = self._jobs.get(int(request.path_params["job"]))
        if job is None or job.answer is None:
            raise self._records.refuse("missing", status=404)
        return job.answer


def problem(status: int, code: str, detail: str, path: str = "") -> Response:
    """An error as NetSuite tells it."""
    details = {"detail": detail, "o:errorCode": code} | ({"o:errorPath": path} if path else {})
    kind = "https://www.rfc-editor.org/rfc/rfc9110.html#name-status-codes"
    return _json(status, {"type": kind, "title": detail[:40], "status": status, "o:errorDetails": [details]})


def _said(work: Callable[[], Response]) -> Response:
    try:
        return work()
    except RecordRefused as refused:
        return problem(
            refused.status, refused.code, f"Error while accessing a resource. {refused.detail}", refused.path
        )


def _object(body: bytes) -> Json:
    try:
        read = read_exact(body)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise RecordRefused(400, "INVALID_CONTENT", "Invalid content in the request body.")
    return read


def _json(status: int, content: Mapping[str, object]) -> Response:
    return Response(write_exact(content), status, media_type="application/json")
