"""FHIR resources to facts about one patient: where each field of ours sits in R4."""

from __future__ import annotations

from typing import Any

from canonical.party import Address, CoverageDetails, PatientDetails

from intake.adapters.fhir.charge_items import charge_fact
from intake.adapters.fhir.names import FhirNames
from intake.adapters.fhir.references import ADDRESS_BOOK_TYPES, References
from intake.adapters.fhir.resources import Entry, code_in, entries_of, identifier_in
from intake.adapters.fhir.stays import ClinicalResources
from intake.adapters.fhir.strict_json import Json, parse_object
from intake.application.deliveries import InboundDelivery
from intake.domain.facts import NOWHERE, CoverageSeen, EncounterSeen, Fact, Link, PatientSeen, SelfPayAssumed
from intake.domain.identities import encounter_id_of, patient_id_of
from intake.domain.next_coverage import FIRST_RANK, RANKS_MAX
from intake.domain.refusals import Finding, InvalidMessage

FORMAT = "fhir-r4"
SELF_PAY_TYPES = ("SELFPAY", "pay", "self-pay")
SEXES = {"male": "M", "female": "F"}
RELATIONSHIPS = {"self": "self", "spouse": "01", "child": "19", "other": "G8", "parent": "32"}
SOURCE_UNKNOWN = "unknown"
KEY_CHARACTERS_MAX = 200
PLAN_CHARACTERS_MAX = 50
ENCOUNTER_STATUSES = ("planned", "arrived", "triaged", "in-progress", "onleave", "finished", "unknown")


def read_delivery(raw: bytes, names: FhirNames, *, actor: str, key: str = "", expect: str = "") -> InboundDelivery:
    """One body as a delivery; what is wrong with it stands in its findings.

    `key` is the sender's idempotency key at this address, used where the body names none. `expect` is the `Type` or `Type/id` that
    the address said.
    """
    source, delivery_key, patient, entity = SOURCE_UNKNOWN, "", NOWHERE, ""
    try:
        content = parse_object(raw)
        source = _source_of(content)
        named = _delivery_key(content) or (f"{expect} {key}".strip() if key else "")
        if len(named) > KEY_CHARACTERS_MAX or not named.isprintable():
            raise _refused(
                "Bundle.identifier.value", "delivery-key", f"at most {KEY_CHARACTERS_MAX} printable characters"
            )
        delivery_key = named
        if not delivery_key:
            raise _refused("Bundle.identifier.value", "delivery-key", "or meta.versionId, or header Idempotency-Key")
        entries = entries_of(content)
        _refuse_other_address(entries, expect)
        translation = _Translation(entries, source, names)
        patient, entity = translation.patient, translation.entity
        facts = translation.facts()
    except InvalidMessage as invalid:
        return InboundDelivery(
            source,
            delivery_key or key or "none",
            FORMAT,
            raw,
            actor,
            findings=invalid.findings,
            patient=patient,
            entity=entity,
        )
    return InboundDelivery(
        source, delivery_key, FORMAT, raw, actor, facts, patient=patient, entity=entity, entry_count=len(entries)
    )


def _source_of(content: Json) -> str:
    meta = content.get("meta")
    source = meta.get("source") if isinstance(meta, dict) else None
    if not isinstance(source, str) or not 0 < len(source) <= 64 or not source.isprintable():
        raise _refused("meta.source", "source-system", "names the source system, at most 64 characters")
    return source


def _delivery_key(content: Json) -> str:
    """What tells this delivery from another with the same bytes: a resource that goes A, B, A is three deliveries."""
    identifier = content.get("identifier")
    if content.get("resourceType") == "Bundle":
        value = identifier.get("value") if isinstance(identifier, dict) else None
        return value if isinstance(value, str) else ""
    meta = content.get("meta")
    assert isinstance(meta, dict)
    version = meta.get("versionId") or meta.get("lastUpdated")
    return f"{content.get('resourceType')}/{content.get('id', '')}@{version}" if isinstance(version, str) else ""


def _refuse_other_address(entries: list[Entry], expect: str) -> None:
    if expect and expect not in (entries[0].type, entries[0].reference):
        raise _refused("id", "address", "the resource is not the one that the address names")


def _refused(field: str, rule: str, note: str) -> InvalidMessage:
    return InvalidMessage([Finding(field, rule, note)])


class _Translation:
    """The facts of the resources of one message. They are about one patient at most."""

    def __init__(self, entries: list[Entry], source: str, names: FhirNames) -> None:
        self._entries = entries
        self._source = source
        self._names = names
        self._references = References(entries, source, names.code_systems(), self._names.of_source)
        self._clinical = ClinicalResources(entries, names)
        self._findings: list[Finding] = []
        patients = set(filter(None, map(self._patient_of, entries)))
        if len(patients) > 1:
            raise _refused("Bundle.entry", "one-patient", "a bundle is about one patient")
        self.patient = next(iter(patients), NOWHERE)
        self.entity = self._references.entity_code(names.code_systems()[0])

    def _of(self, kind: str) -> list[Entry]:
        return [entry for entry in self._entries if entry.type == kind]

    def _patient_of(self, entry: Entry) -> Link | None:
        """The patient that a resource is about."""
        match entry.type:
            case "Patient":
                return self._references.own(entry)
            case "Encounter" | "ChargeItem" | "Condition" | "Procedure":
                return self._references.link(entry.resource.subject)
            case "Coverage":
                return self._references.link(entry.resource.beneficiary)
            case _:
                return None

    def facts(self) -> tuple[Fact, ...]:
        """In the order in which they are to be taken.

        Raises:
            InvalidMessage: fields that billing needs are missing.
        """
        facts: list[Fact] = []
        for entry in self._of("Patient"):
            facts += self._patient(entry)
        for entry in self._of("Encounter"):
            facts += self._encounter(entry)
        self._clinical.refuse_unused(self._findings)
        facts += self._references.facts([entry for entry in self._entries if entry.type in ADDRESS_BOOK_TYPES])
        facts += self._coverages()
        for entry in self._of("ChargeItem"):
            facts += charge_fact(entry, self._source, self._names, self._references, self._findings)
        for entry, _ in self._references.unnamed:
            self._need(f"{entry.place}.identifier", "names the resource by an identifier of the source's system")
        if self._findings:
            raise InvalidMessage(self._findings)
        return tuple(facts)

    def _need(self, field: str, note: str) -> None:
        self._findings.append(Finding(field, "required", note))

    def _patient(self, entry: Entry) -> list[Fact]:
        patient, place = entry.resource, entry.place
        name = next(iter(patient.name or ()), None)
        if name is None or not name.family or not name.given:
            self._need(f"{place}.name[0]", "family and given name")
        if patient.birthDate is None:
            self._need(f"{place}.birthDate", "the day of birth")
        own = self._references.own(entry)
        if name is None or not name.given or patient.birthDate is None or own is None or own.id is None:
            return []
        details = PatientDetails(
            family_name=name.family or "",
            given_name=name.given[0] or "",
            birth_date=patient.birthDate,
            sex=SEXES.get(patient.gender or "", "U"),
            address=_address(patient.address),
            identifiers=tuple(str(each.value) for each in patient.identifier or () if each.value),
        )
        return [PatientSeen(place, own.id, details, self._other_ids(patient, own.id))]

    def _other_ids(self, patient: Any, own_id: object) -> tuple[Any, ...]:
        """The ids under which other identifiers of the same person would be known."""
        found = [patient_id_of(str(each.system), str(each.value)) for each in patient.identifier or () if each.value]
        return tuple(each for each in found[1:] if each != own_id)

    def _encounter(self, entry: Entry) -> list[Fact]:
        encounter, place = entry.resource, entry.place
        number = identifier_in(encounter.identifier, self._names.of_source(self._source, "visit"))
        if encounter.status not in ENCOUNTER_STATUSES:
            note = f"one of {', '.join(ENCOUNTER_STATUSES)}"
            self._findings.append(Finding(f"{place}.status", "encounter-status", note))
        if encounter.subject is None:
            self._need(f"{place}.subject", "the patient")
        if encounter.serviceProvider is None:
            self._need(f"{place}.serviceProvider", "the legal entity")
        if not number or encounter.subject is None or encounter.serviceProvider is None:
            return []
        diagnoses, stay = self._clinical.diagnoses_and_stay(entry, self._findings)
        participant = next(iter(encounter.participant or ()), None)
        location = next(iter(encounter.location or ()), None)
        named = location.location.identifier if location and location.location else None
        return [
            EncounterSeen(
                place,
                encounter_id_of(self._source, number),
                self._references.link(encounter.subject),
                self._references.link(encounter.serviceProvider),
                location=str(named.value or "") if named else "",
                rendering_provider=self._references.link(participant.individual) if participant else NOWHERE,
                finished=encounter.status == "finished",
                diagnosis_codes=diagnoses,
                account_number=number,
                stay=stay,
            )
        ]

    def _coverages(self) -> list[Fact]:
        """The coverages by their order; with none, a message of an encounter and its charges is self-pay."""
        encounters = [found for entry in self._of("Encounter") if (found := self._references.own(entry))]
        coverages = self._of("Coverage")
        if not coverages:
            complete = bool(self._of("ChargeItem"))
            return [SelfPayAssumed("Bundle", encounter) for encounter in encounters] if complete else []
        facts: list[Fact] = []
        for rank, entry in self._ranked(coverages):
            if entry.resource.status != "active":
                note = "only active coverage is taken"
                self._findings.append(Finding(f"{entry.place}.status", "coverage-status", note))
            payer, details = self._coverage(entry)
            beneficiary = self._references.link(entry.resource.beneficiary)
            owners = encounters or [NOWHERE]
            facts += [CoverageSeen(entry.place, beneficiary, each, payer, details, rank) for each in owners]
        return facts

    def _ranked(self, coverages: list[Entry]) -> list[tuple[int, Entry]]:
        """Each coverage with its rank: Coverage.order, and where none states one, its place in the message."""
        if not any(entry.resource.order for entry in coverages):
            ranked = list(enumerate(coverages, FIRST_RANK))
        else:
            ranked = sorted(
                ((entry.resource.order or FIRST_RANK, entry) for entry in coverages), key=lambda each: each[0]
            )
        ranks = [rank for rank, _ in ranked]
        if len(set(ranks)) < len(ranks) or max(ranks) > RANKS_MAX:
            note = f"one coverage for each order from 1 to {RANKS_MAX}"
            self._findings.append(Finding(f"{coverages[0].place}.order", "coverage-order", note))
        return ranked

    def _coverage(self, entry: Entry) -> tuple[Link, CoverageDetails | None]:
        coverage = entry.resource
        if code_in(coverage.type) in SELF_PAY_TYPES:
            return NOWHERE, None
        payer = self._references.link(next(iter(coverage.payor or ()), None))
        if payer.is_empty:
            self._need(f"{entry.place}.payor[0]", "the payer")
        classes = {code_in(each.type): str(each.value or "") for each in coverage.class_fhir or ()}
        details = CoverageDetails(
            member_id=str(coverage.subscriberId or ""),
            group_number=classes.get("group", ""),
            plan=classes.get("plan", "")[:PLAN_CHARACTERS_MAX],
            relationship=RELATIONSHIPS.get(code_in(coverage.relationship) or "self", "G8"),
        )
        return payer, details


def _address(addresses: Any) -> Address:
    first = next(iter(addresses or ()), None)
    if first is None:
        return Address()
    return Address(
        line=str((first.line or [""])[0] or ""),
        city=str(first.city or ""),
        state=str(first.state or ""),
        postal_code=str(first.postalCode or ""),
    )
