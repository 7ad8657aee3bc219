"""Dynamics 365 Finance over its data-management package API: one journal one import, our number its execution id and voucher.

An import leaves a journal that posts nothing; the environment's recurring job posts it. So nothing is ever posted by a call of
ours: a document that was handed over is pending until its voucher stands in the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import httpx
from canonical.codes import Dimension
from canonical.money import Money
from chassis.domain import Unavailable

from ledger_adapter.adapters.books import Books, ErpSettings
from ledger_adapter.adapters.erp_calls import CLOSED_DOORS, NEVER_SENT
from ledger_adapter.adapters.erp_quota import ErpQuota, QuotaSettings
from ledger_adapter.adapters.finance_client import FinanceClient, FinanceConnection
from ledger_adapter.adapters.finance_reading import FinanceReading
from ledger_adapter.adapters.finance_words import (
    ENDED_WITHOUT_A_JOURNAL,
    MAIN_ACCOUNT,
    ImportStatus,
    package_of,
    sides_of,
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

ATTEMPTS_MAX = 50


@dataclass(frozen=True, slots=True)
class _Attempt:
    """The latest import of a document, and how far it is; ABSENT where it is still to be begun."""

    number: str
    count: int
    status: ImportStatus = ImportStatus.ABSENT

    @property
    def execution_id(self) -> str:
        return f"{self.number}-{self.count}"


@dataclass(frozen=True, slots=True)
class _NotSent:
    """Nothing happened at the ERP."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Unknown:
    """It may have been taken in."""

    reason: str


class FinanceErp:
    """One environment that keeps the books of some entities, each as a legal entity."""

    def __init__(
        self,
        name: str,
        connection: FinanceConnection,
        books: Mapping[str, Books],
        *,
        quota: ErpQuota | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        wanted = {told for each in books.values() for told in each.chart.dimensions.values()}
        missing = sorted((wanted | {connection.party_dimension}) - set(connection.dimension_format))
        if missing:
            raise ValueError(f"ERP {name}: dimension_format has no {', '.join(missing)}")
        self._name = name
        self._books = books
        self._connection = connection
        self._clock = clock
        self._handed_over: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._told: set[str] = set()
        self._client = FinanceClient(name, connection, quota or ErpQuota(name, QuotaSettings()), transport=transport)
        self._reading = FinanceReading(self._client, connection.party_dimension)

    @classmethod
    def configured(cls, name: str, settings: ErpSettings, books: Mapping[str, Books]) -> FinanceErp:
        """From the books configuration; needs `connection_file`."""
        connection = FinanceConnection.read(settings.connection_path(name))
        return cls(name, connection, books, quota=ErpQuota(name, settings.quota))

    @property
    def name(self) -> str:
        return self._name

    def find(self, entity: str, numbers: Sequence[str]) -> Mapping[str, ErpDocument | Pending]:
        """What is in the ledger, and what is on its way there: being imported, or in a journal that was not posted yet."""
        found: dict[str, ErpDocument | Pending] = {**self._reading.documents(self._books[entity], numbers)}
        for number in numbers:
            if number not in found and self._is_on_its_way(self._latest(number)):
                found[number] = Pending()
        return found

    def post(self, entity: str, documents: Sequence[ErpJournal]) -> Mapping[str, Posted | Refused | Pending]:
        """Everything that has to be read is read before anything is sent, so that an outage of reading sends nothing."""
        books = self._books[entity]
        posted = self._reading.documents(books, [document.number for document in documents])
        periods = self._reading.periods(books) if documents else ()
        answers: dict[str, Posted | Refused | Pending] = {}
        ready: list[tuple[ErpJournal, str]] = []
        for document in documents:
            decided = self._decided(document, periods, is_posted=document.number in posted)
            if isinstance(decided, str):
                ready.append((document, decided))
            else:
                answers[document.number] = decided
        self._hand_over_all(books, ready, answers)
        return answers

    def balances(self, entity: str) -> Sequence[AccountBalance]:
        return self._reading.balances(self._books[entity])

    def dimensions(self, entity: str) -> frozenset[Dimension]:
        return frozenset(self._books[entity].chart.dimensions)

    def dimension_balances(self, entity: str) -> Sequence[DimensionBalance]:
        return self._reading.dimension_balances(self._books[entity])

    def periods(self, entity: str) -> Sequence[FiscalPeriod]:
        return self._reading.periods(self._books[entity])

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()

    def _decided(
        self, document: ErpJournal, periods: Sequence[FiscalPeriod], *, is_posted: bool
    ) -> str | Refused | Pending:
        """The execution id under which a document may be sent, or the answer where it may not.

        A journal that does not balance, or whose period is closed, would be imported and then never posted; one of whose lines some
        would be refused, and the others imported. Neither is sent.
        """
        if is_posted:
            return Refused(RefusalKind.NUMBER_TAKEN, f"voucher {document.number} is posted")
        if Money.total(line.amount for line in document.lines) != Money(0):
            return Refused(RefusalKind.INVALID, "the lines do not balance")
        if any(line.account in PAYER_ACCOUNTS | PATIENT_ACCOUNTS and not line.party for line in document.lines):
            return Refused(RefusalKind.INVALID, "a receivable has no party")
        attempt = self._latest(document.number)
        if self._is_on_its_way(attempt):
            return Pending()
        day = document.effective_date
        if not any(each.holds(day) and each.state is PeriodState.OPEN for each in periods):
            return Refused(RefusalKind.PERIOD_CLOSED, f"there is no open period for {day}")
        if attempt.status is ImportStatus.ABSENT:
            return attempt.execution_id
        if attempt.execution_id not in self._told or attempt.count == ATTEMPTS_MAX:
            self._told.add(attempt.execution_id)
            return self._refusal(attempt)
        return _Attempt(document.number, attempt.count + 1).execution_id

    def _latest(self, number: str) -> _Attempt:
        """Where a document stands. A second import is only begun after the first ended without a journal and was told so."""
        latest = self._asked(_Attempt(number, self._counts.get(number, 1)))
        while latest.status in ENDED_WITHOUT_A_JOURNAL and latest.count < ATTEMPTS_MAX:
            following = self._asked(_Attempt(number, latest.count + 1))
            if following.status is ImportStatus.ABSENT and not self._is_on_its_way(following):
                break
            latest = following
            self._counts[number] = latest.count
        return latest

    def _asked(self, attempt: _Attempt) -> _Attempt:
        return replace(attempt, status=self._client.status(attempt.execution_id))

    def _is_on_its_way(self, attempt: _Attempt) -> bool:
        if attempt.status is ImportStatus.ABSENT:
            until = self._handed_over.get(attempt.execution_id)
            return until is not None and self._clock() < until
        self._handed_over.pop(attempt.execution_id, None)
        return attempt.status not in ENDED_WITHOUT_A_JOURNAL

    def _refusal(self, attempt: _Attempt) -> Refused:
        """Why an import ended without a journal that can be posted.

        Of one that succeeded in part, lines lie in a journal that somebody has to delete before the document is sent again.
        """
        failed, words = self._client.errors_of(attempt.execution_id)
        is_understood = attempt.status is ImportStatus.FAILED and failed > 0
        kind = RefusalKind.INVALID if is_understood else RefusalKind.UNCLASSIFIED
        return Refused(kind, f"import {attempt.execution_id} {attempt.status}, {failed} failed: {words}"[:200])

    def _hand_over_all(
        self,
        books: Books,
        ready: Sequence[tuple[ErpJournal, str]],
        answers: dict[str, Posted | Refused | Pending],
    ) -> None:
        """One after the other; what comes after a trouble stays here.

        Raises:
            Unavailable: not one of them has left.
            ErpUncertain: not one of them was answered, and one may have been taken in.
        """
        for document, execution_id in ready:
            outcome = self._hand_over(books, document, execution_id)
            if isinstance(outcome, Pending | Refused):
                answers[document.number] = outcome
            elif answers:
                return
            elif isinstance(outcome, _Unknown):
                raise ErpUncertain(outcome.reason)
            else:
                raise Unavailable(outcome.reason)

    def _hand_over(
        self, books: Books, document: ErpJournal, execution_id: str
    ) -> Pending | Refused | _NotSent | _Unknown:
        try:
            package = package_of(self._connection.definition_group, self._rows(books, document))
            url = self._client.upload(f"{execution_id}.zip", package)
            response = self._client.begin_import(execution_id, url, books.company)
        except Unavailable as error:
            return _NotSent(str(error))
        except NEVER_SENT as error:
            return _NotSent(f"{self._name} cannot be reached: {type(error).__name__}")
        except httpx.TransportError as error:
            self._remember(execution_id)
            return _Unknown(f"no answer: {type(error).__name__}")
        if response.status_code in CLOSED_DOORS:
            return _NotSent(f"{self._name} answered {response.status_code} and began no import")
        if response.status_code == httpx.codes.BAD_REQUEST:
            return Refused(RefusalKind.UNCLASSIFIED, f"ImportFromPackage: {_words_in(response)}"[:200])
        self._remember(execution_id)
        if response.is_success:
            return Pending()
        return _Unknown(f"{self._name} answered {response.status_code}")

    def _remember(self, execution_id: str) -> None:
        now = self._clock()
        self._handed_over = {each: until for each, until in self._handed_over.items() if until > now}
        self._handed_over[execution_id] = now + self._connection.unseen_seconds

    def _rows(self, books: Books, document: ErpJournal) -> list[list[str]]:
        """The journal's lines in the order of `finance_words.FIELDS`."""
        day, number = document.effective_date.isoformat(), document.number
        currency = self._connection.currency
        return [
            [
                number,
                str(place),
                books.journal,
                number,
                "Ledger",
                account,
                day,
                number,
                currency,
                *sides_of(line.amount),
            ]
            for place, line in enumerate(document.lines, start=1)
            for account in (self._account(books, line),)
        ]

    def _account(self, books: Books, line: ErpLine) -> str:
        """The account's string: a value for each segment of the integration format, empty where the line has none."""
        chart = books.chart
        told = {
            MAIN_ACCOUNT: chart.account_of(line.account),
            self._connection.party_dimension: chart.party_of(line.party),
        }
        told |= {name: getattr(line, each.value) for each, name in chart.dimensions.items()}
        return self._connection.delimiter.join(told.get(name, "") for name in self._connection.dimension_format)


def _words_in(response: httpx.Response) -> str:
    """What the service says of an error; empty where it is not in its form."""
    try:
        error = response.json()["error"]
        return str(error.get("innererror", {}).get("message") or error["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
