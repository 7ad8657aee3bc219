"""Merges patients and takes merges back, by the word of their source or of a person here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from canonical.ids import derive
from chassis.eventstore import Question, Work
from chassis.exceptions import end_case, raise_case
from chassis.merged_patients import GROUP_MAX, PATIENT_MERGES

from intake.application.patient_rows import MATCHES
from intake.domain.patient import Patient
from intake.domain.patient_match import MatchState, PatientMatch, match_id_of
from intake.domain.refusals import (
    CircularMerge,
    MergedElsewhere,
    MergedPatients,
    NotMerged,
    SelfMerge,
    UnclearUnmerge,
)

MERGED_AGAINST_DECISION = "MergedAgainstDecision"
BY_SOURCE = "the source said so"
BY_OTHER_MERGES = "other merges made them one person"
OPEN_PAIRS_MAX = 10_000
OPEN = MatchState.OPEN.value


def person_of(work: Work, patient_id: UUID) -> UUID:
    """The patient as whom this one stands: itself, or at the end of its merges."""
    while (into := work.get_or_new(Patient, patient_id).merged_into) is not None:
        patient_id = into
    return patient_id


def are_one(work: Work, one: UUID, other: UUID) -> bool:
    """Whether two patients are merged into one person."""
    return one == other or person_of(work, one) == person_of(work, other)


def merge(
    work: Work, survivor_id: UUID, retired_id: UUID, *, reason: str = "", said_at: datetime | None = None
) -> bool:
    """Merges one patient into another; whether that changed anything. Without a reason, the source says so.

    Raises:
        SelfMerge: it is one patient.
        CircularMerge, MergedElsewhere: what is known contradicts it.
    """
    if survivor_id == retired_id:
        raise SelfMerge(f"patient {retired_id} cannot be merged into itself")
    survivor, retired = work.get_or_new(Patient, survivor_id), work.get_or_new(Patient, retired_id)
    if retired.is_older(survivor_id, said_at) or survivor.is_older(retired_id, said_at):
        return False
    if retired.merged_into == survivor_id:
        retired.merge_into(survivor_id, reason, said_at)
        return False
    person_id = person_of(work, survivor_id)
    if person_id == retired_id:
        raise CircularMerge(f"patient {survivor_id} is merged into {retired_id}, which was to be retired for it")
    if retired.merged_into is not None:
        if person_of(work, retired_id) == person_id:
            return False
        raise MergedElsewhere(f"patient {retired_id} is merged into {retired.merged_into}, not into {survivor_id}")
    retired.merge_into(survivor_id, reason, said_at)
    work.get_or_new(Patient, person_id).absorb(retired_id)
    _settle_match(work, survivor_id, retired_id, reason)
    return True


def merge_by_person(work: Work, survivor_id: UUID, retired_id: UUID, *, reason: str) -> UUID:
    """As `merge`, for two patients who have come in; the patient as whom the person stands.

    Raises:
        UnknownAggregate: one of them is not known.
    """
    for each in (survivor_id, retired_id):
        work.require(Patient, each)
    merge(work, survivor_id, retired_id, reason=reason)
    settle_pairs_made_one(work)
    return person_of(work, survivor_id)


def unmerge(work: Work, one: UUID, other: UUID, *, reason: str = "", said_at: datetime | None = None) -> bool:
    """Takes back the merge of two patients, whichever survived; whether that changed anything.

    Raises:
        NotMerged: a person asks, and they are not merged.
        UnclearUnmerge: they are one person, but neither is merged into the other.
    """
    patients = {each: work.get_or_new(Patient, each) for each in (one, other)}
    if patients[other].is_older(one, said_at) or patients[one].is_older(other, said_at):
        return False
    survivor_id, retired_id = (other, one) if patients[one].merged_into == other else (one, other)
    retired = patients[retired_id]
    if retired.merged_into != survivor_id:
        if are_one(work, one, other):
            raise UnclearUnmerge(f"patients {one} and {other} are one person by way of {retired.merged_into}")
        if reason:
            raise NotMerged(f"patients {one} and {other} are not merged")
        retired.part_from(survivor_id, reason, said_at)
        return False
    retired.part_from(survivor_id, reason, said_at)
    _distinguish(work, one, other, reason or BY_SOURCE)
    return True


def mark_distinct(work: Work, one: UUID, other: UUID, *, reason: str) -> None:
    """A person says that two patients are two persons; they are not suggested again.

    Raises:
        SelfMerge: it is one patient.
        MergedPatients: they are merged.
        UnknownAggregate: one of them is not known.
    """
    if one == other:
        raise SelfMerge(f"patient {one} cannot be distinguished from itself")
    for each in (one, other):
        work.require(Patient, each)
    if are_one(work, one, other):
        raise MergedPatients(f"patients {one} and {other} are merged into one person")
    _distinguish(work, one, other, reason)


def distinguish_dismissed(work: Work, match_id: UUID, reason: str) -> None:
    """Who dismisses the question whether two patients are one person has said that they are two.

    Raises:
        MergedPatients, UnknownAggregate: see `mark_distinct`.
    """
    match = work.require(PatientMatch, match_id)
    if match.is_open:
        one, other = match.pair
        mark_distinct(work, one, other, reason=reason)


def settle_pairs_made_one(work: Work) -> None:
    """Ends the questions about pairs which the merges of this batch have made one person by way of others."""
    merges = [event for event in work.pending_events() if isinstance(event, Patient.Merged)]
    if not merges:
        return
    records = _records_of(work, {identity for event in merges for identity in (event.originator_id, event.into)})
    sides = [
        Question(MATCHES, {side: records, "state": OPEN}, limit=OPEN_PAIRS_MAX) for side in ("first_id", "second_id")
    ]
    for rows in work.store.rows_of_each(sides):
        for row in rows:
            one, other, match_id = row["first_id"], row["second_id"], row["match_id"]
            assert isinstance(one, UUID)
            assert isinstance(other, UUID)
            assert isinstance(match_id, UUID)
            match = work.require(PatientMatch, match_id)
            if match.is_open and are_one(work, one, other):
                end_case_of(work, match, BY_OTHER_MERGES)
                match.merge(BY_OTHER_MERGES)


def _records_of(work: Work, patient_ids: Iterable[UUID]) -> list[UUID]:
    """These patients, and all who stood as one person with one of them before this batch."""
    known, newest = set[UUID](), set(patient_ids)
    while newest:
        known |= newest
        ids = sorted(newest)
        asked = [Question(PATIENT_MERGES, {side: ids}, limit=GROUP_MAX) for side in ("retired_id", "survivor_id")]
        rows = [row for found in work.store.rows_of_each(asked) for row in found if row["survivor_id"] is not None]
        sides = {row[side] for row in rows for side in ("retired_id", "survivor_id")}
        newest = {each for each in sides if isinstance(each, UUID)} - known
    return sorted(known)


def _distinguish(work: Work, one: UUID, other: UUID, reason: str) -> None:
    match = work.get_or_new(PatientMatch, match_id_of(one, other))
    end_case_of(work, match, reason)
    match.distinguish(one, other, reason)


def _settle_match(work: Work, survivor_id: UUID, retired_id: UUID, reason: str) -> None:
    match = work.get_or_new(PatientMatch, match_id_of(survivor_id, retired_id))
    if not match.exists:
        return
    end_case_of(work, match, reason or BY_SOURCE)
    if match.state is MatchState.DISTINCT and not reason:
        raise_case(
            work,
            derive("merged-against-decision", match.id, match.version),
            code=MERGED_AGAINST_DECISION,
            summary=f"the source merged {retired_id} into {survivor_id}, which a person had said are two persons",
            subject="patient-match",
            subject_id=match.id,
        )
    match.merge(reason or BY_SOURCE)


def end_case_of(work: Work, match: PatientMatch, reason: str) -> None:
    """Ends the question that a person is asked about the pair, where it is open."""
    end_case(work, match.case_cause, match.case_code, reason)
