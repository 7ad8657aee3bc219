"""The read models of patients: whom to compare them with, who is merged into whom, and which pairs wait for a person."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from chassis.domain import Event
from chassis.eventstore import Change, EventStore, Question, Row, Table, put
from chassis.eventstore.projecting import of
from chassis.merged_patients import PATIENT_MERGES, merge_row

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
PATIENT_TABLES = (PATIENTS, BLOCKS, IDENTIFIERS, PATIENT_MERGES, MATCHES)


@of(Patient, PatientMatch)
def project_patients(event: Event) -> Iterable[Change]:
    """The rows that one stored event changes."""
    match event:
        case Patient.Registered() | Patient.DetailsChanged():
            yield from _details(event)
        case Patient.Merged():
            yield merge_row(event, event.originator_id, event.into)
        case Patient.Unmerged() if event.was_merged:
            yield merge_row(event, event.originator_id, None)
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
                reason=None,
                actor=None,
                decided_at=None,
            )
        case PatientMatch.Settled():
            settled = {"state": event.state.value, "score": event.likeness.score, "likeness": str(event.likeness)}
            yield _decided(event, reason="", **settled)
        case PatientMatch.Merged():
            yield _decided(event, reason=event.reason, state=MatchState.MERGED.value)
        case PatientMatch.Distinguished():
            pair = {"first_id": event.first_id, "second_id": event.second_id}
            yield _decided(event, reason=event.reason, state=MatchState.DISTINCT.value, **pair)
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


def _decided(event: Event, **columns: object) -> Change:
    decided = {"actor": event.meta.actor, "decided_at": event.timestamp}
    return put(MATCHES, match_id=event.originator_id, **decided, **columns)


def matches_of(store: EventStore, patient_id: UUID) -> list[Row]:
    """Every pair that this patient is in."""
    sides = [Question(MATCHES, {side: patient_id}, order=("-score", "match_id")) for side in ("first_id", "second_id")]
    return [row for rows in store.rows_of_each(sides) for row in rows]
