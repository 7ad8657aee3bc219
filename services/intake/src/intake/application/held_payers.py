"""Encounters that wait to be told who pays, and the coverage of their patient that tells it later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from canonical.ids import derive
from chassis.domain import Event
from chassis.eventstore import Work
from chassis.exceptions import raise_case
from chassis.merged_patients import GROUP_MAX, PATIENT_MERGES

from intake.application.queries import ENCOUNTERS
from intake.domain.encounter import Encounter
from intake.domain.encounter_content import EncounterState
from intake.domain.patient import Patient

WAITING_MAX = 1000
BILLED = [EncounterState.FINISHED.value, EncounterState.HELD.value]
OTHER_COVERAGE = "CoverageChangedAfterBilling"


def covered(work: Work, patient_id: UUID) -> Patient:
    """The record that says who pays for the patient: its own, else the nearest of those that it is merged into."""
    own, *others = _upwards(work, patient_id)
    return next((each for each in (own, *others) if each.payer is not None), own)


def expect_no_coverage(work: Work, patient_id: UUID) -> None:
    """Decides the batch again where another process takes a coverage of the patient meanwhile, or merges it."""
    for record in _upwards(work, patient_id):
        work.expect_unmoved(record)


def waiting_for_coverage(work: Work, patient_id: UUID) -> list[UUID]:
    """The held encounters without a payer of their own whose patient this one's coverage is for, at most a thousand.

    Those are the patient's own, and those of all who are merged into it. What another process holds or merges meanwhile
    decides the batch again.
    """
    pending = work.pending_events()
    patient_ids = _downwards(work, patient_id, pending)
    where = {"patient_id": sorted(patient_ids), "state": EncounterState.HELD.value}
    stored = [row["encounter_id"] for row in work.same_rows(ENCOUNTERS, where, limit=WAITING_MAX)]
    here = [event.originator_id for event in pending if isinstance(event, Encounter.Held)]
    found = [work.require(Encounter, each) for each in dict.fromkeys((*stored, *here)) if isinstance(each, UUID)]
    return [each.id for each in found if _waits(each, patient_ids)]


def tell_of_parted_coverage(work: Work, patient_id: UUID) -> None:
    """Tells a person of each encounter that was billed by the coverage of whom its patient is parted from now."""
    where = {"patient_id": sorted(_downwards(work, patient_id, work.pending_events()))}
    for row in work.rows(ENCOUNTERS, {**where, "state": BILLED}, limit=WAITING_MAX):
        assert isinstance(row["encounter_id"], UUID)
        encounter = work.require(Encounter, row["encounter_id"])
        assert encounter.facts is not None
        said = next(encounter.open_postings, None)
        if said is None or encounter.payer is not None or covered(work, encounter.facts.patient_id).payer is not None:
            continue
        raise_case(
            work,
            derive("coverage-parted", encounter.id, said.posting),
            code=OTHER_COVERAGE,
            summary=f"{said.payer or 'the patient'} was billed by the coverage of somebody who is another person after all",
            subject="encounter",
            subject_id=encounter.id,
            entity=encounter.facts.entity,
            amount=said.total,
        )


def _upwards(work: Work, patient_id: UUID) -> Iterator[Patient]:
    """The record of the patient, and those that it is merged into, one by one."""
    next_id: UUID | None = patient_id
    while next_id is not None:
        record = work.get_or_new(Patient, next_id)
        yield record
        next_id = record.merged_into


def _downwards(work: Work, patient_id: UUID, pending: Sequence[Event]) -> set[UUID]:
    """The patient, and all who are merged into it by now, in this batch too."""
    merges = [event for event in pending if isinstance(event, Patient.Merged)]
    known, newest = set[UUID](), {patient_id}
    while newest:
        known |= newest
        rows = work.same_rows(PATIENT_MERGES, {"survivor_id": sorted(newest)}, limit=GROUP_MAX)
        stored = {each for row in rows if isinstance(each := row["retired_id"], UUID)}
        newest = (stored | {event.originator_id for event in merges if event.into in newest}) - known
    return known


def _waits(encounter: Encounter, patient_ids: set[UUID]) -> bool:
    assert encounter.facts is not None
    is_held = encounter.state is EncounterState.HELD and encounter.payer is None
    return is_held and encounter.facts.patient_id in patient_ids
