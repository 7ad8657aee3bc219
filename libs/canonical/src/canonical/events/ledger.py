"""What the ledger adapter announces: journal entries from intent to confirmation."""

from __future__ import annotations

from uuid import UUID

from canonical.classes import Public
from canonical.envelope import PublicEvent
from canonical.journal import JournalHead, JournalLine


class JournalIntended(PublicEvent):
    """An entry will be booked. `group_id` is what it is the entry of: the remittance, or the id of the batch or fact."""

    SERVICE = "ledger"
    TYPE = "journal-intended"

    head: JournalHead
    lines: tuple[JournalLine, ...]
    group_id: UUID | None = None


class JournalConfirmed(PublicEvent):
    """The ERP holds the entry: read back, equal line by line."""

    SERVICE = "ledger"
    TYPE = "journal-confirmed"

    head: JournalHead
    lines: tuple[JournalLine, ...]
    erp: Public[str]
    erp_document: Public[str]


class JournalRejected(PublicEvent):
    SERVICE = "ledger"
    TYPE = "journal-rejected"

    journal_id: UUID
    reason: Public[str]
