"""NetSuite's internal ids of what our books name by code: subsidiaries, accounts, customers, segments and periods.

Accounts are known by their number, everything else by its external id. Ids never change, so that they are asked for once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from canonical.codes import AccountRole
from chassis.domain import Unavailable

from ledger_adapter.adapters.books import Books
from ledger_adapter.adapters.netsuite_client import NetSuiteClient
from ledger_adapter.adapters.netsuite_words import quoted
from ledger_adapter.application.ports import FiscalPeriod, PeriodState

CUSTOMERS = "customer"
_SEGMENTS = {"department": "department", "class": "classification", "location": "location"}
_PERIODS = (
    "SELECT id, periodname, TO_CHAR(startdate, 'YYYY-MM-DD') AS starts, TO_CHAR(enddate, 'YYYY-MM-DD') AS ends, closed, alllocked"
    " FROM accountingperiod WHERE isyear = 'F' AND isquarter = 'F' AND isadjust = 'F' ORDER BY startdate, id"
)


def table_of(field: str) -> str:
    """The table of the values of a segment: department, class, location, or a custom one `cseg...`."""
    return _SEGMENTS.get(field) or f"customrecord_{field}"


@dataclass(frozen=True, slots=True)
class Company:
    """What one entity's books are made of at this account."""

    subsidiary: str
    accounts: Mapping[AccountRole, str]
    roles: Mapping[str, AccountRole]


class NetSuiteLists:
    """Asks once, and again for what it has not seen."""

    def __init__(self, name: str, client: NetSuiteClient, books: Mapping[str, Books]) -> None:
        self._name = name
        self._client = client
        self._books = books
        self._companies: dict[str, Company] = {}
        self._ids: dict[tuple[str, str], str] = {}
        self._codes: dict[tuple[str, str], str] = {}
        self._periods: Sequence[tuple[str, FiscalPeriod]] = ()

    def company(self, entity: str) -> Company:
        """
        Raises:
            Unavailable: the account has no such subsidiary, or lacks accounts of the chart; a person has to set it up.
        """
        if entity not in self._companies:
            self._companies[entity] = self._read_company(self._books[entity])
        return self._companies[entity]

    def id_of(self, table: str, code: str) -> str:
        """The internal id of an active entry; empty where there is none."""
        if (table, code) not in self._ids:
            self._learn(table, f"externalid IN ({quoted([code])}) AND isinactive = 'F'")
        return self._ids.get((table, code), "")

    def code_of(self, table: str, identity: str) -> str:
        """The external id of an entry; empty where it has none."""
        if (table, identity) not in self._codes:
            self._learn(table, f"id = {int(identity)}")
        return self._codes.get((table, identity), "")

    def period_of(self, day: date) -> str:
        """The internal id of the month that a day is in; empty where nobody has made one."""
        return self._period_among_known(day) or (self.periods() and self._period_among_known(day)) or ""

    def periods(self) -> Sequence[FiscalPeriod]:
        """The months as they stand now, the earliest first."""
        self._periods = [(row["id"], _period(row)) for row in self._client.suiteql(_PERIODS)]
        return [period for _, period in self._periods]

    def _period_among_known(self, day: date) -> str:
        return next((identity for identity, each in self._periods if each.holds(day)), "")

    def _learn(self, table: str, condition: str) -> None:
        for row in self._client.suiteql(f"SELECT id, externalid FROM {table} WHERE {condition} ORDER BY id"):
            if "externalid" in row:
                self._ids[table, row["externalid"]] = row["id"]
                self._codes[table, row["id"]] = row["externalid"]

    def _read_company(self, books: Books) -> Company:
        subsidiary = self.id_of("subsidiary", books.company)
        if not subsidiary:
            raise Unavailable(f"{self._name} has no subsidiary with the external id {books.company}")
        wanted = {code: role for role, code in books.chart.accounts.items()}
        query = f"SELECT id, acctnumber FROM account WHERE acctnumber IN ({quoted(tuple(wanted))}) AND isinactive = 'F'"
        accounts = {wanted[row["acctnumber"]]: row["id"] for row in self._client.suiteql(f"{query} ORDER BY id")}
        missing = sorted(code for code, role in wanted.items() if role not in accounts)
        if missing:
            raise Unavailable(f"{self._name}, subsidiary {books.company}: no account {', '.join(missing)}")
        return Company(subsidiary, accounts, {identity: role for role, identity in accounts.items()})


def _period(row: Mapping[str, str]) -> FiscalPeriod:
    state = PeriodState.SOFT_CLOSED if row["alllocked"] == "T" else PeriodState.OPEN
    if row["closed"] == "T":
        state = PeriodState.LOCKED
    start, end = date.fromisoformat(row["starts"]), date.fromisoformat(row["ends"])
    return FiscalPeriod(name=row["periodname"], start=start, end=end, state=state)
