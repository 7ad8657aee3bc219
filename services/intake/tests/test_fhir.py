"""FHIR R4 to facts: fields land where they belong, and what is wrong is named by path and rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from canonical.money import Money
from intake.adapters.fhir import FhirNames, Sender, read_submission
from intake.adapters.fhir.strict_json import parse_object
from intake.domain.facts import ChargeSeen, CoverageSeen, EncounterSeen, PatientSeen
from intake.domain.identities import charge_id_of, encounter_id_of, patient_id_of

from .world import Wire, bundle, encounters, messages_of, only, raw, resources

ENCOUNTER = encounters(Wire.FHIR)[0]


def read(content: bytes, **more: Any) -> Any:
    return read_submission(content, FhirNames(), Sender("service:ehr", **more)).deliveries[0]


def rules(content: bytes, **more: Any) -> list[tuple[str, str]]:
    return [(finding.field, finding.rule) for finding in read(content, **more).findings]


def test_a_bundle_becomes_facts_of_one_patient() -> None:
    delivery = read(messages_of(ENCOUNTER).messages[0])
    patient, encounter = only(delivery.facts, PatientSeen), only(delivery.facts, EncounterSeen)
    coverage = only(delivery.facts, CoverageSeen)
    assert delivery.findings == ()
    assert (delivery.source, delivery.delivery_key) == (ENCOUNTER.source, ENCOUNTER.visit_number)
    assert (delivery.entity, delivery.patient.id) == (ENCOUNTER.entity, patient.patient_id)
    assert patient.patient_id == patient_id_of(ENCOUNTER.source, ENCOUNTER.patient.mrn)
    assert patient.details.family_name == ENCOUNTER.patient.family_name
    assert patient.details.address.postal_code == ENCOUNTER.patient.postal_code
    assert encounter.encounter_id == encounter_id_of(ENCOUNTER.source, ENCOUNTER.visit_number)
    assert (encounter.entity.code, encounter.location) == (ENCOUNTER.entity, ENCOUNTER.location)
    assert (encounter.rendering_provider.code, encounter.finished) == (ENCOUNTER.provider, True)
    assert encounter.diagnosis_codes == ENCOUNTER.diagnosis_codes
    assert ENCOUNTER.coverage is not None
    assert coverage.details is not None
    assert (coverage.payer.code, coverage.details.member_id) == (ENCOUNTER.coverage.payer, ENCOUNTER.coverage.member_id)


@pytest.mark.parametrize("encounter", encounters(Wire.FHIR)[:20], ids=lambda each: each.visit_number)
def test_every_charge_of_a_bundle_is_read_to_the_cent(encounter: Any) -> None:
    charges = [fact for fact in read(messages_of(encounter).messages[0]).facts if isinstance(fact, ChargeSeen)]
    assert [
        (
            each.charge_id,
            each.procedure_code,
            each.modifiers,
            each.units,
            each.amount,
            each.service_date,
            each.department,
        )
        for each in charges
    ] == [
        (
            charge_id_of(encounter.source, each.transaction_id),
            each.procedure_code,
            each.modifiers,
            Decimal(each.units),
            each.amount,
            each.service_date,
            each.source_department,
        )
        for each in encounter.charges
    ]


def test_the_price_is_the_total_and_is_never_multiplied() -> None:
    content = bundle(ENCOUNTER)
    item = resources(content, "ChargeItem")[0]
    item["quantity"] = {"value": 3}
    item["priceOverride"] = {"value": 30, "currency": "USD"}
    charge = next(fact for fact in read(raw(content)).facts if isinstance(fact, ChargeSeen))
    assert (charge.units, charge.amount) == (Decimal(3), Money.of("30.00"))


def test_self_pay_is_said_by_a_coverage_and_never_taken_from_silence() -> None:
    content = bundle(encounters(Wire.FHIR, self_pay=True)[0])
    (said,) = [fact for fact in read(raw(content)).facts if isinstance(fact, CoverageSeen)]
    assert (said.payer.is_empty, said.details) == (True, None)
    content["entry"] = [each for each in content["entry"] if each["resource"]["resourceType"] != "Coverage"]
    assert CoverageSeen not in map(type, read(raw(content)).facts)


def _set(kind: str, field: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        resources(content, kind)[0][field] = value

    return change


def _drop(kind: str, field: str) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        del resources(content, kind)[0][field]

    return change


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        (_drop("Patient", "birthDate"), "Bundle.entry[3].Patient.birthDate", "required"),
        (_set("Encounter", "status", None), "Bundle.entry[4].Encounter.status", "fhir-r4"),
        (_set("Patient", "birthDate", "1980-02"), "Bundle.entry[3].Patient.birthDate", "required"),
        (_drop("Patient", "name"), "Bundle.entry[3].Patient.name[0]", "required"),
        (_drop("Encounter", "serviceProvider"), "Bundle.entry[4].Encounter.serviceProvider", "required"),
        (_set("Encounter", "status", "over"), "Bundle.entry[4].Encounter.status", "encounter-status"),
        (_set("Encounter", "subject", "over"), "Bundle.entry[4].Encounter.subject", "fhir-r4"),
        (
            _set("ChargeItem", "priceOverride", ' {"value": 1e2, "currency": "USD"}'),
            "Bundle.entry[5].ChargeItem",
            "json-in-text",
        ),
        (_set("Encounter", "_status", "1"), "Bundle.entry[4].Encounter", "fhir-r4"),
        (_set("Coverage", "status", "cancelled"), "Bundle.entry[7].Coverage.status", "coverage-status"),
        (
            _set("ChargeItem", "priceOverride", {"currency": "USD"}),
            "Bundle.entry[5].ChargeItem.priceOverride.value",
            "required",
        ),
        (_drop("ChargeItem", "context"), "Bundle.entry[5].ChargeItem.context", "required"),
        (_drop("ChargeItem", "occurrenceDateTime"), "Bundle.entry[5].ChargeItem.occurrenceDateTime", "required"),
        (_set("ChargeItem", "status", "planned"), "Bundle.entry[5].ChargeItem.status", "charge-status"),
        (
            _set("ChargeItem", "totalPriceComponent", {}),
            "Bundle.entry[5].ChargeItem.totalPriceComponent",
            "fhir-version",
        ),
        (_set("Encounter", "class", [{"code": "AMB"}]), "Bundle.entry[4].Encounter.class", "fhir-version"),
        (_set("Patient", "animal", {}), "Bundle.entry[3].Patient.animal", "fhir-version"),
        (
            _set("ChargeItem", "priceOverride", {"value": 1.005, "currency": "USD"}),
            "Bundle.entry[5].ChargeItem.priceOverride.value",
            "money",
        ),
        (_set("ChargeItem", "nonsense", 1), "Bundle.entry[5].ChargeItem.nonsense", "fhir-r4"),
    ],
)
def test_what_is_wrong_is_named_by_path_and_rule(
    change: Callable[[dict[str, Any]], None], field: str, rule: str
) -> None:
    content = bundle(ENCOUNTER)
    change(content)
    assert (field, rule) in rules(raw(content))


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b"[]", "json-object"),
        (b'{"resourceType": "Bundle", "resourceType": "Patient"}', "duplicate-key"),
        (b'{"resourceType": "Patient", "gender": "\\uD800"}', "utf-8"),
        (b'{"resourceType": "Location", "name": "Ward\\u0000"}', "control-character"),
        (b'{"resourceType": "Location", "alias": [{"Ward\\u001F": 1}]}', "control-character"),
        (b'{"resourceType": "Location", "name": "\\b"}', "control-character"),
        (b'{"value": NaN}', "number"),
        (b'{"value": 1e400}', "number"),
        (b'{"value": ' + b"9" * 50 + b"}", "number"),
        (b'{"name": "\xff"}', "utf-8"),
        (b'{"a":' * 50 + b"1" + b"}" * 50, "too-deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "too-deep"),
        (b" " * 5_000_001, "too-large"),
        (b'{"resourceType": "Patient"}', "source-system"),
        (b'{"resourceType": "Observation", "meta": {"source": "ehr", "versionId": "1"}}', "resource-type"),
        (
            b'{"resourceType": "Bundle", "type": "transaction", "meta": {"source": "ehr"}, "entry": [{}]}',
            "delivery-key",
        ),
        (
            b'{"resourceType": "Bundle", "type": "history", "meta": {"source": "e"}, "identifier": {"value": "1"}}',
            "bundle-type",
        ),
    ],
)
def test_what_is_no_message_of_ours_is_refused_by_rule(content: bytes, rule: str) -> None:
    assert [found for _, found in rules(content)] == [rule]


def test_lines_and_tabs_in_texts_and_escaped_backslashes_are_taken() -> None:
    assert parse_object(rb'{"a": "1\r\n\t2", "b": "\\u0000 \\b"}') == {"a": "1\r\n\t2", "b": "\\u0000 \\b"}


def test_a_resource_without_an_identifier_is_known_by_its_id_and_a_create_without_any_is_refused() -> None:
    content = bundle(ENCOUNTER)
    for kind in ("Patient", "Encounter", "ChargeItem"):
        del resources(content, kind)[0]["identifier"]
    delivery = read(raw(content))
    patient = resources(content, "Patient")[0]
    assert delivery.findings == ()
    assert delivery.patient.id == patient_id_of(ENCOUNTER.source, patient["id"])
    content["entry"][3]["request"] = {"method": "POST", "url": "Patient"}
    assert ("Bundle.entry[3].Patient.identifier", "required") in rules(raw(content))


def test_a_bundle_about_two_patients_is_refused() -> None:
    content = bundle(ENCOUNTER)
    second = json.loads(json.dumps(resources(content, "Patient")[0]))
    second["id"] = "other"
    second["identifier"][0]["value"] = "OTHER"
    content["entry"].append({"resource": second, "request": {"method": "PUT", "url": "Patient/other"}})
    assert rules(raw(content)) == [("Bundle.entry", "one-patient")]


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "GET", None])
def test_a_bundle_only_stores(method: str | None) -> None:
    content = bundle(ENCOUNTER)
    content["entry"][2]["request"]["method"] = method
    assert rules(raw(content)) == [("Bundle.entry[2].request.method", "request-method")]


def test_a_resource_must_be_the_one_that_the_address_names() -> None:
    patient = resources(bundle(ENCOUNTER), "Patient")[0] | {"meta": {"source": ENCOUNTER.source, "versionId": "1"}}
    assert rules(raw(patient), method="PUT", address=f"Patient/{patient['id']}") == []
    assert rules(raw(patient), method="PUT", address="Patient/other") == [("Patient.id", "address")]


def test_no_finding_shows_what_the_patient_is_called() -> None:
    content = bundle(ENCOUNTER)
    patient = resources(content, "Patient")[0]
    patient["birthDate"] = patient["name"][0]["family"]
    patient[f"Secret {patient['name'][0]['family']}"] = 1
    told = " ".join(map(str, read(raw(content)).findings))
    assert patient["name"][0]["family"] not in told
    assert "Patient" in told
