"""The read models of patients: whom to compare them with, who is merged into whom, and which pairs wait for a person."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from chassis.domain import Event
from chassis.eventstore import Change, EventStore, Question, Row, Table, put

from intake.domain.patient import Patient
from intake.domain.patient_match import MatchState, PatientMatch

PATIENTS = Table(
    "patients",
    {"patient_id": "uuid", "registered_at": "timestamptz", "source": "text", "match_keys": "text"},
    key=("patient_id",),
)
BLOCKS = Table("patient_blocks", {"block": "text", "patient_id": "uuid"}, key=("block", "patient_id"))
IDENTIFIERS = Table(
    "patient_identifiers", {"identifier": "text", "patient_id": "uuid"}, key=("identifier", "patient_id")
)
MERGES = Table(
    "patient_merges",
    {"retired_id": "uuid", "survivor_id": "uuid", "reason": "text", "actor": "text", "said_at": "timestamptz"},
    key=("retired_id",),
    indexes=(("survivor_id",),),
)
MATCHES = Table(
    "patient_matches",
    {
        "match_id": "uuid",
        "first_id": "uuid",
        "second_id": "uuid",
        "kind": "text",
        "state": "text",
        "score": "integer",
        "likeness": "text",
        "reason": "text",
        "actor": "text",
        "suggested_at": "timestamptz",
        "decided_at": "timestamptz",
    },
    key=("match_id",),
    indexes=(("state", "score"), ("first_id",), ("second_id",)),
)
PATIENT_TABLES = (PATIENTS, BLOCKS, IDENTIFIERS, MERGES, MATCHES)
MERGED_MAX = 1000


def project_patients(event: Event) -> Iterable[Change]:
    """The rows that one stored event changes."""
    match event:
        case Patient.Registered() | Patient.DetailsChanged():
            yield from _details(event)
        case Patient.Merged():
            yield _merge(event, event.into)
        case Patient.Unmerged() if event.was_merged:
            yield _merge(event, None)
        case PatientMatch.Suggested():
            yield put(
                MATCHES,
                match_id=event.originator_id,
                first_id=event.first_id,
                second_id=event.second_id,
                kind=event.kind.value,
                state=MatchState.OPEN.value,
                score=event.likeness.score,
                likeness=str(event.likeness),
                suggested_at=event.timestamp,
            )
        case PatientMatch.Merged():
            yield _decided(event, state=MatchState.MERGED.value)
        case PatientMatch.Distinguished():
            pair = {"first_id": event.first_id, "second_id": event.second_id}
            yield _decided(event, state=MatchState.DISTINCT.value, **pair)
        case _:
            pass


def _details(event: Patient.Registered | Patient.DetailsChanged) -> Iterable[Change]:
    if isinstance(event, Patient.Registered):
        yield put(PATIENTS, patient_id=event.originator_id, registered_at=event.timestamp)
    keys = event.match_keys
    if keys is None:
        return
    yield put(PATIENTS, patient_id=event.originator_id, source=keys.source, match_keys=keys.model_dump_json())
    for block in keys.blocks:
        yield put(BLOCKS, block=block, patient_id=event.originator_id)
    for identifier in keys.identifiers:
        yield put(IDENTIFIERS, identifier=identifier, patient_id=event.originator_id)


def _merge(event: Patient.Merged | Patient.Unmerged, survivor_id: UUID | None) -> Change:
    return put(
        MERGES,
        retired_id=event.originator_id,
        survivor_id=survivor_id,
        reason=event.reason,
        actor=event.meta.actor,
        said_at=event.said_at or event.timestamp,
    )


def _decided(event: PatientMatch.Merged | PatientMatch.Distinguished, **columns: object) -> Change:
    decided = {"reason": event.reason, "actor": event.meta.actor, "decided_at": event.timestamp}
    return put(MATCHES, match_id=event.originator_id, **decided, **columns)


def group_of(store: EventStore, patient_id: UUID) -> tuple[UUID, tuple[UUID, ...]]:
    """The patient as whom this one stands, and everybody who does, the survivor first."""
    person_id = patient_id
    while rows := store.rows(MERGES, {"retired_id": person_id}):
        into = rows[0]["survivor_id"]
        if not isinstance(into, UUID):
            break
        person_id = into
    group = [person_id]
    newest: list[UUID] = [person_id]
    while newest:
        rows = store.rows(MERGES, {"survivor_id": newest}, order=("retired_id",), limit=MERGED_MAX)
        newest = [each for row in rows if isinstance(each := row["retired_id"], UUID)]
        group += newest
    return person_id, tuple(group)


def matches_of(store: EventStore, patient_id: UUID) -> list[Row]:
    """Every pair that this patient is in."""
    sides = [Question(MATCHES, {side: patient_id}, order=("-score", "match_id")) for side in ("first_id", "second_id")]
    return [row for rows in store.rows_of_each(sides) for row in rows]
