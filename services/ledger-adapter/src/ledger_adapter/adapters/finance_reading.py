"""Reading posted vouchers, balances and periods back from Dynamics 365 Finance, by OData."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from canonical.codes import AccountRole, Dimension
from canonical.journal import JournalLine
from canonical.money import Money
from chassis.domain import Unavailable

from ledger_adapter.adapters.books import Books, Chart
from ledger_adapter.adapters.erp_amounts import net_of_sides
from ledger_adapter.adapters.finance_client import FinanceClient
from ledger_adapter.adapters.finance_words import MAIN_ACCOUNT, day_in, segments_in
from ledger_adapter.application.ports import AccountBalance, DimensionBalance, ErpDocument, FiscalPeriod, PeriodState
from ledger_adapter.domain.posting_rules import PATIENT_ACCOUNTS, PAYER_ACCOUNTS

HEADERS = "GeneralJournalEntryBiEntities"
ENTRIES = "GeneralJournalAccountEntryBiEntities"
CHOICES_PER_QUERY = 40
_STATES = {"Open": PeriodState.OPEN, "OnHold": PeriodState.SOFT_CLOSED, "Closed": PeriodState.LOCKED}


class FinanceReading:
    """What one environment has posted, in our words."""

    def __init__(self, client: FinanceClient, party_dimension: str) -> None:
        self._client = client
        self._party = party_dimension.upper()

    def documents(self, books: Books, numbers: Sequence[str]) -> dict[str, ErpDocument]:
        """The posted vouchers of those numbers. Two of one number are read as one, so that the second is seen."""
        headers = [
            header
            for some in _chunks(numbers)
            for header in self._headers(books, "SubledgerVoucher", [f"'{each}'" for each in some])
        ]
        entries = self._entries([header["SourceKey"] for header in headers])
        by_number: dict[str, list[Mapping[str, Any]]] = {}
        for header in headers:
            by_number.setdefault(str(header["SubledgerVoucher"]), []).append(header)
        return {number: self._document(books.chart, number, found, entries) for number, found in by_number.items()}

    def balances(self, books: Books) -> list[AccountBalance]:
        sums: dict[tuple[AccountRole, str], Money] = {}
        for role, segments, amount in self._posted(books):
            has_party = role in PAYER_ACCOUNTS | PATIENT_ACCOUNTS
            place = (role, books.chart.our_party(segments.get(self._party, "")) if has_party else "")
            sums[place] = sums.get(place, Money(0)) + amount
        return [AccountBalance(role, party, amount) for (role, party), amount in sums.items()]

    def dimension_balances(self, books: Books) -> list[DimensionBalance]:
        sums: dict[tuple[AccountRole, Dimension, str], Money] = {}
        for role, segments, amount in self._posted(books):
            for dimension, told in books.chart.dimensions.items() if role.is_of_income else ():
                place = (role, dimension, segments.get(told.upper(), ""))
                sums[place] = sums.get(place, Money(0)) + amount
        return [DimensionBalance(role, each, value, amount) for (role, each, value), amount in sums.items()]

    def periods(self, books: Books) -> list[FiscalPeriod]:
        """The operating periods of the legal entity's calendar, with the state that its ledger gives them."""
        states = {
            (row["Calendar"], str(row["YearName"]), row["PeriodName"]): str(row["PeriodStatus"])
            for row in self._client.rows("LedgerFiscalPeriodsV2", f"LegalEntityId eq '{books.company}'")
        }
        told = [
            FiscalPeriod(
                name=f"{row['FiscalYear']} {row['PeriodName']}",
                start=day_in(row["StartDate"]),
                end=day_in(row["EndDate"]),
                state=_STATES.get(states[place], PeriodState.LOCKED),
            )
            for row in self._client.rows("FiscalPeriods")
            if (place := (row["Calendar"], str(row["FiscalYear"]), row["PeriodName"])) in states
            and row.get("Type", "Operating") == "Operating"
        ]
        return sorted(told, key=lambda period: period.start)

    def _headers(self, books: Books, field: str = "", values: Sequence[str] = ()) -> list[Mapping[str, Any]]:
        condition = f"SubledgerVoucherDataAreaId eq '{books.company}'"
        choices = " or ".join(f"{field} eq {value}" for value in values)
        return self._client.rows(HEADERS, f"{condition} and ({choices})" if choices else condition)

    def _entries(self, keys: Sequence[object]) -> dict[object, list[Mapping[str, Any]]]:
        """The lines of documents, by their headers' keys."""
        found: dict[object, list[Mapping[str, Any]]] = {}
        for some in _chunks(keys):
            condition = " or ".join(f"GeneralJournalEntry eq {key}" for key in some)
            for row in self._client.rows(ENTRIES, f"({condition})"):
                found.setdefault(row["GeneralJournalEntry"], []).append(row)
        return found

    def _posted(self, books: Books) -> Iterator[tuple[AccountRole, Mapping[str, str], Money]]:
        """Every posted line of an entity on an account of its chart, with its segments and amount."""
        entries = self._entries([header["SourceKey"] for header in self._headers(books)])
        for row in (row for rows in entries.values() for row in rows):
            segments = segments_in(row["LedgerDimensionValuesJson"])
            role = books.chart.role_of(segments.get(MAIN_ACCOUNT.upper(), ""))
            if role is not None:
                yield role, segments, _amount(row)

    def _document(
        self,
        chart: Chart,
        number: str,
        headers: Sequence[Mapping[str, Any]],
        entries: Mapping[object, Sequence[Mapping[str, Any]]],
    ) -> ErpDocument:
        """The document of its lines; one that stands on an account we do not know cannot be read, and has none."""
        rows = [row for header in headers for row in entries.get(header["SourceKey"], ())]
        if not rows:
            raise Unavailable(f"voucher {number} does not show its lines yet")
        lines = [self._line(chart, row) for row in rows]
        known = tuple(line for line in lines if line is not None)
        first = headers[0]
        day = day_in(first["AccountingDate"])
        return ErpDocument(number, str(first["JournalNumber"]), day, known if len(known) == len(lines) else ())

    def _line(self, chart: Chart, row: Mapping[str, Any]) -> JournalLine | None:
        segments = segments_in(row["LedgerDimensionValuesJson"])
        role = chart.role_of(segments.get(MAIN_ACCOUNT.upper(), ""))
        if role is None:
            return None
        return JournalLine(
            account=role,
            amount=_amount(row),
            party=chart.our_party(segments.get(self._party, "")),
            **{dimension.value: segments.get(told.upper(), "") for dimension, told in chart.dimensions.items()},
        )


def _amount(row: Mapping[str, Any]) -> Money:
    """What is told is signed, debits positive."""
    return net_of_sides(row["AccountingCurrencyAmount"], None)


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), CHOICES_PER_QUERY):
        yield values[start : start + CHOICES_PER_QUERY]
