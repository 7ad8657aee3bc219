"""Stays of a hospital: what FHIR and HL7 say of them, which charges a facility bills, and what holds the bill."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from canonical.codes import ClaimType
from canonical.encounter import DatedCode, DentalSite, EncounterPhi, ValuedCode
from canonical.events.intake import EncounterCharged
from canonical.money import Money
from intake.adapters.fhir import FhirNames, Sender, read_submission
from intake.adapters.hl7v2 import read_message
from intake.domain.charge_rules import broken_rules
from intake.domain.clinical import SeenStay, merged_stay
from intake.domain.facility_codes import FacilityCode, nubc_code
from intake.domain.facts import ChargeSeen, EncounterSeen

from .world import TODAY, IntakeUnderTest, bundle, encounters, only, raw, resources
from .world import Wire as WireFormat

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
NUBC = "https://www.nubc.org/CodeSystem"
PATIENT = encounters(WireFormat.FHIR)[0]


def coded(code: str, system: str = "") -> dict[str, Any]:
    return {"coding": [{"code": code} | ({"system": system} if system else {})]}


def condition(number: int, code: str, present: str = "") -> dict[str, Any]:
    resource: dict[str, Any] = {
        "resourceType": "Condition",
        "id": f"c{number}",
        "subject": {"reference": f"Patient/{PATIENT.patient.mrn}"},
        "code": coded(code, ICD),
    }
    if present:
        resource["extension"] = [{"url": "urn:sandbox:present-on-admission", "valueCode": present}]
    return resource


def stay_bundle() -> dict[str, Any]:
    """A stay of three days at the entity SOUTH: a room, a CT, three diagnoses, one procedure."""
    content = bundle(PATIENT)
    encounter, items = resources(content, "Encounter")[0], resources(content, "ChargeItem")
    encounter |= {
        "class": {"code": "IMP"},
        "period": {"start": "2026-02-10T08:30:00-05:00", "end": "2026-02-13T11:05:00-05:00"},
        "priority": coded("UR"),
        "type": [coded("0111", f"{NUBC}/TypeOfBill"), coded("291", DRGS)],
        "hospitalization": {"admitSource": coded("emd"), "dischargeDisposition": coded("home")},
        "diagnosis": [
            {"condition": {"reference": "Condition/c2"}, "use": coded("CM"), "rank": 2},
            {"condition": {"reference": "Condition/c1"}, "use": coded("DD"), "rank": 1},
            {"condition": {"reference": "Condition/c3"}, "use": coded("AD")},
        ],
    }
    for item, day in zip(items, ("2026-02-10", "2026-02-12"), strict=False):
        item["occurrenceDateTime"] = day
    for item in items:
        item["reason"] = [coded("I21.4", ICD)]
    items[0]["code"] = coded("0120", f"{NUBC}/RevenueCodes")
    for item in items[1:]:
        item["code"]["coding"].append({"system": f"{NUBC}/RevenueCodes", "code": "350"})
    procedure = {
        "resourceType": "Procedure",
        "id": "p1",
        "status": "completed",
        "subject": {"reference": f"Patient/{PATIENT.patient.mrn}"},
        "encounter": {"reference": f"Encounter/{PATIENT.visit_number}"},
        "code": coded("02703DZ", "http://www.cms.gov/Medicare/Coding/ICD10"),
        "performedDateTime": "2026-02-11",
    }
    more = (condition(1, "I21.4", "Y"), condition(2, "E11.9", "N"), condition(3, "R07.9"), procedure)
    content["entry"] += [
        {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}} for each in more
    ]
    return content


DRGS = (
    "https://www.cms.gov/Medicare/Medicare-Fee-for-Service-Payment/AcuteInpatientPPS/"
    "MS-DRG-Classifications-and-Software"
)


def read(content: dict[str, Any]) -> Any:
    return read_submission(raw(content), FhirNames(), Sender("service:ehr")).deliveries[0]


def test_a_stay_is_read_with_all_that_a_facility_bills_it_by() -> None:
    delivery = read(stay_bundle())
    assert delivery.findings == ()
    seen = only(delivery.facts, EncounterSeen)
    assert seen.diagnosis_codes == ("I21.4", "E11.9")
    assert seen.stay == SeenStay(
        is_inpatient=True,
        bill_type="11",
        bill_frequency="1",
        admission_type="UR",
        admission_source="emd",
        patient_status="home",
        admitted_at="202602100830",
        discharged_at="202602131105",
        admitting_diagnosis="R07.9",
        procedures=(DatedCode(code="02703DZ", on=date(2026, 2, 11)),),
        drg="291",
        on_admission={"I21.4": "Y", "E11.9": "N"},
    )
    room, *_ = [fact for fact in delivery.facts if isinstance(fact, ChargeSeen)]
    assert (room.revenue_code, room.procedure_code) == ("0120", "")


def test_a_stay_is_announced_as_an_institutional_bill_over_all_its_days() -> None:
    intake = IntakeUnderTest()
    (outcome,) = intake.receive(raw(stay_bundle()))
    assert (outcome.accepted, outcome.notes) == (True, ())
    (charged,) = [event for event in intake.events() if isinstance(event, EncounterCharged)]
    assert charged.claim_type is ClaimType.INSTITUTIONAL
    assert (charged.service_from, charged.service_to) == (date(2026, 2, 10), date(2026, 2, 13))
    assert {line.revenue_code for line in charged.charges[1:]} <= {"0350"}
    stay = intake.sealer.open(charged.details, EncounterPhi).stay
    assert stay is not None
    assert (stay.bill_type, stay.admission_type, stay.admission_source, stay.patient_status) == ("11", "2", "1", "01")
    assert (stay.present_on_admission, stay.drg) == (("Y", "N"), "291")


def _without(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(encounter: dict[str, Any]) -> None:
        node = encounter
        for name in path[:-1]:
            node = node[name]
        del node[path[-1]]

    return change


def _other(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(encounter: dict[str, Any]) -> None:
        encounter[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        (_without("priority"), "stay.admission-type", "required"),
        (_without("hospitalization", "admitSource"), "stay.admission-source", "required"),
        (_without("hospitalization", "dischargeDisposition"), "stay.discharge-disposition", "required"),
        (_other("period", {"start": "2026-02-10", "end": "2026-02-13T11:05:00Z"}), "stay.admitted-at", "required"),
        (_other("period", {"start": "2026-02-10T08:30:00Z"}), "stay.discharged-at", "required"),
        (_other("priority", coded("ASAP")), "stay.admission-type", "unknown-code"),
    ],
)
def test_what_a_facility_must_say_of_a_stay_holds_its_bill(
    change: Callable[[dict[str, Any]], None], field: str, rule: str
) -> None:
    intake, content = IntakeUnderTest(), stay_bundle()
    change(resources(content, "Encounter")[0])
    (outcome,) = intake.receive(raw(content))
    assert outcome.accepted
    assert outcome.notes[0].split(": ")[:2] == [field, rule]
    assert not [event for event in intake.events() if isinstance(event, EncounterCharged)]


def test_a_crosswalk_tells_what_a_source_means() -> None:
    intake, content = IntakeUnderTest(), stay_bundle()
    rows = [
        {"code": code, "source": PATIENT.source, "kind": "admission-type", "ours": ours}
        for code, ours in (("ASAP", "2"), ("UR", "1"))
    ]
    intake.master_data = type(intake.master_data).model_validate(
        intake.master_data.model_dump() | {"crosswalks": [*intake.master_data.model_dump()["crosswalks"], *rows]}
    )
    resources(content, "Encounter")[0]["priority"] = coded("ASAP")
    intake.receive(raw(content))
    (charged,) = [event for event in intake.events() if isinstance(event, EncounterCharged)]
    stay = intake.sealer.open(charged.details, EncounterPhi).stay
    assert stay is not None
    assert stay.admission_type == "2"


def test_a_department_of_physicians_bills_its_own_charges_of_a_stay() -> None:
    intake, content = IntakeUnderTest(), stay_bundle()
    items = resources(content, "ChargeItem")
    second = items[0] | {"id": "extra", "identifier": [items[0]["identifier"][0] | {"value": "extra"}]}
    second |= {"code": coded("99223"), "costCenter": {"identifier": {"value": "S-CARD"}}}
    content["entry"].append({"resource": second, "request": {"method": "PUT", "url": "ChargeItem/extra"}})
    data = intake.master_data
    departments = tuple(
        row.model_copy(update={"bills": ClaimType.PROFESSIONAL}) if row.code == "S-CARD" else row
        for row in data.departments
    )
    intake.master_data = data.model_copy(update={"departments": departments})
    intake.receive(raw(content))
    charged = [event for event in intake.events() if isinstance(event, EncounterCharged)]
    kinds = {event.claim_type: [line.procedure_code for line in event.charges] for event in charged}
    assert kinds[ClaimType.PROFESSIONAL] == ["99223"]
    assert "99223" not in kinds[ClaimType.INSTITUTIONAL]
    assert [event.posting for event in charged] == [1, 2]


def test_dental_codes_are_billed_as_dental_with_tooth_and_surfaces() -> None:
    intake, content = IntakeUnderTest(), bundle(PATIENT)
    for item in resources(content, "ChargeItem"):
        item["code"] = coded("D2392", "http://www.ada.org/cdt")
        item["bodysite"] = [
            coded("14", "http://www.ada.org/tooth"),
            coded("M", "http://terminology.hl7.org/CodeSystem/FDI-surface"),
            coded("O", "http://terminology.hl7.org/CodeSystem/FDI-surface"),
        ]
    intake.receive(raw(content))
    (charged,) = [event for event in intake.events() if isinstance(event, EncounterCharged)]
    assert charged.claim_type is ClaimType.DENTAL
    assert charged.charges[0].dental == DentalSite(tooth="14", surfaces=("M", "O"))


def test_a_tooth_that_nobody_has_is_refused() -> None:
    content = bundle(PATIENT)
    resources(content, "ChargeItem")[0]["bodysite"] = [coded("77", "http://www.ada.org/tooth")]
    assert [finding.rule for finding in read(content).findings] == ["dental-site"]


def test_a_diagnosis_that_is_not_in_the_message_is_refused_by_place() -> None:
    content = stay_bundle()
    resources(content, "Encounter")[0]["diagnosis"][0]["condition"]["reference"] = "Condition/other"
    fields = [finding.field for finding in read(content).findings]
    assert fields[0].endswith("Encounter.diagnosis[0].condition")


HEAD = "MSH|^~\\&|ehr-south|SOUTH|THROUGHLINE|BILLING|20260213||{kind}|{number}|P|2.5.1"
PID = "PID|1||MRN9^^^ehr-south^MR||Sample^Robin||19600102|F|||1 Side St^^Fairview^OH^44126"
IN1 = "IN1|1|P|ACME|ACME||||G1|||||||||SEL|||||||||||||||||||M1234567"


def pv1(status: str = "", left: str = "") -> str:
    fields = [""] * 46
    fields[:5] = ["PV1", "1", "I", "S-ER", "U"]
    fields[7], fields[14], fields[19], fields[36] = "PRV04", "7", "V77", status
    fields[44], fields[45] = "202602100830", left
    return "|".join(fields)


def message(kind: str, *segments: str) -> bytes:
    return "\r".join([HEAD.format(kind=kind, number=kind[-3:]), PID, *segments, ""]).encode()


ADMISSION = message("ADT^A01", pv1(), "DG1|1||R07.9^Chest pain^I10|||A", IN1)
ROOM = "FT1|1|T1||20260210||CG|0120^Room^NUBC||||3600.00&USD||S-ED|||||||PRV04"
SCAN = "FT1|2|T2||20260211||CG|70450^CT^C4||||1120.50&USD||S-RAD|||||||PRV05|||||70450^CT head^C4^0351^CT^NUBC"
CHARGES = message("DFT^P03", pv1(), ROOM, SCAN, IN1)
DISCHARGE = message(
    "ADT^A03",
    pv1("01", "202602131105"),
    "DG1|1||I21.4^NSTEMI^I10|||F|||||||||1|||||||||||Y",
    "DG1|2||E11.9^Diabetes^I10|||F|||||||||2",
    "DRG|280",
    "PR1|1||02703DZ^Dilation^I10P||20260211",
    "UB2|1||09|||80^3.00|11^20260209",
)


def test_charges_of_a_stay_wait_for_the_discharge_and_make_one_bill() -> None:
    intake = IntakeUnderTest()
    outcomes = intake.receive(ADMISSION, CHARGES)
    assert [outcome.accepted for outcome in outcomes] == [True, True]
    assert not [event for event in intake.events() if isinstance(event, EncounterCharged)]
    (left,) = intake.receive(DISCHARGE)
    assert (left.accepted, left.notes) == (True, ())
    (charged,) = [event for event in intake.events() if isinstance(event, EncounterCharged)]
    assert charged.claim_type is ClaimType.INSTITUTIONAL
    assert [(line.revenue_code, line.procedure_code) for line in charged.charges] == [("0120", ""), ("0351", "70450")]
    assert charged.rendering_provider == "PRV04"
    details = intake.sealer.open(charged.details, EncounterPhi)
    assert details.diagnosis_codes == ("I21.4", "E11.9")
    stay = details.stay
    assert stay is not None
    assert (stay.bill_type, stay.admission_type, stay.admission_source, stay.patient_status) == ("11", "2", "7", "01")
    assert (stay.admitted_at, stay.discharged_at) == ("202602100830", "202602131105")
    assert (stay.admitting_diagnosis, stay.drg, stay.present_on_admission) == ("R07.9", "280", ("Y", ""))
    assert stay.procedures == (DatedCode(code="02703DZ", on=date(2026, 2, 11)),)
    assert stay.conditions == ("09",)
    assert stay.values == (ValuedCode(code="80", amount=Money.of("3.00")),)
    assert stay.occurrences == (DatedCode(code="11", on=date(2026, 2, 9)),)


def test_the_order_of_charges_and_discharge_makes_no_difference() -> None:
    intake = IntakeUnderTest()
    intake.receive(ADMISSION, DISCHARGE, CHARGES)
    (charged,) = [event for event in intake.events() if isinstance(event, EncounterCharged)]
    assert (charged.claim_type, charged.total) == (ClaimType.INSTITUTIONAL, Money.of("4720.50"))


def test_a_visit_keeps_its_diagnoses_of_type_admitting() -> None:
    visit = ADMISSION.replace(b"PV1|1|I", b"PV1|1|O")
    seen = only(read_message(visit, actor="door").delivery.facts, EncounterSeen)
    assert seen.diagnosis_codes == ("R07.9",)


def test_a_line_of_a_facility_without_a_revenue_code_holds_the_bill() -> None:
    intake = IntakeUnderTest()
    charges = CHARGES.replace(b"^0351^CT^NUBC", b"")
    intake.receive(ADMISSION, DISCHARGE, charges)
    assert [row["code"] for row in intake.cases()] == ["Required"]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"procedures": (DatedCode(code="0270", on=TODAY),)}, "procedure-code"),
        ({"admitting_diagnosis": "R079"}, "diagnosis-code"),
        ({"on_admission": {"R07.9": "X"}}, "present-on-admission"),
        ({"bill_type": "1"}, "bill-type"),
        ({"drg": "A1"}, "drg"),
        ({"admitted_at": "202613010000"}, "instant"),
        ({"admitted_at": "20260213", "discharged_at": "202602120800"}, "instant-order"),
        ({"conditions": ("9",)}, "code"),
        ({"admission_type": "x" * 21}, "code"),
    ],
)
def test_what_cannot_be_true_of_a_stay_is_refused(changes: dict[str, Any], rule: str) -> None:
    seen = only(read_message(ADMISSION, actor="door").delivery.facts, EncounterSeen)
    broken = broken_rules([_with_stay(seen, SeenStay(**changes))], TODAY)
    assert [finding.rule for finding in broken] == [rule]


def _with_stay(seen: EncounterSeen, stay: SeenStay) -> EncounterSeen:
    return EncounterSeen(
        seen.place, seen.encounter_id, seen.patient, seen.entity, "", seen.rendering_provider, finished=False, stay=stay
    )


def test_a_later_word_of_a_stay_adds_to_the_earlier_one() -> None:
    known = SeenStay(is_inpatient=True, admitted_at="202602100830", admission_type="U")
    later = SeenStay(is_inpatient=True, admitted_at="20260210", patient_status="01")
    assert merged_stay(known, later) == known.model_copy(update={"patient_status": "01"})
    moved = merged_stay(known, SeenStay(admitted_at="20260211"))
    assert moved is not None
    assert moved.admitted_at == "20260211"
    assert merged_stay(known, None) == known


@pytest.mark.parametrize(
    ("kind", "code", "ours"),
    [
        (FacilityCode.ADMISSION_TYPE, "EM", "1"),
        (FacilityCode.ADMISSION_TYPE, "4", "4"),
        (FacilityCode.ADMISSION_TYPE, "6", None),
        (FacilityCode.ADMISSION_SOURCE, "hosp-trans", "4"),
        (FacilityCode.ADMISSION_SOURCE, "somewhere", None),
        (FacilityCode.DISCHARGE_DISPOSITION, "snf", "03"),
        (FacilityCode.DISCHARGE_DISPOSITION, "oth", None),
        (FacilityCode.DISCHARGE_DISPOSITION, "30", "30"),
    ],
)
def test_codes_become_the_ones_that_a_bill_has(kind: FacilityCode, code: str, ours: str | None) -> None:
    assert nubc_code(kind, code) == ours


def test_a_room_has_a_revenue_code_alone() -> None:
    room = only(read_message(message("DFT^P03", pv1(), ROOM), actor="door").delivery.facts, ChargeSeen)
    assert (room.procedure_code, room.revenue_code, room.department, room.units) == ("", "0120", "S-ED", Decimal(1))
    assert broken_rules([room], TODAY) == []
