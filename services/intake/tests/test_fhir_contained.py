"""Contained resources: `#id` leads within the resource that says it, to whoever billing knows by an identifier."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from intake.adapters.fhir import FhirNames, Sender, read_submission
from intake.domain.facts import ChargeSeen, CoverageSeen, EncounterSeen, Link
from intake.domain.identities import patient_id_of

from .world import IntakeUnderTest, Wire, bundle, encounters, only, raw, resources

ENCOUNTER = encounters(Wire.FHIR)[0]


def payer(code: str = "OTHERPAYER", identity: str = "x") -> dict[str, Any]:
    return {
        "resourceType": "Organization",
        "id": identity,
        "identifier": [{"system": "urn:sandbox:payer", "value": code}],
    }


def practitioner(code: str = "PRV09", identity: str = "x") -> dict[str, Any]:
    identifier = [{"system": "urn:sandbox:provider", "value": code}]
    return {"resourceType": "Practitioner", "id": identity, "identifier": identifier}


def read(content: dict[str, Any]) -> Any:
    return read_submission(raw(content), FhirNames(), Sender("service:ehr")).deliveries[0]


def within(content: dict[str, Any], kind: str, *inner: dict[str, Any], **changes: Any) -> dict[str, Any]:
    resources(content, kind)[0].update(contained=list(inner), **changes)
    return content


def test_the_payer_of_a_coverage_may_be_contained_in_it() -> None:
    content = within(bundle(ENCOUNTER), "Coverage", payer(), payor=[{"reference": "#x"}])
    assert only(read(content).facts, CoverageSeen).payer == Link(code="OTHERPAYER")


def test_each_resource_means_what_itself_contains_by_the_same_id() -> None:
    content = within(bundle(ENCOUNTER), "Coverage", payer(), payor=[{"reference": "#x"}])
    within(content, "ChargeItem", practitioner("PRV08"), performer=[{"actor": {"reference": "#x"}}])
    within(content, "Encounter", practitioner("PRV09"), participant=[{"individual": {"reference": "#x"}}])
    facts = read(content).facts
    charge = next(fact for fact in facts if isinstance(fact, ChargeSeen))
    encounter = only(facts, EncounterSeen)
    assert [only(facts, CoverageSeen).payer, charge.performer, encounter.rendering_provider] == [
        Link(code=code) for code in ("OTHERPAYER", "PRV08", "PRV09")
    ]


def test_a_contained_role_stands_for_the_practitioner_beside_it() -> None:
    role = {"resourceType": "PractitionerRole", "id": "r", "practitioner": {"reference": "#x"}}
    content = within(bundle(ENCOUNTER), "ChargeItem", role, practitioner(), performer=[{"actor": {"reference": "#r"}}])
    charge = next(fact for fact in read(content).facts if isinstance(fact, ChargeSeen))
    assert charge.performer == Link(code="PRV09")


def test_a_contained_patient_is_known_by_the_medical_record_number() -> None:
    content = bundle(ENCOUNTER)
    patient = {"resourceType": "Patient", "id": "p", "identifier": resources(content, "Patient")[0]["identifier"]}
    within(content, "Encounter", patient, subject={"reference": "#p"})
    seen = only(read(content).facts, EncounterSeen)
    assert seen.patient == Link(id=patient_id_of(ENCOUNTER.source, ENCOUNTER.patient.mrn))


def test_a_diagnosis_may_be_a_contained_condition() -> None:
    coding = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "J45.20"}
    condition = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "#p"},
        "code": {"coding": [coding]},
    }
    content = within(
        bundle(ENCOUNTER), "Encounter", condition, diagnosis=[{"condition": {"reference": "#c"}, "rank": 1}]
    )
    delivery = read(content)
    assert delivery.findings == ()
    assert only(delivery.facts, EncounterSeen).diagnosis_codes == ("J45.20",)


def test_the_coverage_of_an_account_may_be_contained_in_it() -> None:
    content = bundle(ENCOUNTER)
    coverage = resources(content, "Coverage")[0] | {"id": "c", "payor": [{"reference": "#x"}]}
    patient = coverage["beneficiary"]
    content["entry"] = [each for each in content["entry"] if each["resource"]["resourceType"] != "Coverage"]
    account = {
        "resourceType": "Account",
        "id": "A1",
        "status": "active",
        "subject": [patient],
        "contained": [coverage, payer()],
        "coverage": [{"coverage": {"reference": "#c"}, "priority": 1}],
    }
    content["entry"].append({"resource": account, "request": {"method": "PUT", "url": "Account/A1"}})
    seen = only(read(content).facts, CoverageSeen)
    assert seen.payer == Link(code="OTHERPAYER")
    assert seen.details is not None
    assert ENCOUNTER.coverage is not None
    assert seen.details.member_id == ENCOUNTER.coverage.member_id


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda content: within(content, "Coverage", payor=[{"reference": "#none"}]), "Coverage"),
        (
            lambda content: within(
                content, "Coverage", {"resourceType": "Organization", "id": "x"}, payor=[{"reference": "#x"}]
            ),
            "Coverage",
        ),
        (lambda content: within(content, "Coverage", payer(), payer()), "Coverage.contained"),
        (lambda content: within(content, "Coverage", payer() | {"contained": [payer()]}), "Coverage.contained"),
        (lambda content: within(content, "Coverage", payer() | {"id": 7}), "Coverage.contained"),
    ],
    ids=["not there", "without an identifier", "one id twice", "nested", "an id that is none"],
)
def test_what_is_contained_otherwise_is_refused_by_name(
    change: Callable[[dict[str, Any]], dict[str, Any]], field: str
) -> None:
    findings = read(change(bundle(ENCOUNTER))).findings
    place = next(each.field for each in findings if each.rule == "contained")
    assert place.split("].", 1)[1] == field


def test_a_contained_resource_that_is_no_r4_is_refused_with_its_place() -> None:
    content = within(bundle(ENCOUNTER), "Coverage", payer() | {"active": "perhaps"})
    (finding,) = read(content).findings
    assert (finding.rule, finding.field.split("].", 1)[1]) == ("fhir-r4", "Coverage.contained[0].active")


def test_what_is_contained_is_no_resource_of_its_own_and_comes_back_with_its_owner() -> None:
    service = IntakeUnderTest()
    content = within(bundle(ENCOUNTER), "Coverage", payer("STATEAID"), payor=[{"reference": "#x"}])
    (outcome,) = service.receive(raw(content))
    assert outcome.accepted
    assert len(outcome.resources) == len(content["entry"])
    assert "Organization/x" not in json.dumps([each.reference for each in outcome.resources])
