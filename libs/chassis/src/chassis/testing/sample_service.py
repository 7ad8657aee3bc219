"""Two small services for tests of the transports: one announces patients, the other notes what it has seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from uuid import UUID

from canonical.envelope import Envelope, PublicEvent
from canonical.events.intake import PatientRegistered
from canonical.ids import derive
from canonical.sealed import Sealed

from chassis.domain import Aggregate, Context, Event, NotYet, Refusal
from chassis.eventstore import Change, EventStore, Table, Work, add
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.postgres import PostgresEventStore
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.messaging.consumer import BatchConsumer
from chassis.messaging.reactions import Reaction
from chassis.runtime.core import ServiceShape
from chassis.testing.contexts import context

TWINS_MAX = 1000
SIGHTINGS = Table("sightings", {"patient_id": "uuid", "count": "bigint"}, key=("patient_id",))


class NeverWelcome(Refusal):
    """Patients of the kind `refused` are not taken."""


class Announced(Aggregate):
    """A patient that was announced once."""

    class Registered(Event):
        TOPIC = "sample.announced.registered"
        details: Sealed

        def apply(self, announced: Announced) -> None:
            """Nothing is kept of it."""


class Noted(Aggregate):
    """A patient that was seen."""

    class Seen(Event):
        TOPIC = "sample.noted.seen"
        patient_id: UUID

        def apply(self, noted: Noted) -> None:
            """Nothing is kept of it."""


def publishing(event: Event) -> Iterable[PublicEvent]:
    if isinstance(event, Announced.Registered):
        yield PatientRegistered(patient_id=event.originator_id, details=event.details)


def silent(event: Event) -> Iterable[PublicEvent]:
    return ()


def project(event: Event) -> Iterable[Change]:
    if isinstance(event, Noted.Seen):
        yield add(SIGHTINGS, {"patient_id": event.patient_id}, count=1)


ANNOUNCER = ServiceShape("intake", (Announced,), (), (), publishing)
NOTER = ServiceShape("claims", (Noted,), (SIGHTINGS,), (project,), silent)


def note_id(patient_id: UUID) -> UUID:
    return derive("sample-note", patient_id)


def when_patient_registered_note(work: Work, event: PatientRegistered, envelope: Envelope) -> None:
    """The kind of the sealed details says what becomes of it: refused, a bug, waiting for `fact`, or noted."""
    kind = event.details.kind
    if kind == "refused.v1":
        raise NeverWelcome("patients of this kind are not taken")
    if kind == "bug.v1":
        raise RuntimeError("a fault of ours")
    if kind == "waiting.v1" and work.get(Noted, note_id(event.details.fact)) is None:
        raise NotYet(note_id(event.details.fact), "another patient comes first")
    work.get_or_new(Noted, note_id(event.patient_id)).trigger_event(Noted.Seen, patient_id=event.patient_id)


def noting(
    store: EventStore, clock: Callable[[], datetime], *, crash_point: CrashPoint = no_crash
) -> dict[str, BatchConsumer]:
    """The consumers of the noter."""
    reaction = Reaction(PatientRegistered, when_patient_registered_note, lambda event: [note_id(event.patient_id)])
    return {"intake": BatchConsumer("claims-intake", store, [reaction], clock, crash_point=crash_point)}


def announce(
    store: EventStore, cause: Context, patients: Iterable[UUID], *, kind: str = "patient.v1", fact: UUID | None = None
) -> None:
    """Stores one announcement for each patient, in one commit."""
    work = Work(store, cause)
    for patient in patients:
        details = Sealed(key_id=patient, kind=kind, fact=fact or patient, ciphertext=b"not to be read")
        work.get_or_new(Announced, patient).trigger_event(Announced.Registered, details=details)
    work.commit()


def twin_of(patient: UUID) -> UUID:
    return derive("sample-twin", patient)


class TwinAnnouncing:
    """A sweep: whoever is announced with the kind `twin.v1` has a twin, who is announced too."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._seen = 0

    def run(self) -> int:
        found = self._store.log(self._seen, TWINS_MAX)
        announced = [entry.event for entry in found if isinstance(entry.event, Announced.Registered)]
        twins = [twin_of(event.originator_id) for event in announced if event.details.kind == "twin.v1"]
        if twins:
            announce(self._store, context(), twins)
        self._seen = found[-1].position if found else self._seen
        return len(twins)


def memory_store(shape: ServiceShape) -> MemoryEventStore:
    return MemoryEventStore(shape.registry(), shape.all_projections)


def postgres_store(shape: ServiceShape, dsn: str) -> PostgresEventStore:
    return PostgresEventStore(dsn, shape.registry(), shape.all_projections, shape.all_tables)


def utc_now() -> datetime:
    return datetime.now(UTC)
