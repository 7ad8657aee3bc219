"""Calls to one Business Central environment: Entra tokens, lists page by page, and batches of calls.

Source: Microsoft's documentation of Business Central for developers; see docs/erps/business-central.md.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from canonical.exact_json import read_exact, write_exact
from chassis.domain import Unavailable

from ledger_adapter.adapters.erp_calls import NEVER_SENT
from ledger_adapter.adapters.erp_quota import ErpQuota, QuotaTransport
from ledger_adapter.adapters.erp_tokens import TokenAuth, entra_token_request

CONNECT_SECONDS = 3.0
PAGES_MAX = 100
CALLS_PER_BATCH_MAX = 100
SCOPE = "https://api.businesscentral.dynamics.com/.default"
_JSON = {"Content-Type": "application/json"}
_IN_ENGLISH = {"Accept-Language": "en-US", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class BusinessCentralConnection:
    """Where an environment's API is, and the application that may use it.

    `base_url` ends with `/api/v2.0`. `party_dimension` is the code of the dimension whose values are our parties. Lines on
    `customer_accounts` are posted to the customer of the party's code, whose posting group must lead to that account.
    A batch takes `documents_per_batch` documents.
    """

    base_url: str
    token_url: str
    client_id: str
    client_secret: str
    scope: str = SCOPE
    party_dimension: str = "PARTY"
    customer_accounts: frozenset[str] = frozenset()
    documents_per_batch: int = 20
    deadline_seconds: float = 120.0

    @classmethod
    def read(cls, path: Path) -> BusinessCentralConnection:
        """From a private JSON file; `client_secret_file` in it is relative to it."""
        told = json.loads(path.read_text(encoding="utf-8"))
        secret = (path.parent / told.pop("client_secret_file")).read_text(encoding="utf-8").strip()
        accounts = frozenset(told.pop("customer_accounts", ()))
        made = cls(client_secret=secret, customer_accounts=accounts, **told)
        if not 0 < made.documents_per_batch <= CALLS_PER_BATCH_MAX // 2:
            raise ValueError(f"{path}: documents_per_batch is from 1 to {CALLS_PER_BATCH_MAX // 2}")
        return made


@dataclass(frozen=True, slots=True)
class Inner:
    """One call within a batch; the address is relative to the version."""

    method: str
    url: str
    body: Mapping[str, object] | None = None
    etag: str = ""

    def as_request(self, identity: int) -> Mapping[str, object]:
        headers = {**_JSON, **_IN_ENGLISH} | ({"If-Match": self.etag} if self.etag else {})
        told: dict[str, object] = {"id": str(identity), "method": self.method, "url": self.url, "headers": headers}
        return told if self.body is None else told | {"body": self.body}


@dataclass(frozen=True, slots=True)
class Part:
    """What was answered to one call within a batch."""

    status: int
    body: Any

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_refusal(self) -> bool:
        """Whether the call was looked at and is not done; not so where it was throttled, ended or broke."""
        return 400 <= self.status < 500 and self.status not in (408, 409, 412, 429)


class NotAnswered(Exception):
    """A batch came to an end, and nobody knows how much of it was done."""


class BusinessCentralClient:
    """What is asked of one environment; every call goes through its quota. Reading that fails is an outage."""

    def __init__(
        self,
        name: str,
        connection: BusinessCentralConnection,
        quota: ErpQuota,
        *,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._base_url = connection.base_url.rstrip("/")
        self._http = httpx.Client(
            auth=TokenAuth(
                name,
                lambda: entra_token_request(
                    connection.token_url, connection.client_id, connection.client_secret, connection.scope
                ),
                now,
            ),
            timeout=httpx.Timeout(connection.deadline_seconds, connect=CONNECT_SECONDS),
            headers=_IN_ENGLISH,
            trust_env=False,
            transport=QuotaTransport(quota, transport or httpx.HTTPTransport()),
        )

    def rows(
        self, path: str, *, wanted: str = "", expand: str = "", from_replica: bool = False
    ) -> list[Mapping[str, Any]]:
        """All entities of a list, from the database itself or from a replica that may be behind.

        Raises:
            Unavailable: it was not answered, or in more pages than can be read.
        """
        asked = {"$filter": wanted, "$expand": expand}
        url = httpx.URL(f"{self._base_url}/{path}", params={name: value for name, value in asked.items() if value})
        intent = {"Data-Access-Intent": "ReadOnly" if from_replica else "ReadWrite"}
        rows: list[Mapping[str, Any]] = []
        for _ in range(PAGES_MAX):
            told = self._read(url, intent)
            if not isinstance(told.get("value"), list):
                raise Unavailable(f"{self._name}: {path} gave no list")
            rows += told["value"]
            following = str(told.get("@odata.nextLink", ""))
            if not following:
                return rows
            if not following.startswith(f"{self._base_url}/"):
                raise Unavailable(f"{self._name}: the next page of {path} is said to be elsewhere")
            url = httpx.URL(following)
        raise Unavailable(f"{self._name}: {path} has more than {PAGES_MAX} pages")

    def batch(self, calls: Sequence[Inner]) -> list[Part | None]:
        """The answers in the order of the calls; None where there is none. Each call is a transaction of its own.

        Raises:
            Unavailable: nothing was done.
            NotAnswered: some may have been done.
        """
        assert len(calls) <= CALLS_PER_BATCH_MAX, "more calls than a batch takes"
        content = write_exact({"requests": [call.as_request(place) for place, call in enumerate(calls)]})
        headers = {**_JSON, "Prefer": "odata.continue-on-error"}
        try:
            response = self._http.post(f"{self._base_url}/$batch", content=content, headers=headers)
        except NEVER_SENT as error:
            raise Unavailable(f"{self._name} cannot be reached: {type(error).__name__}") from error
        except httpx.TransportError as error:
            raise NotAnswered(f"no answer: {type(error).__name__}") from error
        if response.is_client_error and response.status_code != httpx.codes.REQUEST_TIMEOUT:
            raise Unavailable(f"{self._name} answered {response.status_code} and did nothing")
        if not response.is_success:
            raise NotAnswered(f"{self._name} answered {response.status_code}")
        return _parts(response, len(calls))

    def close(self) -> None:
        self._http.close()

    def _read(self, url: httpx.URL, headers: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            response = self._http.get(url, headers=headers)
            response.raise_for_status()
            told = read_exact(response.content)
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(f"{self._name}: reading {url.path} failed: {type(error).__name__}") from error
        if not isinstance(told, dict):
            raise Unavailable(f"{self._name}: reading {url.path} gave no object")
        return told


def _parts(response: httpx.Response, calls: int) -> list[Part | None]:
    parts: list[Part | None] = [None] * calls
    try:
        for each in read_exact(response.content)["responses"]:
            parts[int(each["id"])] = Part(int(each["status"]), each.get("body"))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise NotAnswered(f"an answer that is no batch's: {type(error).__name__}") from error
    return parts
