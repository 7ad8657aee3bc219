"""Batches of charges per entity and day: whose posting is in which journal entry."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event


def charge_batches_id(entity: str, day: date) -> UUID:
    """The batches of one entity's charges of one day; also the group of their postings."""
    return derive("charge-batches", entity, day)


class ChargeBatches(Aggregate):
    """Numbers the batches of one entity and day. Its version decides membership: of two who close at once, one wins."""

    def start(self) -> None:
        self.closed = 0

    class Closed(Event):
        """`ordinal` counts from 1; a posting is in exactly one batch."""

        TOPIC = "ledger.charge-batches.closed"
        ordinal: int
        entity: Public[str]
        effective_date: Public[date]
        journal_id: UUID
        posting_ids: tuple[UUID, ...]

        def apply(self, batches: ChargeBatches) -> None:
            batches.closed = self.ordinal

    @property
    def next_ordinal(self) -> int:
        return self.closed + 1

    def close(self, entity: str, day: date, journal_id: UUID, posting_ids: tuple[UUID, ...]) -> None:
        assert posting_ids, "an empty batch is never closed"
        self.trigger_event(
            self.Closed,
            ordinal=self.next_ordinal,
            entity=entity,
            effective_date=day,
            journal_id=journal_id,
            posting_ids=posting_ids,
        )
