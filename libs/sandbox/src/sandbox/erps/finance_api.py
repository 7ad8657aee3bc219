"""The interface of the Finance double: the data-management package API, blobs, and OData over what was posted."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlencode

from canonical.exact_json import write_exact
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.erps.entra import EntraRefused, EntraTokens
from sandbox.erps.finance_books import FinanceBooks, Line, Voucher
from sandbox.erps.finance_imports import ENTITY, Execution, Imports, PackageRefused

TOKEN_PATH = "/tenant/oauth2/v2.0/token"  # noqa: S105 a path, no secret
ACTIONS = "/data/DataManagementDefinitionGroups/Microsoft.Dynamics.DataEntities."
PAGE_ROWS_MAX = 10_000
_CONDITION = re.compile(r"(\w+) eq (?:'((?:[^']|'')*)'|(-?[0-9]+))")
Row = Mapping[str, object]


class FinanceApi:
    """One environment's interface. While `holds_imports`, accepted imports wait for `Imports.run`; while
    `posts_at_once`, what was imported is posted at once. ImportFromPackage takes
    `import_seconds`; `importing_max` tells how many of it there were at once."""

    tokens: EntraTokens

    def __init__(self, books: FinanceBooks, imports: Imports) -> None:
        self.holds_imports = False
        self.posts_at_once = False
        self.page_rows = PAGE_ROWS_MAX
        self.import_seconds = 0.0
        self.importing_max = 0
        self._books = books
        self._imports = imports
        self._importing = 0
        self._blobs: dict[str, bytes] = {}
        self._actions: Mapping[str, Callable[[Mapping[str, Any], str], object]] = {
            "GetAzureWriteUrl": self._write_url,
            "GetExecutionSummaryStatus": lambda told, _: self._execution(told).status.value,
            "GetExecutionErrors": lambda told, _: self._errors(told),
            "GenerateImportTargetErrorKeysFile": lambda told, _: bool(self._execution(told).errors),
            "GetImportTargetErrorKeysFileUrl": self._error_keys_url,
        }
        self.app = Starlette(
            routes=[
                Route(TOKEN_PATH, self._token, methods=["POST"]),
                Route("/blob/{name}", self._blob, methods=["PUT", "GET"]),
                Route(f"{ACTIONS}ImportFromPackage", self._import, methods=["POST"]),
                Route(f"{ACTIONS}{{action}}", self._action, methods=["POST"]),
                Route("/data/{collection}", self._collection, methods=["GET"]),
            ]
        )

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("ascii", "replace")))
        try:
            return _json(200, self.tokens.give(form))
        except EntraRefused as refused:
            return _json(400, {"error": str(refused)})

    async def _blob(self, request: Request) -> Response:
        """Storage knows whom it may serve by the address alone; a token of ours has no business here."""
        name = f"{request.path_params['name']}?{request.url.query}"
        if name not in self._blobs or "authorization" in request.headers:
            return Response(status_code=403)
        if request.method == "GET":
            return Response(self._blobs[name])
        if request.headers.get("x-ms-blob-type") != "BlockBlob":
            return Response(status_code=400)
        self._blobs[name] = await request.body()
        return Response(status_code=201)

    async def _import(self, request: Request) -> Response:
        """ImportFromPackage, which fails where another call of it is under way."""
        if not self.tokens.knows(request.headers.get("authorization", "")):
            return problem(401, "Unauthorized")
        self._importing += 1
        self.importing_max = max(self.importing_max, self._importing)
        try:
            told = _object(await request.body())
            await asyncio.sleep(self.import_seconds)
            if self._importing > 1:
                return problem(500, "ImportFromPackage must not be called in parallel threads.")
            return self._begin(told)
        finally:
            self._importing -= 1

    def _begin(self, told: Mapping[str, Any]) -> Response:
        if told.get("execute") is not True or told.get("overwrite") is not True or not told.get("definitionGroupId"):
            return problem(400, "The data project and whether to execute and overwrite are to be told.")
        if told.get("legalEntityId") not in self._books.plan.companies:
            return problem(400, f"Legal entity {told.get('legalEntityId')} does not exist.")
        package = self._blobs.get(str(told.get("packageUrl", "")).rpartition("/blob/")[2], b"")
        try:
            execution = self._imports.queue(str(told.get("executionId", "")), str(told["legalEntityId"]), package)
        except PackageRefused as refused:
            return problem(400, str(refused))
        if not self.holds_imports:
            self._imports.run()
            if self.posts_at_once:
                self._books.post_journals()
        return _value("String", execution.id)

    async def _action(self, request: Request) -> Response:
        body = await request.body()
        if not self.tokens.knows(request.headers.get("authorization", "")):
            return problem(401, "Unauthorized")
        work = self._actions.get(request.path_params["action"])
        if work is None:
            return problem(404, "No such action.")
        try:
            return _value("String", work(_object(body), str(request.base_url)))
        except PackageRefused as refused:
            return problem(400, str(refused))

    def _write_url(self, told: Mapping[str, Any], root: str) -> str:
        name = f"{told['uniqueFileName']}?sig={secrets.token_urlsafe(16)}"
        self._blobs[name] = b""
        return json.dumps({"BlobId": f"{{{secrets.token_hex(16)}}}", "BlobUrl": f"{root}blob/{name}"})

    def _execution(self, told: Mapping[str, Any]) -> Execution:
        execution = self._imports.executions.get(str(told.get("executionId")))
        if execution is None:
            raise PackageRefused(f"The execution details for {told.get('executionId')} were not found.")
        return execution

    def _errors(self, told: Mapping[str, Any]) -> str:
        errors = self._execution(told).errors
        return json.dumps([{"RecordId": line, "ErrorMessage": text} for line, text in errors.items()])

    def _error_keys_url(self, told: Mapping[str, Any], root: str) -> str:
        execution = self._execution(told)
        if told.get("entityName") != ENTITY or not execution.errors:
            return ""
        name = f"{execution.id}-keys.csv?sig={secrets.token_urlsafe(16)}"
        self._blobs[name] = "\r\n".join(["LINENUMBER", *execution.errors]).encode()
        return f"{root}blob/{name}"

    async def _collection(self, request: Request) -> Response:
        if not self.tokens.knows(request.headers.get("authorization", "")):
            return problem(401, "Unauthorized")
        name, query = request.path_params["collection"], dict(request.query_params)
        rows = self._rows(name)
        if rows is None:
            return problem(404, f"No HTTP resource was found for {name}.")
        wanted = [row for row in rows if _matches(row, query.get("$filter", ""))]
        start = int(query.get("$skip", "0"))
        told: dict[str, object] = {"@odata.context": f"{request.base_url}data/$metadata#{name}"}
        told["value"] = wanted[start : start + self.page_rows]
        if start + self.page_rows < len(wanted):
            following = urlencode({**query, "$skip": start + self.page_rows})
            told["@odata.nextLink"] = f"{request.base_url}data/{name}?{following}"
        return _json(200, told)

    def _rows(self, name: str) -> Sequence[Row] | None:
        with self._books.lock:
            if name == "GeneralJournalEntryBiEntities":
                return [_header(voucher) for voucher in self._books.shown_vouchers()]
            if name == "GeneralJournalAccountEntryBiEntities":
                return [self._entry(voucher, line) for voucher in self._books.vouchers for line in voucher.lines]
            if name == "FiscalPeriods":
                return list({row["key"]: row for row in map(_period, self._books.periods)}.values())
            if name == "LedgerFiscalPeriodsV2":
                return [
                    _period(period) | {"LegalEntityId": period.company, "PeriodStatus": period.status}
                    for period in self._books.periods
                ]
        return None

    def _entry(self, voucher: Voucher, line: Line) -> Row:
        names = {name.upper(): value for name, value in line.segments.items()}
        plan = self._books.plan
        amount = Decimal(line.cents).scaleb(-2)
        return {
            "SourceKey": voucher.key * 1000 + line.number,
            "GeneralJournalEntry": voucher.key,
            "LedgerAccount": "-".join(line.segments.get(name, "") for name in plan.dimension_format),
            "LedgerDimensionValuesJson": json.dumps([names]),
            "IsCredit": "Yes" if line.cents < 0 else "No",
            "AccountingCurrencyAmount": amount,
            "TransactionCurrencyAmount": amount,
            "TransactionCurrencyCode": plan.currency,
        }


def problem(status: int, words: str) -> Response:
    """An error in the form of the service."""
    inner = {"message": words, "type": "Microsoft.Dynamics.Platform.Integration.Services.OData.ODataException"}
    return _json(status, {"error": {"code": "", "message": "An error has occurred.", "innererror": inner}})


def _header(voucher: Voucher) -> Row:
    return {
        "SourceKey": voucher.key,
        "JournalNumber": voucher.journal_number,
        "LedgerPostingJournal": voucher.batch,
        "SubledgerVoucher": voucher.voucher,
        "SubledgerVoucherDataAreaId": voucher.company,
        "AccountingDate": f"{voucher.day}T12:00:00Z",
    }


def _period(period: Any) -> dict[str, object]:
    return {
        "key": f"{period.year}/{period.name}",
        "Calendar": "Fiscal",
        "FiscalYear": period.year,
        "YearName": period.year,
        "PeriodName": period.name,
        "StartDate": f"{period.start}T12:00:00Z",
        "EndDate": f"{period.end}T12:00:00Z",
        "Type": period.kind,
    }


def _matches(row: Row, condition: str) -> bool:
    """Conditions of `eq` with `or` in parentheses and `and` between them."""
    for part in filter(None, condition.split(" and ")):
        choices = _CONDITION.findall(part)
        if not any(str(row.get(name)) == (text.replace("''", "'") or number) for name, text, number in choices):
            return False
    return True


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(body or b"{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _value(kind: str, value: object) -> Response:
    return _json(200, {"@odata.context": f"$metadata#Edm.{kind}", "value": value})


def _json(status: int, value: object) -> Response:
    return Response(write_exact(value), status, media_type="application/json")
