"""References between resources: inside a message they are resolved here, outside of it they are looked up later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from intake.adapters.fhir.resources import Entry, identifier_in
from intake.domain.facts import NOWHERE, Link, ReferenceSeen
from intake.domain.identities import encounter_id_of, patient_id_of

ADDRESS_BOOK_TYPES = ("Organization", "Practitioner", "Patient", "Encounter")
_CODE_TYPES = ("Organization", "Practitioner")


class References:
    """What each resource of one message is, by every way another may refer to it."""

    def __init__(
        self,
        entries: Sequence[Entry],
        source: str,
        code_systems: Sequence[str],
        source_system: Callable[[str, str], str],
    ) -> None:
        self._source = source
        self._code_systems = code_systems
        self._source_system = source_system
        self._links: dict[str, Link] = {}
        self._entries = entries
        self.unnamed: list[tuple[Entry, str]] = []
        for entry in entries:
            if entry.type in ADDRESS_BOOK_TYPES:
                self._note(entry)

    def _note(self, entry: Entry) -> None:
        link = self.own(entry)
        if link is None:
            self.unnamed.append((entry, entry.type))
            return
        for name in filter(None, (entry.reference, entry.full_url)):
            self._links[name] = link

    def own(self, entry: Entry) -> Link | None:
        """What the resource itself is; None where it has no identifier that we know the system of."""
        identifiers = entry.resource.identifier
        if entry.type == "Patient":
            number = medical_record_number(identifiers, self._source_system(self._source, "mrn"))
            return Link(id=patient_id_of(self._source, number)) if number else None
        if entry.type == "Encounter":
            number = identifier_in(identifiers, self._source_system(self._source, "visit"))
            return Link(id=encounter_id_of(self._source, number)) if number else None
        code = self._code(identifiers)
        return Link(code=code) if code else None

    def _code(self, identifiers: Any) -> str:
        found = (identifier_in(identifiers, system) for system in self._code_systems)
        return next(filter(None, found), "")

    def entity_code(self, system: str) -> str:
        """The code of the legal entity among the organizations of the message."""
        codes = (
            identifier_in(entry.resource.identifier, system) for entry in self._entries if entry.type == "Organization"
        )
        return next(filter(None, codes), "")

    def link(self, reference: Any) -> Link:
        """Where a Reference leads: by its identifier, to a resource of this message, or to be looked up."""
        if reference is None:
            return NOWHERE
        if reference.identifier is not None:
            code = self._code([reference.identifier])
            if code:
                return Link(code=code)
            return self._by_number(reference.identifier)
        text = str(reference.reference or "")
        if text in self._links:
            return self._links[text]
        relative = "/".join(text.split("/")[-2:])
        return self._links.get(relative) or (Link(reference=relative) if text else NOWHERE)

    def _by_number(self, identifier: Any) -> Link:
        """A patient or encounter of the source, named by number."""
        if identifier.system == self._source_system(self._source, "mrn"):
            return Link(id=patient_id_of(self._source, str(identifier.value)))
        if identifier.system == self._source_system(self._source, "visit"):
            return Link(id=encounter_id_of(self._source, str(identifier.value)))
        return NOWHERE

    def facts(self, entries: Sequence[Entry]) -> list[ReferenceSeen]:
        """What later messages of the source may refer to."""
        found = ((entry, self.own(entry)) for entry in entries if entry.reference)
        return [ReferenceSeen(entry.place, entry.reference, link.id, link.code) for entry, link in found if link]


def medical_record_number(identifiers: Any, system: str) -> str:
    """The identifier of type MR, or of the source's own system for it."""
    for identifier in identifiers or ():
        codings = (identifier.type.coding if identifier.type else None) or ()
        if identifier.value and any(coding.code == "MR" for coding in codings):
            return str(identifier.value)
    return identifier_in(identifiers, system)
