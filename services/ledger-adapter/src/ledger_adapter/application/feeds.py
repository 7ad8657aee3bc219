"""What other systems read page by page: entries in the order in which they changed, and receivables by party."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.eventstore import EventStore, Row

from ledger_adapter.application.queries import BALANCES, JOURNALS
from ledger_adapter.domain.posting_rules import PATIENT_ACCOUNTS, PAYER_ACCOUNTS

EVENTS_AT_ONCE = 1000
EVENTS_PER_PAGE_MAX = 20_000
JOURNAL_TOPICS = "ledger.journal-entry."
RECEIVABLES = tuple(sorted(role.value for role in PAYER_ACCOUNTS | PATIENT_ACCOUNTS))


@dataclass(frozen=True, slots=True)
class JournalChanges:
    """Entries with the position of their latest change on this page, in that order, and where the next page begins."""

    changes: Sequence[tuple[int, Row]]
    next_position: int
    more: bool


def journal_changes(
    store: EventStore, after: int, size: int, *, entity: str = "", since: datetime | None = None
) -> JournalChanges:
    """A page of at most `size` entries that changed after a position of the log; it reads a bounded piece of the log.

    The log has no gaps and grows at its end alone, so that a reader who goes on from `next_position` misses none.
    """
    changed: dict[UUID, int] = {}
    position, stop = after, after + EVENTS_PER_PAGE_MAX
    while position < stop and len(changed) < size:
        logged = store.log(position, EVENTS_AT_ONCE)
        if not logged:
            break
        for each in logged:
            position = each.position
            if each.topic.startswith(JOURNAL_TOPICS):
                journal_id = each.event.originator_id
                changed.pop(journal_id, None)
                changed[journal_id] = position
                if len(changed) == size:
                    break
    rows = {row["journal_id"]: row for row in store.rows(JOURNALS, {"journal_id": list(changed)}, limit=size)}
    wanted = [(place, rows[journal_id]) for journal_id, place in changed.items() if journal_id in rows]
    kept = [(place, row) for place, row in wanted if _is_asked_for(row, entity, since)]
    return JournalChanges(kept, position, position < store.last_position())


def _is_asked_for(row: Row, entity: str, since: datetime | None) -> bool:
    changed_at = row["changed_at"]
    assert isinstance(changed_at, datetime)
    return (not entity or row["entity"] == entity) and (since is None or changed_at >= since)


def receivable_balances(store: EventStore, entity: str, size: int, after: Row | None) -> list[Row]:
    """Up to `size` balances of receivable accounts by entity, account and party, those after a row's place."""
    where: dict[str, object] = {"account": list(RECEIVABLES)}
    if entity:
        where["entity"] = entity
    return store.rows(BALANCES, where, limit=size, after=after)
