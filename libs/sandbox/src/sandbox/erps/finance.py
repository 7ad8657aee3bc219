"""A Dynamics 365 Finance environment on loopback: real books, the package API as documented, and faults on request.

It stands in for a service that cannot be had here. What it does that no public page says is named in `docs/erps/finance.md`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from sandbox.erps.entra import EntraTokens
from sandbox.erps.finance_api import ACTIONS, TOKEN_PATH, FinanceApi, problem
from sandbox.erps.finance_books import MAIN_ACCOUNT, FinanceBooks, FinancePlan, Line
from sandbox.erps.finance_imports import Imports, ImportStatus
from sandbox.erps.troubles import TroubledErp
from sandbox.world.loopback import ServedOnLoopback
from sandbox.world.misbehaviour import Misbehaviour

CLIENT_ID = "0d4c6c1b-5c0e-4a1a-9b59-6b0b8f7c2d11"
CONCURRENCY = 52
IMPORT = f"POST {ACTIONS}ImportFromPackage"


class FinanceDouble(ServedOnLoopback):
    """A context manager. Faults by `misbehaviour` as `TroubledErp` has them, and READ_LAG (target `GeneralJournal`): what is posted
    next is hidden from the next `measure` questions.

    The methods do what people and batch jobs do at the screen; nothing of them can be reached over HTTP.
    """

    def __init__(
        self,
        plan: FinancePlan,
        *,
        secret: str = "sandbox-secret",  # noqa: S107 a double's own
        misbehaviour: Misbehaviour | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.misbehaviour = misbehaviour or Misbehaviour()
        self.books = FinanceBooks(plan, self.misbehaviour)
        self.imports = Imports(self.books)
        self.api = FinanceApi(self.books, self.imports)
        self.troubled = TroubledErp(self.api.app, self.misbehaviour, _error_body, concurrency=CONCURRENCY)
        self.serve_by(self.troubled)
        self.api.tokens = EntraTokens(CLIENT_ID, secret, f"{self.url}/.default", now)
        self._secret = secret

    def write_connection(self, folder: Path, **more: object) -> Path:
        """The private files of a client that may use this environment; the path of its connection file."""
        secret_file, connection = folder / "finance-secret", folder / "finance.json"
        for path in (secret_file, connection):
            path.touch(mode=0o600)
        secret_file.write_text(self._secret)
        told = {
            "base_url": self.url,
            "token_url": f"{self.url}{TOKEN_PATH}",
            "client_id": CLIENT_ID,
            "client_secret_file": secret_file.name,
            "dimension_format": list(self.books.plan.dimension_format),
            "delimiter": self.books.plan.delimiter,
        }
        connection.write_text(json.dumps(told | more))
        return connection

    def run_jobs(self) -> None:
        """The batch server comes round: imports that wait, then the job that posts journals."""
        self.imports.run()
        self.books.post_journals()

    def cancel_import(self, execution_id: str) -> None:
        """Somebody cancels an import before it is carried out."""
        self.imports.executions[execution_id].status = ImportStatus.CANCELED

    def set_period(self, company: str, day: date, status: str) -> None:
        """`Open`, `OnHold` or `Closed`, which is for good."""
        for period in self.books.periods:
            if period.holds(company, day):
                period.status = status

    def numbers(self, company: str) -> list[str]:
        """The vouchers of everything posted, in the order of posting."""
        return [voucher.voucher for voucher in self.books.vouchers if voucher.company == company]

    def trial_balance(self) -> Mapping[tuple[str, str, str], int]:
        """Cents by legal entity, main account and the value of the dimension that the account wants, debits positive: the books
        themselves, not what a question is shown."""
        sums: dict[tuple[str, str, str], int] = {}
        for voucher in self.books.vouchers:
            for line in voucher.lines:
                account = line.segments[MAIN_ACCOUNT]
                place = (voucher.company, account, line.segments.get(self.books.plan.wants.get(account, ""), ""))
                sums[place] = sums.get(place, 0) + line.cents
        return sums

    def book_by_hand(self, company: str, voucher: str, day: date, lines: Mapping[str, int]) -> None:
        """Somebody posts a journal: cents by main account."""
        made = [
            Line(number, voucher, day, {MAIN_ACCOUNT: account}, cents)
            for number, (account, cents) in enumerate(lines.items(), start=1)
        ]
        self.books.add_journal(company, made)
        self.books.post_journals()

    def change_amount(self, voucher: str, cents: int) -> None:
        """The amounts of a document change beneath everybody, both sides alike, as only a database administrator can do."""
        for held in self.books.vouchers:
            if held.voucher == voucher:
                held.lines = [replace(line, cents=cents if line.cents > 0 else -cents) for line in held.lines]

    def delete(self, voucher: str) -> None:
        """A document is gone, as only a database administrator can do."""
        self.books.vouchers = [held for held in self.books.vouchers if held.voucher != voucher]


def _error_body(status: int) -> bytes:
    return bytes(problem(status, "The request was not answered.").body)
