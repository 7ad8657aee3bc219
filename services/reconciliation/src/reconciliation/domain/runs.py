"""One proof: over which entities, at which positions of the services' logs, and what every control found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event

from reconciliation.domain.findings import ControlResult


def run_id(entities: Sequence[str], positions: Mapping[str, int], at: datetime) -> UUID:
    """The id of a proof: the same books at the same instant are the same proof."""
    named = [f"{service}={position}" for service, position in sorted(positions.items())]
    return derive("reconciliation-run", ",".join(sorted(entities)), ",".join(named), at.isoformat())


class ReconciliationRun(Aggregate):
    """Started, then completed with its results, which can be read again for ever."""

    def start(self) -> None:
        self.entities: tuple[str, ...] = ()
        self.positions: dict[str, int] = {}
        self.results: tuple[ControlResult, ...] = ()
        self.started_at: datetime | None = None
        self.completed_at: datetime | None = None
        self.requested_by = ""

    class Started(Event):
        TOPIC = "reconciliation.run.started"
        entities: tuple[Public[str], ...]
        requested_by: Public[str]

        def apply(self, run: ReconciliationRun) -> None:
            run.entities = self.entities
            run.requested_by = self.requested_by
            run.started_at = self.timestamp

    class Completed(Event):
        """`positions` by service name; `reads` is how often the books were read until they stood still, or were given up."""

        TOPIC = "reconciliation.run.completed"
        positions: dict[Public[str], int]
        reads: int
        results: tuple[ControlResult, ...]

        def apply(self, run: ReconciliationRun) -> None:
            run.positions = self.positions
            run.results = self.results
            run.completed_at = self.timestamp

    def record(
        self, entities: Sequence[str], positions: Mapping[str, int], reads: int, results: Sequence[ControlResult]
    ) -> None:
        """Records a finished proof, once."""
        if self.exists:
            return
        self.trigger_event(self.Started, entities=tuple(entities), requested_by=self.context.meta.actor)
        self.trigger_event(self.Completed, positions=dict(positions), reads=reads, results=tuple(results))
