"""One claim as an 837P has it."""

from __future__ import annotations

from datetime import date

from canonical.encounter import AccidentCause, ChargeLine, DrugCharge, EncounterPhi
from x12.professional_claim import ClaimDates, Drug, ProfessionalClaim, ProfessionalLine, RelatedCauses

from claims.adapters.x12_claims.instants import instant
from claims.adapters.x12_claims.people import People
from claims.application.ports import BillableClaim

INPATIENT_PLACES = ("21", "51", "61")


def professional_claim(claim: BillableClaim, people: People) -> ProfessionalClaim:
    """Raises UnwritableValue where a value is missing that the guide demands."""
    content, phi = claim.content, claim.phi
    return ProfessionalClaim(
        patient_control_number=content.patient_control_number,
        place_of_service=content.place_of_service,
        diagnosis_codes=tuple(code.replace(".", "") for code in phi.diagnosis_codes),
        lines=tuple(_line(number, line) for number, line in enumerate(content.lines, 1)),
        billing_provider=people.billing,
        subscriber=people.subscriber_of(claim),
        payer=people.payer,
        patient=people.patient_of(claim),
        rendering_provider=people.provider(content.rendering_provider),
        frequency_code=people.frequency_of(content).value,
        payer_control_number=people.payer_control_number_of(content),
        referring_provider=people.provider_if_named(phi.referring_provider),
        prior_authorization=phi.prior_authorization,
        referral_number=phi.referral_number,
        note=phi.note,
        dates=ClaimDates(
            onset=phi.onset_date, accident=phi.accident_date, admission=_admission(content.place_of_service, phi)
        ),
        related_causes=accident_of(phi),
        other_payers=people.other_payers(claim),
    )


def _line(number: int, line: ChargeLine) -> ProfessionalLine:
    return ProfessionalLine(
        procedure_code=line.procedure_code,
        charge=line.amount,
        service_date=line.service_date,
        line_control_number=str(number),
        modifiers=line.modifiers,
        units=line.units,
        diagnosis_pointers=line.diagnosis_pointers,
        minutes=line.minutes,
        drug=drug_of(line.drug),
    )


def accident_of(phi: EncounterPhi) -> RelatedCauses | None:
    """CLM11 of an accident; its state is written of an automobile's alone."""
    if phi.accident_date is None:
        return None
    cause = phi.accident_cause
    return RelatedCauses(
        automobile=cause is AccidentCause.AUTOMOBILE,
        employment=cause is AccidentCause.EMPLOYMENT,
        other_accident=cause is AccidentCause.OTHER,
        state=phi.accident_state,
    )


def _admission(place_of_service: str, phi: EncounterPhi) -> date | None:
    """The day of admission, which the guide wants where the patient was an inpatient."""
    if phi.stay is None or place_of_service not in INPATIENT_PLACES:
        return None
    admitted = instant(phi.stay.admitted_at)
    return admitted.date() if admitted else None


def drug_of(drug: DrugCharge | None) -> Drug | None:
    return Drug(drug.ndc, drug.quantity, drug.unit) if drug else None
