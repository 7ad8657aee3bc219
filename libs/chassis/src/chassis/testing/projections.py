"""What every service proves of its projections: who says that it reads the events of some aggregates reads no others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chassis.domain import Event
from chassis.eventstore.projecting import ProjectionOf
from chassis.eventstore.tables import Projection


def unasked(projections: Sequence[Projection], events: Iterable[Event]) -> list[str]:
    """The topics of events of which a projection would make rows though the store does not ask it about them."""
    declared = [each for each in projections if isinstance(each, ProjectionOf)]
    return [
        event.TOPIC
        for event in events
        for each in declared
        if type(event) not in each.kinds and list(each.project(event))
    ]
