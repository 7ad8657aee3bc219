"""Takes what a message says of people: their details, their identifiers, and which of them are one person."""

from __future__ import annotations

from chassis.eventstore import Work

from intake.application.envelopes import Envelopes
from intake.domain.facts import PatientSeen
from intake.domain.match_keys import match_keys_of
from intake.domain.patient import PATIENT_KIND, Patient


def take_patient(work: Work, envelopes: Envelopes, source: str, fact: PatientSeen) -> None:
    """Registers the patient, or takes what has changed."""
    patient = work.get_or_new(Patient, fact.patient_id)
    told = [f"{each.authority}|{each.kind}|{each.value}" for each in fact.identifiers]
    fingerprint = envelopes.fingerprint(fact.details, words=sorted(told))
    if fingerprint != patient.fingerprint or patient.match_keys is None:
        keys = match_keys_of(fact.details, fact.identifiers, source, envelopes.keyed_hashes)
        sealed = envelopes.seal(fact.details, fact.patient_id, PATIENT_KIND, fact.patient_id)
        patient.see(sealed, fingerprint, keys)
    for linked_id in fact.linked_ids:
        patient.link(linked_id)
