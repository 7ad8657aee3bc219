"""Records of the NetSuite double: journal entries and customers, checked and kept as the record service does.

Which codes the REST service gives for what is not published; the words here are codes of the published list of SOAP status codes,
and `words` lets a test say others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from canonical.money import Money, MoneyRefused

from sandbox.erps.netsuite_books import RECEIVABLE, NetSuiteBooks
from sandbox.world.misbehaviour import Fault, Misbehaviour

Json = dict[str, Any]
WORDS: Mapping[str, tuple[str, str]] = {
    "duplicate": ("DUP_RCRD", "A record with this external ID already exists."),
    "closed": ("TRAN_PRD_CLOSED", "The posting period of this transaction is closed."),
    "unbalanced": ("TRANS_UNBALNCD", "Transaction was not in balance."),
    "missing": ("NONEXISTENT_ID", "The record instance does not exist. Provide a valid record instance ID."),
    "reference": ("INVALID_KEY_OR_REF", "Invalid reference key for this field."),
    "content": ("INVALID_CONTENT", "Invalid content in the request body."),
}
JOURNAL = "journalentry"
CUSTOMER = "customer"
_JOURNAL_FIELDS = frozenset(
    (
        "externalId",
        "subsidiary",
        "tranDate",
        "postingPeriod",
        "approved",
        "memo",
        "tranId",
        "currency",
        "exchangeRate",
        "line",
    )
)
_LINE_FIELDS = frozenset(("line", "account", "debit", "credit", "entity", "memo"))
_CUSTOMER_FIELDS = frozenset(
    ("externalId", "companyName", "entityId", "subsidiary", "isPerson", "isInactive", "currency")
)


@dataclass(frozen=True)
class BookedLine:
    """One line, in cents, by internal ids; segments by field."""

    account: int
    debit: int
    credit: int
    entity: int | None
    segments: Mapping[str, int]


@dataclass(frozen=True)
class Header:
    """What a transaction is, without its lines."""

    type: str
    external_id: str | None
    day: str
    subsidiary: int
    period: int
    entity: int | None = None
    is_posting: bool = True


class RecordRefused(Exception):
    """The service says no: an HTTP status, an `o:errorCode`, words, and where in the request."""

    def __init__(self, status: int, code: str, detail: str, path: str = "") -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.path = status, code, detail, path


class Records:
    """Creates, changes and shows records. `needs_approval`: a journal entry is not posting until somebody approves it."""

    def __init__(self, books: NetSuiteBooks, misbehaviour: Misbehaviour) -> None:
        self.books = books
        self.words = dict(WORDS)
        self.needs_approval = False
        self._misbehaviour = misbehaviour

    def refuse(self, word: str, path: str = "", *, status: int = 400, detail: str = "") -> RecordRefused:
        code, text = self.words[word]
        return RecordRefused(status, code, detail or text, path)

    def create_journal(self, body: Json) -> int:
        head, lines = self._journal(body)
        self.refuse_taken(head.external_id)
        return self.book(head, lines)

    def change_journal(self, identity: int, body: Json, *, replaces_lines: bool) -> None:
        """What a PUT or PATCH does to a journal entry that is there: its lines are replaced, or those sent are added."""
        head, sent = self._journal(self.show_journal(identity) | body)
        kept = [] if replaces_lines or "line" not in body else self._lines_of(identity)
        lines = [*kept, *sent]
        self._refuse_unbalanced(lines)
        with self.books.changing() as data:
            data.execute("DELETE FROM txnline WHERE txn = ?", (identity,))
            data.execute(
                "UPDATE txn SET trandate = ?, postingperiod = ? WHERE id = ?", (head.day, head.period, identity)
            )
            self._write_lines(data, identity, lines)

    def show_journal(self, identity: int) -> Json:
        """A journal entry as a GET with `expandSubResources` gives it."""
        row = self.transaction(identity)
        items = [
            {"line": number, "account": {"id": str(line.account)}}
            | ({"entity": {"id": str(line.entity)}} if line.entity else {})
            | {name: decimal_of(cents) for name, cents in (("debit", line.debit), ("credit", line.credit)) if cents}
            | {field: {"id": str(value)} for field, value in line.segments.items()}
            for number, line in enumerate(self._lines_of(identity), 1)
        ]
        shown = {
            "id": str(identity),
            "tranId": row["tranid"],
            "tranDate": row["trandate"],
            "subsidiary": {"id": str(row["subsidiary"])},
            "postingPeriod": {"id": str(row["postingperiod"])},
            "approved": row["posting"] == "T",
            "line": {"items": items, "count": len(items), "hasMore": False, "totalResults": len(items)},
        }
        return shown | ({"externalId": row["externalid"]} if row["externalid"] else {})

    def put_customer(self, external_id: str | None, body: Json, identity: int | None = None) -> int:
        name = str(body.get("companyName") or body.get("entityId") or external_id or "")
        if not name:
            raise self.refuse("content", "companyName")
        inactive = "T" if body.get("isInactive") is True else "F"
        with self.books.changing() as data:
            if identity is not None:
                data.execute("UPDATE customer SET name = ?, isinactive = ? WHERE id = ?", (name, inactive, identity))
                return identity
            if external_id and data.execute("SELECT 1 FROM customer WHERE externalid = ?", (external_id,)).fetchone():
                raise self.refuse("duplicate", "externalId")
            made = data.execute(
                "INSERT INTO customer (name, companyname, entityid, externalid, isinactive) VALUES (?, ?, ?, ?, ?)",
                (name, name, name, external_id, inactive),
            )
            return int(made.lastrowid or 0)

    def show_customer(self, identity: int) -> Json:
        row = self.books.row("SELECT * FROM customer WHERE id = ?", identity)
        if row is None:
            raise self.refuse("missing", status=404)
        shown = {"id": str(identity), "entityId": row["entityid"], "companyName": row["companyname"]}
        return shown | {"externalId": row["externalid"], "isInactive": row["isinactive"] == "T"}

    def book(self, head: Header, lines: Sequence[BookedLine]) -> int:
        """Writes a transaction and its lines, all or nothing.

        Raises:
            RecordRefused: it is not in balance.
        """
        self._refuse_unbalanced(lines)
        lag = self._misbehaviour.strike(Fault.READ_LAG, head.type)
        shown_from = self.books.question_hidden_for(lag.measure if lag else 0)
        with self.books.changing() as data:
            posting = "T" if head.is_posting else "F"
            place = (
                head.type,
                head.external_id,
                head.day,
                head.subsidiary,
                head.period,
                posting,
                head.entity,
                shown_from,
            )
            made = data.execute(
                "INSERT INTO txn (type, externalid, trandate, subsidiary, postingperiod, posting, entity, shown_from)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                place,
            )
            identity = int(made.lastrowid or 0)
            data.execute("UPDATE txn SET tranid = ? WHERE id = ?", (f"{head.type[:2].upper()}{identity}", identity))
            self._write_lines(data, identity, lines)
        return identity

    def transaction(self, identity: int) -> sqlite3.Row:
        row = self.books.row("SELECT * FROM txn WHERE id = ?", identity)
        if row is None:
            raise self.refuse("missing", status=404)
        return row

    def refuse_taken(self, external_id: str | None) -> None:
        """External ids are unique across all transactions, not within a record type alone."""
        if external_id and self.books.row("SELECT 1 FROM txn WHERE externalid = ?", external_id):
            raise self.refuse("duplicate", "externalId")

    def period_for(self, body: Json) -> tuple[str, int]:
        """The day of a transaction and the open period that it is posted to."""
        day = str(body.get("tranDate", ""))
        try:
            date.fromisoformat(day)
        except ValueError:
            raise self.refuse("content", "tranDate") from None
        where = "startdate <= ? AND enddate >= ? AND isyear = 'F' AND isquarter = 'F'"
        row = self.books.row(f"SELECT * FROM accountingperiod WHERE {where}", day, day)
        wanted = body.get("postingPeriod")
        if row is None or (wanted and str(wanted.get("id")) != str(row["id"])):
            raise self.refuse("reference", "postingPeriod")
        if "T" in (row["closed"], row["alllocked"]):
            raise self.refuse("closed", "postingPeriod")
        return day, int(row["id"])

    def reference(self, body: Json, field: str, table: str) -> int:
        """The internal id that a field refers to, by id or by external id.

        Raises:
            RecordRefused: it is not given, or names nothing that is active.
        """
        told = body.get(field)
        column, value = ("externalid", told.get("externalId")) if isinstance(told, dict) else ("id", None)
        if isinstance(told, dict) and "id" in told:
            column, value = "id", told["id"]
        row = self.books.row(f"SELECT id FROM {table} WHERE {column} = ? AND isinactive = 'F'", value)
        if row is None:
            raise self.refuse("reference", field)
        return int(row["id"])

    def refuse_unknown(self, kind: str, body: Json) -> None:
        """What `X-NetSuite-PropertyNameValidation: Error` does: a property that the record has not is an error."""
        known: Mapping[str, frozenset[str]] = {JOURNAL: _JOURNAL_FIELDS, CUSTOMER: _CUSTOMER_FIELDS}
        wrong = sorted(set(body) - known[kind]) if kind in known else []
        line_fields = _LINE_FIELDS | set(self.books.segments)
        lines = body.get("line", {}).get("items", []) if kind == JOURNAL else []
        wrong += sorted({name for line in lines for name in line} - line_fields)
        if wrong:
            raise self.refuse("content", wrong[0], detail=f"Unknown reference or field name {wrong[0]}.")

    def _journal(self, body: Json) -> tuple[Header, list[BookedLine]]:
        subsidiary = self.reference(body, "subsidiary", "subsidiary")
        day, period = self.period_for(body)
        is_posting = body.get("approved") is not False and not self.needs_approval
        head = Header("Journal", body.get("externalId"), day, subsidiary, period, is_posting=is_posting)
        lines = [self._line(line) for line in body.get("line", {}).get("items", [])]
        return head, lines

    def _line(self, line: Json) -> BookedLine:
        account = self.reference(line, "account", "account")
        debit, credit = (cents_of(line.get(side, 0), self.refuse) for side in ("debit", "credit"))
        if (debit > 0) == (credit > 0) or debit < 0 or credit < 0:
            raise self.refuse("content", "line", detail="A line needs either a debit or a credit.")
        entity = self.reference(line, "entity", "customer") if line.get("entity") else None
        kind = self.books.row("SELECT accttype FROM account WHERE id = ?", account)
        if entity is None and kind is not None and kind["accttype"] == RECEIVABLE:
            raise self.refuse("content", "entity", detail="A line on an accounts receivable account needs a customer.")
        told = {field: table for field, table in self.books.segments.items() if line.get(field)}
        return BookedLine(
            account, debit, credit, entity, {field: self.reference(line, field, table) for field, table in told.items()}
        )

    def _refuse_unbalanced(self, lines: Sequence[BookedLine]) -> None:
        left: int = sum(line.debit - line.credit for line in lines)
        if not lines or left:
            raise self.refuse("unbalanced", "line")

    def _lines_of(self, identity: int) -> list[BookedLine]:
        return [
            BookedLine(
                row["account"],
                row["debit"],
                row["credit"],
                row["entity"],
                {field: row[field] for field in self.books.segments if row[field] is not None},
            )
            for row in self.books.rows("SELECT * FROM txnline WHERE txn = ? ORDER BY id", identity)
        ]

    def _write_lines(self, data: sqlite3.Connection, identity: int, lines: Sequence[BookedLine]) -> None:
        segments = tuple(self.books.segments)
        fields = ["txn", "id", "account", "debit", "credit", "entity", *segments]
        data.executemany(
            f"INSERT INTO txnline ({', '.join(fields)}) VALUES ({', '.join('?' * len(fields))})",
            [
                (
                    identity,
                    number,
                    line.account,
                    line.debit,
                    line.credit,
                    line.entity,
                    *map(line.segments.get, segments),
                )
                for number, line in enumerate(lines)
            ],
        )


def cents_of(value: object, refuse: Callable[[str, str], RecordRefused]) -> int:
    """Whole cents of a JSON number that was read exactly."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise refuse("content", "amount")
    try:
        return Money.from_decimal(Decimal(value)).minor
    except MoneyRefused:
        raise refuse("content", "amount") from None


def decimal_of(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)
