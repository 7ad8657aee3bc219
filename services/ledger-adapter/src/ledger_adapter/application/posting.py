"""Posting to the ERP: intent, probe, post, confirm; in batches per entity, paused while an ERP is down.

Nothing is sent that was not asked for by its number in the same run, and every sending is preceded by a recorded probe:
of two replicas that would send the same entry, the version lets one through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from canonical.ids import derive
from chassis.domain import Unavailable
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.exceptions import raise_case

from ledger_adapter.application.drafting import context_for
from ledger_adapter.application.exchanging import (
    confirm_nothing,
    confirm_or_report,
    day_to_book,
    document_or_case,
    hold,
    is_elsewhere,
    record_refusal,
)
from ledger_adapter.application.lanes import Lane, calling_in
from ledger_adapter.application.pauses import Pace, Pauses, Questions
from ledger_adapter.application.ports import (
    Erp,
    ErpDirectory,
    ErpDocument,
    ErpJournal,
    ErpUncertain,
    Pending,
    Posted,
    Refused,
    UnknownEntity,
)
from ledger_adapter.application.queries import JOURNALS
from ledger_adapter.application.summaries import kept, minor
from ledger_adapter.domain.journal_entry import JournalEntry, JournalState

BATCH_MAX = 50
BATCH_BESIDE_MAX = 5
UNCERTAIN_MAX = 5_000
HANDED_OVER = "handed over, not acknowledged yet"
FIRST = Lane.PATIENT_PAYMENT
TURNED_EVERY = 8
NOT_SENT = (JournalState.INTENDED, JournalState.PROBED)
UNKNOWN_OUTCOME = (JournalState.UNCERTAIN,)
TO_CONFIRM = (JournalState.POSTED,)
Answer = Posted | Refused | Pending
_T = TypeVar("_T")


class JournalPosting:
    """Moves the journal entries of one ERP's entities from intended to confirmed, the lowest lane first.

    Without a name it looks after the entities that no ERP is configured for.
    """

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        erps: ErpDirectory,
        erp_name: str,
        *,
        crash_point: CrashPoint = no_crash,
        batch_max: int = BATCH_MAX,
    ) -> None:
        self._store = store
        self._clock = clock
        self._erps = erps
        self._erp_name = erp_name
        self._crash_point = crash_point
        self._batch_max = batch_max
        self._pauses = Pauses()
        self._questions = Questions()
        self._pace = Pace()
        self._runs = 0

    def run(self) -> int:
        """One batch of patients' money and one of another lane per entity; how many entries moved on.

        Every few runs the lanes that wait longest go before the others, so that none is starved. While patients' money
        comes, it is not kept waiting: beside it go small batches, of one entity at a time.
        """
        waiting = [state.value for state in (*NOT_SENT, *UNKNOWN_OUTCOME, *TO_CONFIRM)]
        found = self._store.sums(JOURNALS, [], ["entity", "lane"], {"state": waiting})
        places = [(Lane(minor(row, "lane")), str(row["entity"])) for row in found]
        by_lane: dict[Lane, list[str]] = {}
        for lane, entity in sorted(places):
            if self._erps.name_of(entity) == self._erp_name:
                by_lane.setdefault(lane, []).append(entity)
        self._runs += 1
        patients = by_lane.pop(FIRST, [])
        is_beside = self._pace.is_beside(self._clock(), is_first_here=bool(patients))
        moved = sum(self._run_for(entity, FIRST) for entity in patients)
        for lane in sorted(by_lane, reverse=self._runs % TURNED_EVERY == 0):
            of_lane = self._run_other(by_lane[lane], lane, one_is_enough=is_beside)
            if of_lane:
                return moved + of_lane
        return moved

    def _run_other(self, entities: Sequence[str], lane: Lane, *, one_is_enough: bool) -> int:
        """Each entity of a lane, or those up to the first of which something moved; another one is the first each time."""
        moved, first = 0, self._runs % len(entities)
        for entity in (*entities[first:], *entities[:first]):
            if not (moved and one_is_enough):
                moved += self._run_for(entity, lane)
        return moved

    def _run_for(self, entity: str, lane: Lane) -> int:
        with calling_in(lane):
            return self._run_lane(entity, lane)

    def _run_lane(self, entity: str, lane: Lane) -> int:
        now = self._clock()
        if self._pauses.holds(entity, now):
            return 0
        try:
            erp = self._erps.of(entity)
            due = self._due(entity, lane, NOT_SENT)
            moved = self._send(entity, erp, due)
            if self._questions.may_ask((entity, lane), now, is_busy=bool(due)):
                moved += sum(self._send(entity, erp, window) for window in self._uncertain(entity, lane))
            moved += self._confirm(entity, erp, lane)
        except Unavailable:
            self._pauses.lengthen(entity, self._clock())
            return 0
        except UnknownEntity as unknown:
            self._pauses.lengthen(entity, self._clock())
            self._report_unknown_entity(entity, str(unknown))
            return 0
        self._pauses.end(entity)
        return moved

    def _send(self, entity: str, erp: Erp, rows: Sequence[Row]) -> int:
        if not rows:
            return 0
        found = erp.find(entity, [str(row["external_number"]) for row in rows])
        rows = [row for row in rows if not _is_asked_for_already(row, found)]
        documents, moved = self._record_probe(rows, found, erp)
        if not documents:
            return moved
        self._crash_point("before-erp")
        answers: Mapping[str, Answer]
        try:
            answers = erp.post(entity, list(documents.values()))
        except ErpUncertain as uncertain:
            self._crash_point("after-erp")
            self._record_uncertain(documents, str(uncertain))
            return moved
        self._crash_point("after-erp")
        return moved + self._record_answers(documents, answers, erp)

    def _due(self, entity: str, lane: Lane, states: Sequence[JournalState]) -> list[Row]:
        where = {"entity": entity, "lane": lane.value, "state": [state.value for state in states]}
        limit = min(self._batch_max, BATCH_BESIDE_MAX) if self._pace.is_slow_for(lane) else self._batch_max
        return self._store.rows(JOURNALS, where, order=("intended_at",), limit=limit)

    def _uncertain(self, entity: str, lane: Lane) -> Iterator[list[Row]]:
        """Every entry of unknown outcome, window by window: some may stay so for long and must not hide the others."""
        where = {"entity": entity, "lane": lane.value, "state": [state.value for state in UNKNOWN_OUTCOME]}
        rows = self._store.rows(JOURNALS, where, order=("intended_at",), limit=UNCERTAIN_MAX)
        for start in range(0, len(rows), self._batch_max):
            yield rows[start : start + self._batch_max]

    def _record_probe(
        self, rows: Sequence[Row], found: Mapping[str, ErpDocument | Pending], erp: Erp
    ) -> tuple[dict[UUID, ErpJournal], int]:
        """Records what the ERP holds; the documents that are ours to send now, and how many turned out to be there.

        An ERP that takes files may have thousands in hand: `rows` are those that it has decided, or never got, and those that
        a process which died had handed over.
        """
        if not rows:
            return {}, 0

        def decide(work: Work) -> tuple[dict[UUID, ErpJournal], int]:
            to_send: dict[UUID, ErpJournal] = {}
            there = 0
            for entry in _untouched(work, rows):
                assert entry.head is not None, "an intended entry has a head"
                if is_elsewhere(work, entry, erp.name):
                    continue
                held = found.get(entry.head.external_number)
                if isinstance(held, ErpDocument):
                    entry.record_posted(erp.name, held.document_id)
                    there += 1
                elif isinstance(held, Pending):
                    if entry.state is JournalState.PROBED:
                        entry.record_uncertain(HANDED_OVER)
                elif (document := self._document(work, entry, erp)) is not None:
                    to_send[entry.id] = document
            return to_send, there

        return self._transact(_ids(rows), decide)

    def _document(self, work: Work, entry: JournalEntry, erp: Erp) -> ErpJournal | None:
        """What is to be sent of an entry that the ERP does not know; None where it waits, is refused, or moves nothing there."""
        assert entry.head is not None, "an intended entry has a head"
        day = day_to_book(work, entry, self._erps.late_policy(entry.head.entity))
        if day is None:
            hold(work, entry, f"the period of {entry.head.effective_date} is closed")
            return None
        dimensions = erp.dimensions(entry.head.entity)
        if not kept(entry.lines, dimensions):
            confirm_nothing(entry, erp.name)
            return None
        entry.record_probe(day, erp=erp.name)
        return document_or_case(work, entry, dimensions)

    def _record_uncertain(self, documents: Mapping[UUID, ErpJournal], reason: str) -> None:
        def decide(work: Work) -> None:
            for entry in _probed(work, documents):
                entry.record_uncertain(reason[:200])

        self._transact(documents, decide)

    def _record_answers(
        self,
        documents: Mapping[UUID, ErpJournal],
        answers: Mapping[str, Answer],
        erp: Erp,
    ) -> int:
        def decide(work: Work) -> int:
            moved = 0
            for entry in _probed(work, documents):
                answer = answers.get(documents[entry.id].number)
                if isinstance(answer, Posted):
                    entry.record_posted(erp.name, answer.document_id)
                    moved += 1
                elif isinstance(answer, Refused):
                    moved += record_refusal(work, entry, answer)
                elif isinstance(answer, Pending):
                    entry.record_uncertain(HANDED_OVER)
                else:
                    entry.record_uncertain("the ERP did not answer for this number")
            return moved

        return self._transact(documents, decide)

    def _confirm(self, entity: str, erp: Erp, lane: Lane) -> int:
        rows = self._due(entity, lane, TO_CONFIRM)
        if not rows:
            return 0
        held = erp.find(entity, [str(row["external_number"]) for row in rows])
        dimensions = erp.dimensions(entity)

        def decide(work: Work) -> int:
            entries = (entry for entry in _untouched(work, rows) if not is_elsewhere(work, entry, erp.name))
            return sum(confirm_or_report(work, entry, held, dimensions) for entry in entries)

        return self._transact(_ids(rows), decide)

    def _transact(self, ids: Iterable[object], decide: Callable[[Work], _T]) -> _T:
        cause = derive("erp-exchange", *sorted(map(str, ids)))
        return transact(self._store, context_for(cause, self._clock()), decide, crash_point=self._crash_point)

    def _report_unknown_entity(self, entity: str, summary: str) -> None:
        cause = derive("entity-without-erp", entity)

        def decide(work: Work) -> None:
            raise_case(work, cause, code="UnknownEntity", summary=summary, subject="entity", entity=entity)

        transact(self._store, context_for(cause, self._clock()), decide)


def _is_asked_for_already(row: Row, found: Mapping[str, ErpDocument | Pending]) -> bool:
    """Whether the ERP has it in hand, and we know that it has."""
    is_in_hand = isinstance(found.get(str(row["external_number"])), Pending)
    return is_in_hand and row["state"] != JournalState.PROBED.value


def _ids(rows: Iterable[Row]) -> list[UUID]:
    return [identity for row in rows if isinstance(identity := row["journal_id"], UUID)]


def _untouched(work: Work, rows: Sequence[Row]) -> Iterator[JournalEntry]:
    """The entries that nobody has moved since their rows were read."""
    versions = {row["journal_id"]: row["version"] for row in rows}
    work.prefetch(_ids(rows))
    for identity in _ids(rows):
        entry = work.require(JournalEntry, identity)
        if entry.version == versions[identity]:
            yield entry


def _probed(work: Work, documents: Mapping[UUID, ErpJournal]) -> Iterator[JournalEntry]:
    """The entries whose sending is still the last thing known of them."""
    work.prefetch(documents)
    for identity in documents:
        entry = work.require(JournalEntry, identity)
        if entry.state is JournalState.PROBED:
            yield entry
