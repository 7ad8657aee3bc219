"""Tryton over its REST API: whole batches booked in one transaction, found again by our own number.

It needs the Tryton module `throughline` at the server: `account.move` gets a unique `external_number` and the call
`book`, which creates and posts entries together or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from canonical.codes import AccountRole, Dimension
from canonical.journal import JournalLine
from canonical.money import Money
from chassis.domain import Unavailable

from ledger_adapter.adapters.books import Books, ErpSettings
from ledger_adapter.adapters.erp_calls import CLOSED_DOORS, NEVER_SENT
from ledger_adapter.adapters.erp_quota import ErpQuota, QuotaSettings, QuotaTransport
from ledger_adapter.adapters.tryton_dimensions import AnalyticAccounts, without_value
from ledger_adapter.adapters.tryton_words import (
    context_of,
    date_in,
    date_words,
    decimal_words,
    encoded,
    is_json,
    money_in,
    refusal_in,
)
from ledger_adapter.application.ports import (
    AccountBalance,
    DimensionBalance,
    ErpDocument,
    ErpJournal,
    ErpLine,
    ErpUncertain,
    FiscalPeriod,
    Pending,
    PeriodState,
    Posted,
    RefusalKind,
    Refused,
)
from ledger_adapter.domain.posting_rules import PATIENT_ACCOUNTS, PAYER_ACCOUNTS

DEADLINE_SECONDS = 60.0
CONNECT_SECONDS = 3.0
_PERIOD_STATES = {"open": PeriodState.OPEN, "closed": PeriodState.SOFT_CLOSED, "locked": PeriodState.LOCKED}


@dataclass(frozen=True, slots=True)
class TrytonConnection:
    """Where a Tryton is, and the key of an application user of it."""

    base_url: str
    database: str
    api_key: str

    @classmethod
    def read(cls, path: Path) -> TrytonConnection:
        """From a private JSON file; further fields of it are ignored."""
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(content["base_url"], content["database"], content["api_key"])


@dataclass(frozen=True, slots=True)
class _Company:
    """What one entity's company is made of at this Tryton, by Tryton's own ids."""

    company_id: int
    journal_id: int
    accounts: Mapping[AccountRole, int]
    roles: Mapping[int, AccountRole]


class TrytonErp:
    """One Tryton that keeps the books of some entities."""

    def __init__(
        self,
        name: str,
        connection: TrytonConnection,
        books: Mapping[str, Books],
        *,
        quota: ErpQuota | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._name = name
        self._books = books
        self._companies: dict[str, _Company] = {}
        self._parties: dict[str, int] = {}
        self._periods: dict[tuple[int, date], int] = {}
        self._analytic = AnalyticAccounts(self._search)
        self._http = httpx.Client(
            base_url=f"{connection.base_url}/{connection.database}/rest/model/",
            headers={"Authorization": f"Bearer {connection.api_key}"},
            timeout=httpx.Timeout(DEADLINE_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,
            transport=QuotaTransport(quota or ErpQuota(name, QuotaSettings()), transport or httpx.HTTPTransport()),
        )

    @classmethod
    def configured(cls, name: str, settings: ErpSettings, books: Mapping[str, Books]) -> TrytonErp:
        """From the books configuration; needs `connection_file`."""
        connection = TrytonConnection.read(settings.connection_path(name))
        return cls(name, connection, books, quota=ErpQuota(name, settings.quota))

    @property
    def name(self) -> str:
        return self._name

    def find(self, entity: str, numbers: Sequence[str]) -> Mapping[str, ErpDocument | Pending]:
        company = self._company(entity)
        domain = [
            ["move.company", "=", company.company_id],
            ["move.external_number", "in", list(numbers)],
            ["move.state", "=", "posted"],
        ]
        fields = ("move.external_number", "move.date", "account", "party.code", "debit", "credit")
        rows = self._search(company.company_id, "account.move.line", domain, *fields)
        kept = self._books[entity].chart.dimensions if rows else {}
        values = self._analytic.values_of(company.company_id, kept, [row["id"] for row in rows])
        by_number: dict[str, list[Any]] = {}
        for row in rows:
            by_number.setdefault(row["move"]["external_number"], []).append(row | {"values": values.get(row["id"], {})})
        return {number: self._document(entity, company, number, lines) for number, lines in by_number.items()}

    def post(self, entity: str, documents: Sequence[ErpJournal]) -> Mapping[str, Posted | Refused | Pending]:
        company = self._company(entity)
        answers: dict[str, Posted | Refused | Pending] = {}
        entries: list[dict[str, object]] = []
        for document in documents:
            entry = self._entry(entity, company, document)
            if isinstance(entry, Refused):
                answers[document.number] = entry
            else:
                entries.append(entry)
        if entries:
            self._book(company.company_id, entries, answers)
        return answers

    def balances(self, entity: str) -> Sequence[AccountBalance]:
        company = self._company(entity)
        by_party = {company.accounts[role] for role in PAYER_ACCOUNTS | PATIENT_ACCOUNTS}
        accounts = [identity for identity in company.roles if identity not in by_party]
        plain = self._search(company.company_id, "account.account", [["id", "in", accounts]], "balance")
        parties = self._search(
            company.company_id,
            "account.account.party",
            [["account", "in", sorted(by_party)]],
            "account",
            "party.code",
            "balance",
        )
        chart = self._books[entity].chart
        return [AccountBalance(company.roles[row["id"]], "", money_in(row["balance"])) for row in plain] + [
            AccountBalance(
                company.roles[row["account"]], chart.our_party(row["party"]["code"]), money_in(row["balance"])
            )
            for row in parties
        ]

    def dimensions(self, entity: str) -> frozenset[Dimension]:
        return frozenset(self._books[entity].chart.dimensions)

    def dimension_balances(self, entity: str) -> Sequence[DimensionBalance]:
        """What the analytic accounts hold, and of each account the rest that stands under none."""
        company, kept = self._company(entity), self._books[entity].chart.dimensions
        if not kept:
            return ()
        of_income = {identity: role for identity, role in company.roles.items() if role.is_of_income}
        totals = {each.account: each.amount for each in self.balances(entity) if each.account.is_of_income}
        told = self._analytic.balances(company.company_id, kept, of_income)
        return [*told, *without_value(kept, totals, told)]

    def periods(self, entity: str) -> Sequence[FiscalPeriod]:
        company = self._company(entity)
        domain = [["company", "=", company.company_id], ["type", "=", "standard"]]
        rows = self._search(company.company_id, "account.period", domain, "name", "start_date", "end_date", "state")
        found = [
            FiscalPeriod(
                name=row["name"],
                start=date_in(row["start_date"]),
                end=date_in(row["end_date"]),
                state=_PERIOD_STATES[row["state"]],
            )
            for row in rows
        ]
        return sorted(found, key=lambda period: period.start)

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def _document(self, entity: str, company: _Company, number: str, rows: Sequence[Any]) -> ErpDocument:
        """The document of its lines; one that stands on an account we do not know cannot be read, and has none."""
        known = all(row["account"] in company.roles for row in rows)
        chart = self._books[entity].chart
        lines = tuple(
            JournalLine(
                account=company.roles[row["account"]],
                amount=money_in(row["debit"]) - money_in(row["credit"]),
                party=chart.our_party(row["party"]["code"]) if row["party"] else "",
                **row["values"],
            )
            for row in rows
            if known
        )
        move = rows[0]["move"]
        return ErpDocument(number, str(move["id"]), date_in(move["date"]), lines)

    def _entry(self, entity: str, company: _Company, document: ErpJournal) -> dict[str, object] | Refused:
        """What Tryton makes a move of, or why it cannot be one."""
        period = self._period(company.company_id, document.effective_date)
        if period is None:
            return Refused(RefusalKind.PERIOD_CLOSED, f"there is no period for {document.effective_date}")
        lines = []
        for line in document.lines:
            party = self._party(company.company_id, self._books[entity].chart.party_of(line.party))
            if line.party and party is None:
                return Refused(RefusalKind.INVALID, f"the ERP has no party {line.party}")
            made = _line(company.accounts[line.account], line, party)
            analytic = self._analytic.lines(company.company_id, self._books[entity].chart.dimensions, line, made)
            if isinstance(analytic, Refused):
                return analytic
            if analytic:
                made["analytic_lines"] = [
                    ["create", [each | {"date": date_words(document.effective_date)} for each in analytic]]
                ]
            lines.append(made)
        return {
            "company": company.company_id,
            "journal": company.journal_id,
            "period": period,
            "date": date_words(document.effective_date),
            "external_number": document.number,
            "lines": [["create", lines]],
        }

    def _book(
        self, company_id: int, entries: Sequence[dict[str, object]], answers: dict[str, Posted | Refused | Pending]
    ) -> None:
        """Books all entries in one transaction; when Tryton refuses the whole, its halves, down to the culprit."""
        response = self._send(company_id, entries, is_first=not answers)
        numbers = [str(entry["external_number"]) for entry in entries]
        if response.status_code == httpx.codes.OK:
            for receipt in response.json():
                answers[receipt["external_number"]] = Posted(str(receipt["id"]))
        elif response.status_code == httpx.codes.BAD_REQUEST and len(entries) > 1:
            middle = len(entries) // 2
            self._book(company_id, entries[:middle], answers)
            self._book(company_id, entries[middle:], answers)
        else:
            refusal = refusal_in(response)
            answers.update(dict.fromkeys(numbers, refusal))

    def _send(self, company_id: int, entries: Sequence[dict[str, object]], *, is_first: bool) -> httpx.Response:
        try:
            response = self._http.post(
                "account.move/book", json={"entries": list(entries)}, headers=context_of(company_id)
            )
        except NEVER_SENT as error:
            if is_first:
                raise Unavailable(f"{self._name} cannot be reached: {type(error).__name__}") from error
            raise ErpUncertain(f"the connection was lost within the batch: {type(error).__name__}") from error
        except httpx.TransportError as error:
            raise ErpUncertain(f"no answer: {type(error).__name__}") from error
        if response.status_code in CLOSED_DOORS and is_first:
            raise Unavailable(f"{self._name} answered {response.status_code} and booked nothing")
        if response.status_code >= 500 or (response.is_success and not is_json(response)):
            raise ErpUncertain(f"{self._name} answered {response.status_code}")
        return response

    def _company(self, entity: str) -> _Company:
        held = self._companies.get(entity)
        if held is None:
            held = self._companies[entity] = self._read_company(self._books[entity])
        return held

    def _read_company(self, books: Books) -> _Company:
        (company,) = self._one(None, "company.company", ["party.code", "=", books.company])
        (journal,) = self._one(company, "account.journal", ["code", "=", books.journal])
        wanted = {code: role for role, code in books.chart.accounts.items()}
        domain = [["company", "=", company], ["code", "in", sorted(wanted)]]
        rows = self._search(company, "account.account", domain, "code")
        accounts = {wanted[row["code"]]: int(row["id"]) for row in rows}
        missing = sorted(code for code, role in wanted.items() if role not in accounts)
        if missing:
            raise Unavailable(f"{self._name}, company {books.company}: no account {', '.join(missing)}")
        return _Company(company, journal, accounts, {identity: role for role, identity in accounts.items()})

    def _one(self, company_id: int | None, model: str, condition: list[object]) -> tuple[int]:
        rows = self._search(company_id, model, [condition], "id")
        if len(rows) != 1:
            raise Unavailable(f"{self._name} has {len(rows)} {model} with {condition[0]} {condition[2]}, not one")
        return (int(rows[0]["id"]),)

    def _party(self, company_id: int, code: str) -> int | None:
        if code and code not in self._parties:
            rows = self._search(company_id, "party.party", [["code", "=", code]], "id")
            if rows:
                self._parties[code] = int(rows[0]["id"])
        return self._parties.get(code)

    def _period(self, company_id: int, day: date) -> int | None:
        if (company_id, day) not in self._periods:
            on = date_words(day)
            domain = [
                ["company", "=", company_id],
                ["type", "=", "standard"],
                ["start_date", "<=", on],
                ["end_date", ">=", on],
            ]
            rows = self._search(company_id, "account.period", domain, "id")
            if rows:
                self._periods[company_id, day] = int(rows[0]["id"])
        return self._periods.get((company_id, day))

    def _search(
        self, company_id: int | None, model: str, domain: list[Any], *fields: str, page_rows: int = 0
    ) -> list[Any]:
        """All rows, or the first `page_rows` by id. Reading changes nothing: whatever goes wrong, the ERP is unavailable."""
        params: dict[str, str | list[str]] = {"d": encoded(domain), "f": list(fields)}
        if page_rows:
            params |= {"s": str(page_rows), "o": encoded([["id", "ASC"]])}
        try:
            response = self._http.get(model, params=params, headers=context_of(company_id))
            response.raise_for_status()
            found = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable(f"{self._name}: reading {model} failed: {type(error).__name__}") from error
        if not isinstance(found, list):
            raise Unavailable(f"{self._name}: reading {model} gave no list")
        return found


def _line(account: int, line: ErpLine, party: int | None) -> dict[str, object]:
    debit, credit = (line.amount, Money(0)) if line.amount.minor > 0 else (Money(0), -line.amount)
    made: dict[str, object] = {"account": account, "debit": decimal_words(debit), "credit": decimal_words(credit)}
    if party is not None:
        made["party"] = party
    return made
