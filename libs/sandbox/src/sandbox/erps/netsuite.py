"""A NetSuite account on loopback: real books, the documented REST interface, and faults on request.

It stands in for a service that cannot be had here. What it does that no public page says is named in `docs/erps/netsuite.md`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from joserfc.jwk import ECKey, RSAKey

from sandbox.erps.netsuite_api import TOKEN_PATH, NetSuiteApi, problem
from sandbox.erps.netsuite_books import NetSuiteBooks, NetSuitePlan
from sandbox.erps.netsuite_records import Json, RecordRefused, Records
from sandbox.erps.netsuite_token import TokenEndpoint
from sandbox.erps.troubles import TroubledErp
from sandbox.world.loopback import ServedOnLoopback
from sandbox.world.misbehaviour import Misbehaviour

CLIENT_ID = "5a1f8c0e4d7b4f6f9d3e2b1a0c9d8e7f"
CERTIFICATE_ID = "throughline-sandbox"
CONCURRENCY = 15
_CODES = {429: "CONCURRENCY_LIMIT_EXCEEDED", 500: "UNEXPECTED_ERROR", 503: "UNEXPECTED_ERROR"}


class NetSuiteDouble(ServedOnLoopback):
    """A context manager. Faults by `misbehaviour` as `TroubledErp` has them, and READ_LAG: what is booked next (target: the
    transaction's type, such as `Journal`) is hidden from the next `measure` SuiteQL questions.

    The methods do what people do at the screen; nothing of them can be reached over HTTP. `concurrency` is the account's.
    """

    def __init__(
        self,
        plan: NetSuitePlan,
        *,
        key: ECKey | RSAKey | None = None,
        misbehaviour: Misbehaviour | None = None,
        concurrency: int = CONCURRENCY,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.misbehaviour = misbehaviour or Misbehaviour()
        self.books = NetSuiteBooks(plan)
        self.records = Records(self.books, self.misbehaviour)
        self.key = key or ECKey.generate_key("P-256", auto_kid=False)
        self.tokens = TokenEndpoint(CLIENT_ID, CERTIFICATE_ID, self.key, now)
        self.api = NetSuiteApi(self.books, self.records, self.tokens)
        self.troubled = TroubledErp(self.api.app, self.misbehaviour, _error_body, concurrency=concurrency)
        self.serve_by(self.troubled)
        self.tokens.url = f"{self.url}{TOKEN_PATH}"

    def write_connection(self, folder: Path, **more: object) -> Path:
        """The private files of a client that may use this account; the path of its connection file."""
        key_file, connection = folder / "netsuite-key.pem", folder / "netsuite.json"
        algorithm = "PS256" if isinstance(self.key, RSAKey) else "ES256"
        for path in (key_file, connection):
            path.touch(mode=0o600)
        key_file.write_bytes(self.key.as_pem(private=True))
        told = {"base_url": self.url, "client_id": CLIENT_ID, "certificate_id": CERTIFICATE_ID}
        connection.write_text(json.dumps(told | {"key_file": key_file.name, "algorithm": algorithm} | more))
        return connection

    def close_period(self, day: date) -> None:
        self._set_period(day, closed="T", alllocked="T")

    def lock_period(self, day: date) -> None:
        self._set_period(day, closed="F", alllocked="T")

    def reopen_period(self, day: date) -> None:
        self._set_period(day, closed="F", alllocked="F")

    def approve(self, number: str) -> None:
        """A journal entry that waits for approval becomes posting."""
        with self.books.changing() as data:
            data.execute("UPDATE txn SET posting = 'T' WHERE externalid = ?", (number,))

    def change_amount(self, number: str, line: int, cents: int) -> None:
        """Somebody changes both sides of a document by hand: this line, and the next, by as much."""
        identity = self._identity(number)
        with self.books.changing() as data:
            for place in (line, line + 1):
                side = data.execute("SELECT debit FROM txnline WHERE txn = ? AND id = ?", (identity, place)).fetchone()
                column = "debit" if side["debit"] else "credit"
                data.execute(f"UPDATE txnline SET {column} = ? WHERE txn = ? AND id = ?", (cents, identity, place))

    def delete(self, number: str) -> None:
        """Somebody deletes a document."""
        with self.books.changing() as data:
            data.execute("DELETE FROM txn WHERE externalid = ?", (number,))

    def book_by_hand(self, body: Json) -> int:
        """Somebody enters a journal entry; its internal id.

        Raises:
            RecordRefused: NetSuite would not take it.
        """
        return self.records.create_journal(body)

    def numbers(self) -> list[str]:
        """The external ids of everything booked, in the order of booking."""
        rows = self.books.rows("SELECT externalid FROM txn WHERE externalid IS NOT NULL ORDER BY id")
        return [str(row["externalid"]) for row in rows]

    def trial_balance(self) -> Mapping[tuple[str, str, str], int]:
        """Cents by subsidiary, account number and customer, debits positive: the books themselves, not what SuiteQL shows."""
        rows = self.books.rows(
            "SELECT s.externalid AS subsidiary, a.acctnumber AS account, coalesce(c.externalid, '') AS customer,"
            " SUM(l.debit) AS debit, SUM(l.credit) AS credit FROM txnline l JOIN txn t ON t.id = l.txn AND t.posting = 'T'"
            " JOIN subsidiary s ON s.id = t.subsidiary JOIN account a ON a.id = l.account"
            " LEFT JOIN customer c ON c.id = l.entity GROUP BY 1, 2, 3"
        )
        return {
            (row["subsidiary"], row["account"], row["customer"]): int(row["debit"]) - int(row["credit"]) for row in rows
        }

    def _identity(self, number: str) -> int:
        row = self.books.row("SELECT id FROM txn WHERE externalid = ?", number)
        if row is None:
            raise RecordRefused(404, "NONEXISTENT_ID", f"{number} is not booked")
        return int(row["id"])

    def _set_period(self, day: date, *, closed: str, alllocked: str) -> None:
        with self.books.changing() as data:
            data.execute(
                "UPDATE accountingperiod SET closed = ?, alllocked = ?"
                " WHERE isyear = 'F' AND isquarter = 'F' AND startdate <= ? AND enddate >= ?",
                (closed, alllocked, day.isoformat(), day.isoformat()),
            )


def _error_body(status: int) -> bytes:
    return bytes(problem(status, _CODES.get(status, "UNEXPECTED_ERROR"), "The request was not answered.").body)
