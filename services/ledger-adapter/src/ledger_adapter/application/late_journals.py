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

ROWS_MAX = 1_000_000
LATE_MAX = 10_000
BOOKED = (JournalState.POSTED.value, JournalState.CONFIRMED.value, JournalState.DIFFERS.value)


@dataclass(frozen=True, slots=True)
class LateJournals:
    """Entries that were booked in a later period than their own, by the day they were booked on, and their sums."""

    journals: Sequence[Row]
    totals: tuple[JournalLine, ...]


def late_journals(store: EventStore, entity: str, booked_from: date | None, booked_until: date | None) -> LateJournals:
    """Those of an entity that were booked within these days, both included."""
    rows = store.rows(JOURNALS, {"entity": entity, "state": list(BOOKED)}, order=("posting_date",), limit=ROWS_MAX)
    found = [
        row
        for row in rows
        if isinstance(day := row["posting_date"], date)
        and (booked_from is None or day >= booked_from)
        and (booked_until is None or day <= booked_until)
    ][:LATE_MAX]
    return LateJournals(found, summarised_rows(line for row in found for line in _line_rows(row)))


def _line_rows(row: Row) -> Iterable[Row]:
    lines = row["lines"]
    assert isinstance(lines, list), "the lines of an entry are a list"
    for line in map(JournalLine.model_validate, lines):
        place = {"account": line.account.value, "party": line.party, "amount_minor": line.amount.minor}
        yield place | {name: getattr(line, name) for name in DIMENSIONS}
