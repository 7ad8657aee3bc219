"""A Patient to a person: names, identifiers of every authority, and whom the source says it is merged with."""

from __future__ import annotations

from typing import Any

from canonical.party import Address, PatientDetails

from intake.adapters.fhir.message import FhirMessage
from intake.adapters.fhir.resources import Entry, code_in, day_of
from intake.domain.facts import Fact, Link, PatientIdentifier, PatientSeen, PatientsMerged

SEXES = {"male": "M", "female": "F"}
REPLACED_BY, REPLACES = "replaced-by", "replaces"


def patient_facts(entry: Entry, message: FhirMessage) -> list[Fact]:
    """The patient and the merges that it tells of, or nothing and findings for what it lacks."""
    patient, place = entry.resource, entry.place
    name = name_of(patient)
    if name is None or not name.family or not name.given:
        message.need(f"{place}.name[0]", "family and given name")
    born = day_of(patient.birthDate)
    if born is None:
        message.need(f"{place}.birthDate", "the day of birth")
    own = message.references.own(entry)
    if name is None or not name.given or born is None or own is None or own.id is None:
        return []
    details = PatientDetails(
        family_name=name.family or "",
        given_name=name.given[0] or "",
        birth_date=born,
        sex=SEXES.get(patient.gender or "", "U"),
        address=address_of(patient.address),
        identifiers=tuple(str(each.value) for each in patient.identifier or () if each.value),
    )
    seen = PatientSeen(place, own.id, details, identifiers=_identifiers(patient))
    return [seen, *_merges(entry, own, message)]


def name_of(person: Any) -> Any:
    """The official name, or the first one."""
    names = person.name or ()
    return next((name for name in names if name.use == "official"), next(iter(names), None))


def _identifiers(patient: Any) -> tuple[PatientIdentifier, ...]:
    found = (each for each in patient.identifier or () if each.value)
    return tuple(PatientIdentifier(str(each.system or ""), code_in(each.type), str(each.value)) for each in found)


def _merges(entry: Entry, own: Link, message: FhirMessage) -> list[PatientsMerged]:
    merges = []
    for index, link in enumerate(entry.resource.link or ()):
        place = f"{entry.place}.link[{index}]"
        if link.type not in (REPLACED_BY, REPLACES):
            continue
        other = message.references.link(link.other)
        if other.is_empty:
            message.need(f"{place}.other", "the other patient")
            continue
        survivor, retired = (other, own) if link.type == REPLACED_BY else (own, other)
        merges.append(PatientsMerged(place, survivor, retired, message.said_at(entry.resource)))
    return merges


def address_of(addresses: Any) -> Address:
    """The first address."""
    first = next(iter(addresses or ()), None)
    if first is None:
        return Address()
    return Address(
        line=str((first.line or [""])[0] or ""),
        city=str(first.city or ""),
        state=str(first.state or ""),
        postal_code=str(first.postalCode or ""),
    )
