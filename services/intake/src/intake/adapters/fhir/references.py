"""References between resources: inside a message they are resolved here, outside of it they are looked up later."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from canonical.ids import derive

from intake.adapters.fhir.contained import MARK
from intake.adapters.fhir.names import FhirNames
from intake.adapters.fhir.resources import ADDRESS_BOOK, Entry, identifier_in
from intake.domain.facts import NOWHERE, Link
from intake.domain.identities import charge_id_of, encounter_id_of, patient_id_of
from intake.domain.source_reference import ResourceSeen

NAMED_TYPES = ("Organization", "Location", "Practitioner", "PractitionerRole", "Patient", "Encounter")
"""What others refer to: each of these has to have an identifier of a system that we know."""
NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"
_NUMBERS = {"Encounter": "visit", "ChargeItem": "charge", "Claim": "claim"}
_BY_ID_RATHER = ("Patient", "Encounter")
"""Their other identifiers may be shared: a passport, or the number of an admission of which this is a part."""
_RELATIVE = re.compile(r"(?:^|.*/)([A-Za-z]+/[A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]+)?")


class References:
    """What each resource of one message is, by every way another may refer to it."""

    def __init__(self, entries: Sequence[Entry], source: str, names: FhirNames) -> None:
        self._source = source
        self._names = names
        self._code_systems = names.code_systems()
        self._entries = entries
        self._links: dict[str, Link] = {}
        self._own: dict[str, Link | None] = {}
        self._own_identifiers: dict[str, tuple[str, str]] = {}
        self.unnamed: list[Entry] = []
        self.unresolved: dict[str, None] = {}
        every = [*entries, *(inner for entry in entries for inner in entry.contained)]
        for kinds in (("Practitioner",), NAMED_TYPES):
            for entry in (each for each in every if each.type in kinds):
                self._note(entry)
        self.unnamed = [entry for entry in entries if entry.type in NAMED_TYPES and self.own(entry) is None]

    def _role(self, entry: Entry, number: str) -> Link | None:
        """A role has a code of its own, or stands for the practitioner in it."""
        if not self._systematic(entry.type, entry.resource.identifier)[1]:
            practitioner = self.link(entry.resource.practitioner)
            if practitioner.code:
                return practitioner
        return Link(code=number) if number else None

    def _note(self, entry: Entry) -> None:
        link = self.own(entry)
        for name in (entry.reference, entry.full_url):
            if name and link is not None:
                self._links[name] = link

    def own(self, entry: Entry) -> Link | None:
        """What the resource itself is; None where nothing tells."""
        if entry.place not in self._own:
            self._own[entry.place] = self._own_link(entry)
        return self._own[entry.place]

    def _own_link(self, entry: Entry) -> Link | None:
        _, number = self.own_identifier(entry)
        if entry.type == "PractitionerRole":
            return self._role(entry, number)
        if not number:
            return None
        if entry.type == "Patient":
            return Link(id=patient_id_of(self._source, number))
        if entry.type == "Encounter":
            return Link(id=encounter_id_of(self._source, number))
        return Link(code=number)

    def own_identifier(self, entry: Entry) -> tuple[str, str]:
        """System and value by which we know the resource: of a system of ours, or its first identifier, or its own id.

        A code that master data does not know is no reason to refuse: it holds what is billed with it, until it is mapped.
        """
        known = self._own_identifiers.get(entry.place)
        if known is None:
            known = self._own_identifiers[entry.place] = self._own_identifier(entry)
        return known

    def _own_identifier(self, entry: Entry) -> tuple[str, str]:
        identifiers = entry.resource.identifier or ()
        found = self._systematic(entry.type, identifiers)
        if found[1]:
            return found
        if entry.type not in _BY_ID_RATHER:
            first = next((each for each in identifiers if each.value), None)
            if first is not None:
                return str(first.system or ""), str(first.value)
        return "", str(entry.resource.id or "") if entry.request.keeps_id else ""

    def _systematic(self, kind: str, identifiers: Any) -> tuple[str, str]:
        """The identifier of a system of ours or of the source's."""
        if kind == "Patient":
            return medical_record_number(identifiers, self._names.of_source(self._source, "mrn"))
        if kind == "Location":
            systems: Sequence[str] = (self._names.location_system,)
        elif kind in ADDRESS_BOOK:
            systems = (*self._code_systems, NPI_SYSTEM)
        else:
            systems = (self._names.of_source(self._source, _NUMBERS.get(kind, kind.lower())),)
        found = ((system, identifier_in(identifiers, system)) for system in systems)
        return next((each for each in found if each[1]), ("", ""))

    def known_as(self, entry: Entry) -> str:
        """The reference by which the source may speak of it from now on; a create gets its id from what it is."""
        if entry.request.keeps_id:
            return entry.reference
        number = self.own_identifier(entry)[1]
        cause = number or entry.said.decode()
        return f"{entry.type}/{derive('fhir-resource', self._source, entry.type, cause)}"

    def seen(self, entry: Entry) -> ResourceSeen:
        """The resource as its versions are counted."""
        link = self._stands_for(entry)
        return ResourceSeen(
            entry.place,
            entry.type,
            entry.number,
            self.known_as(entry),
            entry.said,
            link.id,
            link.code,
            entry.request.expected_version,
            entry.request.only_if_new,
            is_update=entry.request.method == "PUT",
        )

    def _stands_for(self, entry: Entry) -> Link:
        number = self.own_identifier(entry)[1]
        if entry.type == "ChargeItem" and number:
            return Link(id=charge_id_of(self._source, number))
        if entry.type == "Claim" and number:
            return Link(id=encounter_id_of(self._source, number))
        return (self.own(entry) if entry.type in NAMED_TYPES else None) or NOWHERE

    def entity_code(self) -> str:
        """The code of the legal entity among the organizations of the message."""
        system = self._code_systems[0]
        organizations = (entry for entry in self._entries if entry.type == "Organization")
        return next(filter(None, (identifier_in(each.resource.identifier, system) for each in organizations)), "")

    def link(self, reference: Any) -> Link:
        """Where a Reference leads: by its identifier, to a resource of this message, or to be looked up."""
        if reference is None:
            return NOWHERE
        if reference.identifier is not None:
            return self._identified(str(reference.identifier.system or ""), str(reference.identifier.value or ""))
        text = str(reference.reference or "")
        if text in self._links:
            return self._links[text]
        if MARK in text:
            self.unresolved[text.partition(MARK)[0]] = None
            return NOWHERE
        if "?" in text:
            return self._searched(text)
        found = _RELATIVE.fullmatch(text)
        relative = found[1] if found else text
        return self._links.get(relative) or (Link(reference=relative) if relative else NOWHERE)

    def _searched(self, text: str) -> Link:
        """A conditional reference: `Patient?identifier=system|value`."""
        pairs = parse_qsl(text.partition("?")[2])
        system, _, value = (
            pairs[0][1].partition("|") if len(pairs) == 1 and pairs[0][0] == "identifier" else ("", "", "")
        )
        found = self._identified(system, value)
        return Link(reference=text) if found.is_empty else found

    def _identified(self, system: str, value: str) -> Link:
        """A patient or encounter of the source by number, or what has a code of ours."""
        if not value:
            return NOWHERE
        if system in (*self._code_systems, self._names.location_system):
            return Link(code=value)
        if system == self._names.of_source(self._source, "mrn"):
            return Link(id=patient_id_of(self._source, value))
        if system == self._names.of_source(self._source, "visit"):
            return Link(id=encounter_id_of(self._source, value))
        return Link(code=value)


def medical_record_number(identifiers: Any, system: str) -> tuple[str, str]:
    """System and value of the identifier of type MR, or of the source's own system for it."""
    for identifier in identifiers:
        codings = (identifier.type.coding if identifier.type else None) or ()
        if identifier.value and any(coding.code == "MR" for coding in codings):
            return str(identifier.system or ""), str(identifier.value)
    return system, identifier_in(identifiers, system)
