"""Which projections are asked about which events: most read the events of a few aggregates, and nothing of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from chassis.domain import Aggregate, Event
from chassis.eventstore.registry import events_of
from chassis.eventstore.tables import Change, Projection


@dataclass(frozen=True, slots=True)
class ProjectionOf:
    """A projection that makes no row of any event but those of its aggregates."""

    project: Projection
    kinds: frozenset[type[Event]]

    def __call__(self, event: Event) -> Iterable[Change]:
        return self.project(event)


def of(*aggregates: type[Aggregate]) -> Callable[[Projection], ProjectionOf]:
    """Says of a projection that it reads the events of these aggregates alone, so that it is not asked about others."""
    kinds = frozenset(kind for aggregate in aggregates for kind in events_of(aggregate))
    return lambda project: ProjectionOf(project, kinds)


class Projecting:
    """The projections of a store; whom to ask about a kind of event is found out once."""

    def __init__(self, projections: Sequence[Projection]) -> None:
        self._projections = tuple(projections)
        self._concerned: dict[type[Event], tuple[Projection, ...]] = {}

    def changes(self, events: Iterable[Event]) -> Iterator[Change]:
        """What the events change, event by event, each in the order of the projections."""
        for event in events:
            concerned = self._concerned.get(type(event))
            if concerned is None:
                concerned = self._concerned[type(event)] = tuple(self._of_kind(type(event)))
            for project in concerned:
                yield from project(event)

    def _of_kind(self, kind: type[Event]) -> Iterator[Projection]:
        for project in self._projections:
            if not isinstance(project, ProjectionOf):
                yield project
            elif kind in project.kinds:
                yield project.project
