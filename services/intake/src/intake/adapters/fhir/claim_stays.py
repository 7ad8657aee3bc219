"""What a pre-coded institutional Claim says of the stay: supportingInfo by CARIN's categories, procedures, and its diagnoses' types."""

from __future__ import annotations

from typing import Any

from canonical.encounter import DatedCode

from intake.adapters.fhir.resources import code_in, code_of, day_of, diagnosis_in
from intake.adapters.fhir.stays import PROCEDURE_SYSTEMS, stay_time
from intake.domain.clinical import SeenStay
from intake.domain.facility_codes import type_of_bill

INSTITUTIONAL = "institutional"
PERIOD, BILL_TYPE = "admissionperiod", "typeofbill"
FIELDS = {
    "admtype": "admission_type",
    "pointoforigin": "admission_source",
    "discharge-status": "patient_status",
    "drg": "drg",
}
INPATIENT_KINDS = ("inpatient", "IP")
INPATIENT_BILLS = ("11", "12", "18", "21")
ON_ADMISSION = ("N", "U", "W", "Y")
ADMITTING = "admitting"


def is_read(category: Any) -> bool:
    """Whether the stay takes anything from supportingInfo of this category."""
    return code_in(category) in (PERIOD, BILL_TYPE, *FIELDS)


def stay_of_claim(claim: Any) -> SeenStay | None:
    """The stay of an institutional claim, None where it says nothing of one."""
    if code_in(claim.type) != INSTITUTIONAL:
        return None
    told = {code_in(each.category): each for each in claim.supportingInfo or ()}
    bill_type, frequency = type_of_bill(code_in(told[BILL_TYPE].code)) if BILL_TYPE in told else ("", "")
    seen = SeenStay(
        is_inpatient=code_in(claim.subType) in INPATIENT_KINDS or bill_type in INPATIENT_BILLS,
        bill_type=bill_type,
        bill_frequency=frequency,
        admitting_diagnosis=next(filter(None, map(_admitting, claim.diagnosis or ())), ""),
        procedures=tuple(filter(None, map(_procedure, claim.procedure or ()))),
        on_admission=dict(filter(None, map(_on_admission, claim.diagnosis or ()))),
        **{field: code_in(told[category].code) for category, field in FIELDS.items() if category in told},
    )
    period = told[PERIOD].timingPeriod if PERIOD in told else None
    if period is not None:
        times = {"admitted_at": stay_time(period.start), "discharged_at": stay_time(period.end)}
        seen = seen.model_copy(update=times)
    return seen if seen != SeenStay() else None


def _admitting(diagnosis: Any) -> str:
    is_admitting = any(code_in(each) == ADMITTING for each in diagnosis.type or ())
    return diagnosis_in(diagnosis.diagnosisCodeableConcept) if is_admitting else ""


def _on_admission(diagnosis: Any) -> tuple[str, str] | None:
    present, code = code_in(diagnosis.onAdmission).upper(), diagnosis_in(diagnosis.diagnosisCodeableConcept)
    return (code, present) if code and present in ON_ADMISSION else None


def _procedure(procedure: Any) -> DatedCode | None:
    """Nothing without an ICD-10-PCS code and its day."""
    code, day = code_of(procedure.procedureCodeableConcept, PROCEDURE_SYSTEMS), day_of(procedure.date)
    return DatedCode(code=code, on=day) if code and day else None
