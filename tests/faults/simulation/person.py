"""The person who mends what stopped at the ERP and lets it go on."""

from __future__ import annotations

from uuid import UUID

from canonical.ids import derive
from chassis.domain import Context, Meta
from chassis.eventstore import EventStore
from chassis.testing.clock import FixedClock
from ledger_adapter.application.queries import JOURNALS
from ledger_adapter.application.use_cases import resume_journal
from ledger_adapter.domain.journal_entry import IllegalMove, JournalState

MENDABLE = (JournalState.REJECTED.value, JournalState.HELD_FOR_PERIOD.value)


def resume_stopped_journals(store: EventStore, clock: FixedClock) -> int:
    """Resumes every journal entry that was refused or held; how many."""
    stopped = store.rows(JOURNALS, {"state": MENDABLE}, order=("journal_id",))
    for row in stopped:
        journal_id = row["journal_id"]
        assert isinstance(journal_id, UUID)
        cause = derive("simulated-command", journal_id, clock().isoformat())
        meta = Meta(correlation_id=cause, causation_id=cause, actor="user:accountant")
        try:
            resume_journal(store, Context(clock(), meta), journal_id, "mended at the ERP")
        except IllegalMove:
            # A commit whose reply was lost is decided again, and finds the entry resumed already.
            continue
    return len(stopped)
