"""The bridge from stored to public events: breaks, and when they end."""

from __future__ import annotations

from collections.abc import Iterable

from canonical.envelope import PublicEvent
from canonical.events.reconciliation import BreakOpened, BreakResolved
from chassis.domain import Event

from reconciliation.domain.breaks import Break, Resolution


def publish(event: Event) -> Iterable[PublicEvent]:
    """The public events that one stored event announces."""
    if isinstance(event, Break.Opened):
        place = event.place
        yield BreakOpened(
            break_id=event.originator_id,
            entity=place.entity,
            control=place.control.value,
            compared=place.compared.value,
            account=place.account,
            party=place.party,
            occurrence=event.occurrence,
            residual=event.residual,
            first_divergence=event.first_divergence.subject_id if event.first_divergence else None,
        )
    elif isinstance(event, Break.Resolved):
        yield BreakResolved(break_id=event.originator_id, how=event.how.value)
    elif isinstance(event, Break.WrittenOff):
        yield BreakResolved(break_id=event.originator_id, how=Resolution.WRITTEN_OFF.value)
