"""Pre-coded claims, and the resources that say more of patients, visits and charges, each by the facts that it gives."""

from __future__ import annotations

import json
from typing import Any

import pytest
from canonical.events.intake import EncounterCharged, PostedCharges
from canonical.money import Money
from intake.adapters.fhir import FhirNames, Sender, read_submission
from intake.adapters.fhir.outcomes import outcome_of
from intake.domain.facts import (
    ChargeSeen,
    ChargeVoided,
    CoverageSeen,
    DiagnosisSeen,
    EncounterCancelled,
    EncounterSeen,
    PatientSeen,
    PatientsMerged,
    ProcedureSeen,
)
from intake.domain.identities import charge_id_of, encounter_id_of, patient_id_of

from .world import IntakeUnderTest, Wire, bundle, encounters, only, raw, resources

ENCOUNTER = next(each for each in encounters(Wire.FHIR) if each.source == "ehr-north")
CPT = "http://www.ama-assn.org/go/cpt"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"


def read(content: dict[str, Any]) -> Any:
    return read_submission(raw(content), FhirNames(), Sender("service:ehr")).deliveries[0]


def coded(code: str, system: str = "") -> dict[str, Any]:
    return {"coding": [{"code": code} | ({"system": system} if system else {})]}


def money(value: float) -> dict[str, Any]:
    return {"value": value, "currency": "USD"}


def claim(**changes: Any) -> dict[str, Any]:
    """Two services of one visit, coded by the source."""
    items = [
        {
            "sequence": 1,
            "productOrService": coded("99213", CPT),
            "modifier": [coded("25")],
            "servicedDate": "2026-02-06",
            "quantity": {"value": 1},
            "net": money(124.5),
            "diagnosisSequence": [2],
            "careTeamSequence": [1],
        },
        {
            "sequence": 2,
            "productOrService": coded("36415", CPT),
            "servicedDate": "2026-02-06",
            "quantity": {"value": 3},
            "unitPrice": money(10.25),
        },
    ]
    content: dict[str, Any] = {
        "resourceType": "Claim",
        "id": "c1",
        "identifier": [{"system": "urn:sandbox:ehr-north:claim", "value": "CLM-1"}],
        "status": "active",
        "use": "claim",
        "type": coded("professional"),
        "created": "2026-02-07",
        "patient": {"reference": f"Patient/{ENCOUNTER.patient.mrn}"},
        "provider": {"reference": f"Organization/entity-{ENCOUNTER.entity}"},
        "priority": coded("normal"),
        "facility": {"identifier": {"system": "urn:sandbox:location", "value": ENCOUNTER.location}},
        "careTeam": [{"sequence": 1, "provider": {"reference": f"Practitioner/{ENCOUNTER.provider}"}}],
        "diagnosis": [
            {"sequence": 1, "diagnosisCodeableConcept": coded("E11.9", ICD)},
            {"sequence": 2, "diagnosisCodeableConcept": coded("J069", ICD), "type": [coded("principal")]},
        ],
        "insurance": [
            {"sequence": 1, "focal": True, "coverage": {"reference": f"Coverage/cov-{ENCOUNTER.visit_number}"}}
        ],
        "item": items,
        "total": money(155.25),
    }
    return content | changes


def claim_bundle(**changes: Any) -> dict[str, Any]:
    """The claim with its patient, coverage and organizations, without encounter and charge items."""
    content = bundle(ENCOUNTER)
    kept = [each for each in content["entry"] if each["resource"]["resourceType"] not in ("Encounter", "ChargeItem")]
    content["entry"] = [*kept, {"resource": claim(**changes), "request": {"method": "PUT", "url": "Claim/c1"}}]
    return content


def rules(content: dict[str, Any]) -> list[str]:
    return [finding.rule for finding in read(content).findings]


def test_a_claim_becomes_an_encounter_and_its_charges_as_a_biller_reads_it() -> None:
    facts = read(claim_bundle()).facts
    encounter, coverage = only(facts, EncounterSeen), only(facts, CoverageSeen)
    charges = [fact for fact in facts if isinstance(fact, ChargeSeen)]
    assert encounter.encounter_id == encounter_id_of("ehr-north", "CLM-1")
    assert (encounter.diagnosis_codes, encounter.finished) == (("J06.9", "E11.9"), True)
    assert encounter.rendering_provider.code == ENCOUNTER.provider
    assert (coverage.rank, coverage.encounter.id) == (1, encounter.encounter_id)
    assert [(each.procedure_code, each.modifiers, each.amount, each.diagnosis_codes) for each in charges] == [
        ("99213", ("25",), Money.of("124.50"), ("J06.9",)),
        ("36415", (), Money.of("30.75"), ()),
    ]
    assert [each.charge_id for each in charges] == [charge_id_of("ehr-north", f"CLM-1/{number}") for number in (1, 2)]


def test_a_claim_is_announced_as_one_posting_over_its_total() -> None:
    intake = IntakeUnderTest()
    (outcome,) = intake.receive(raw(claim_bundle()))
    charged = [event for event in intake.events() if isinstance(event, EncounterCharged)]
    assert (outcome.accepted, outcome.notes) == (True, ())
    assert [event.total for event in charged] == [Money.of("155.25")]


def test_what_a_claim_says_beside_its_items_is_kept_and_the_sender_is_told() -> None:
    told = [{"sequence": 1, "category": coded("employmentimpacted"), "timingDate": "2026-02-01"}]
    intake = IntakeUnderTest()
    (outcome,) = intake.receive(raw(claim_bundle(supportingInfo=told)))
    (issue,) = [each for each in outcome_of(outcome)["issue"] if each["severity"] == "warning"]  # type: ignore[attr-defined]
    assert outcome.accepted
    assert issue["expression"][0].endswith("Claim.supportingInfo[0]")
    assert issue["diagnostics"] == "left-out: kept in the message alone"


def test_a_claim_for_an_encounter_that_is_known_adds_its_charges_to_it() -> None:
    items = [each | {"encounter": [{"reference": f"Encounter/{ENCOUNTER.visit_number}"}]} for each in claim()["item"]]
    facts = read(claim_bundle(item=items)).facts
    assert EncounterSeen not in map(type, facts)
    charges = [fact for fact in facts if isinstance(fact, ChargeSeen)]
    assert {each.encounter.reference for each in charges} == {f"Encounter/{ENCOUNTER.visit_number}"}


def test_a_cancelled_claim_takes_its_charges_back() -> None:
    voided = [fact for fact in read(claim_bundle(status="cancelled")).facts if isinstance(fact, ChargeVoided)]
    assert [each.charge_id for each in voided] == [charge_id_of("ehr-north", f"CLM-1/{number}") for number in (1, 2)]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"use": "preauthorization"}, "claim-use"),
        ({"status": "draft"}, "claim-status"),
        ({"type": coded("pharmacy")}, "claim-type"),
        ({"total": money(155.26)}, "claim-total"),
        ({"item": []}, "required"),
        (
            {"diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": coded("44054006", "http://snomed.info/sct")}]},
            "diagnosis-code",
        ),
    ],
)
def test_a_claim_that_cannot_be_billed_is_refused_by_rule(changes: dict[str, Any], rule: str) -> None:
    assert rule in rules(claim_bundle(**changes))


def changed(kind: str, **changes: Any) -> dict[str, Any]:
    content = bundle(ENCOUNTER)
    resources(content, kind)[0].update(changes)
    return content


def with_resource(content: dict[str, Any], resource: dict[str, Any]) -> dict[str, Any]:
    address = f"{resource['resourceType']}/{resource['id']}"
    content["entry"].append({"resource": resource, "request": {"method": "PUT", "url": address}})
    return content


def test_a_cancelled_encounter_and_a_charge_in_error_are_taken_back() -> None:
    cancelled = only(read(changed("Encounter", status="cancelled")).facts, EncounterCancelled)
    voided = only(read(changed("ChargeItem", status="entered-in-error")).facts, ChargeVoided)
    first = ENCOUNTER.charges[0]
    assert cancelled.encounter.id == encounter_id_of("ehr-north", ENCOUNTER.visit_number)
    assert voided.charge_id == charge_id_of("ehr-north", first.transaction_id)


@pytest.mark.parametrize(("kind", "survives"), [("replaced-by", False), ("replaces", True)])
def test_a_link_of_patients_is_a_merge_in_its_direction(kind: str, survives: bool) -> None:
    link = {"other": {"reference": "Patient/other"}, "type": kind}
    facts = read(changed("Patient", link=[link, link | {"type": "seealso"}])).facts
    merged, own = only(facts, PatientsMerged), only(facts, PatientSeen).patient_id
    assert (merged.survivor if survives else merged.retired).id == own
    assert (merged.retired if survives else merged.survivor).reference == "Patient/other"


def test_every_identifier_of_a_patient_goes_to_matching() -> None:
    more = {"system": "http://hl7.org/fhir/sid/us-ssn", "value": "999-00-1111", "type": coded("SS")}
    content = bundle(ENCOUNTER)
    resources(content, "Patient")[0]["identifier"].append(more)
    seen = only(read(content).facts, PatientSeen)
    assert [each.kind for each in seen.identifiers] == ["MR", "SS"]
    assert seen.patient_id == patient_id_of("ehr-north", ENCOUNTER.patient.mrn)


def test_conditions_and_procedures_on_their_own_name_their_encounter() -> None:
    where = {"subject": {"reference": f"Patient/{ENCOUNTER.patient.mrn}"}}
    visit = {"encounter": {"reference": f"Encounter/{ENCOUNTER.visit_number}"}}
    head = {"meta": {"source": "ehr-north", "versionId": "1"}} | where
    condition = head | {"resourceType": "Condition", "id": "d", "code": coded("E11.9", ICD)}
    procedure = head | {
        "resourceType": "Procedure",
        "id": "p",
        "status": "completed",
        "code": coded("02703DZ", "http://www.cms.gov/Medicare/Coding/ICD10"),
        "performedDateTime": "2026-02-11",
    }
    assert only(read(condition | visit).facts, DiagnosisSeen).code == "E11.9"
    assert only(read(procedure | visit).facts, ProcedureSeen).procedure.code == "02703DZ"
    assert rules(condition) == rules(procedure) == ["no-encounter"]
    refuted = condition | visit | {"verificationStatus": coded("refuted")}
    assert only(read(refuted).facts, DiagnosisSeen).withdrawn
    nowhere = condition | {"verificationStatus": coded("refuted")}
    assert (read(nowhere).facts, read(nowhere).findings) == ((), ())


def test_an_account_says_in_which_order_coverages_pay() -> None:
    content = bundle(ENCOUNTER)
    first = resources(content, "Coverage")[0]
    del first["order"]
    second = json.loads(json.dumps(first)) | {"id": "second"}
    with_resource(content, second)
    told = [
        {"coverage": {"reference": "Coverage/second"}, "priority": 1},
        {"coverage": {"reference": f"Coverage/{first['id']}"}, "priority": 2},
    ]
    account = {"resourceType": "Account", "id": "a", "status": "active", "coverage": told}
    facts = read(with_resource(content, account)).facts
    places = {fact.rank: fact.place for fact in facts if isinstance(fact, CoverageSeen)}
    assert places[1].startswith("Bundle.entry[")
    assert sorted(places) == [1, 2]
    assert places[1] > places[2]


def test_locations_and_roles_may_come_before_what_refers_to_them() -> None:
    intake = IntakeUnderTest()
    head = {"meta": {"source": "ehr-north", "versionId": "1"}}
    location = head | {
        "resourceType": "Location",
        "id": "main",
        "identifier": [{"system": "urn:sandbox:location", "value": ENCOUNTER.location}],
    }
    role = head | {
        "resourceType": "PractitionerRole",
        "id": "role",
        "practitioner": {"identifier": {"system": "urn:sandbox:provider", "value": ENCOUNTER.provider}},
    }
    content = changed("Encounter", location=[{"location": {"reference": "Location/main"}}])
    resources(content, "Encounter")[0]["participant"] = [{"individual": {"reference": "PractitionerRole/role"}}]
    for item in resources(content, "ChargeItem"):
        item["performer"] = [{"actor": {"reference": "PractitionerRole/role"}}]
    early, *_, late = intake.receive(raw(content), raw(location), raw(role), raw(content))
    assert (early.accepted, early.rule) == (False, "unknown-reference")
    assert (late.accepted, late.notes) == (True, ())
    (charged,) = [event for event in intake.events() if isinstance(event, EncounterCharged)]
    assert (charged.location, charged.rendering_provider) == (ENCOUNTER.location, ENCOUNTER.provider)


def test_an_item_that_an_update_of_the_claim_has_no_more_is_taken_back() -> None:
    service = IntakeUnderTest()
    whole, fewer = claim_bundle(), claim_bundle(item=claim()["item"][:1], total=money(124.5))
    fewer["identifier"]["value"] = "later"
    outcomes = service.receive(raw(whole), raw(fewer))
    said = [event for event in service.events() if isinstance(event, PostedCharges)]
    assert [(event.total.decimal_text, len(event.charges)) for event in said] == [("155.25", 2), ("124.50", 1)]
    assert [(each.accepted, each.notes) for each in outcomes] == [(True, ()), (True, ())]
    fewer["identifier"]["value"] = "later still"
    service.receive(raw(fewer))
    assert len([event for event in service.events() if isinstance(event, PostedCharges)]) == 2


def test_a_fifth_modifier_of_an_item_is_refused_and_not_dropped() -> None:
    items = claim()["item"]
    items[0]["modifier"] = [coded(code) for code in ("25", "59", "76", "GT", "LT")]
    (outcome,) = IntakeUnderTest().receive(raw(claim_bundle(item=items)))
    assert [finding.split(": ")[1] for finding in outcome.findings] == ["modifiers"]


def test_a_factor_of_nothing_makes_a_price_of_nothing() -> None:
    items = claim()["item"]
    items[1]["factor"] = 0
    charges = [
        fact for fact in read(claim_bundle(item=items, total=money(124.5))).facts if isinstance(fact, ChargeSeen)
    ]
    assert [charge.amount for charge in charges] == [Money.of("124.50"), Money.zero()]
