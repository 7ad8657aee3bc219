"""Account.guarantor: who answers for what the payers leave, where the message describes them."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from canonical.ids import derive
from canonical.party import Guarantor

from intake.adapters.fhir.coverages import RELATIONSHIPS
from intake.adapters.fhir.message import FhirMessage
from intake.adapters.fhir.people import address_of, name_of
from intake.adapters.fhir.resources import Entry, code_in, day_of, identifier_in
from intake.domain.facts import Link
from intake.domain.identities import SELF, guarantor_id_of

PARTIES = ("Patient", "RelatedPerson", "Organization")
_RELATED = {"SPS": "01", "HUSB": "01", "WIFE": "01", "CHILD": "19", "SON": "19", "DAU": "19", "ONESELF": SELF}
ANOTHER = "G8"


def guarantor_of(encounter: Entry, encounter_id: UUID, patient: Link, message: FhirMessage) -> Guarantor | None:
    """The first guarantor that is neither on hold nor over, of the encounter's account or of the message's only one.

    One that the message does not describe says nothing; what was known of the encounter holds.
    """
    for account in _accounts(encounter, message):
        for each in account.resource.guarantor or ():
            party = None if _is_out(each, message) else _described(each.party, message)
            if party is not None:
                return _guarantor(party, encounter_id, patient, message)
    return None


def _accounts(encounter: Entry, message: FhirMessage) -> list[Entry]:
    accounts = message.all_of("Account")
    named = {str(each.reference or "") for each in encounter.resource.account or ()}
    found = [each for each in accounts if {each.reference, each.full_url} & named]
    return found or (accounts if len(accounts) == 1 and not named else [])


def _is_out(guarantor: Any, message: FhirMessage) -> bool:
    ended = day_of(guarantor.period.end) if guarantor.period else None
    return bool(guarantor.onHold) or (
        ended is not None and message.told_at is not None and ended < message.told_at.date()
    )


def _described(reference: Any, message: FhirMessage) -> Entry | None:
    text = str(reference.reference or "")
    parties = (each for kind in PARTIES for each in message.all_of(kind))
    return next((each for each in parties if text and text in (each.reference, each.full_url)), None)


def _guarantor(party: Entry, encounter_id: UUID, patient: Link, message: FhirMessage) -> Guarantor | None:
    resource, is_organization = party.resource, party.type == "Organization"
    relationship = _relationship(party, patient, message)
    name = None if is_organization else name_of(resource)
    born: date | None = None if is_organization else day_of(resource.birthDate)
    found = Guarantor(
        guarantor_id=_identity(party, relationship, encounter_id, patient, message),
        relationship=relationship,
        family_name="" if name is None else str(name.family or ""),
        given_name="" if name is None else str(next(iter(name.given or ()), "") or ""),
        organization=str(resource.name or "") if is_organization else "",
        birth_date=born,
        address=address_of(resource.address),
        phone=next((str(each.value) for each in resource.telecom or () if each.system == "phone" and each.value), ""),
    )
    return found if found.family_name or found.organization else None


def _relationship(party: Entry, patient: Link, message: FhirMessage) -> str:
    """Empty where nobody said who the guarantor is to the patient."""
    if party.type == "Patient":
        return SELF if message.references.own(party) == patient else ANOTHER
    said = [code_in(each) for each in party.resource.relationship or ()] if party.type == "RelatedPerson" else []
    known = (_RELATED.get(code) or RELATIONSHIPS.get(code) for code in said)
    return next(filter(None, known), ANOTHER if said else "")


def _identity(party: Entry, relationship: str, encounter_id: UUID, patient: Link, message: FhirMessage) -> UUID:
    """A patient's own id, or one by the party's first number; without a number it is a guarantor of this encounter alone."""
    own = message.references.own(party)
    if party.type == "Patient" and own is not None and own.id is not None:
        return own.id
    if relationship == SELF and patient.id is not None:
        return patient.id
    numbers = party.resource.identifier or ()
    number = identifier_in(numbers, message.names.of_source(message.source, "guarantor")) or next(
        (str(each.value) for each in numbers if each.value), ""
    )
    if number:
        return guarantor_id_of(message.source, number)
    return derive("guarantor", encounter_id)
