"""Claims out and answers in by a clearinghouse's REST interface.

    PUT  /v1/interchanges/{name}          body X12, header `Digest: sha-256=<hex>`  -> 201, or 200 for the same again, 409 for other bytes
    GET  /v1/interchanges/{name}          -> 200 {"sha256": "..."}, 404
    GET  /v1/answers                      -> 200 {"answers": [{"id": "...", "name": "..."}]}, oldest first
    GET  /v1/answers/{id}                 -> 200 body X12, or JSON {"x12": "..."}
    POST /v1/answers/{id}/taken           -> 204
    POST /v1/real-time                    body X12 270 or 276 -> 200 body X12

Every call carries a bearer token. The names of files are control numbers, so that no address holds PHI.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

import httpx
from chassis.domain import Unavailable
from pydantic import BaseModel, Field, SecretStr, ValidationError

from claims.application.ports import (
    ReceivedAnswer,
    RefusedByClearinghouse,
    TransportUnavailable,
    TransportUncertain,
)
from claims.domain.interchange import OtherBytesSent

X12 = "application/edi-x12"
ANSWER_BYTES_MAX = 256 * 1024 * 1024
ANSWERS_PER_FETCH_MAX = 200
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
REAL_TIME_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
_BUSY = (429, 503)
_T = TypeVar("_T", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class RestAccess:
    """Where the clearinghouse is, and the token it knows us by."""

    base_url: str
    token: SecretStr


@dataclass(frozen=True, slots=True)
class Places:
    """What a receiver calls what we send and what waits for us, and the type of what we send."""

    sent: str
    answers: str
    content_type: str


CLEARINGHOUSE = Places("interchanges", "answers", X12)


class _Listed(BaseModel):
    id: str = Field(min_length=1, max_length=100)
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,100}$")


class _Listing(BaseModel):
    answers: list[_Listed]


class _Found(BaseModel):
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class _Wrapped(BaseModel):
    x12: str


class BearerAuth(httpx.Auth):
    """Shows a token that `token` gives anew for each call; without one nothing is sent."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        try:
            request.headers["Authorization"] = f"Bearer {self._token()}"
        except Unavailable as none:
            raise httpx.ConnectError(f"no token: {none}", request=request) from none
        yield request


class RestExchange:
    """One client, kept open. An answer that is not what is written above counts as no answer."""

    def __init__(self, base_url: str, auth: httpx.Auth, places: Places) -> None:
        self._http = httpx.Client(base_url=base_url, auth=auth, timeout=TIMEOUT, trust_env=False)
        self._places = places

    def close(self) -> None:
        self._http.close()

    def probe(self, name: str) -> str | None:
        answer = self._ask("GET", self._sent(name))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        return _read(_Found, answer).sha256

    def send(self, name: str, content: bytes) -> None:
        """A failure after the file may have arrived is uncertain; a busy or unreachable clearinghouse got nothing.

        Raises:
            OtherBytesSent: other bytes stand under this name.
            RefusedByClearinghouse: it takes this file at no time.
        """
        headers = {
            "Content-Type": self._places.content_type,
            "Digest": f"sha-256={hashlib.sha256(content).hexdigest()}",
            "Idempotency-Key": name,
        }
        try:
            answer = self._http.put(self._sent(name), content=content, headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise TransportUnavailable(f"the clearinghouse is not reached: {type(error).__name__}") from error
        except httpx.HTTPError as error:
            raise TransportUncertain(f"no answer to the file: {type(error).__name__}") from error
        if answer.status_code == httpx.codes.CONFLICT:
            raise OtherBytesSent(f"{name}: the clearinghouse has other bytes under this name")
        if answer.status_code in _BUSY:
            raise TransportUnavailable(f"the clearinghouse is busy: HTTP {answer.status_code}")
        if answer.is_server_error:
            raise TransportUncertain(f"the clearinghouse failed with HTTP {answer.status_code}")
        if not answer.is_success:
            raise RefusedByClearinghouse(f"{name}: HTTP {answer.status_code}")

    def fetch(self, keep: Callable[[ReceivedAnswer], None]) -> int:
        """Gives every waiting answer to `keep`, and says then that it is taken; how many.

        A crash in between gives the same answer again.
        """
        listing = _read(_Listing, self._ask("GET", f"/v1/{self._places.answers}"))
        for each in listing.answers[:ANSWERS_PER_FETCH_MAX]:
            keep(ReceivedAnswer(each.name, _x12_of(self._ask("GET", self._answer(each.id)))))
            self._ask("POST", f"{self._answer(each.id)}/taken").raise_for_status()
        return min(len(listing.answers), ANSWERS_PER_FETCH_MAX)

    def _ask(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        timeout: httpx.Timeout | None = None,
    ) -> httpx.Response:
        """A call that may be made again whatever becomes of it."""
        try:
            answer = self._http.request(
                method, path, content=content, headers=headers, timeout=timeout or self._http.timeout
            )
        except httpx.HTTPError as error:
            raise TransportUnavailable(f"the clearinghouse does not answer: {type(error).__name__}") from error
        if answer.is_server_error or answer.status_code in _BUSY:
            raise TransportUnavailable(f"the clearinghouse answers HTTP {answer.status_code}")
        return answer

    def _sent(self, name: str) -> str:
        return f"/v1/{self._places.sent}/{quote(name, safe='')}"

    def _answer(self, identity: str) -> str:
        return f"/v1/{self._places.answers}/{quote(identity, safe='')}"


class RestClearinghouse(RestExchange):
    """As the interface above says."""

    def __init__(self, access: RestAccess) -> None:
        super().__init__(access.base_url, BearerAuth(access.token.get_secret_value), CLEARINGHOUSE)

    def ask(self, question: bytes) -> bytes:
        """The answer to one 270 or 276 in real time.

        Raises:
            TransportUnavailable: no answer in time; asking again does no harm.
            RefusedByClearinghouse: it does not take this question.
        """
        headers = {"Content-Type": X12}
        answer = self._ask("POST", "/v1/real-time", content=question, headers=headers, timeout=REAL_TIME_TIMEOUT)
        if answer.is_client_error:
            raise RefusedByClearinghouse(f"real-time question: HTTP {answer.status_code}")
        return _x12_of(answer)


def _x12_of(answer: httpx.Response) -> bytes:
    """The bytes of an answer, plain or wrapped in JSON."""
    if not answer.is_success or len(answer.content) > ANSWER_BYTES_MAX:
        raise TransportUnavailable(f"no answer to take: HTTP {answer.status_code}, {len(answer.content)} bytes")
    if answer.headers.get("content-type", "").startswith("application/json"):
        return _read(_Wrapped, answer).x12.encode("latin-1")
    return answer.content


def _read(model: type[_T], answer: httpx.Response) -> _T:
    try:
        return model.model_validate_json(answer.raise_for_status().content)
    except (ValidationError, httpx.HTTPStatusError) as error:
        raise TransportUnavailable(f"the clearinghouse answered what it should not: {type(error).__name__}") from None
