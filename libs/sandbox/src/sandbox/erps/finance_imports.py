"""Data packages at the Finance double: what is in one, and what an import of it leaves behind.

Rows go from the file to staging and from there to the journal, each by itself: some may fail while the others arrive, and an import
of which only a part arrived is told as `PartiallySucceeded`.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from xml.etree import ElementTree

from sandbox.erps.finance_books import MAIN_ACCOUNT, VOUCHER_LENGTH_MAX, FinanceBooks, Line

ENTITY = "General journal"
NAMESPACE = "{http://schemas.microsoft.com/dynamics/2015/01/DataManagement}"
HEADER_FIELDS = ("JOURNALBATCHNUMBER", "JOURNALNAME", "DESCRIPTION")


class PackageRefused(Exception):
    """No import is begun."""


class ImportStatus(StrEnum):
    """DMFExecutionSummaryStatus."""

    NOT_RUN = "NotRun"
    EXECUTING = "Executing"
    SUCCEEDED = "Succeeded"
    PARTIALLY_SUCCEEDED = "PartiallySucceeded"
    FAILED = "Failed"
    CANCELED = "Canceled"


class _RowRefused(Exception):
    """One row does not get from staging to its target."""


@dataclass(slots=True)
class Execution:
    """One import under its id; `errors` are by line number."""

    id: str
    company: str
    rows: Sequence[Mapping[str, str]]
    status: ImportStatus = ImportStatus.NOT_RUN
    errors: dict[str, str] = field(default_factory=dict)


class Imports:
    """The imports of one environment. They are queued, and carried out one after the other when the batch server gets to it."""

    def __init__(self, books: FinanceBooks) -> None:
        self.executions: dict[str, Execution] = {}
        self._books = books

    def queue(self, execution_id: str, company: str, package: bytes) -> Execution:
        """
        Raises:
            PackageRefused: the id was used before, or the package is not what the service reads.
        """
        with self._books.lock:
            if execution_id in self.executions:
                raise PackageRefused(f"Execution {execution_id} already exists.")
            execution = Execution(execution_id, company, rows_in(package))
            self.executions[execution_id] = execution
            return execution

    def run(self) -> None:
        """Carries out what is queued."""
        with self._books.lock:
            for execution in self.executions.values():
                if execution.status in (ImportStatus.NOT_RUN, ImportStatus.EXECUTING):
                    self._run(execution)

    def _run(self, execution: Execution) -> None:
        by_header: dict[tuple[str, ...], list[Line]] = {}
        for row in execution.rows:
            try:
                line = self._line(row)
            except _RowRefused as refused:
                execution.errors[row.get("LINENUMBER", "")] = str(refused)
                continue
            by_header.setdefault(tuple(row.get(name, "") for name in HEADER_FIELDS), []).append(line)
        for lines in by_header.values():
            self._books.add_journal(execution.company, lines)
        execution.status = ImportStatus.SUCCEEDED
        if execution.errors:
            execution.status = ImportStatus.PARTIALLY_SUCCEEDED if by_header else ImportStatus.FAILED

    def _line(self, row: Mapping[str, str]) -> Line:
        plan = self._books.plan
        if row.get("JOURNALNAME") != plan.journal_name:
            raise _RowRefused(f"The value '{row.get('JOURNALNAME')}' in field 'Name' is not found in 'Journal names'.")
        if row.get("CURRENCYCODE") != plan.currency or row.get("ACCOUNTTYPE", "Ledger") != "Ledger":
            raise _RowRefused("The currency or the account type is not set up.")
        voucher = row.get("VOUCHER", "")
        if not 1 <= len(voucher) <= VOUCHER_LENGTH_MAX:
            raise _RowRefused("Field 'Voucher' must be filled in, with at most 20 characters.")
        try:
            day = date.fromisoformat(row.get("TRANSDATE", ""))
            cents = int((Decimal(row["DEBITAMOUNT"]) - Decimal(row["CREDITAMOUNT"])).scaleb(2))
            number = int(row["LINENUMBER"])
        except (ValueError, KeyError, InvalidOperation) as error:
            raise _RowRefused("A date, an amount or the line number cannot be read.") from error
        return Line(number, voucher, day, self._segments(row.get("ACCOUNTDISPLAYVALUE", "")), cents)

    def _segments(self, display_value: str) -> Mapping[str, str]:
        """The segments that an account's string names, in the order of the format, empty ones left out."""
        plan = self._books.plan
        parts = display_value.split(plan.delimiter)
        if len(parts) != len(plan.dimension_format):
            raise _RowRefused(f"The number of segments in '{display_value}' is not that of the format.")
        told = {name: part for name, part in zip(plan.dimension_format, parts, strict=True) if part}
        if told.get(MAIN_ACCOUNT) not in plan.main_accounts:
            raise _RowRefused(f"The main account of '{display_value}' does not exist.")
        for name, value in told.items():
            if name != MAIN_ACCOUNT and value not in plan.values.get(name, ()):
                raise _RowRefused(f"The value '{value}' of dimension {name} does not exist.")
        wanted = plan.wants.get(told[MAIN_ACCOUNT])
        if wanted and wanted not in told:
            raise _RowRefused(f"The account structure wants a value of {wanted} with {told[MAIN_ACCOUNT]}.")
        return told


def rows_in(package: bytes) -> list[dict[str, str]]:
    """The rows of the one entity in a package, checked as the service checks it.

    Raises:
        PackageRefused: a part is missing, is in another encoding, or the manifest maps no fields.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(package)) as parts:
            manifest = ElementTree.fromstring(parts.read("Manifest.xml"))  # noqa: S314 a test's own package
            ElementTree.fromstring(parts.read("PackageHeader.xml"))  # noqa: S314 a test's own package
            name = manifest.findtext(f".//{NAMESPACE}InputFilePath") or ""
            content = parts.read(name)
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError) as error:
        raise PackageRefused("The package has no manifest, header or data file that can be read.") from error
    if manifest.findtext(f".//{NAMESPACE}EntityName") != ENTITY:
        raise PackageRefused("The entity does not exist in the target environment.")
    if not content.startswith(b"\xff\xfe"):
        raise PackageRefused("Selected file is not Unicode.")
    text = content.decode("utf-16")
    fields = {element.text or "": element.text or "" for element in manifest.iter(f"{NAMESPACE}XMLField")}
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    if "\r\n" not in text or not rows or set(rows[0]) != set(fields):
        raise PackageRefused("The mapping is incorrect for the entity.")
    return rows
