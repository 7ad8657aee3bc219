"""What the bytes of an interchange follow from, and which claims can go out together under one order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from canonical.classes import CanonicalModel, Financial, Public
from canonical.codes import ClaimFrequency, ClaimType
from canonical.master_data import KnownMasterData
from canonical.party import OrganizationAddress
from pydantic import AwareDatetime

from claims.domain.claim_content import ClaimContent


class BillingParty(CanonicalModel):
    """The legal entity as it stood in master data when the interchange was intended; a platform may work its claims."""

    name: Public[str]
    npi: Public[str]
    tax_id: Public[str]
    taxonomy: Public[str]
    address: OrganizationAddress
    submitter_id: Public[str]
    contact_phone: Public[str]
    claims_worked_by: Public[str] = ""


class PayerParty(CanonicalModel):
    """The payer as it stood in master data when the interchange was intended."""

    name: Public[str]
    x12_identifier: Public[str]
    receiver_id: Public[str]
    claim_filing_indicator: Public[str]
    transport: Public[str] = "files"


class OtherPayerParty(CanonicalModel):
    """A payer before or after the one that the interchange goes to."""

    code: Public[str]
    party: PayerParty


class RenderingProvider(CanonicalModel):
    """A provider as it stood in master data when the interchange was intended."""

    code: Public[str]
    npi: Public[str]
    family_name: Public[str]
    given_name: Public[str]
    taxonomy: Public[str]


class Parties(CanonicalModel):
    """Everybody that a claim names, as of its first service date."""

    billing: BillingParty
    payer: PayerParty
    provider: RenderingProvider
    more_providers: tuple[RenderingProvider, ...] = ()
    other_payers: tuple[OtherPayerParty, ...] = ()
    claim_type: ClaimType = ClaimType.PROFESSIONAL

    @property
    def providers(self) -> tuple[RenderingProvider, ...]:
        return (self.provider, *self.more_providers)


class Resubmission(CanonicalModel):
    """A claim of the interchange that replaces (7) or voids (8) what the payer has under its own number."""

    patient_control_number: Public[str]
    frequency: ClaimFrequency
    payer_control_number: Financial[str]


class InterchangeOrder(CanonicalModel):
    """All that the bytes of an interchange follow from, beside the claims themselves.

    Times and parties are kept with it, so that the bytes can be made again to the last one. `production` is ISA15.
    """

    control_number: Public[str]
    entity: Public[str]
    payer: Public[str]
    created_at: AwareDatetime
    production: bool
    billing: BillingParty
    payer_party: PayerParty
    providers: tuple[RenderingProvider, ...]
    other_payers: tuple[OtherPayerParty, ...] = ()
    claim_type: ClaimType = ClaimType.PROFESSIONAL
    resubmissions: tuple[Resubmission, ...] = ()

    @property
    def platform(self) -> str:
        """The external platform that works these claims; empty where we do."""
        return self.billing.claims_worked_by

    @property
    def transport(self) -> str:
        """The way it goes: the platform's, else the payer's."""
        return self.platform or self.payer_party.transport

    @property
    def file_name(self) -> str:
        return f"{self.control_number}.{'jsonl' if self.platform else 'x12'}"

    def resubmission_of(self, patient_control_number: str) -> Resubmission | None:
        """How this claim goes out, where it is not an original."""
        found = (each for each in self.resubmissions if each.patient_control_number == patient_control_number)
        return next(found, None)


def parties_of(claim: ClaimContent, master_data: KnownMasterData, more_providers: Iterable[str] = ()) -> Parties:
    """The parties of a claim that passed the edits; `more_providers` are those that its sealed details name.

    Raises:
        UnknownMasterData: master data lost one of them since, or never knew one.
    """
    day = claim.service_from
    others = (*(prior.payer for prior in claim.prior), *(each.payer for each in claim.next_payers))
    entity = master_data.entity(claim.entity, day)
    payer = master_data.payer(claim.payer, day)
    provider = master_data.provider(claim.rendering_provider, day)
    return Parties(
        billing=BillingParty.model_validate(entity.model_dump()),
        payer=PayerParty.model_validate(payer.model_dump()),
        provider=RenderingProvider.model_validate(provider.model_dump()),
        more_providers=tuple(
            RenderingProvider.model_validate(master_data.provider(code, day).model_dump())
            for code in sorted(set(more_providers) - {"", claim.rendering_provider})
        ),
        other_payers=tuple(
            OtherPayerParty(code=code, party=PayerParty.model_validate(master_data.payer(code, day).model_dump()))
            for code in others
        ),
        claim_type=claim.claim_type,
    )


def going_together(parties: Sequence[Parties]) -> list[int]:
    """The indexes of the claims that can share the first one's interchange.

    Master data is dated, so two claims of one payer may name it differently; the others go in the next interchange.
    """
    first = parties[0]
    named: dict[tuple[str, str], CanonicalModel] = {}
    chosen = []
    for index, each in enumerate(parties):
        same = (each.billing, each.payer, each.claim_type) == (first.billing, first.payer, first.claim_type)
        if same and all(named.get(key, party) == party for key, party in _named_by(each).items()):
            named |= _named_by(each)
            chosen.append(index)
    return chosen


def _named_by(parties: Parties) -> dict[tuple[str, str], CanonicalModel]:
    """Providers and other payers by what they are and their code."""
    providers = {("provider", each.code): each for each in parties.providers}
    return providers | {("payer", each.code): each.party for each in parties.other_payers}


def order_of(
    claims: Sequence[ClaimContent],
    parties: Sequence[Parties],
    control_number: str,
    now: datetime,
    *,
    production: bool,
    resubmissions: Iterable[Resubmission] = (),
) -> InterchangeOrder:
    """The order for claims that go together; the envelope can tell the time to the minute."""
    providers = {provider.code: provider for each in parties for provider in each.providers}
    others = {other.code: other for each in parties for other in each.other_payers}
    return InterchangeOrder(
        control_number=control_number,
        entity=claims[0].entity,
        payer=claims[0].payer,
        created_at=now.replace(second=0, microsecond=0),
        production=production,
        billing=parties[0].billing,
        payer_party=parties[0].payer,
        providers=tuple(providers[code] for code in sorted(providers)),
        other_payers=tuple(others[code] for code in sorted(others)),
        claim_type=parties[0].claim_type,
        resubmissions=tuple(resubmissions),
    )
