"""The commands of reconciliation: prove, judge a break, write one off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from canonical.ids import derive
from chassis.domain import Context, Meta, Refusal
from chassis.eventstore import EventStore, Work, transact

from reconciliation.application.drilling import Drilling
from reconciliation.application.proving import prove, settle
from reconciliation.application.queries import BREAKS, ROWS_MAX, RUNS, identity, written_off
from reconciliation.application.reading import Sources, read_books
from reconciliation.domain.books import ZERO, Books
from reconciliation.domain.breaks import Break, BreakState
from reconciliation.domain.findings import ControlResult, Verdict, less_written_off
from reconciliation.domain.runs import ReconciliationRun, run_id

READS_MAX = 8
SWEEP_SECONDS = 5.0


class UnknownEntity(Refusal):
    """A proof was asked for an entity that nobody has books of."""


@dataclass(frozen=True)
class Reconciling:
    """Proves the books. Messages may be on their way between books that stand still, so a difference becomes a break only
    when the books stood still for `patience`, or when it was the same for that long. `pause` waits between readings.
    """

    sources: Sources
    clock: Callable[[], datetime]
    pause: Callable[[], None]
    patience: timedelta

    def run(self, entities: Sequence[str] = (), context: Context | None = None) -> UUID:
        """Proves the books of these entities, or of all; gives the id of the proof.

        Raises:
            UnknownEntity: nobody has books of one of them.
            Unavailable, Transient: a service or an ERP does not answer; nothing was recorded.
        """
        known = self.sources.all_entities()
        chosen = tuple(sorted(set(entities))) or known
        unknown = sorted(set(chosen) - set(known))
        if unknown:
            raise UnknownEntity(f"no books of {', '.join(unknown)}; known are {', '.join(known)}")
        books, results, reads, stood_still = self._read_until_still(chosen)
        now = self.clock()
        identity_of_run = run_id(chosen, books.positions, now)
        judged = settle(
            results,
            self._last_results(),
            now=now,
            patience=self.patience,
            stood_still=stood_still,
            lagging=bool(books.lagging),
        )
        context = context or _own_context(identity_of_run, now)

        def record(work: Work) -> None:
            self._record(work, identity_of_run, books, judged, reads)

        transact(self.sources.store, context, record)
        return identity_of_run

    def _read_until_still(self, entities: Sequence[str]) -> tuple[Books, tuple[ControlResult, ...], int, bool]:
        """Reads until nothing is unexplained, or until the logs stood where they are for long enough, or eight times."""
        books, results = self._read(entities)
        still_since = self.clock()
        for reads in range(1, READS_MAX):
            if not _is_any_broken(results):
                return books, results, reads, True
            before = books
            self.pause()
            books, results = self._read(entities)
            if not (books.settled and before.settled) or books.positions != before.positions:
                still_since = self.clock()
            elif self.clock() - still_since >= self.patience:
                return books, results, reads + 1, True
        return books, results, READS_MAX, not _is_any_broken(results)

    def _read(self, entities: Sequence[str]) -> tuple[Books, tuple[ControlResult, ...]]:
        books = read_books(self.sources, entities)
        given_up = written_off(self.sources.store, entities)
        results = prove(books, Drilling(self.sources, books))
        return books, tuple(less_written_off(one, given_up.get(one.place.break_id, ZERO)) for one in results)

    def _last_results(self) -> tuple[ControlResult, ...]:
        store = self.sources.store
        rows = store.rows(RUNS, {}, order=("-completed_at",), limit=1)
        if not rows:
            return ()
        return (
            Work(store, _own_context(derive("last-run"), self.clock()))
            .require(ReconciliationRun, identity(rows[0], "run_id"))
            .results
        )

    def _record(self, work: Work, run: UUID, books: Books, results: Sequence[ControlResult], reads: int) -> None:
        """The proof, and what it means to the break of every place, together."""
        by_break = {result.place.break_id: result for result in results}
        gone = [one for one in _open_breaks(work.store, books.entities) if one not in by_break]
        work.prefetch([run, *by_break, *gone])
        for break_id, result in by_break.items():
            work.get_or_new(Break, break_id).take(result, run)
        for break_id in gone:
            work.require(Break, break_id).vanish(run)
        work.get_or_new(ReconciliationRun, run).record(books.entities, books.positions, reads, results)


@dataclass(frozen=True)
class Sweeping:
    """Proves everything each `every_seconds`, counted from the last proof of anybody; zero means never by itself."""

    reconciling: Reconciling
    every_seconds: float

    def run(self) -> int:
        """Never more than one proof at a time, so it gives 0: what is due is decided anew when it is asked again."""
        if self.every_seconds and self._is_due():
            self.reconciling.run()
        return 0

    def _is_due(self) -> bool:
        rows = self.reconciling.sources.store.rows(RUNS, {}, order=("-completed_at",), limit=1)
        last = rows[0]["completed_at"] if rows else None
        return (
            not isinstance(last, datetime) or last + timedelta(seconds=self.every_seconds) <= self.reconciling.clock()
        )


def explain_break(work: Work, break_id: UUID, reason: str) -> None:
    """A person says what it is; it stays open until the sides agree."""
    work.require(Break, break_id).explain(reason)


def correct_break(work: Work, break_id: UUID, reason: str) -> None:
    """A person says that the cause is corrected."""
    work.require(Break, break_id).correct(reason)


def request_write_off(work: Work, break_id: UUID, reason: str) -> None:
    """The maker's half of a write-off."""
    work.require(Break, break_id).request_write_off(reason)


def write_off_break(work: Work, break_id: UUID, reason: str) -> None:
    """The checker's half of a write-off."""
    work.require(Break, break_id).write_off(reason)


def _is_any_broken(results: Sequence[ControlResult]) -> bool:
    return any(result.verdict is Verdict.BROKEN for result in results)


def _open_breaks(store: EventStore, entities: Sequence[str]) -> list[UUID]:
    states = [BreakState.OPENED.value, BreakState.EXPLAINED.value]
    rows = store.rows(BREAKS, {"state": states, "entity": list(entities)}, limit=ROWS_MAX)
    return [identity(row, "break_id") for row in rows]


def _own_context(cause: UUID, now: datetime) -> Context:
    return Context(now, Meta(correlation_id=cause, causation_id=cause, actor="service:reconciliation"))
