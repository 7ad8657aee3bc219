"""Fiscal periods as the ERPs tell them, kept here; what a closed period held goes on when it may."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from canonical.ids import derive
from chassis.domain import Event, Unavailable
from chassis.eventstore import Change, EventStore, Row, Table, Work, put, transact
from chassis.eventstore.projecting import of

from ledger_adapter.application.drafting import context_for
from ledger_adapter.application.lanes import Lane, calling_in
from ledger_adapter.application.ports import ErpDirectory
from ledger_adapter.application.queries import JOURNALS
from ledger_adapter.application.use_cases import resume
from ledger_adapter.domain.journal_entry import JournalEntry, JournalState
from ledger_adapter.domain.period_calendar import (
    FiscalPeriod,
    PeriodCalendar,
    PeriodState,
    calendar_id,
    posting_day,
)

HELD_PER_RUN_MAX = 500
LOOK_EVERY = timedelta(seconds=30)
PERIODS = Table(
    "fiscal_periods",
    {
        "entity": "text",
        "start_date": "date",
        "end_date": "date",
        "name": "text",
        "state": "text",
        "erp": "text",
        "told_at": "timestamptz",
    },
    key=("entity", "start_date"),
)
"""`told_at` is when the ERP last told something else of the entity's periods."""


@of(PeriodCalendar)
def project_periods(event: Event) -> Iterable[Change]:
    """A row per period."""
    if isinstance(event, PeriodCalendar.Told):
        for period in event.periods:
            yield put(
                PERIODS,
                entity=event.entity,
                start_date=period.start,
                end_date=period.end,
                name=period.name,
                state=period.state.value,
                erp=event.erp,
                told_at=event.timestamp,
            )


class PeriodReading:
    """Asks one ERP for the periods of its entities, and lets go on what a closed period held.

    An ERP that is down, or tells no periods, changes nothing.
    """

    def __init__(self, store: EventStore, clock: Callable[[], datetime], erps: ErpDirectory, erp_name: str) -> None:
        self._store = store
        self._clock = clock
        self._erps = erps
        self._erp_name = erp_name
        self._next_look: datetime | None = None

    def run(self) -> int:
        """How many calendars were news; between two looks there are at least `LOOK_EVERY`."""
        now = self._clock()
        if self._next_look is not None and now < self._next_look:
            return 0
        self._next_look = now + LOOK_EVERY
        entities = [entity for entity in self._erps.entities() if self._erps.name_of(entity) == self._erp_name]
        return sum(self._read(entity) for entity in entities)

    def _read(self, entity: str) -> int:
        try:
            with calling_in(Lane.MONTH_END):
                periods = self._erps.of(entity).periods(entity)
        except Unavailable:
            return 0
        identity = calendar_id(entity)

        def decide(work: Work) -> int:
            return int(work.get_or_new(PeriodCalendar, identity).tell(entity, self._erp_name, periods))

        return transact(self._store, context_for(identity, self._clock()), decide)


class HeldRelease:
    """Resumes entries that a closed period held: it is open again, or by the entity's policy another one takes them.

    A day that the ERP refused is tried again only after it has told something else of its periods, so that one that is refused
    again is not sent over and over; another day is tried at once.
    """

    def __init__(self, store: EventStore, clock: Callable[[], datetime], erps: ErpDirectory) -> None:
        self._store = store
        self._clock = clock
        self._erps = erps

    def run(self) -> int:
        """How many were resumed; days that stay closed, however many entries they hold, keep no others waiting."""
        held = {"state": JournalState.HELD_FOR_PERIOD.value}
        groups = self._store.sums(JOURNALS, [], ["entity", "effective_date", "refused_day"], held)
        calendars: dict[str, list[Row]] = {}
        resumed = 0
        for group in groups:
            entity = str(group["entity"])
            if entity not in calendars:
                calendars[entity] = told_last(self._store.rows(PERIODS, {"entity": entity}))
            resumed += self._release_group(group, held, calendars[entity])
        return resumed

    def _release_group(self, group: Row, held: Mapping[str, object], periods: list[Row]) -> int:
        day, refused = group["effective_date"], group["refused_day"]
        assert isinstance(day, date)
        if not periods:
            return 0
        on = posting_day(day, map(period_of, periods), self._erps.late_policy(str(group["entity"])))
        told_at = periods[0]["told_at"]
        assert isinstance(told_at, datetime)
        if on is None:
            return 0
        where = {**held, **{name: group[name] for name in ("entity", "effective_date", "refused_day")}}
        rows = self._store.rows(JOURNALS, where, order=("changed_at",), limit=HELD_PER_RUN_MAX)
        return sum(self._release(row, day, on) for row in rows if on != refused or _is_before(row, told_at))

    def _release(self, row: Row, day: date, on: date) -> int:
        journal_id, changed_at = row["journal_id"], row["changed_at"]
        assert isinstance(journal_id, UUID)
        assert isinstance(changed_at, datetime)
        reason = f"the period of {day} is open again" if on == day else f"booked on {on}, the period of {day} is closed"
        context = context_for(derive("held-release", journal_id, changed_at.isoformat()), self._clock())

        def decide(work: Work) -> int:
            entry = work.require(JournalEntry, journal_id)
            if entry.state is not JournalState.HELD_FOR_PERIOD:
                return 0
            resume(work, entry, reason)
            return 1

        return transact(self._store, context, decide)


def _is_before(row: Row, told_at: datetime) -> bool:
    return isinstance(changed_at := row["changed_at"], datetime) and changed_at < told_at


def told_last(periods: Sequence[Row]) -> list[Row]:
    """Those of each entity that its ERP told last; it tells all of them, so the others are no more."""
    latest: dict[object, datetime] = {}
    for row in periods:
        entity, told_at = row["entity"], row["told_at"]
        assert isinstance(told_at, datetime), "a period was told at some time"
        latest[entity] = max(told_at, latest.get(entity, told_at))
    return [row for row in periods if row["told_at"] == latest[row["entity"]]]


def period_of(row: Row) -> FiscalPeriod:
    """A period by its row."""
    start, end = row["start_date"], row["end_date"]
    assert isinstance(start, date)
    assert isinstance(end, date)
    return FiscalPeriod(name=str(row["name"]), start=start, end=end, state=PeriodState(str(row["state"])))
