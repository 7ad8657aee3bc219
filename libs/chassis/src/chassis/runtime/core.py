"""A service without its transports: what the real runtime and the simulation both drive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chassis.domain import Aggregate
from chassis.eventstore.port import EventStore
from chassis.eventstore.registry import EventRegistry
from chassis.eventstore.tables import Projection, Table
from chassis.eventstore.work import Work
from chassis.exceptions.case import CASES, ExceptionCase, project_cases
from chassis.exceptions.guides import Guides
from chassis.messaging.consumer import BatchConsumer, Mending
from chassis.messaging.relay import Publishing

REST_SHARE, REST_SECONDS_MIN, REST_SECONDS_MAX = 20, 0.03, 1.0
Dismissing = Callable[[Work, UUID, str], None]


@dataclass(frozen=True)
class ServiceShape:
    """What a service keeps and announces, known before anything is started: for migrations, docs, replay and checks.

    `name` is the service's token in subjects and durables (`ledger` for the ledger adapter); `guides` say by code what a
    person may do about a case.
    """

    name: str
    aggregates: tuple[type[Aggregate], ...]
    tables: tuple[Table, ...]
    projections: tuple[Projection, ...]
    publishing: Publishing
    guides: Guides = field(default_factory=dict)

    @property
    def all_tables(self) -> tuple[Table, ...]:
        return (CASES, *self.tables)

    @property
    def all_projections(self) -> tuple[Projection, ...]:
        return (project_cases, *self.projections)

    def registry(self) -> EventRegistry:
        return EventRegistry((ExceptionCase, *self.aggregates))


@dataclass(frozen=True)
class Sweep:
    """State-driven work: `run` does a bounded portion of what is due and says how much; above zero it is run again.

    It is idempotent, takes what is due from the store alone, and is run after every batch and every `every_seconds`. Once it
    has found nothing it rests, whatever is committed meanwhile: the longer, the more seldom it needs to be run, and at most
    `rest_seconds_max`, which is more than a second only where nothing waits for what it does.
    """

    name: str
    every_seconds: float
    run: Callable[[], int]
    rest_seconds_max: float = REST_SECONDS_MAX

    @property
    def rest_seconds(self) -> float:
        return min(max(self.every_seconds / REST_SHARE, REST_SECONDS_MIN), self.rest_seconds_max)


@dataclass(frozen=True)
class ServiceCore:
    """One service, assembled: `consumers` by the name of the upstream service, `mending` and `dismissing` by the code of a case.

    Where dismissing a case decides something, `dismissing` decides it: for the case's subject, with the person's reason.
    `master_data_version` is the version in use; empty for a service without master data.
    """

    shape: ServiceShape
    store: EventStore
    clock: Callable[[], datetime]
    consumers: Mapping[str, BatchConsumer]
    sweeps: tuple[Sweep, ...] = ()
    mending: Mapping[str, Mending] = field(default_factory=dict)
    dismissing: Mapping[str, Dismissing] = field(default_factory=dict)
    master_data_version: Callable[[], str] = str

    @property
    def backlog(self) -> int:
        """Messages of other services that are not saved yet, as far as this process can know."""
        return sum(consumer.behind.count for consumer in self.consumers.values())
