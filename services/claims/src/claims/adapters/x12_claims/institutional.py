"""One claim as an 837I has it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import zip_longest

from canonical.encounter import ChargeLine, InstitutionalStay
from x12.errors import UnwritableValue
from x12.institutional_claim import (
    ClinicalCodes,
    Diagnosis,
    InstitutionalClaim,
    InstitutionalLine,
    Occurrence,
    Procedure,
    Stay,
    ValueCode,
)

from claims.adapters.x12_claims.instants import instant
from claims.adapters.x12_claims.people import People
from claims.adapters.x12_claims.professional import drug_of
from claims.application.ports import BillableClaim

FIRST_ROOM, LAST_ROOM = "0100", "0219"
DAYS, UNITS = "DA", "UN"


def institutional_claim(claim: BillableClaim, people: People) -> InstitutionalClaim:
    """Raises UnwritableValue where a value is missing that the guide demands."""
    content, phi, stay = claim.content, claim.phi, claim.phi.stay
    if stay is None:
        raise UnwritableValue("stay", "an institutional claim needs type of bill and status of the stay")
    diagnoses = _diagnoses(phi.diagnosis_codes, stay.present_on_admission)
    if not diagnoses:
        raise UnwritableValue("principal_diagnosis", "an institutional claim needs one")
    return InstitutionalClaim(
        patient_control_number=content.patient_control_number,
        bill_type=stay.bill_type,
        stay=_stay(stay, content.service_from, content.service_to),
        principal_diagnosis=diagnoses[0],
        lines=tuple(_line(number, line) for number, line in enumerate(content.lines, 1)),
        billing_provider=people.billing,
        subscriber=people.subscriber_of(claim),
        payer=people.payer,
        patient=people.patient_of(claim),
        attending_provider=people.provider(stay.attending_provider or content.rendering_provider),
        codes=_codes(stay, diagnoses[1:]),
        frequency_code=people.frequency_of(content).value,
        payer_control_number=people.payer_control_number_of(content),
        referring_provider=people.provider_if_named(phi.referring_provider),
        prior_authorization=phi.prior_authorization,
        referral_number=phi.referral_number,
        billing_note=phi.note,
        other_payers=people.other_payers(claim),
    )


def _stay(stay: InstitutionalStay, first: date, last: date) -> Stay:
    admitted, discharged = instant(stay.admitted_at), instant(stay.discharged_at)
    return Stay(
        statement_from=first,
        statement_to=last,
        admission_type=stay.admission_type,
        patient_status=stay.patient_status,
        admission_source=stay.admission_source,
        admitted_on=admitted.date() if admitted else None,
        admission_hour=f"{admitted:%H%M}" if admitted else "",
        discharge_hour=f"{discharged:%H%M}" if discharged else "",
    )


def _diagnoses(codes: Sequence[str], present: Sequence[str]) -> tuple[Diagnosis, ...]:
    told = zip_longest(codes, present[: len(codes)], fillvalue="")
    return tuple(Diagnosis(code.replace(".", ""), on_admission) for code, on_admission in told)


def _codes(stay: InstitutionalStay, others: tuple[Diagnosis, ...]) -> ClinicalCodes:
    procedures = [Procedure(each.code.replace(".", ""), each.on) for each in stay.procedures]
    return ClinicalCodes(
        admitting_diagnosis=stay.admitting_diagnosis.replace(".", ""),
        drg=stay.drg,
        other_diagnoses=others,
        principal_procedure=procedures[0] if procedures else None,
        other_procedures=tuple(procedures[1:]),
        occurrences=tuple(Occurrence(each.code, each.on) for each in stay.occurrences),
        values=tuple(ValueCode(each.code, each.amount) for each in stay.values),
        conditions=stay.conditions,
    )


def _line(number: int, line: ChargeLine) -> InstitutionalLine:
    if not line.revenue_code:
        raise UnwritableValue(f"lines[{number - 1}].revenue_code", "an institutional line needs one")
    return InstitutionalLine(
        revenue_code=line.revenue_code,
        charge=line.amount,
        line_control_number=str(number),
        units=line.units,
        unit=DAYS if FIRST_ROOM <= line.revenue_code <= LAST_ROOM else UNITS,
        procedure_code=line.procedure_code,
        modifiers=line.modifiers,
        service_date=line.service_date,
        drug=drug_of(line.drug),
    )
