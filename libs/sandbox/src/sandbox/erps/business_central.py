"""A Business Central environment on loopback: real books, API v2.0 as documented, and faults on request.

It stands in for a service that cannot be had here. What it does that no public page says is named in `docs/erps/business-central.md`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

from canonical.exact_json import write_exact

from sandbox.erps.business_central_api import BusinessCentralApi
from sandbox.erps.business_central_books import (
    GL_ACCOUNT,
    BusinessCentralBooks,
    BusinessCentralPlan,
    Entry,
    Journal,
    JournalLine,
)
from sandbox.erps.business_central_odata import problem
from sandbox.erps.entra import EntraTokens
from sandbox.erps.troubles import TroubledErp
from sandbox.world.loopback import ServedOnLoopback
from sandbox.world.misbehaviour import Misbehaviour

TENANT = "5f0f4a2e-6f4c-4d7c-9a52-0c8a4e6a3c11"
CLIENT_ID = "b7a0f4d2-3c1e-4a55-8d0e-6f1b2c3d4e5f"
SCOPE = "https://api.businesscentral.dynamics.com/.default"
TOKEN_PATH = f"/{TENANT}/oauth2/v2.0/token"
ROOT = f"/v2.0/{TENANT}/production/api/v2.0"
BATCH = f"POST {ROOT}/$batch"
CONNECTIONS_MAX = 100
_CODES = {429: "Application_TooManyRequests", 503: "Internal_ServerError"}


class BusinessCentralDouble(ServedOnLoopback):
    """A context manager. Faults by `misbehaviour` as `TroubledErp` has them, and two more. CUT (target: a part of `METHOD /path`
    of a call within a batch): the batch stops before that call, and a gateway answers. READ_LAG (target: a company's name):
    what is posted next is hidden from replicas for the next `measure` questions.

    The methods do what people do at the screen; nothing of them can be reached over HTTP.
    """

    def __init__(
        self,
        plan: BusinessCentralPlan,
        *,
        secret: str = "sandbox-secret",  # noqa: S107 a double's own
        misbehaviour: Misbehaviour | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.misbehaviour = misbehaviour or Misbehaviour()
        self.books = BusinessCentralBooks(plan, self.misbehaviour)
        self.tokens = EntraTokens(CLIENT_ID, secret, SCOPE, now)
        self.api = BusinessCentralApi(self.books, self.tokens, self.misbehaviour, now, root=ROOT, token_path=TOKEN_PATH)
        self.troubled = TroubledErp(self.api.app, self.misbehaviour, _error_body, concurrency=CONNECTIONS_MAX)
        self._secret = secret
        self.serve_by(self.troubled)

    def write_connection(self, folder: Path, **more: object) -> Path:
        """The private files of a client that may use this environment; the path of its connection file."""
        secret_file, connection = folder / "business-central-secret", folder / "business-central.json"
        for path in (secret_file, connection):
            path.touch(mode=0o600)
        secret_file.write_text(self._secret)
        told = {
            "base_url": f"{self.url}{ROOT}",
            "token_url": f"{self.url}{TOKEN_PATH}",
            "client_id": CLIENT_ID,
            "client_secret_file": secret_file.name,
        }
        connection.write_text(json.dumps(told | more))
        return connection

    def allow_posting(self, company: str, first: date | None, last: date | None) -> None:
        """Between which days the general ledger setup lets people post."""
        self.books.companies[company].allowed_from = first
        self.books.companies[company].allowed_to = last

    def close_period(self, company: str, day: date) -> None:
        """The year that a day is in is closed, and nothing is let through from the day's month on."""
        self.books.companies[company].closed |= {date(day.year, month, 1) for month in range(1, 13)}
        self.allow_posting(company, None, day.replace(day=1) - timedelta(days=1))

    def entries(self, company: str) -> Sequence[Entry]:
        """Everything posted, in the order of posting: the books themselves, not what a replica shows."""
        return tuple(self.books.companies[company].entries)

    def journals(self, company: str) -> Sequence[Journal]:
        """The journals that are there, with the lines that wait in them."""
        return tuple(self.books.companies[company].journals.values())

    def numbers(self, company: str) -> list[str]:
        """The document numbers of everything posted, each once, in the order of posting."""
        return list(dict.fromkeys(entry.document for entry in self.entries(company)))

    def trial_balance(self) -> Mapping[tuple[str, str, str], int]:
        """Cents by company, account and customer or value of the dimension that the account needs, debits positive."""
        sums: dict[tuple[str, str, str], int] = {}
        for name in self.books.companies:
            for entry in self.entries(name):
                party = entry.dimensions.get(self.books.plan.needs_dimension.get(entry.account, ""), entry.customer)
                place = (name, entry.account, party)
                sums[place] = sums.get(place, 0) + entry.cents
        return sums

    def add_line(self, company: str, journal: Journal, account: str, cents: int, document: str, day: date) -> None:
        """Somebody leaves a line in a journal."""
        number = max((line.number for line in journal.lines), default=0) + 10_000
        line = JournalLine(uuid4(), number, GL_ACCOUNT, account, day, document, "", cents, "", {})
        journal.lines.append(self.books.checked(self.books.companies[company], line))

    def book_by_hand(self, company: str, document: str, day: date, lines: Mapping[str, int]) -> None:
        """Somebody posts a document: cents by account."""
        at = self.books.companies[company]
        journal = self.books.add_journal(at, "journals", f"H{len(at.journals):09}", "by hand", [])
        for account, cents in lines.items():
            self.add_line(company, journal, account, cents, document, day)
        self.books.post(at, journal)
        del at.journals[journal.id]

    def change_amount(self, company: str, document: str, cents: int) -> None:
        """The amounts of a document change beneath everybody, both sides alike, as only a database administrator can do."""
        at = self.books.companies[company]
        at.entries = [
            replace(each, cents=cents if each.cents > 0 else -cents) if each.document == document else each
            for each in at.entries
        ]

    def delete(self, company: str, document: str) -> None:
        """A document's entries are gone, as only a database administrator can do."""
        at = self.books.companies[company]
        at.entries = [each for each in at.entries if each.document != document]


def _error_body(status: int) -> bytes:
    body = problem(status, _CODES.get(status, "Unknown"), "The request was not answered.").body
    return write_exact(body).encode()
