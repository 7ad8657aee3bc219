"""OData as the Business Central double speaks it: filters, pages, entity tags and batches of calls."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from canonical.exact_json import read_exact, write_exact
from starlette.responses import Response

from sandbox.erps.business_central_books import BusinessCentralRefused

Json = dict[str, Any]
ValueOf = Callable[[str], object]
PAGE_ROWS_MAX = 20_000
BATCH_CALLS_MAX = 100
_COMPARISON = re.compile(r"(\w+) (eq|ne|gt|ge|lt|le) (?:'((?:[^']|'')*)'|([^\s']+))")
_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda held, said: bool(held == said),
    "ne": lambda held, said: bool(held != said),
    "gt": lambda held, said: bool(held > said),
    "ge": lambda held, said: bool(held >= said),
    "lt": lambda held, said: bool(held < said),
    "le": lambda held, said: bool(held <= said),
}


@dataclass(frozen=True)
class Call:
    """One request, alone or within a batch; `path` begins after the version, header names are small."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What is answered to one of them."""

    status: int
    body: Json | None = None
    etag: str = ""

    def as_response(self) -> Response:
        headers = {"etag": self.etag} if self.etag else {}
        content = b"" if self.body is None else write_exact(self.body).encode()
        return Response(content, self.status, headers, "application/json" if content else None)

    def as_part(self, identity: object) -> Json:
        """The form of an answer within the answer of a batch."""
        return {"id": identity, "status": self.status, "headers": {}} | (
            {} if self.body is None else {"body": self.body}
        )


def refusal(refused: BusinessCentralRefused) -> Answer:
    """An error as the service says it."""
    return problem(refused.status, refused.code, str(refused))


def problem(status: int, code: str, message: str) -> Answer:
    correlated = f"{message}  CorrelationId:  00000000-0000-0000-0000-000000000000."
    return Answer(status, {"error": {"code": code, "message": correlated}})


def matcher(filter_text: str) -> Callable[[ValueOf], bool]:
    """Whether an entity, given as what its fields hold, is meant by a filter of comparisons with `and` and `or`.

    Raises:
        BusinessCentralRefused: it is written otherwise.
    """
    if not filter_text:
        return lambda value_of: True
    choices = [[_comparison(each) for each in choice.split(" and ")] for choice in filter_text.split(" or ")]
    names = {name for choice in choices for name, _, _ in choice}
    if len(names) == 1 and all(len(choice) == 1 and choice[0][1] == "eq" for choice in choices):
        name, wanted = names.pop(), {choice[0][2] for choice in choices}
        return lambda value_of: str(value_of(name)) in wanted
    return lambda value_of: any(all(_holds(value_of, *each) for each in choice) for choice in choices)


def _comparison(text: str) -> tuple[str, str, str]:
    found = _COMPARISON.fullmatch(text.strip())
    if found is None:
        raise BusinessCentralRefused(
            400, "BadRequest_InvalidRequestUrl", f"Bad Request - Error in query syntax: {text}"
        )
    name, test, quoted, plain = found.groups()
    return name, test, plain if quoted is None else quoted.replace("''", "'")


def _holds(value_of: ValueOf, name: str, test: str, said: str) -> bool:
    held = value_of(name)
    return _TESTS[test](held, int(said)) if isinstance(held, int) else _TESTS[test](str(held), said)


def page_of(call: Call, rows: Sequence[object], shown: Callable[[Any], Json], rows_max: int) -> Answer:
    """One page, and where the next one is; the client may want smaller ones, by `Prefer: odata.maxpagesize`."""
    wanted = re.search(r"odata\.maxpagesize=([0-9]+)", call.headers.get("prefer", ""))
    size = min(rows_max, int(wanted[1])) if wanted else rows_max
    start = int(call.query.get("$skiptoken", "0"))
    body: Json = {"value": [shown(row) for row in rows[start : start + size]]}
    if start + size < len(rows):
        query = {**call.query, "$skiptoken": str(start + size)}
        body["@odata.nextLink"] = (call.path, query)
    return Answer(200, body)


def check_tag(call: Call, current: str, stale_status: int) -> None:
    """
    Raises:
        BusinessCentralRefused: the call says no entity tag, or one that is not current any more.
    """
    given = call.headers.get("if-match", "")
    if not given:
        words = "Could not validate the client concurrency token required by the service."
        raise BusinessCentralRefused(400, "BadRequest_InvalidToken", words)
    if given not in ("*", current):
        words = "Another user has already changed the record."
        raise BusinessCentralRefused(stale_status, "Request_EntityChanged", words)


def code_in(told: object) -> str:
    """Codes are kept in capitals."""
    return str(told).upper()


def calls_in(body: bytes) -> list[tuple[object, Call]]:
    """The calls of a batch, each with its id.

    Raises:
        BusinessCentralRefused: it is none, or has too many.
    """
    requests = object_in(body).get("requests")
    if not isinstance(requests, list) or len(requests) > BATCH_CALLS_MAX:
        raise BusinessCentralRefused(400, "BadRequest", f"A batch has at most {BATCH_CALLS_MAX} requests.")
    calls = []
    for each in requests:
        headers = {name.lower(): value for name, value in each.get("headers", {}).items()}
        calls.append((each.get("id"), Call(each["method"], f"/{each['url']}", {}, headers, each.get("body") or {})))
    return calls


def object_in(body: bytes) -> Json:
    """
    Raises:
        BusinessCentralRefused: it is no JSON object.
    """
    try:
        told = read_exact(body) if body else {}
    except json.JSONDecodeError as error:
        raise BusinessCentralRefused(400, "BadRequest", "Invalid Request Body") from error
    if not isinstance(told, dict):
        raise BusinessCentralRefused(400, "BadRequest", "Invalid Request Body")
    return told
