"""Reading journals and balances back from NetSuite: by SuiteQL, and record by record what SuiteQL does not show yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from canonical.codes import Dimension
from canonical.journal import JournalLine
from chassis.domain import Unavailable

from ledger_adapter.adapters.books import Chart
from ledger_adapter.adapters.netsuite_client import NetSuiteClient
from ledger_adapter.adapters.netsuite_lists import CUSTOMERS, Company, NetSuiteLists, table_of
from ledger_adapter.adapters.netsuite_words import net_of, quoted, reference_in
from ledger_adapter.application.ports import AccountBalance, DimensionBalance, ErpDocument, Pending
from ledger_adapter.domain.posting_rules import PATIENT_ACCOUNTS, PAYER_ACCOUNTS

NUMBERS_PER_QUERY = 200
_LEDGER = "transactionaccountingline tal JOIN transactionline tl ON tl.transaction = tal.transaction AND tl.id = tal.transactionline"


class NetSuiteReading:
    """What one account has posted, in our words."""

    def __init__(self, client: NetSuiteClient, lists: NetSuiteLists, accounting_book: int) -> None:
        self._client = client
        self._lists = lists
        self._book = accounting_book

    def documents(self, company: Company, chart: Chart, numbers: Sequence[str]) -> dict[str, ErpDocument]:
        """The posted journals of those numbers that SuiteQL shows."""
        by_number: dict[str, list[Mapping[str, str]]] = {}
        for start in range(0, len(numbers), NUMBERS_PER_QUERY):
            for row in self._client.suiteql(
                self._lines_query(company, chart, numbers[start : start + NUMBERS_PER_QUERY])
            ):
                by_number.setdefault(row["number"], []).append(row)
        return {number: _document(company, chart, number, rows) for number, rows in by_number.items()}

    def document(self, company: Company, chart: Chart, number: str) -> ErpDocument | Pending | None:
        """One journal as its record has it now; pending while it waits for approval, which posts nothing.

        Raises:
            Unavailable: the record has more lines than it shows at once.
        """
        record = self._client.record("journalEntry", number)
        if record is None or reference_in(record.get("subsidiary")) != company.subsidiary:
            return None
        if record.get("approved") is False:
            return Pending()
        sublist = record.get("line", {})
        if "items" not in sublist or sublist.get("hasMore"):
            raise Unavailable(f"journal {number} does not show all its lines yet")
        rows = [self._as_row(chart, record, item) for item in sublist["items"]]
        return _document(company, chart, number, rows)

    def balances(self, company: Company, chart: Chart) -> list[AccountBalance]:
        query = (
            f"SELECT tal.account AS account, c.externalid AS party, SUM(tal.debit) AS debit, SUM(tal.credit) AS credit FROM {_LEDGER}"
            f" LEFT JOIN customer c ON c.id = tl.entity WHERE {self._posted(company)} GROUP BY tal.account, c.externalid"
            " ORDER BY tal.account, c.externalid"
        )
        sums: dict[tuple[str, str], AccountBalance] = {}
        for row in self._client.suiteql(query):
            role = company.roles.get(row["account"])
            if role is None:
                continue
            has_party = role in PAYER_ACCOUNTS | PATIENT_ACCOUNTS
            party = chart.our_party(row.get("party", "")) if has_party else ""
            held = sums.get((role, party))
            amount = net_of(row) if held is None else held.amount + net_of(row)
            sums[role, party] = AccountBalance(role, party, amount)
        return list(sums.values())

    def dimension_balances(self, company: Company, dimension: Dimension, field: str) -> list[DimensionBalance]:
        query = (
            f"SELECT tal.account AS account, v.externalid AS value, SUM(tal.debit) AS debit, SUM(tal.credit) AS credit FROM {_LEDGER}"
            f" LEFT JOIN {table_of(field)} v ON v.id = tl.{field} WHERE {self._posted(company)}"
            " GROUP BY tal.account, v.externalid ORDER BY tal.account, v.externalid"
        )
        rows = [(company.roles.get(row["account"]), row) for row in self._client.suiteql(query)]
        return [
            DimensionBalance(role, dimension, row.get("value", ""), net_of(row))
            for role, row in rows
            if role is not None and role.is_of_income
        ]

    def _posted(self, company: Company) -> str:
        accounts = ", ".join(sorted(company.roles))
        return (
            f"tal.posting = 'T' AND tal.accountingbook = {self._book} AND tl.subsidiary = {company.subsidiary}"
            f" AND tal.account IN ({accounts})"
        )

    def _lines_query(self, company: Company, chart: Chart, numbers: Sequence[str]) -> str:
        fields = list(chart.dimensions.values())
        columns = "".join(f", v{place}.externalid AS {field}" for place, field in enumerate(fields))
        joins = "".join(
            f" LEFT JOIN {table_of(field)} v{place} ON v{place}.id = tl.{field}" for place, field in enumerate(fields)
        )
        return (
            "SELECT t.externalid AS number, t.id AS document, TO_CHAR(t.trandate, 'YYYY-MM-DD') AS day, tal.account AS account,"
            f" c.externalid AS party, tal.debit AS debit, tal.credit AS credit{columns} FROM {_LEDGER}"
            f" JOIN transaction t ON t.id = tal.transaction LEFT JOIN customer c ON c.id = tl.entity{joins}"
            f" WHERE t.externalid IN ({quoted(numbers)}) AND t.type = 'Journal' AND tal.posting = 'T'"
            f" AND tal.accountingbook = {self._book} AND tl.subsidiary = {company.subsidiary} ORDER BY t.id, tl.id"
        )

    def _as_row(self, chart: Chart, record: Mapping[str, Any], item: Mapping[str, Any]) -> Mapping[str, Any]:
        """A line of a record in the form that SuiteQL gives it."""
        customer = reference_in(item.get("entity"))
        told = {field: reference_in(item.get(field)) for field in chart.dimensions.values()}
        values = {field: self._lists.code_of(table_of(field), told[field]) for field in told if told[field]}
        party = {"party": self._lists.code_of(CUSTOMERS, customer)} if customer else {}
        amounts = {"debit": item.get("debit"), "credit": item.get("credit")}
        place = {"document": str(record["id"]), "day": str(record["tranDate"])}
        return {**place, "account": reference_in(item.get("account")), **amounts, **party, **values}


def _document(company: Company, chart: Chart, number: str, rows: Sequence[Mapping[str, Any]]) -> ErpDocument:
    """The document of its lines; one that stands on an account we do not know cannot be read, and has none."""
    is_known = all(row["account"] in company.roles for row in rows)
    lines = tuple(
        JournalLine(
            account=company.roles[row["account"]],
            amount=net_of(row),
            party=chart.our_party(row.get("party", "")),
            **{dimension.value: row.get(field, "") for dimension, field in chart.dimensions.items()},
        )
        for row in rows
        if is_known
    )
    return ErpDocument(number, rows[0]["document"], date.fromisoformat(rows[0]["day"]), lines)
