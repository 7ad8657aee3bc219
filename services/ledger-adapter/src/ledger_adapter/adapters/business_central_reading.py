"""Reading back from Business Central: general ledger entries as documents and balances, journals that wait, and periods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from canonical.codes import AccountRole, Dimension
from canonical.journal import JournalLine
from canonical.money import Money
from chassis.domain import Unavailable

from ledger_adapter.adapters.books import Books, Chart
from ledger_adapter.adapters.business_central_client import BusinessCentralClient
from ledger_adapter.adapters.business_central_words import any_of, journal_code, our_value, values_in
from ledger_adapter.adapters.erp_amounts import net_of_sides
from ledger_adapter.application.ports import AccountBalance, DimensionBalance, ErpDocument, FiscalPeriod, PeriodState
from ledger_adapter.domain.posting_rules import PATIENT_ACCOUNTS, PAYER_ACCOUNTS

NUMBERS_PER_QUERY = 40
_RECEIVABLES = PAYER_ACCOUNTS | PATIENT_ACCOUNTS
_NO_DAY = "0001-01-01"


@dataclass(frozen=True, slots=True)
class WaitingJournal:
    """A journal of ours as it lies at the ERP. An empty line is left over by the posting itself, and none of ours."""

    id: str
    etag: str
    name: str
    lines: tuple[Mapping[str, Any], ...]


class BusinessCentralReading:
    """What one environment holds, in our words. Companies and accounts are asked for once."""

    def __init__(
        self, name: str, client: BusinessCentralClient, books: Mapping[str, Books], party_dimension: str
    ) -> None:
        self._name = name
        self._client = client
        self._books = books
        self._party_dimension = party_dimension
        self._companies: dict[str, str] = {}

    def company(self, entity: str) -> str:
        """The path of an entity's company.

        Raises:
            Unavailable: there is no such company, or it lacks accounts of the chart; a person has to set it up.
        """
        if entity not in self._companies:
            self._companies[entity] = self._find_company(self._books[entity])
        return self._companies[entity]

    def documents(self, entity: str, numbers: Sequence[str]) -> dict[str, ErpDocument]:
        """What is posted under those numbers, by the database itself."""
        chart = self._books[entity].chart
        by_number: dict[str, list[Mapping[str, Any]]] = {}
        for some in _chunks(numbers):
            for row in self._entries(entity, any_of("documentNumber", some), from_replica=False):
                by_number.setdefault(str(row["documentNumber"]), []).append(row)
        return {number: self._document(chart, number, rows) for number, rows in by_number.items()}

    def journals(self, entity: str, numbers: Sequence[str]) -> dict[str, WaitingJournal]:
        """The journals that were made for those numbers and are still there, posted or not."""
        path = f"{self.company(entity)}/journals"
        found = {}
        for some in _chunks(numbers):
            codes = {journal_code(number): number for number in some}
            wanted = any_of("code", set(codes))
            for row in self._client.rows(path, wanted=wanted, expand="journalLines($expand=dimensionSetLines)"):
                lines = tuple(
                    line for line in row.get("journalLines", ()) if line.get("accountNumber") or line.get("amount")
                )
                etag, name = str(row["@odata.etag"]), str(row["displayName"])
                found[codes[str(row["code"])]] = WaitingJournal(str(row["id"]), etag, name, lines)
        return found

    def balances(self, entity: str) -> list[AccountBalance]:
        chart = self._books[entity].chart
        sums: dict[tuple[AccountRole, str], Money] = {}
        for role, row in self._of_roles(entity, chart.accounts):
            party = chart.our_party(self._party(row)) if role in _RECEIVABLES else ""
            sums[role, party] = sums.get((role, party), Money.zero()) + _net(row)
        return [AccountBalance(role, party, amount) for (role, party), amount in sums.items()]

    def dimension_balances(self, entity: str) -> list[DimensionBalance]:
        chart = self._books[entity].chart
        sums: dict[tuple[AccountRole, Dimension, str], Money] = {}
        for role, row in self._of_roles(entity, [role for role in chart.accounts if role.is_of_income]):
            values = values_in(row)
            for dimension, code in chart.dimensions.items():
                place = (role, dimension, our_value(dimension, values.get(code, "")))
                sums[place] = sums.get(place, Money.zero()) + _net(row)
        return [
            DimensionBalance(role, dimension, value, sums[role, dimension, value]) for role, dimension, value in sums
        ]

    def periods(self, entity: str) -> list[FiscalPeriod]:
        """The periods whose end is known, which the last one's is not: it ends where another one begins.

        Closed with its year is locked; one that the general ledger setup lets no day of through is soft-closed.
        """
        company = self.company(entity)
        setup = next(iter(self._client.rows(f"{company}/generalLedgerSetup")), {})
        first, last = (_day(setup.get(name)) for name in ("allowPostingFrom", "allowPostingTo"))
        rows = sorted(self._client.rows(f"{company}/accountingPeriods"), key=lambda row: str(row["startingDate"]))
        told = []
        for row, following in pairwise(rows):
            start, end = _start(row), _start(following) - timedelta(days=1)
            state = PeriodState.OPEN
            if (first and end < first) or (last and start > last):
                state = PeriodState.SOFT_CLOSED
            if row["closed"]:
                state = PeriodState.LOCKED
            told.append(FiscalPeriod(name=f"{row['name']} {start.year}", start=start, end=end, state=state))
        return told

    def _of_roles(self, entity: str, roles: Iterable[AccountRole]) -> list[tuple[AccountRole, Mapping[str, Any]]]:
        accounts = {self._books[entity].chart.accounts[role]: role for role in roles}
        rows = self._entries(entity, any_of("accountNumber", set(accounts)), from_replica=True)
        return [(accounts[str(row["accountNumber"])], row) for row in rows]

    def _entries(self, entity: str, wanted: str, *, from_replica: bool) -> list[Mapping[str, Any]]:
        path = f"{self.company(entity)}/generalLedgerEntries"
        return self._client.rows(path, wanted=wanted, expand="dimensionSetLines", from_replica=from_replica)

    def _party(self, row: Mapping[str, Any]) -> str:
        return values_in(row).get(self._party_dimension, "")

    def _document(self, chart: Chart, number: str, rows: Sequence[Mapping[str, Any]]) -> ErpDocument:
        """The document of its entries; one that stands on an account we do not know cannot be read, and has no lines."""
        ordered = sorted(rows, key=lambda row: int(row["entryNumber"]))
        made = [self._line(chart, row) for row in ordered]
        lines = tuple(line for line in made if line is not None)
        day = date.fromisoformat(str(ordered[0]["postingDate"]))
        return ErpDocument(number, str(ordered[0]["entryNumber"]), day, lines if len(lines) == len(made) else ())

    def _line(self, chart: Chart, row: Mapping[str, Any]) -> JournalLine | None:
        role = chart.role_of(str(row["accountNumber"]))
        if role is None:
            return None
        values = values_in(row)
        told = {each.value: our_value(each, values.get(code, "")) for each, code in chart.dimensions.items()}
        return JournalLine(account=role, amount=_net(row), party=chart.our_party(self._party(row)), **told)

    def _find_company(self, books: Books) -> str:
        found = self._client.rows("companies", wanted=any_of("name", [books.company]))
        if len(found) != 1:
            raise Unavailable(f"{self._name} has no company {books.company}")
        path = f"companies({found[0]['id']})"
        known = {str(row["number"]) for row in self._client.rows(f"{path}/accounts") if not row["blocked"]}
        missing = sorted(set(books.chart.accounts.values()) - known)
        if missing:
            raise Unavailable(f"{self._name}, company {books.company}: no account {', '.join(missing)}")
        return path


def _chunks(numbers: Sequence[str]) -> Iterable[Sequence[str]]:
    return (numbers[start : start + NUMBERS_PER_QUERY] for start in range(0, len(numbers), NUMBERS_PER_QUERY))


def _net(row: Mapping[str, Any]) -> Money:
    return net_of_sides(row.get("debitAmount"), row.get("creditAmount"))


def _start(row: Mapping[str, Any]) -> date:
    return date.fromisoformat(str(row["startingDate"]))


def _day(value: object) -> date | None:
    return None if value in (None, "", _NO_DAY) else date.fromisoformat(str(value))
