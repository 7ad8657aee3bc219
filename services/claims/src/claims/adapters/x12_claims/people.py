"""Everybody whom an 837 names: from the order, which keeps them as they were, and from the opened details."""

from __future__ import annotations

from canonical.codes import ClaimFrequency
from canonical.encounter import EncounterPhi
from canonical.party import Address as PatientAddress
from canonical.party import CoverageDetails, OrganizationAddress
from canonical.remittance import ClaimAdjustment
from x12.claim_parties import Address, BillingProvider, Patient, Payer, Provider, Subscriber
from x12.errors import UnwritableValue
from x12.other_payers import AdjudicatedLine, OtherPayer, OtherSubscriber, PriorAdjustment

from claims.application.ports import BillableClaim
from claims.domain.claim_content import ClaimContent, PriorPayment
from claims.domain.interchange_order import BillingParty, InterchangeOrder, PayerParty

SELF = "self"
SELF_CODE = "18"
RESPONSIBILITIES = "PSTABCDEFGH"


class People:
    """The parties of one order, in the library's words."""

    def __init__(self, order: InterchangeOrder) -> None:
        self._order = order
        self.billing = _billing_provider(order.billing)
        self.payer = _payer(order.payer_party)
        self._others = {other.code: _payer(other.party) for other in order.other_payers}
        self._providers = {
            provider.code: Provider(provider.family_name, provider.given_name, provider.npi, provider.taxonomy)
            for provider in order.providers
        }

    def frequency_of(self, content: ClaimContent) -> ClaimFrequency:
        again = self._order.resubmission_of(content.patient_control_number)
        return again.frequency if again else ClaimFrequency.ORIGINAL

    def payer_control_number_of(self, content: ClaimContent) -> str:
        """The payer's own number of what is replaced or voided; empty for an original."""
        again = self._order.resubmission_of(content.patient_control_number)
        return again.payer_control_number if again else ""

    def provider(self, code: str) -> Provider:
        """Raises UnwritableValue for a provider that the order does not name."""
        if code not in self._providers:
            raise UnwritableValue("provider", "the order names no provider of this code")
        return self._providers[code]

    def provider_if_named(self, code: str) -> Provider | None:
        return self.provider(code) if code else None

    def subscriber_of(self, claim: BillableClaim) -> Subscriber:
        """Birth date, gender and address are the patient's: they are written only where the patient is the subscriber."""
        coverage, patient = own_coverage(claim), claim.phi.patient
        last_name, first_name = subscriber_name(coverage, claim.phi)
        return Subscriber(
            last_name=last_name,
            first_name=first_name,
            member_id=coverage.member_id,
            birth_date=patient.birth_date,
            gender=patient.sex,
            address=_home(patient.address),
            group_number=coverage.group_number,
            responsibility=RESPONSIBILITIES[claim.content.sequence - 1],
        )

    def patient_of(self, claim: BillableClaim) -> Patient | None:
        coverage, patient = own_coverage(claim), claim.phi.patient
        if coverage.relationship == SELF:
            return None
        return Patient(
            last_name=patient.family_name,
            first_name=patient.given_name,
            birth_date=patient.birth_date,
            gender=patient.sex,
            address=_home(patient.address),
            relationship=coverage.relationship,
        )

    def other_payers(self, claim: BillableClaim) -> tuple[OtherPayer, ...]:
        """Those before this one with what they decided, and those after it."""
        content = claim.content
        codes = (
            *(prior.payer for prior in content.prior),
            content.payer,
            *(each.payer for each in content.next_payers),
        )
        decided = dict(enumerate(content.prior))
        return tuple(
            self._other_payer(claim, place, code, decided.get(place))
            for place, code in enumerate(codes)
            if place != content.sequence - 1
        )

    def _other_payer(self, claim: BillableClaim, place: int, code: str, prior: PriorPayment | None) -> OtherPayer:
        coverage = _coverage_at(claim.phi, place)
        if code not in self._others:
            raise UnwritableValue("other_payers", f"the order names no party for payer {code}")
        last_name, first_name = subscriber_name(coverage, claim.phi)
        other = OtherPayer(
            payer=self._others[code],
            subscriber=OtherSubscriber(last_name, first_name, coverage.member_id),
            responsibility=RESPONSIBILITIES[place],
            relationship=SELF_CODE if coverage.relationship == SELF else coverage.relationship,
            group_number=coverage.group_number,
        )
        return other if prior is None else _decided(other, prior, claim.content)


def _decided(other: OtherPayer, prior: PriorPayment, content: ClaimContent) -> OtherPayer:
    """The other payer with its decision, line by line where it decided so."""
    return OtherPayer(
        payer=other.payer,
        subscriber=other.subscriber,
        responsibility=other.responsibility,
        relationship=other.relationship,
        group_number=other.group_number,
        paid=prior.paid,
        adjustments=_adjustments(prior.adjustments),
        lines=tuple(
            AdjudicatedLine(
                line=line.line,
                paid=line.paid,
                adjudicated_on=prior.adjudication_date,
                adjustments=_adjustments(line.adjustments),
                procedure_code=content.lines[line.line - 1].procedure_code,
                modifiers=content.lines[line.line - 1].modifiers,
            )
            for line in prior.lines
        ),
        adjudicated_on=None if prior.lines else prior.adjudication_date,
        claim_control_number=prior.payer_control_number,
    )


def _adjustments(adjustments: tuple[ClaimAdjustment, ...]) -> tuple[PriorAdjustment, ...]:
    return tuple(PriorAdjustment(each.group.value, each.reason, each.amount) for each in adjustments)


def own_coverage(claim: BillableClaim) -> CoverageDetails:
    """The coverage with the payer that the claim goes to.

    Raises:
        UnwritableValue: the encounter has none.
    """
    return _coverage_at(claim.phi, claim.content.sequence - 1)


def _coverage_at(phi: EncounterPhi, place: int) -> CoverageDetails:
    """The coverage at a place in line, from 0."""
    coverages = (phi.coverage, *phi.other_coverages)
    coverage = coverages[place] if place < len(coverages) else None
    if coverage is None:
        raise UnwritableValue("subscriber", "the encounter has no coverage for this payer")
    return coverage


def subscriber_name(coverage: CoverageDetails, phi: EncounterPhi) -> tuple[str, str]:
    """Last and first name of who holds the coverage: the patient, unless it names somebody."""
    patient = phi.patient
    return (
        coverage.subscriber_family_name or patient.family_name,
        coverage.subscriber_given_name or patient.given_name,
    )


def _payer(party: PayerParty) -> Payer:
    return Payer(party.name, party.x12_identifier, party.claim_filing_indicator)


def _billing_provider(party: BillingParty) -> BillingProvider:
    address = _home(party.address)
    return BillingProvider(party.name, party.npi, party.tax_id.replace("-", ""), address, party.taxonomy)


def _home(address: PatientAddress | OrganizationAddress) -> Address:
    return Address(address.line, address.city, address.state, address.postal_code.replace("-", ""))
