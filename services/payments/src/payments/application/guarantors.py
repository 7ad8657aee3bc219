"""Who answers for which visits, and so for which accounts a guarantor gets statements."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from canonical.envelope import Envelope
from canonical.events.intake import PostedCharges, VisitGuarantorChanged
from chassis.domain import Event
from chassis.eventstore import Change, EventStore, Table, Work, put

from payments.application.row_values import uuid_of
from payments.domain.patient_account import account_id_of
from payments.domain.visit_guarantor import VisitGuarantor, visit_guarantor_id

READ_MAX = 1_000
VISIT_GUARANTORS = Table(
    "visit_guarantors",
    {"encounter_id": "uuid", "entity": "text", "patient_id": "uuid", "guarantor_id": "uuid"},
    key=("encounter_id",),
    indexes=(("guarantor_id",),),
)


TOLD_BY_ITSELF = (-1, -1)


def name_guarantor(work: Work, event: PostedCharges, envelope: Envelope, revision: int = 0) -> None:
    """Keeps who answers for a visit, where its posting says so."""
    if event.guarantor_id is not None:
        _name(work, event, event.guarantor_id, (revision, event.posting), envelope.sequence)


def when_visit_guarantor_changed_name_them(work: Work, event: VisitGuarantorChanged, envelope: Envelope) -> None:
    """Statements of the visit name them from then on."""
    _name(work, event, event.guarantor_id, TOLD_BY_ITSELF, envelope.sequence)


def _name(
    work: Work,
    event: PostedCharges | VisitGuarantorChanged,
    guarantor_id: UUID,
    place: tuple[int, int],
    sequence: int,
) -> None:
    work.get_or_new(VisitGuarantor, visit_guarantor_id(event.encounter_id)).name(
        encounter_id=event.encounter_id,
        entity=event.entity,
        patient_id=event.patient_id,
        guarantor_id=guarantor_id,
        place=place,
        sequence=sequence,
    )


def project_guarantors(event: Event) -> Iterable[Change]:
    """The row of a visit whose guarantor one stored event names."""
    if isinstance(event, VisitGuarantor.Named):
        facts = {"entity": event.entity, "patient_id": event.patient_id, "guarantor_id": event.guarantor_id}
        yield put(VISIT_GUARANTORS, encounter_id=event.encounter_id, **facts)


def guarantors_of(store: EventStore, encounter_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """By visit, who answers for it, where that is known."""
    wanted = sorted(encounter_ids, key=str)
    if not wanted:
        return {}
    rows = store.rows(VISIT_GUARANTORS, {"encounter_id": wanted}, limit=len(wanted))
    return {uuid_of(row["encounter_id"]): uuid_of(row["guarantor_id"]) for row in rows}


def accounts_answered_for(store: EventStore, guarantor_id: UUID) -> list[UUID]:
    """The accounts with a visit that a guarantor answers for, of at most a thousand visits."""
    rows = store.rows(VISIT_GUARANTORS, {"guarantor_id": guarantor_id}, order=("encounter_id",), limit=READ_MAX)
    return sorted({account_id_of(str(row["entity"]), uuid_of(row["patient_id"])) for row in rows}, key=str)
