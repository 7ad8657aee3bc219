"""Claims as 837P interchanges (005010X222A1): our words into the library's, and its findings back to the claim at fault."""

from __future__ import annotations

import re
from collections.abc import Sequence

from canonical.encounter import ChargeLine, EncounterPhi
from canonical.party import Address as PatientAddress
from x12.claim_parties import Address, BillingProvider, Patient, Payer, Provider, Subscriber
from x12.errors import UnwritableValue
from x12.professional_claim import ProfessionalClaim, ProfessionalLine
from x12.professional_claim_writer import write_professional_claims
from x12.submission_envelope import Receiver, SubmissionEnvelope, Submitter
from x12.validation import validate
from x12.violations import ValidationError

from claims.application.ports import BillableClaim, Unwritable
from claims.domain.interchange_order import BillingParty, InterchangeOrder

CONTACT_NAME = "BILLING OFFICE"
FAULTS_PER_CLAIM_MAX = 10
SELF = "self"
_CLAIM_PATH = re.compile(r"claims\[[0-9]+\]\.")


class ProfessionalClaimFormat:
    """Writes with `x12.professional_claim_writer` and validates with pyx12."""

    def write(self, order: InterchangeOrder, claims: Sequence[BillableClaim]) -> bytes:
        try:
            return _written(order, claims)
        except UnwritableValue as fault:
            raise Unwritable(_unwritable_claims(order, claims) or _blaming_all(claims, str(fault))) from None

    def write_validated(self, order: InterchangeOrder, claims: Sequence[BillableClaim]) -> bytes:
        written = self.write(order, claims)
        errors = validate(written)
        if errors:
            raise Unwritable(_invalid_claims(order, claims) or _blaming_all(claims, *map(_told, errors)))
        return written


def _written(order: InterchangeOrder, claims: Sequence[BillableClaim]) -> bytes:
    submitter = Submitter(order.billing.name, order.billing.submitter_id, CONTACT_NAME, order.billing.contact_phone)
    receiver = Receiver(order.payer_party.name, order.payer_party.receiver_id)
    billing = _billing_provider(order.billing)
    payer = Payer(order.payer_party.name, order.payer_party.x12_identifier, order.payer_party.claim_filing_indicator)
    providers = {
        provider.code: Provider(provider.family_name, provider.given_name, provider.npi, provider.taxonomy)
        for provider in order.providers
    }
    documents = [_claim(claim, billing, payer, providers) for claim in claims]
    return write_professional_claims(_envelope(order), submitter, receiver, documents)


def _unwritable_claims(order: InterchangeOrder, claims: Sequence[BillableClaim]) -> dict[str, tuple[str, ...]]:
    """The writer stops at the first fault, so every claim is tried alone."""
    faults: dict[str, tuple[str, ...]] = {}
    for claim in claims:
        try:
            _written(order, [claim])
        except UnwritableValue as fault:
            faults[claim.content.patient_control_number] = (_CLAIM_PATH.sub("", str(fault)),)
    return faults


def _invalid_claims(order: InterchangeOrder, claims: Sequence[BillableClaim]) -> dict[str, tuple[str, ...]]:
    """A validator often notices at the next claim what this one lacks, so every claim is validated alone."""
    faults: dict[str, tuple[str, ...]] = {}
    for claim in claims:
        errors = validate(_written(order, [claim]))
        if errors:
            faults[claim.content.patient_control_number] = tuple(map(_told, errors[:FAULTS_PER_CLAIM_MAX]))
    return faults


def _blaming_all(claims: Sequence[BillableClaim], *findings: str) -> dict[str, tuple[str, ...]]:
    """The claims are well alone and not together: nothing leaves before a person has looked."""
    told = findings[:FAULTS_PER_CLAIM_MAX]
    return {claim.content.patient_control_number: tuple(f"together: {finding}" for finding in told) for claim in claims}


def _told(error: ValidationError) -> str:
    return f"{error.segment} {error.scope} {error.code}: {error.message}"


def _envelope(order: InterchangeOrder) -> SubmissionEnvelope:
    number = int(order.control_number)
    return SubmissionEnvelope(
        sender_id=order.billing.submitter_id,
        receiver_id=order.payer_party.receiver_id,
        interchange_control_number=number,
        group_control_number=number,
        created=order.created_at,
        reference=order.control_number,
        usage="P" if order.production else "T",
    )


def _billing_provider(party: BillingParty) -> BillingProvider:
    where = party.address
    address = Address(where.line, where.city, where.state, where.postal_code.replace("-", ""))
    return BillingProvider(party.name, party.npi, party.tax_id.replace("-", ""), address, party.taxonomy)


def _claim(
    claim: BillableClaim, billing: BillingProvider, payer: Payer, providers: dict[str, Provider]
) -> ProfessionalClaim:
    content, phi = claim.content, claim.phi
    return ProfessionalClaim(
        patient_control_number=content.patient_control_number,
        place_of_service=content.place_of_service,
        diagnosis_codes=tuple(code.replace(".", "") for code in phi.diagnosis_codes),
        lines=tuple(_line(number, line) for number, line in enumerate(content.lines, 1)),
        billing_provider=billing,
        subscriber=_subscriber(phi),
        payer=payer,
        patient=_patient(phi),
        rendering_provider=providers[content.rendering_provider],
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
    )


def _subscriber(phi: EncounterPhi) -> Subscriber:
    """Birth date, gender and address are the patient's: they are written only where the patient is the subscriber."""
    coverage, patient = phi.coverage, phi.patient
    if coverage is None:
        raise UnwritableValue("subscriber", "the encounter has no coverage")
    return Subscriber(
        last_name=coverage.subscriber_family_name or patient.family_name,
        first_name=coverage.subscriber_given_name or patient.given_name,
        member_id=coverage.member_id,
        birth_date=patient.birth_date,
        gender=patient.sex,
        address=_home(patient.address),
        group_number=coverage.group_number,
    )


def _patient(phi: EncounterPhi) -> Patient | None:
    if phi.coverage is None or phi.coverage.relationship == SELF:
        return None
    patient = phi.patient
    return Patient(
        last_name=patient.family_name,
        first_name=patient.given_name,
        birth_date=patient.birth_date,
        gender=patient.sex,
        address=_home(patient.address),
        relationship=phi.coverage.relationship,
    )


def _home(address: PatientAddress) -> Address:
    return Address(address.line, address.city, address.state, address.postal_code.replace("-", ""))
