"""A pre-coded institutional claim tells its stay; what it says beside that is left out, and told."""

from __future__ import annotations

from datetime import date
from typing import Any

from canonical.codes import ClaimType
from canonical.encounter import DatedCode, EncounterPhi
from canonical.events.intake import EncounterCharged
from intake.domain.facts import EncounterSeen

from .test_fhir_claims import ICD, claim_bundle, coded, read
from .world import IntakeUnderTest, only, raw

PCS = "http://www.cms.gov/Medicare/Coding/ICD10"


def told(category: str, code: str) -> dict[str, Any]:
    return {"sequence": 1, "category": coded(category), "code": coded(code)}


PERIOD = {
    "sequence": 9,
    "category": coded("admissionperiod"),
    "timingPeriod": {"start": "2026-02-05T08:30:00-05:00", "end": "2026-02-08T11:05:00-05:00"},
}
INFO = [
    PERIOD,
    told("admtype", "2"),
    told("pointoforigin", "1"),
    told("discharge-status", "01"),
    told("typeofbill", "0111"),
    told("drg", "291"),
]
DIAGNOSES = [
    {"sequence": 1, "diagnosisCodeableConcept": coded("R07.9", ICD), "type": [coded("admitting")]},
    {
        "sequence": 2,
        "diagnosisCodeableConcept": coded("I21.4", ICD),
        "type": [coded("principal")],
        "onAdmission": coded("y"),
    },
]
PROCEDURE = {"sequence": 1, "date": "2026-02-06", "procedureCodeableConcept": coded("02703DZ", PCS)}


def stay_claim(**changes: Any) -> dict[str, Any]:
    facts = {"supportingInfo": INFO, "diagnosis": DIAGNOSES, "procedure": [PROCEDURE]}
    return claim_bundle(type=coded("institutional"), **(facts | changes))


def test_the_stay_of_a_claim_is_read_from_where_the_guide_puts_it() -> None:
    seen = only(read(stay_claim()).facts, EncounterSeen)
    assert seen.stay is not None
    assert (seen.stay.is_inpatient, seen.stay.bill_type) == (True, "11")
    assert (seen.stay.admission_type, seen.stay.admission_source, seen.stay.patient_status) == ("2", "1", "01")
    assert (seen.stay.admitted_at, seen.stay.discharged_at) == ("202602050830", "202602081105")
    assert (seen.stay.admitting_diagnosis, seen.stay.drg) == ("R07.9", "291")
    assert seen.stay.on_admission == {"I21.4": "Y"}
    assert seen.stay.procedures == (DatedCode(code="02703DZ", on=date(2026, 2, 6)),)
    assert seen.diagnosis_codes == ("I21.4",)


def test_an_institutional_claim_that_tells_its_stay_is_billed_as_one() -> None:
    items = [
        {
            "sequence": 1,
            "revenue": coded("0120"),
            "productOrService": coded("0120"),
            "servicedDate": "2026-02-06",
            "net": {"value": 900, "currency": "USD"},
        }
    ]
    intake = IntakeUnderTest()
    (outcome,) = intake.receive(raw(stay_claim(item=items, total={"value": 900, "currency": "USD"})))
    assert outcome.accepted
    (charged,) = [each for each in intake.events() if isinstance(each, EncounterCharged)]
    stay = intake.sealer.open(charged.details, EncounterPhi).stay
    assert charged.claim_type is ClaimType.INSTITUTIONAL
    assert stay is not None
    assert (stay.patient_status, stay.present_on_admission) == ("01", ("Y",))


def test_what_says_nothing_of_the_stay_is_left_out_by_its_place() -> None:
    delivery = read(stay_claim(supportingInfo=[told("onset", "x"), told("drg", "291")]))
    assert [note.split(": ")[0].rsplit(".", 1)[1] for note in delivery.notes] == ["supportingInfo[0]"]
    professional = read(claim_bundle(supportingInfo=INFO))
    assert len(professional.notes) == len(INFO)
    assert only(professional.facts, EncounterSeen).stay is None
