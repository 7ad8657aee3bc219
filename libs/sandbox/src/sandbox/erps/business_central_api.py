"""API v2.0 of the Business Central double: which resource answers what, tokens, batches and limits."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from canonical.exact_json import write_exact
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.erps.business_central_books import BusinessCentralBooks, BusinessCentralRefused, Company
from sandbox.erps.business_central_journals import Journals
from sandbox.erps.business_central_lists import company_json, list_of
from sandbox.erps.business_central_odata import (
    PAGE_ROWS_MAX,
    Answer,
    Call,
    calls_in,
    matcher,
    object_in,
    page_of,
    problem,
    refusal,
)
from sandbox.erps.business_central_payments import Payments
from sandbox.erps.entra import EntraRefused, EntraTokens
from sandbox.world.misbehaviour import Fault, Misbehaviour

REQUESTS_MAX = 6_000
WINDOW_SECONDS = 300
_ID = r"\(([0-9a-f-]{36})\)"
_PATH = re.compile(rf"/companies(?:{_ID}(?:/(.+))?)?")


class CutOff(Exception):
    """The service stops within a batch; what was committed stays."""


class BusinessCentralApi:
    """One environment's interface. `root` is the path to the version; more than `requests_max` in five minutes are throttled."""

    def __init__(
        self,
        books: BusinessCentralBooks,
        tokens: EntraTokens,
        misbehaviour: Misbehaviour,
        now: Callable[[], float],
        *,
        root: str,
        token_path: str,
    ) -> None:
        self.page_rows = PAGE_ROWS_MAX
        self.requests_max = REQUESTS_MAX
        self.batches: list[list[Call]] = []
        self.journals = Journals(books)
        self.payments = Payments(books)
        self._books = books
        self._tokens = tokens
        self._misbehaviour = misbehaviour
        self._now = now
        self._root = root
        self._recent: deque[float] = deque()
        self.app = Starlette(
            routes=[
                Route(token_path, self._token, methods=["POST"]),
                Route(f"{root}/$batch", self._batch, methods=["POST"]),
                Route(f"{root}/{{path:path}}", self._single, methods=["GET", "POST", "PATCH", "DELETE"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("ascii", "replace")))
        try:
            return Answer(200, self._tokens.give(form)).as_response()
        except EntraRefused as refused:
            return Answer(401 if str(refused) == "invalid_client" else 400, {"error": str(refused)}).as_response()

    async def _single(self, request: Request) -> Response:
        body = await request.body()
        closed = self._closed(request)
        if closed:
            return closed.as_response()
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            call = Call(
                request.method, f"/{request.path_params['path']}", dict(request.query_params), headers, object_in(body)
            )
        except BusinessCentralRefused as refused:
            return refusal(refused).as_response()
        answer = self._said(call)
        self._address_next_page(request, answer)
        return answer.as_response()

    async def _batch(self, request: Request) -> Response:
        body = await request.body()
        closed = self._closed(request)
        if closed:
            return closed.as_response()
        is_whole = request.headers.get("isolation", "").lower() == "snapshot"
        goes_on = "odata.continue-on-error" in request.headers.get("prefer", "")
        before = [self._books.copy_of(company) for company in self._books.companies.values()] if is_whole else []
        try:
            calls = calls_in(body)
            self.batches.append([call for _, call in calls])
            parts, is_good = self._answer_parts(calls, goes_on=goes_on and not is_whole)
        except BusinessCentralRefused as refused:
            return refusal(refused).as_response()
        except CutOff:
            parts, is_good = None, False
        if not is_good:
            for company in before:
                self._books.put_back(company)
        if parts is None:
            return problem(504, "Internal_ServerError", "The request was ended by the gateway.").as_response()
        return Response(write_exact({"responses": parts}), 200, media_type="application/json")

    def _answer_parts(self, calls: list[tuple[object, Call]], *, goes_on: bool) -> tuple[list[dict[str, object]], bool]:
        """The answers, and whether all were good; the first that was not ends the batch, unless it goes on."""
        parts: list[dict[str, object]] = []
        is_good = True
        for identity, call in calls:
            if self._misbehaviour.strike_content(Fault.CUT, f"{call.method} {call.path}".encode()):
                raise CutOff
            answer = self._said(call)
            parts.append(answer.as_part(identity))
            if answer.status >= 400:
                is_good = False
                if not goes_on:
                    break
        return parts, is_good

    def _closed(self, request: Request) -> Answer | None:
        """Why the call is not looked at: nobody knows who asks, or too much was asked."""
        if not self._tokens.knows(request.headers.get("authorization", "")):
            return problem(401, "Authentication_InvalidCredentials", "The server has rejected the client credentials.")
        now = self._now()
        while self._recent and now - self._recent[0] >= WINDOW_SECONDS:
            self._recent.popleft()
        if len(self._recent) >= self.requests_max:
            return problem(429, "Application_TooManyRequests", "Too many requests.")
        self._recent.append(now)
        return None

    def _said(self, call: Call) -> Answer:
        try:
            return self._answer(call)
        except BusinessCentralRefused as refused:
            return refusal(refused)

    def _answer(self, call: Call) -> Answer:
        found = _PATH.fullmatch(call.path)
        if found is None:
            raise BusinessCentralRefused(404, "BadRequest_NotFound", "No HTTP resource was found that matches.")
        identity, rest = found.groups()
        if identity is None or rest is None:
            wanted = matcher(call.query.get("$filter", ""))
            shown = [company_json(each) for each in self._books.companies.values()]
            return Answer(200, {"value": [each for each in shown if wanted(each.get)]})
        company = self._books.company(UUID(identity))
        for resource in (self.journals, self.payments):
            answer = resource.answer(company, rest, call)
            if answer is not None:
                return answer
        return self._list(company, rest, call)

    def _list(self, company: Company, name: str, call: Call) -> Answer:
        if call.method != "GET":
            raise BusinessCentralRefused(
                405, "BadRequest_MethodNotAllowed", f"'{call.method}' requests are not allowed."
            )
        rows = list_of(self._books, company, name, call)
        return page_of(call, rows.rows, rows.shown, self.page_rows)

    def _address_next_page(self, request: Request, answer: Answer) -> None:
        if answer.body and "@odata.nextLink" in answer.body:
            path, query = answer.body["@odata.nextLink"]
            base = f"{str(request.base_url).rstrip('/')}{self._root}"
            answer.body["@odata.nextLink"] = f"{base}{path}?{urlencode(query)}"
