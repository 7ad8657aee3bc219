"""Takes what a message says of people: their details, their identifiers, and which of them are one person."""

from __future__ import annotations

from canonical.party import PatientDetails
from chassis.eventstore import Work

from intake.application.envelopes import Envelopes
from intake.domain.facts import PatientSeen
from intake.domain.match_keys import match_keys_of
from intake.domain.patient import PATIENT_KIND, Patient


def take_patient(work: Work, envelopes: Envelopes, source: str, fact: PatientSeen) -> None:
    """Registers the patient, or takes what has changed."""
    patient = work.get_or_new(Patient, fact.patient_id)
    details = _completed(patient, envelopes, fact)
    told = [f"{each.authority}|{each.kind}|{each.value}" for each in fact.identifiers]
    fingerprint = envelopes.fingerprint(details, words=sorted(told))
    if fingerprint != patient.fingerprint or patient.match_keys is None:
        keys = match_keys_of(details, fact.identifiers, source, envelopes.keyed_hashes)
        sealed = envelopes.seal(details, fact.patient_id, PATIENT_KIND, fact.patient_id)
        patient.see(sealed, fingerprint, keys)
    for linked_id in fact.linked_ids:
        patient.link(linked_id)


def _completed(patient: Patient, envelopes: Envelopes, fact: PatientSeen) -> PatientDetails:
    """What the message says, and what was known of the rest."""
    if not fact.unsaid or patient.details is None:
        return fact.details
    known = envelopes.open(patient.details, PatientDetails)
    return fact.details.model_copy(update={name: getattr(known, name) for name in fact.unsaid})
