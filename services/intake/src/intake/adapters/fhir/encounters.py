"""An Encounter to a visit or stay: whose it is, where, by whom, and whether it is over or never was."""

from __future__ import annotations

from typing import Any

from intake.adapters.fhir.guarantors import guarantor_of
from intake.adapters.fhir.message import FhirMessage
from intake.adapters.fhir.resources import Entry
from intake.adapters.fhir.stays import ClinicalResources
from intake.domain.facts import NOWHERE, EncounterCancelled, EncounterSeen, Fact, Link

STATUSES = ("planned", "arrived", "triaged", "in-progress", "onleave", "finished", "unknown")
NEVER_WAS = ("cancelled", "entered-in-error")


def encounter_facts(entry: Entry, message: FhirMessage, clinical: ClinicalResources) -> list[Fact]:
    """The encounter, or that it is cancelled; nothing and findings for what it lacks."""
    encounter, place = entry.resource, entry.place
    number = message.references.own_identifier(entry)[1]
    if encounter.status not in (*STATUSES, *NEVER_WAS):
        message.find(f"{place}.status", "encounter-status", f"one of {', '.join((*STATUSES, *NEVER_WAS))}")
    if number and encounter.status in NEVER_WAS:
        named = message.references.own(entry) or NOWHERE
        return [EncounterCancelled(place, named, message.said_at(encounter))]
    if encounter.subject is None:
        message.need(f"{place}.subject", "the patient")
    if encounter.serviceProvider is None:
        message.need(f"{place}.serviceProvider", "the legal entity")
    if not number or encounter.subject is None or encounter.serviceProvider is None:
        return []
    own = message.references.own(entry)
    assert own is not None
    assert own.id is not None
    diagnoses, stay = clinical.diagnoses_and_stay(entry, message.findings)
    participant = next(iter(encounter.participant or ()), None)
    location = _location(encounter, message)
    return [
        EncounterSeen(
            place,
            own.id,
            message.references.link(encounter.subject),
            message.references.link(encounter.serviceProvider),
            location=location.code,
            rendering_provider=message.references.link(participant.individual) if participant else NOWHERE,
            finished=encounter.status == "finished",
            diagnosis_codes=diagnoses.codes,
            account_number=number,
            stay=stay,
            location_link=location if location.reference else NOWHERE,
            lists_diagnoses=diagnoses.is_whole,
            withdrawn_codes=diagnoses.withdrawn,
            stands=True,
            guarantor=guarantor_of(entry, own.id, message.references.link(encounter.subject), message),
            said_at=message.said_at(encounter),
        )
    ]


def _location(encounter: Any, message: FhirMessage) -> Link:
    """The first location; an identifier of a system that we do not know is the source's own code."""
    first = next(iter(encounter.location or ()), None)
    if first is None or first.location is None:
        return NOWHERE
    named = first.location.identifier
    return Link(code=str(named.value)) if named and named.value else message.references.link(first.location)
