"""Receivable documents of the NetSuite double: invoices, credit memos, payments and refunds, applied to each other.

Each posts what NetSuite posts for it. A document may be applied up to what is open of it, and to documents of its customer alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.erps.netsuite_books import RECEIVABLE
from sandbox.erps.netsuite_records import BookedLine, Header, Json, Records, cents_of, decimal_of


@dataclass(frozen=True)
class _Kind:
    """How a document posts: its type, whether it debits the receivable, and which field names its customer."""

    type: str
    debits_receivable: bool
    customer: str
    applies_to: tuple[str, ...] = ()


KINDS = {
    "invoice": _Kind("CustInvc", True, "entity"),
    "creditmemo": _Kind("CustCred", False, "entity", ("CustInvc",)),
    "customerpayment": _Kind("CustPymt", False, "customer", ("CustInvc",)),
    "customerrefund": _Kind("CustRfnd", True, "customer", ("CustCred", "CustPymt")),
}


@dataclass(frozen=True)
class _Application:
    doc: int
    cents: int


class Receivables:
    """The receivable documents among the records."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def create(self, name: str, body: Json) -> int:
        kind, records = KINDS[name], self._records
        records.refuse_taken(body.get("externalId"))
        customer = records.reference(body, kind.customer, "customer")
        subsidiary = records.reference(body, "subsidiary", "subsidiary")
        day, period = records.period_for(body)
        others, total = self._other_lines(name, body)
        applied = self._applications(kind, body, customer, total)
        receivable = BookedLine(self._receivable(body), *_sides(total, kind.debits_receivable), customer, {})
        head = Header(kind.type, body.get("externalId"), day, subsidiary, period, customer)
        identity = records.book(head, [receivable, *others])
        with records.books.changing() as data:
            rows = [(identity, each.doc, each.cents) for each in applied]
            data.executemany("INSERT INTO application (txn, doc, amount) VALUES (?, ?, ?)", rows)
        return identity

    def show(self, identity: int) -> Json:
        row = self._records.transaction(identity)
        told = self._records.books.rows("SELECT doc, amount FROM application WHERE txn = ?", identity)
        items = [
            {"doc": {"id": str(each["doc"])}, "apply": True, "amount": decimal_of(each["amount"])} for each in told
        ]
        return {
            "id": str(identity),
            "externalId": row["externalid"],
            "tranId": row["tranid"],
            "tranDate": row["trandate"],
            "total": decimal_of(self._total(identity)),
            "amountRemaining": decimal_of(self.open_cents(identity)),
            "apply": {"items": items},
        }

    def open_cents(self, identity: int) -> int:
        """What is left of a document: not applied to others, and not applied by others."""
        applied = self._records.books.rows(
            "SELECT amount FROM application WHERE txn = ? OR doc = ?", identity, identity
        )
        return self._total(identity) - sum(int(each["amount"]) for each in applied)

    def _total(self, identity: int) -> int:
        line = self._records.books.row("SELECT debit + credit AS total FROM txnline WHERE txn = ? AND id = 0", identity)
        return int(line["total"]) if line else 0

    def _other_lines(self, name: str, body: Json) -> tuple[list[BookedLine], int]:
        """The lines against the receivable, and their total: what was sold, or the bank."""
        records, kind = self._records, KINDS[name]
        if name in ("invoice", "creditmemo"):
            lines = [self._item_line(item, kind) for item in body.get("item", {}).get("items", [])]
            return lines, sum(line.debit + line.credit for line in lines)
        account = records.reference(body, "account", "account")
        amount = body.get("payment") if name == "customerpayment" else body.get("total")
        total = cents_of(amount if amount is not None else 0, records.refuse)
        return [BookedLine(account, *_sides(total, not kind.debits_receivable), None, {})], total

    def _item_line(self, item: Json, kind: _Kind) -> BookedLine:
        identity = self._records.reference(item, "item", "item")
        row = self._records.books.row("SELECT account FROM item WHERE id = ?", identity)
        assert row is not None, "the reference was just found"
        cents = cents_of(item.get("amount", 0), self._records.refuse)
        return BookedLine(row["account"], *_sides(cents, not kind.debits_receivable), None, {})

    def _receivable(self, body: Json) -> int:
        """The receivable account that the document names, or the first there is."""
        if body.get("arAcct"):
            return self._records.reference(body, "arAcct", "account")
        row = self._records.books.row("SELECT id FROM account WHERE accttype = ? ORDER BY id", RECEIVABLE)
        if row is None:
            raise self._records.refuse("reference", "arAcct")
        return int(row["id"])

    def _applications(self, kind: _Kind, body: Json, customer: int, total: int) -> Sequence[_Application]:
        records = self._records
        asked = [item for item in body.get("apply", {}).get("items", []) if item.get("apply")]
        applied = [
            _Application(int(item["doc"]["id"]), cents_of(item.get("amount", 0), records.refuse)) for item in asked
        ]
        for each in applied:
            row = records.transaction(each.doc)
            if row["type"] not in kind.applies_to or row["entity"] != customer:
                raise records.refuse("reference", "apply")
            if not 0 < each.cents <= self.open_cents(each.doc):
                raise records.refuse("content", "apply", detail="The amount applied is more than what is open.")
        if sum(each.cents for each in applied) > total:
            raise records.refuse("content", "apply", detail="More is applied than the document is worth.")
        return applied


def _sides(cents: int, is_debit: bool) -> tuple[int, int]:
    return (cents, 0) if is_debit else (0, cents)
