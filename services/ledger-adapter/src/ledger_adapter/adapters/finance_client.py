"""Calls to one Dynamics 365 Finance environment: Entra tokens, the data-management package API, and OData page by page.

Source: Microsoft's "Data management package REST API"; see docs/erps/finance.md.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from canonical.exact_json import read_exact
from chassis.domain import Unavailable

from ledger_adapter.adapters.erp_quota import ErpQuota, QuotaTransport
from ledger_adapter.adapters.erp_tokens import TokenAuth, entra_token_request
from ledger_adapter.adapters.finance_words import ENTITY, MAIN_ACCOUNT, ImportStatus

CONNECT_SECONDS = 3.0
PAGES_MAX = 1000
_ACTIONS = "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities."
_NO_TOKEN = httpx.Auth()


@dataclass(frozen=True, slots=True)
class FinanceConnection:
    """Where an environment is, and the application that may use it.

    `dimension_format` are the segments of the ledger dimension integration format, in its order, and `delimiter` what stands
    between them. `party_dimension` is the financial dimension whose values are our parties. For `unseen_seconds` after an import
    was handed over, an execution that the environment does not know yet is taken to be on its way.
    """

    base_url: str
    token_url: str
    client_id: str
    client_secret: str
    dimension_format: tuple[str, ...]
    delimiter: str = "-"
    party_dimension: str = "Customer"
    definition_group: str = "Throughline"
    currency: str = "USD"
    unseen_seconds: float = 600.0
    deadline_seconds: float = 120.0

    @classmethod
    def read(cls, path: Path) -> FinanceConnection:
        """From a private JSON file; `client_secret_file` in it is relative to it."""
        told = json.loads(path.read_text(encoding="utf-8"))
        secret = (path.parent / told.pop("client_secret_file")).read_text(encoding="utf-8").strip()
        dimensions = tuple(told.pop("dimension_format"))
        if MAIN_ACCOUNT not in dimensions:
            raise ValueError(f"{path}: dimension_format has no {MAIN_ACCOUNT}")
        return cls(client_secret=secret, dimension_format=dimensions, **told)


class FinanceClient:
    """What is asked of one environment; every call goes through its quota. Reading that fails is an outage."""

    def __init__(
        self,
        name: str,
        connection: FinanceConnection,
        quota: ErpQuota,
        *,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._name = name
        self._group = connection.definition_group
        self._importing = threading.Lock()
        scope = f"{connection.base_url}/.default"
        self._http = httpx.Client(
            base_url=connection.base_url,
            auth=TokenAuth(
                name,
                lambda: entra_token_request(
                    connection.token_url, connection.client_id, connection.client_secret, scope
                ),
                now,
            ),
            timeout=httpx.Timeout(connection.deadline_seconds, connect=CONNECT_SECONDS),
            trust_env=False,
            transport=QuotaTransport(quota, transport or httpx.HTTPTransport()),
        )

    def upload(self, name: str, package: bytes) -> str:
        """Puts a package where imports read it from; its address. Nothing is imported.

        Raises:
            Unavailable: it did not get there.
        """
        told = self._value("GetAzureWriteUrl", {"uniqueFileName": name})
        try:
            url = str(json.loads(str(told))["BlobUrl"])
            # The address carries its own permission; our token is none of the storage's business.
            stored = self._http.put(url, content=package, headers={"x-ms-blob-type": "BlockBlob"}, auth=_NO_TOKEN)
            stored.raise_for_status()
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"{self._name}: a package could not be uploaded: {type(error).__name__}") from error
        return url

    def begin_import(self, execution_id: str, package_url: str, company: str) -> httpx.Response:
        """Asks for the import of a package under an id of ours. One at a time: side by side they fail.

        Raises:
            httpx.TransportError: there was no answer.
            Unavailable: no token or no turn was to be had; nothing was sent.
        """
        told = {
            "packageUrl": package_url,
            "definitionGroupId": self._group,
            "executionId": execution_id,
            "execute": True,
            "overwrite": True,
            "legalEntityId": company,
        }
        with self._importing:
            return self._http.post(f"{_ACTIONS}ImportFromPackage", json=told)

    def status(self, execution_id: str) -> ImportStatus:
        """How far an import is. An id that nobody has used is told as Unknown, or as an error that says so."""
        response = self._answer("POST", f"{_ACTIONS}GetExecutionSummaryStatus", json={"executionId": execution_id})
        if response.status_code == httpx.codes.BAD_REQUEST and "not found" in response.text:
            return ImportStatus.ABSENT
        try:
            response.raise_for_status()
            return ImportStatus(response.json()["value"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"{self._name}: the status of an import is not told") from error

    def errors_of(self, execution_id: str) -> tuple[int, str]:
        """How many records of an import failed on their way to the journal, and what is said of the first."""
        place = {"executionId": execution_id, "entityName": ENTITY}
        if self._value("GenerateImportTargetErrorKeysFile", place) is not True:
            return 0, ""
        url = str(self._value("GetImportTargetErrorKeysFileUrl", place) or "")
        failed = len(self._answer("GET", url, auth=_NO_TOKEN).text.splitlines()) - 1 if url else 1
        try:
            told = json.loads(str(self._value("GetExecutionErrors", {"executionId": execution_id})))
            return max(failed, 1), str(told[0]["ErrorMessage"])
        except (ValueError, KeyError, TypeError, IndexError):
            return max(failed, 1), ""

    def rows(self, collection: str, condition: str = "") -> list[Mapping[str, Any]]:
        """All rows of a collection that meet a condition, whichever company a user stands in.

        Raises:
            Unavailable: it was not answered, or in more pages than can be gone through.
        """
        url = httpx.URL(f"/data/{collection}", params={"cross-company": "true"})
        url = url.copy_add_param("$filter", condition) if condition else url
        rows: list[Mapping[str, Any]] = []
        for _ in range(PAGES_MAX):
            response = self._answer("GET", str(url))
            try:
                response.raise_for_status()
                told = read_exact(response.content)
                rows += told["value"]
                following = told.get("@odata.nextLink")
            except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise Unavailable(f"{self._name}: reading {collection} failed: {type(error).__name__}") from error
            if not following:
                return rows
            url = httpx.URL(httpx.URL(following).raw_path.decode("ascii"))
        raise Unavailable(f"{self._name}: {collection} has more than {PAGES_MAX} pages")

    def close(self) -> None:
        self._http.close()

    def _value(self, action: str, told: Mapping[str, object]) -> object:
        response = self._answer("POST", f"{_ACTIONS}{action}", json=told)
        try:
            response.raise_for_status()
            value: object = response.json()["value"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"{self._name}: {action} failed: {type(error).__name__}") from error
        return value

    def _answer(self, method: str, url: str, **more: Any) -> httpx.Response:
        try:
            return self._http.request(method, url, **more)
        except httpx.TransportError as error:
            raise Unavailable(f"{self._name}: no answer: {type(error).__name__}") from error
