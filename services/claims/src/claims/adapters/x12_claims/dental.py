"""One claim as an 837D has it."""

from __future__ import annotations

from canonical.encounter import ChargeLine
from x12.dental_claim import DentalClaim, DentalLine, Tooth
from x12.errors import UnwritableValue

from claims.adapters.x12_claims.people import People
from claims.adapters.x12_claims.professional import accident_of
from claims.application.ports import BillableClaim


def dental_claim(claim: BillableClaim, people: People) -> DentalClaim:
    """Raises UnwritableValue where a value is missing that the guide demands."""
    content, phi = claim.content, claim.phi
    diagnoses = tuple(code.replace(".", "") for code in phi.diagnosis_codes)
    return DentalClaim(
        patient_control_number=content.patient_control_number,
        place_of_service=content.place_of_service,
        lines=tuple(_line(number, line, len(diagnoses)) for number, line in enumerate(content.lines, 1)),
        billing_provider=people.billing,
        subscriber=people.subscriber_of(claim),
        payer=people.payer,
        patient=people.patient_of(claim),
        diagnosis_codes=diagnoses,
        rendering_provider=people.provider(content.rendering_provider),
        frequency_code=people.frequency_of(content).value,
        payer_control_number=people.payer_control_number_of(content),
        referring_provider=people.provider_if_named(phi.referring_provider),
        prior_authorization=phi.prior_authorization,
        referral_number=phi.referral_number,
        note=phi.note,
        accident_date=phi.accident_date,
        related_causes=accident_of(phi),
        other_payers=people.other_payers(claim),
    )


def _line(number: int, line: ChargeLine, diagnosis_count: int) -> DentalLine:
    """Dental lines count whole procedures, and point to diagnoses only where there are any."""
    if line.units != line.units.to_integral_value():
        raise UnwritableValue(f"lines[{number - 1}].quantity", "a dental procedure is done a whole number of times")
    site = line.dental
    return DentalLine(
        procedure_code=line.procedure_code,
        charge=line.amount,
        service_date=line.service_date,
        line_control_number=str(number),
        modifiers=line.modifiers,
        quantity=int(line.units),
        areas=site.areas if site else (),
        teeth=(Tooth(site.tooth, site.surfaces),) if site and site.tooth else (),
        diagnosis_pointers=line.diagnosis_pointers if diagnosis_count else (),
    )
