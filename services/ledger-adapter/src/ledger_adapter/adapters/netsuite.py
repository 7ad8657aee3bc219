"""NetSuite over its REST record service: one journal entry a document, our number its external id.

A document is created by POST alone. An upsert (`PUT .../eid:`) would change what somebody has booked under the number; a POST
under an external id that is taken is refused, and so books nothing twice and changes nothing.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import NAMESPACE_URL, uuid5

import httpx
from canonical.codes import Dimension
from chassis.domain import Unavailable

from ledger_adapter.adapters.books import Books, Chart, ErpSettings
from ledger_adapter.adapters.erp_amounts import decimal_of
from ledger_adapter.adapters.erp_calls import NEVER_SENT
from ledger_adapter.adapters.erp_quota import ErpQuota, QuotaSettings
from ledger_adapter.adapters.netsuite_client import NetSuiteClient, NetSuiteConnection
from ledger_adapter.adapters.netsuite_lists import CUSTOMERS, Company, NetSuiteLists, table_of
from ledger_adapter.adapters.netsuite_parties import NetSuiteParties
from ledger_adapter.adapters.netsuite_reading import NetSuiteReading
from ledger_adapter.adapters.netsuite_words import (
    IDEMPOTENCY_ERROR,
    error_in,
    identity_in,
    is_closed_door,
    refusal_in,
)
from ledger_adapter.application.ports import (
    AccountBalance,
    DimensionBalance,
    ErpDocument,
    ErpJournal,
    ErpLine,
    ErpParty,
    ErpUncertain,
    FiscalPeriod,
    KeptParty,
    Pending,
    PeriodState,
    Posted,
    RefusalKind,
    Refused,
)

JOURNAL = "journalEntry"
ASKED_AGAIN_SECONDS = 5.0
_Before = TypeVar("_Before")
_After = TypeVar("_After")


@dataclass(frozen=True, slots=True)
class _Ready:
    """A document that can be sent."""

    journal: ErpJournal
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _NotSent:
    """Nothing happened at the ERP."""

    reason: str


@dataclass(frozen=True, slots=True)
class _Unknown:
    """It may have been booked."""

    reason: str


_Outcome = Posted | Refused | Pending | _NotSent | _Unknown


@dataclass(slots=True)
class _Waiting:
    """A document that NetSuite has and has not decided on: a job that runs, or an approval. Nobody asks of it all the time."""

    job: str = ""
    asked_again_at: float = 0.0


@dataclass(slots=True)
class _Sending:
    """One batch on its way; once something goes wrong, what has not left stays here."""

    stopped: threading.Event = field(default_factory=threading.Event)

    def stop(self, outcome: _NotSent | _Unknown) -> _NotSent | _Unknown:
        self.stopped.set()
        return outcome


class NetSuiteErp:
    """One NetSuite account that keeps the books of some entities, each as a subsidiary. `clock` is monotonic, in seconds."""

    def __init__(
        self,
        name: str,
        connection: NetSuiteConnection,
        books: Mapping[str, Books],
        *,
        quota: ErpQuota | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._books = books
        self._clock = clock
        self._quota = quota or ErpQuota(name, QuotaSettings())
        self._jobs_from_lines = connection.jobs_from_lines
        self._waiting: dict[str, _Waiting] = {}
        self._client = NetSuiteClient(name, connection, self._quota, transport=transport)
        self._lists = NetSuiteLists(name, self._client, books)
        self._parties = NetSuiteParties(name, self._client, self._lists, books)
        self._reading = NetSuiteReading(self._client, self._lists, connection.accounting_book)

    @classmethod
    def configured(cls, name: str, settings: ErpSettings, books: Mapping[str, Books]) -> NetSuiteErp:
        """From the books configuration; needs `connection_file`."""
        connection = NetSuiteConnection.read(settings.connection_path(name))
        return cls(name, connection, books, quota=ErpQuota(name, settings.quota))

    @property
    def name(self) -> str:
        return self._name

    def find(self, entity: str, numbers: Sequence[str]) -> Mapping[str, ErpDocument | Pending]:
        """By one query, and record by record what it does not show: SuiteQL may be behind, a record is not."""
        company, chart = self._lists.company(entity), self._books[entity].chart
        early = {number: Pending() for number in numbers if self._is_early(number)}
        due = [number for number in numbers if number not in early]
        shown = self._reading.documents(company, chart, due)
        missing = [number for number in due if number not in shown]
        asked = self._at_once(missing, lambda number: self._find_one(company, chart, number))
        told = {number: held for number, held in zip(missing, asked, strict=True) if held is not None}
        return {**early, **shown, **told}

    def post(self, entity: str, documents: Sequence[ErpJournal]) -> Mapping[str, Posted | Refused | Pending]:
        company = self._lists.company(entity)
        answers: dict[str, Posted | Refused | Pending] = {}
        ready: list[_Ready] = []
        for document in documents:
            prepared = self._prepared(entity, company, document)
            if isinstance(prepared, Refused):
                answers[document.number] = prepared
            else:
                ready.append(prepared)
        if ready:
            answers |= self._send_all(company, ready)
        return answers

    def balances(self, entity: str) -> Sequence[AccountBalance]:
        return self._reading.balances(self._lists.company(entity), self._books[entity].chart)

    def dimensions(self, entity: str) -> frozenset[Dimension]:
        return frozenset(self._books[entity].chart.dimensions)

    def dimension_balances(self, entity: str) -> Sequence[DimensionBalance]:
        company = self._lists.company(entity)
        kept = self._books[entity].chart.dimensions
        return [row for each, told in kept.items() for row in self._reading.dimension_balances(company, each, told)]

    def periods(self, entity: str) -> Sequence[FiscalPeriod]:
        """The account's months: all subsidiaries share them."""
        return self._lists.periods()

    def find_party(self, entity: str, code: str) -> KeptParty | None:
        return self._parties.find(entity, code)

    def create_party(self, party: ErpParty) -> KeptParty | Refused:
        return self._parties.create(party)

    def close(self) -> None:
        """Ends the connections."""
        self._client.close()

    def _is_early(self, number: str) -> bool:
        waiting = self._waiting.get(number)
        return waiting is not None and self._clock() < waiting.asked_again_at

    def _find_one(self, company: Company, chart: Chart, number: str) -> ErpDocument | Pending | None:
        waiting = self._waiting.pop(number, _Waiting())
        held: ErpDocument | Pending | None = Pending()
        if not waiting.job or self._client.is_done(waiting.job):
            waiting.job = ""
            held = self._reading.document(company, chart, number)
        if isinstance(held, Pending):
            self._waiting[number] = _Waiting(waiting.job, self._clock() + ASKED_AGAIN_SECONDS)
        return held

    def _prepared(self, entity: str, company: Company, document: ErpJournal) -> _Ready | Refused:
        """What NetSuite makes a journal entry of, or why it cannot be one.

        The posting period is named: left out, NetSuite may choose another one than that of the date.
        """
        period = self._lists.period_of(document.effective_date)
        if not period:
            return Refused(RefusalKind.PERIOD_CLOSED, f"there is no period for {document.effective_date}")
        chart = self._books[entity].chart
        lines = []
        for line in document.lines:
            made = self._line(company, chart, line)
            if isinstance(made, Refused):
                return made
            lines.append(made)
        body = {
            "externalId": document.number,
            "subsidiary": {"id": company.subsidiary},
            "tranDate": document.effective_date.isoformat(),
            "postingPeriod": {"id": period},
            "approved": True,
            "line": {"items": lines},
        }
        return _Ready(document, body)

    def _line(self, company: Company, chart: Chart, line: ErpLine) -> Mapping[str, object] | Refused:
        side = "debit" if line.amount.minor > 0 else "credit"
        made: dict[str, object] = {
            "account": {"id": company.accounts[line.account]},
            side: decimal_of(line.amount if side == "debit" else -line.amount),
        }
        wanted = [("entity", CUSTOMERS, chart.party_of(line.party))]
        wanted += [(told, table_of(told), getattr(line, each.value)) for each, told in chart.dimensions.items()]
        for name, table, code in wanted:
            identity = self._lists.id_of(table, code) if code else ""
            if code and not identity:
                return Refused(RefusalKind.INVALID, f"the ERP has no {table} {code}")
            if identity:
                made[name] = {"id": identity}
        return made

    def _send_all(self, company: Company, ready: Sequence[_Ready]) -> dict[str, Posted | Refused | Pending]:
        """
        Raises:
            Unavailable: not one of them has left.
            ErpUncertain: not one of them was answered, and some may have been booked.
        """
        sending = _Sending()
        outcomes = self._at_once(ready, lambda each: self._send(company, each, sending))
        answers: dict[str, Posted | Refused | Pending] = {}
        unanswered: list[_NotSent | _Unknown] = []
        for each, outcome in zip(ready, outcomes, strict=True):
            if isinstance(outcome, _NotSent | _Unknown):
                unanswered.append(outcome)
            else:
                answers[each.journal.number] = self._with_period_looked_up(each.journal, outcome)
        if answers:
            return answers
        unknown = next((each.reason for each in unanswered if isinstance(each, _Unknown)), None)
        if unknown is not None:
            raise ErpUncertain(unknown)
        raise Unavailable(unanswered[0].reason)

    def _send(self, company: Company, ready: _Ready, sending: _Sending) -> _Outcome:
        is_job = 0 < self._jobs_from_lines <= len(ready.journal.lines)
        key = str(uuid5(NAMESPACE_URL, f"{company.subsidiary}/{ready.journal.number}")) if is_job else ""
        outcome = self._create(ready, key, sending)
        if isinstance(outcome, httpx.Response):
            return self._after_earlier_job(company, ready, outcome.headers.get("location", ""), sending)
        return outcome

    def _after_earlier_job(self, company: Company, ready: _Ready, job: str, sending: _Sending) -> _Outcome:
        """What to do where a job has had this key before: wait for it, or, where it has booked nothing, send without one."""
        number = ready.journal.number
        if not job:
            return sending.stop(_Unknown("an earlier job has the same key, and nobody says which"))
        try:
            if not self._client.is_done(job):
                self._waiting[number] = _Waiting(job)
                return Pending()
        except Unavailable as error:
            return sending.stop(_Unknown(str(error)))
        outcome = self._create(ready, "", sending)
        assert not isinstance(outcome, httpx.Response), "without a key none is repeated"
        return outcome

    def _create(self, ready: _Ready, key: str, sending: _Sending) -> _Outcome | httpx.Response:
        """One call, and what its answer means; the answer itself where the key was used before."""
        if sending.stopped.is_set():
            return _NotSent("the batch was stopped")
        try:
            response = self._client.create(JOURNAL, ready.body, job_key=key)
        except NEVER_SENT as error:
            return sending.stop(_NotSent(f"{self._name} cannot be reached: {type(error).__name__}"))
        except Unavailable as error:
            return sending.stop(_NotSent(str(error)))
        except httpx.TransportError as error:
            return sending.stop(_Unknown(f"no answer: {type(error).__name__}"))
        if key and error_in(response)[0] == IDEMPOTENCY_ERROR:
            return response
        if is_closed_door(response):
            return sending.stop(_NotSent(f"{self._name} answered {response.status_code} and booked nothing"))
        return self._meaning(ready.journal.number, response, sending)

    def _meaning(self, number: str, response: httpx.Response, sending: _Sending) -> _Outcome:
        if response.status_code == httpx.codes.ACCEPTED and response.headers.get("location"):
            self._waiting[number] = _Waiting(response.headers["location"])
            return Pending()
        if response.status_code == httpx.codes.NO_CONTENT and identity_in(response):
            return Posted(identity_in(response))
        if response.status_code >= 500 or not response.is_client_error:
            return sending.stop(_Unknown(f"{self._name} answered {response.status_code}"))
        return refusal_in(response)

    def _with_period_looked_up(
        self, journal: ErpJournal, answer: Posted | Refused | Pending
    ) -> Posted | Refused | Pending:
        """A refusal in words that nobody has classified, where the period is closed: the code for it is not published."""
        if not isinstance(answer, Refused) or answer.kind is not RefusalKind.UNCLASSIFIED:
            return answer
        day = journal.effective_date
        try:
            is_open = any(each.state is PeriodState.OPEN for each in self._lists.periods() if each.holds(day))
        except Unavailable:
            return answer
        return answer if is_open else Refused(RefusalKind.PERIOD_CLOSED, answer.reason)

    def _at_once(self, items: Sequence[_Before], call: Callable[[_Before], _After]) -> list[_After]:
        """The calls side by side, as many as the quota lets run now, in the lane of the caller."""
        if not items:
            return []
        with ThreadPoolExecutor(min(len(items), self._quota.traffic.concurrency), "netsuite") as pool:
            contexts = [contextvars.copy_context() for _ in items]
            return list(pool.map(lambda context, item: context.run(call, item), contexts, items))
