"""The bridge from stored to public events: what others may rely on."""

from __future__ import annotations

from collections.abc import Iterable

from canonical.envelope import PublicEvent
from canonical.events.ledger import JournalConfirmed, JournalIntended, JournalRejected
from chassis.domain import Event

from ledger_adapter.domain.journal_entry import JournalEntry


def publish(event: Event) -> Iterable[PublicEvent]:
    """The public events that one stored event announces."""
    if isinstance(event, JournalEntry.Intended):
        yield JournalIntended(head=event.head, lines=event.lines, group_id=event.group_id)
    elif isinstance(event, JournalEntry.Confirmed):
        yield JournalConfirmed(head=event.head, lines=event.lines, erp=event.erp, erp_document=event.erp_document)
    elif isinstance(event, JournalEntry.Rejected):
        yield JournalRejected(journal_id=event.originator_id, reason=f"{event.code}: {event.reason}")
