"""Encounters that wait to be told who pays, and the coverage of their patient that tells it later."""

from __future__ import annotations

from uuid import UUID

from chassis.eventstore import Work

from intake.application.patient_rows import COVERED_PATIENTS
from intake.application.queries import ENCOUNTERS
from intake.domain.encounter import Encounter
from intake.domain.encounter_content import EncounterState

WAITING_MAX = 1000


def expect_no_coverage(work: Work, patient_id: UUID) -> None:
    """Decides the batch again where another process takes a coverage of the patient meanwhile."""
    work.rows_to_stay(COVERED_PATIENTS, {"patient_id": patient_id})


def waiting_for_coverage(work: Work, patient_id: UUID) -> list[UUID]:
    """The patient's encounters that are held and have no payer of their own, at most a thousand.

    Those that another process holds meanwhile decide the batch again.
    """
    where = {"patient_id": patient_id, "state": EncounterState.HELD.value}
    stored = [row["encounter_id"] for row in work.rows_to_stay(ENCOUNTERS, where, limit=WAITING_MAX)]
    here = [event.originator_id for event in work.pending_events() if isinstance(event, Encounter.Held)]
    found = [work.require(Encounter, each) for each in dict.fromkeys((*stored, *here)) if isinstance(each, UUID)]
    return [each.id for each in found if _waits(each, patient_id)]


def _waits(encounter: Encounter, patient_id: UUID) -> bool:
    assert encounter.facts is not None
    is_held = encounter.state is EncounterState.HELD and encounter.payer is None
    return is_held and encounter.facts.patient_id == patient_id
