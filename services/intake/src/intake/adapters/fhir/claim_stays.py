"""What a pre-coded Claim says of onset and accident, and an institutional one of the stay: by CARIN's categories of supportingInfo."""

from __future__ import annotations

from datetime import date
from typing import Any

from canonical.encounter import AccidentCause, DatedCode

from intake.adapters.fhir.resources import code_in, code_of, day_of, diagnosis_in
from intake.adapters.fhir.stays import PROCEDURE_SYSTEMS, stay_time
from intake.domain.clinical import Circumstances, SeenStay
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
ONSET, ONSET_OCCURRENCE = "onset", "11"
STATE_LETTERS = 2
CAUSES = {"MVA": AccidentCause.AUTOMOBILE, "WPA": AccidentCause.EMPLOYMENT}
OCCURRENCES = {AccidentCause.AUTOMOBILE: "01", AccidentCause.EMPLOYMENT: "04", AccidentCause.OTHER: "05"}


def is_read(info: Any, *, tells_stay: bool) -> bool:
    """Whether anything is taken from this supportingInfo: of a stay, or of what any claim is about."""
    category = code_in(info.category)
    return _onset_in(info) is not None or (tells_stay and category in (PERIOD, BILL_TYPE, *FIELDS))


def _onset_in(info: Any) -> date | None:
    if code_in(info.category) != ONSET:
        return None
    return day_of(info.timingDate) or day_of(info.timingPeriod.start if info.timingPeriod else None)


def circumstances_of(claim: Any) -> Circumstances:
    """The onset that supportingInfo tells, and Claim.accident."""
    onset = next(filter(None, map(_onset_in, claim.supportingInfo or ())), None)
    accident = claim.accident
    if accident is None:
        return Circumstances(onset_date=onset)
    state = str(accident.locationAddress.state or "") if accident.locationAddress else ""
    return Circumstances(
        onset_date=onset,
        accident_date=accident.date,
        accident_cause=CAUSES.get(code_in(accident.type), AccidentCause.OTHER),
        accident_state=state.upper() if len(state) == STATE_LETTERS else "",
    )


def _occurrences(told: Circumstances) -> tuple[DatedCode, ...]:
    """A facility's bill tells both by occurrence codes of the NUBC."""
    accident, onset = told.accident_date, told.onset_date
    found = [DatedCode(code=OCCURRENCES[told.accident_cause], on=accident)] if accident else []
    return (*found, *([DatedCode(code=ONSET_OCCURRENCE, on=onset)] if onset else []))


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
        occurrences=_occurrences(circumstances_of(claim)),
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
