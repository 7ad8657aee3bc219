"""The prior-period report: what was booked in a later period than its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from canonical.journal import JournalLine
from chassis.eventstore import EventStore, Row

from ledger_adapter.application.queries import JOURNALS
from ledger_adapter.application.summaries import DIMENSIONS, summarised_rows
from ledger_adapter.domain.journal_entry import JournalState

LATE_MAX = 10_000
BOOKED = (JournalState.POSTED.value, JournalState.CONFIRMED.value, JournalState.DIFFERS.value)


@dataclass(frozen=True, slots=True)
class LateJournals:
    """Entries that were booked in a later period than their own, by the day they were booked on, and their sums.

    `has_more` says that others were left out, of the last of these days or after it.
    """

    journals: Sequence[Row]
    totals: tuple[JournalLine, ...]
    has_more: bool = False


def late_journals(store: EventStore, entity: str, booked_from: date | None, booked_until: date | None) -> LateJournals:
    """Those of an entity that were booked within these days, both included."""
    where = {"entity": entity, "state": list(BOOKED)}
    days = [
        day
        for row in store.sums(JOURNALS, [], ["posting_date"], where)
        if isinstance(day := row["posting_date"], date)
        and (booked_from is None or day >= booked_from)
        and (booked_until is None or day <= booked_until)
    ]
    rows = store.rows(JOURNALS, where | {"posting_date": days}, order=("posting_date",), limit=LATE_MAX + 1)
    found = rows[:LATE_MAX]
    sums = summarised_rows(line for row in found for line in _line_rows(row))
    return LateJournals(found, sums, has_more=len(rows) > LATE_MAX)


def _line_rows(row: Row) -> Iterable[Row]:
    lines = row["lines"]
    assert isinstance(lines, list), "the lines of an entry are a list"
    for line in map(JournalLine.model_validate, lines):
        place = {"account": line.account.value, "party": line.party, "amount_minor": line.amount.minor}
        yield place | {name: getattr(line, name) for name in DIMENSIONS}
