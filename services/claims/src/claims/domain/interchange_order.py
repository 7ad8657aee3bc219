"""What the bytes of an interchange follow from, and which claims can go out together under one order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from canonical.classes import CanonicalModel, Public
from canonical.master_data import MasterData
from canonical.party import OrganizationAddress
from pydantic import AwareDatetime

from claims.domain.claim_content import ClaimContent


class BillingParty(CanonicalModel):
    """The legal entity as it stood in master data when the interchange was intended."""

    name: Public[str]
    npi: Public[str]
    tax_id: Public[str]
    taxonomy: Public[str]
    address: OrganizationAddress
    submitter_id: Public[str]
    contact_phone: Public[str]


class PayerParty(CanonicalModel):
    """The payer as it stood in master data when the interchange was intended."""

    name: Public[str]
    x12_identifier: Public[str]
    receiver_id: Public[str]
    claim_filing_indicator: Public[str]
    transport: Public[str] = "files"


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

    @property
    def file_name(self) -> str:
        return f"{self.control_number}.x12"


def parties_of(claim: ClaimContent, master_data: MasterData) -> Parties:
    """The parties of a claim that passed the edits.

    Raises:
        UnknownMasterData: master data lost one of them since.
    """
    day = claim.service_from
    entity = master_data.entity(claim.entity, day)
    payer = master_data.payer(claim.payer, day)
    provider = master_data.provider(claim.rendering_provider, day)
    return Parties(
        billing=BillingParty.model_validate(entity.model_dump()),
        payer=PayerParty.model_validate(payer.model_dump()),
        provider=RenderingProvider.model_validate(provider.model_dump()),
    )


def going_together(parties: Sequence[Parties]) -> list[int]:
    """The indexes of the claims that can share the first one's interchange.

    Master data is dated, so two claims of one payer may name it differently; the others go in the next interchange.
    """
    first = parties[0]
    providers: dict[str, RenderingProvider] = {}
    chosen = []
    for index, each in enumerate(parties):
        same = each.billing == first.billing and each.payer == first.payer
        if same and providers.setdefault(each.provider.code, each.provider) == each.provider:
            chosen.append(index)
    return chosen


def order_of(
    claims: Sequence[ClaimContent], parties: Sequence[Parties], control_number: str, now: datetime, *, production: bool
) -> InterchangeOrder:
    """The order for claims that go together; the envelope can tell the time to the minute."""
    providers = {each.provider.code: each.provider for each in parties}
    return InterchangeOrder(
        control_number=control_number,
        entity=claims[0].entity,
        payer=claims[0].payer,
        created_at=now.replace(second=0, microsecond=0),
        production=production,
        billing=parties[0].billing,
        payer_party=parties[0].payer,
        providers=tuple(providers[code] for code in sorted(providers)),
    )
