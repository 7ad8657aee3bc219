"""Calls to one NetSuite account: tokens by a signed assertion, records, SuiteQL page by page, and asynchronous jobs.

Source: NetSuite's online help, "OAuth 2.0 Client Credentials Flow", "SuiteTalk REST Web Services"; see docs/erps/netsuite.md.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from canonical.exact_json import read_exact, write_exact
from chassis.domain import Unavailable
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from ledger_adapter.adapters.erp_quota import ErpQuota, QuotaTransport
from ledger_adapter.adapters.erp_tokens import TokenAuth

ALGORITHMS = ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
CONNECT_SECONDS = 3.0
ASSERTION_SECONDS = 300
PAGE_ROWS = 1000
PAGES_MAX = 100
_TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 a path, no secret
_RECORDS = "/services/rest/record/v1"
_SUITEQL = "/services/rest/query/v1/suiteql"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_STRICT = {"X-NetSuite-PropertyNameValidation": "Error", "X-NetSuite-PropertyValueValidation": "Error"}


@dataclass(frozen=True, slots=True)
class NetSuiteConnection:
    """Where a NetSuite account is, and the key of an integration of it.

    Journals of `jobs_from_lines` lines or more are handed over as asynchronous jobs; none are where it is 0. Several books
    are kept by one account: `accounting_book` is the internal id of the one that is read.
    """

    base_url: str
    client_id: str
    certificate_id: str
    key: ECKey | RSAKey
    algorithm: str = "PS256"
    accounting_book: int = 1
    jobs_from_lines: int = 0
    deadline_seconds: float = 60.0

    @classmethod
    def read(cls, path: Path) -> NetSuiteConnection:
        """From a private JSON file; `key_file` in it is a PEM file, relative to it.

        Raises:
            ValueError: the key is none, or does not sign by the algorithm.
        """
        told = json.loads(path.read_text(encoding="utf-8"))
        algorithm = told.get("algorithm", "PS256")
        return cls(
            base_url=told["base_url"],
            client_id=told["client_id"],
            certificate_id=told["certificate_id"],
            key=_key_for(algorithm, (path.parent / told["key_file"]).read_bytes()),
            algorithm=algorithm,
            accounting_book=int(told.get("accounting_book", 1)),
            jobs_from_lines=int(told.get("jobs_from_lines", 0)),
            deadline_seconds=told.get("deadline_seconds", 60.0),
        )


def _key_for(algorithm: str, pem: bytes) -> ECKey | RSAKey:
    if algorithm not in ALGORITHMS:
        raise ValueError(f"NetSuite takes no {algorithm}; it takes {', '.join(ALGORITHMS)}")
    kind = RSAKey if algorithm.startswith("PS") else ECKey
    try:
        key = kind.import_key(pem)
        jwt.encode({"alg": algorithm}, {}, key, algorithms=[algorithm])
    except JoseError as error:
        raise ValueError(f"the key does not sign by {algorithm}: {error}") from error
    return key


def token_request(connection: NetSuiteConnection, now: float) -> httpx.Request:
    """Asks for a token by an assertion that is signed with our key; `now` is seconds since the epoch."""
    url = connection.base_url + _TOKEN_PATH
    issued_at = int(now)
    claims: dict[str, Any] = {
        "iss": connection.client_id,
        "scope": "rest_webservices",
        "aud": url,
        "iat": issued_at,
        "exp": issued_at + ASSERTION_SECONDS,
        "jti": str(uuid4()),
    }
    header = {"typ": "JWT", "alg": connection.algorithm, "kid": connection.certificate_id}
    assertion = jwt.encode(header, claims, connection.key, algorithms=[connection.algorithm])
    form = {"grant_type": "client_credentials", "client_assertion_type": _ASSERTION, "client_assertion": assertion}
    return httpx.Request("POST", url, data=form)


class NetSuiteClient:
    """What is asked of one account; every call goes through its quota. Reading that fails is an outage."""

    def __init__(
        self,
        name: str,
        connection: NetSuiteConnection,
        quota: ErpQuota,
        *,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._http = httpx.Client(
            base_url=connection.base_url,
            auth=TokenAuth(name, lambda: token_request(connection, now()), now),
            timeout=httpx.Timeout(connection.deadline_seconds, connect=CONNECT_SECONDS),
            trust_env=False,
            transport=QuotaTransport(quota, transport or httpx.HTTPTransport()),
        )

    def suiteql(self, query: str) -> list[dict[str, str]]:
        """All rows of a query, as texts by column; what is null is absent. The query says an unambiguous order.

        Raises:
            Unavailable: it was not answered, or in more rows than can be paged through.
        """
        rows: list[dict[str, str]] = []
        for page in range(PAGES_MAX):
            told = self._read(
                "POST",
                _SUITEQL,
                params={"limit": PAGE_ROWS, "offset": page * PAGE_ROWS},
                content=write_exact({"q": query}),
                headers={"Prefer": "transient", "Content-Type": "application/json"},
            )
            items = told.get("items") if told else None
            if not isinstance(items, list):
                raise Unavailable(f"{self._name}: a query gave no rows and no list of none")
            rows += [{name: str(value) for name, value in item.items() if name != "links"} for item in items]
            if not told or not told.get("hasMore"):
                return rows
        raise Unavailable(f"{self._name}: a query has more than {PAGES_MAX * PAGE_ROWS} rows")

    def record(self, kind: str, external_id: str) -> Mapping[str, Any] | None:
        """A record with its lines, as it is now; None where there is none."""
        return self._read("GET", f"{_RECORDS}/{kind}/eid:{external_id}", params={"expandSubResources": "true"})

    def create(self, kind: str, body: Mapping[str, object], *, job_key: str = "") -> httpx.Response:
        """Sends a new record, as a job under a key where one is given.

        Raises:
            httpx.TransportError: there was no answer.
            Unavailable: no token or no turn was to be had; nothing was sent.
        """
        job = {"Prefer": "respond-async", "X-NetSuite-idempotency-key": job_key} if job_key else {}
        return self._http.post(
            f"{_RECORDS}/{kind}",
            content=write_exact(body),
            headers={"Content-Type": "application/json", **_STRICT, **job},
        )

    def is_done(self, job: str) -> bool:
        """Whether a job, by its address, has ended; one that is not known any more has."""
        told = self._read("GET", httpx.URL(job).path)
        return told is None or told.get("completed") is True

    def close(self) -> None:
        self._http.close()

    def _read(self, method: str, path: str, **more: Any) -> Mapping[str, Any] | None:
        try:
            response = self._http.request(method, path, **more)
            if response.status_code == httpx.codes.NOT_FOUND and method == "GET":
                return None
            response.raise_for_status()
            told = read_exact(response.content)
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(f"{self._name}: reading {path} failed: {type(error).__name__}") from error
        if not isinstance(told, dict):
            raise Unavailable(f"{self._name}: reading {path} gave no object")
        return told
