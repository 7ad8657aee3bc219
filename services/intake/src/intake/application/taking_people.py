"""Takes what a message says of people: their details, their identifiers, and which of them are one person."""

from __future__ import annotations

from itertools import chain
from uuid import UUID

from canonical.party import PatientDetails
from chassis.eventstore import Work

from intake.application.envelopes import Envelopes
from intake.application.held_payers import tell_of_parted_coverage, waiting_for_coverage
from intake.application.merging import merge, unmerge
from intake.domain.facts import PatientSeen, PatientsMerged, PatientsUnmerged
from intake.domain.match_keys import identifier_keys, match_keys_of
from intake.domain.patient import PATIENT_KIND, Patient


def take_patient(work: Work, envelopes: Envelopes, source: str, fact: PatientSeen) -> None:
    """Registers the patient, or takes what has changed; an identifier that was told once stays the patient's."""
    patient = work.get_or_new(Patient, fact.patient_id)
    details = _completed(patient, envelopes, fact)
    fingerprint = envelopes.fingerprint(details)
    known = patient.match_keys.identifiers if patient.match_keys else ()
    identifiers = dict.fromkeys((*known, *identifier_keys(fact.identifiers, source, envelopes.keyed_hashes)))
    if fingerprint != patient.fingerprint or patient.match_keys is None or len(identifiers) > len(known):
        keys = match_keys_of(details, tuple(identifiers), source, envelopes.keyed_hashes)
        sealed = envelopes.seal(details, fact.patient_id, PATIENT_KIND, fact.patient_id)
        patient.see(sealed, fingerprint, keys)


def _completed(patient: Patient, envelopes: Envelopes, fact: PatientSeen) -> PatientDetails:
    """What the message says, and what was known of the rest."""
    if not fact.unsaid or patient.details is None:
        return fact.details
    known = envelopes.open(patient.details, PatientDetails)
    return fact.details.model_copy(update={name: getattr(known, name) for name in fact.unsaid})


def take_merge(work: Work, fact: PatientsMerged | PatientsUnmerged, survivor_id: UUID, retired_id: UUID) -> list[UUID]:
    """Merges two patients or parts them; the held encounters that may wait for no payer any more, or for another one.

    Raises:
        SelfMerge, CircularMerge, MergedElsewhere, UnclearUnmerge: see `merge` and `unmerge`.
    """
    if isinstance(fact, PatientsMerged):
        is_changed = merge(work, survivor_id, retired_id, said_at=fact.said_at)
        return waiting_for_coverage(work, retired_id) if is_changed else []
    pair = (survivor_id, retired_id)
    if not unmerge(work, *pair, said_at=fact.said_at):
        return []
    for each in pair:
        tell_of_parted_coverage(work, each)
    return [*chain.from_iterable(waiting_for_coverage(work, each) for each in pair)]
