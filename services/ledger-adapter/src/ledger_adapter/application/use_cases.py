"""What a person may tell the ledger adapter to do."""

from __future__ import annotations

from uuid import UUID

from chassis.domain import Context, Refusal
from chassis.eventstore import EventStore, Work, transact
from chassis.exceptions import CASES, ExceptionCase
from chassis.exceptions.case import CaseState

from ledger_adapter.domain.journal_entry import JournalEntry


class ReasonMissing(Refusal):
    """Resuming an entry needs a reason that a later reader can understand."""


def resume_journal(store: EventStore, context: Context, journal_id: UUID, reason: str) -> None:
    """Lets an entry go on whose cause was mended at the ERP, and ends its cases; it is asked for before it is sent.

    Raises:
        UnknownAggregate: there is no such entry.
        IllegalMove: nothing has stopped it.
        ReasonMissing: fewer than five characters.
    """
    if len(reason.strip()) < 5:
        raise ReasonMissing("resuming a journal entry needs a reason of at least five characters")

    transact(store, context, lambda work: resume(work, work.require(JournalEntry, journal_id), reason))


def resume(work: Work, entry: JournalEntry, reason: str) -> None:
    """Lets an entry go on and ends its cases.

    Raises:
        IllegalMove: nothing has stopped it.
    """
    entry.resume(reason)
    for row in work.rows(CASES, {"subject_id": entry.id, "state": ["open", "assigned"]}):
        case_id = row["case_id"]
        assert isinstance(case_id, UUID)
        work.require(ExceptionCase, case_id).end(CaseState.CORRECTED, reason)
