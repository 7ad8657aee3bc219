"""The books behind the NetSuite double: what its records have left in SQLite, and SuiteQL over them.

Amounts are whole cents in the tables and plain decimals in what SuiteQL sees. A row of a transaction has been committed as soon as
it is there; SuiteQL may be told to show it some questions later.
"""

from __future__ import annotations

import calendar
import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

PAGE_ROWS_MAX = 1000
RECEIVABLE = "AcctRec"
TABLES_OF_SEGMENTS = {"department": "department", "class": "classification", "location": "location"}
_WORD = re.compile(r"\btransaction\b", re.I)
_LIST = "id INTEGER PRIMARY KEY, name TEXT, externalid TEXT UNIQUE, isinactive TEXT NOT NULL DEFAULT 'F'"
_SCHEMA = f"""
CREATE TABLE subsidiary ({_LIST});
CREATE TABLE customer ({_LIST}, entityid TEXT, companyname TEXT);
CREATE TABLE item ({_LIST}, account INTEGER NOT NULL);
CREATE TABLE account (id INTEGER PRIMARY KEY, acctnumber TEXT UNIQUE, accttype TEXT NOT NULL, isinactive TEXT DEFAULT 'F');
CREATE TABLE accountingperiod (
    id INTEGER PRIMARY KEY, periodname TEXT, startdate TEXT, enddate TEXT, isyear TEXT, isquarter TEXT,
    isadjust TEXT NOT NULL DEFAULT 'F', closed TEXT NOT NULL DEFAULT 'F', alllocked TEXT NOT NULL DEFAULT 'F'
);
CREATE TABLE txn (
    id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, externalid TEXT UNIQUE, tranid TEXT, trandate TEXT NOT NULL,
    subsidiary INTEGER NOT NULL, postingperiod INTEGER NOT NULL, posting TEXT NOT NULL, entity INTEGER, shown_from INTEGER NOT NULL
);
CREATE TABLE txnline (
    txn INTEGER NOT NULL REFERENCES txn ON DELETE CASCADE, id INTEGER NOT NULL, account INTEGER NOT NULL, entity INTEGER,
    debit INTEGER NOT NULL, credit INTEGER NOT NULL, {{segments}} PRIMARY KEY (txn, id)
);
CREATE TABLE application (txn INTEGER NOT NULL REFERENCES txn ON DELETE CASCADE, doc INTEGER NOT NULL, amount INTEGER NOT NULL);
CREATE TABLE questions (asked INTEGER NOT NULL);
INSERT INTO questions VALUES (0);
CREATE VIEW "transaction" AS SELECT id, type, externalid, tranid, trandate, postingperiod, posting, entity
    FROM txn WHERE shown_from <= (SELECT asked FROM questions);
CREATE VIEW transactionline AS SELECT l.txn AS "transaction", l.id, l.entity, t.subsidiary, {{columns}}
    FROM txnline l JOIN txn t ON t.id = l.txn WHERE t.shown_from <= (SELECT asked FROM questions);
CREATE VIEW transactionaccountingline AS SELECT l.txn AS "transaction", l.id AS transactionline, l.account, 1 AS accountingbook,
    t.posting, CASE WHEN l.debit THEN printf('%d.%02d', l.debit / 100, l.debit % 100) END AS debit,
    CASE WHEN l.credit THEN printf('%d.%02d', l.credit / 100, l.credit % 100) END AS credit
    FROM txnline l JOIN txn t ON t.id = l.txn WHERE t.shown_from <= (SELECT asked FROM questions);
"""


@dataclass(frozen=True)
class NetSuitePlan:
    """What an administrator has set up: codes are external ids, accounts are numbers with their types.

    `segments` gives the values of each field by which lines are told apart: `department`, `class`, `location` or `cseg_...`.
    """

    accounts: Mapping[str, str]
    subsidiaries: Sequence[str] = ("NORTH", "SOUTH")
    customers: Sequence[str] = ("ACME", "MEDICARE")
    segments: Mapping[str, Sequence[str]] | None = None
    items: Mapping[str, str] | None = None
    years: Sequence[int] = (2026, 2027)


class NotSuiteQL(ValueError):
    """A query that cannot be answered."""


class _ExactSum:
    """SUM of plain decimals, exact to the cent."""

    def __init__(self) -> None:
        self._sum: Decimal | None = None

    def step(self, value: str | int | None) -> None:
        if value is not None:
            self._sum = (self._sum or Decimal(0)) + Decimal(value)

    def finalize(self) -> str | None:
        return None if self._sum is None else str(self._sum)


class NetSuiteBooks:
    """One account's data. Every change happens in `changing`, which is one transaction."""

    def __init__(self, plan: NetSuitePlan) -> None:
        self.segments = {field: table_of(field) for field in plan.segments or {}}
        self._lock = threading.RLock()
        self._data = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._data.row_factory = sqlite3.Row
        self._data.execute("PRAGMA foreign_keys = ON")
        self._data.create_function("TO_CHAR", 2, lambda value, form: value, deterministic=True)
        self._data.create_function("NVL", 2, lambda value, other: other if value is None else value, deterministic=True)
        # typeshed asks for a `step` of integers alone; ours takes what the columns hold.
        self._data.create_aggregate("SUM", 1, _ExactSum)  # type: ignore[arg-type]
        columns = "".join(f"{field} INTEGER, " for field in self.segments)
        shown = ", ".join(f"l.{field}" for field in self.segments) or "NULL AS memo"
        self._data.executescript(_SCHEMA.format(segments=columns, columns=shown))
        self._fill(plan)

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._data.execute("BEGIN")
            try:
                yield self._data
            except BaseException:
                self._data.execute("ROLLBACK")
                raise
            self._data.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._data.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        return next(iter(self.rows(sql, *values)), None)

    def question_hidden_for(self, questions: int) -> int:
        """From which question on SuiteQL shows what is booked now, where it hides it from the next ones."""
        asked = self.row("SELECT asked FROM questions")
        assert asked is not None, "the schema counts questions"
        return int(asked["asked"]) + questions + 1 if questions else 0

    def suiteql(self, query: str) -> list[dict[str, str]]:
        """All rows of a SELECT, as texts by lower-case column, without what is null.

        Raises:
            NotSuiteQL: it is none, or names what is not there.
        """
        if not query.lstrip().upper().startswith("SELECT") or ";" in query:
            raise NotSuiteQL("Invalid search query. Only SELECT is supported.")
        with self._lock:
            self._data.execute("UPDATE questions SET asked = asked + 1")
            try:
                found = self._data.execute(_WORD.sub('"transaction"', query)).fetchall()
            except sqlite3.Error as error:
                raise NotSuiteQL(f"Invalid search query. Detailed unprocessed description follows. {error}") from error
        return [{name.lower(): str(row[name]) for name in row.keys() if row[name] is not None} for row in found]  # noqa: SIM118

    def _fill(self, plan: NetSuitePlan) -> None:
        with self.changing() as data:
            for number, kind in plan.accounts.items():
                data.execute("INSERT INTO account (acctnumber, accttype) VALUES (?, ?)", (number, kind))
            for code in plan.subsidiaries:
                data.execute("INSERT INTO subsidiary (name, externalid) VALUES (?, ?)", (code, code))
            for code in plan.customers:
                data.execute("INSERT INTO customer (name, entityid, externalid) VALUES (?, ?, ?)", (code, code, code))
            for field, table in self.segments.items():
                data.execute(f"CREATE TABLE {table} ({_LIST})")
                values = [(code, code) for code in (plan.segments or {})[field]]
                data.executemany(f"INSERT INTO {table} (name, externalid) VALUES (?, ?)", values)
            for code, account in (plan.items or {}).items():
                place = data.execute("SELECT id FROM account WHERE acctnumber = ?", (account,)).fetchone()["id"]
                data.execute("INSERT INTO item (name, externalid, account) VALUES (?, ?, ?)", (code, code, place))
            data.executemany(
                "INSERT INTO accountingperiod (periodname, startdate, enddate, isyear, isquarter) VALUES (?, ?, ?, ?, ?)",
                [period for year in plan.years for period in _periods_of(year)],
            )


def table_of(field: str) -> str:
    """The table of a segment's values, as SuiteQL names it."""
    if field in TABLES_OF_SEGMENTS:
        return TABLES_OF_SEGMENTS[field]
    if not re.fullmatch(r"cseg[a-z0-9_]*", field):
        raise ValueError(f"{field}: lines are told apart by department, class, location or a custom segment cseg...")
    return f"customrecord_{field}"


def _periods_of(year: int) -> Iterator[tuple[str, str, str, str, str]]:
    """A year, its quarters and its months, as NetSuite nests them."""
    yield (f"FY {year}", f"{year}-01-01", f"{year}-12-31", "T", "F")
    for month in range(1, 13):
        if month % 3 == 1:
            end = date(year, month + 2, calendar.monthrange(year, month + 2)[1])
            yield (f"Q{month // 3 + 1} {year}", f"{year}-{month:02}-01", end.isoformat(), "F", "T")
        last = date(year, month, calendar.monthrange(year, month)[1])
        yield (f"{calendar.month_abbr[month]} {year}", f"{year}-{month:02}-01", last.isoformat(), "F", "F")
