"""FHIR resources to facts about one patient, in the order in which they are to be taken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from intake.adapters.fhir.charge_items import charge_facts
from intake.adapters.fhir.claims import claim_facts
from intake.adapters.fhir.coverages import coverage_facts
from intake.adapters.fhir.encounters import encounter_facts
from intake.adapters.fhir.message import FhirMessage
from intake.adapters.fhir.names import FhirNames
from intake.adapters.fhir.people import patient_facts
from intake.adapters.fhir.references import References
from intake.adapters.fhir.resources import Entry
from intake.adapters.fhir.stays import ClinicalResources
from intake.domain.facts import NOWHERE, EncounterSeen, Fact, Link
from intake.domain.refusals import Finding, InvalidMessage
from intake.domain.source_reference import ResourceSeen

NOTES_MAX = 20


class Translation:
    """The facts of the resources of one message. They are about one patient at most."""

    def __init__(
        self, entries: Sequence[Entry], source: str, names: FhirNames, told_at: datetime | None = None
    ) -> None:
        """Raises InvalidMessage where they are about several patients."""
        references = References(entries, source, names)
        self._message = FhirMessage(entries, source, names, references, told_at)
        patients = set(filter(None, map(self._patient_of, entries)))
        if len(patients) > 1:
            raise InvalidMessage([Finding("Bundle.entry", "one-patient", "a bundle is about one patient")])
        self.patient = next(iter(patients), NOWHERE)
        self.entity = references.entity_code()

    def _patient_of(self, entry: Entry) -> Link | None:
        """The patient that a resource is about."""
        references, resource = self._message.references, entry.resource
        match entry.type:
            case "Patient":
                return references.own(entry)
            case "Encounter" | "ChargeItem" | "Condition" | "Procedure":
                return references.link(resource.subject)
            case "Coverage":
                return references.link(resource.beneficiary)
            case "Claim":
                return references.link(resource.patient)
            case _:
                return None

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, once the facts have been asked for."""
        return tuple(self._message.notes[:NOTES_MAX])

    def resources(self) -> tuple[ResourceSeen, ...]:
        """The resources as their versions are counted."""
        return tuple(map(self._message.references.seen, self._message.entries))

    def facts(self) -> tuple[Fact, ...]:
        """In the order in which they are to be taken.

        Raises:
            InvalidMessage: fields that billing needs are missing.
        """
        message = self._message
        self._refuse_unnamed()
        clinical = ClinicalResources(message)
        facts: list[Fact] = []
        for entry in message.of("Patient"):
            facts += patient_facts(entry, message)
        for entry in message.of("Encounter"):
            facts += encounter_facts(entry, message, clinical)
        charges: list[Fact] = [fact for entry in message.of("ChargeItem") for fact in charge_facts(entry, message)]
        for entry in message.of("Claim"):
            told = claim_facts(entry, message)
            facts += [fact for fact in told if isinstance(fact, EncounterSeen)]
            charges += [fact for fact in told if not isinstance(fact, EncounterSeen)]
        facts += clinical.on_their_own()
        facts += self._coverages(facts)
        facts += charges
        self._refuse_unresolved()
        if message.findings:
            raise InvalidMessage(message.findings)
        return tuple(facts)

    def _refuse_unnamed(self) -> None:
        message = self._message
        for entry in message.references.unnamed:
            message.need(f"{entry.place}.identifier", "names the resource by an identifier of a system of the source's")
        for entry in message.entries:
            search = entry.request.search
            if search and search != message.references.own_identifier(entry):
                note = "a condition names the identifier by which the resource is known here"
                message.find(entry.place, "condition", note)

    def _refuse_unresolved(self) -> None:
        note = "a reference by #id leads to a contained resource, and billing knows that by an identifier"
        for place in self._message.references.unresolved:
            self._message.find(place or "reference", "contained", note)

    def _coverages(self, facts: Sequence[Fact]) -> list[Fact]:
        """Who pays, where the message says so: no coverage does not mean that the patient pays."""
        return coverage_facts(
            self._message, [Link(id=fact.encounter_id) for fact in facts if isinstance(fact, EncounterSeen)]
        )
