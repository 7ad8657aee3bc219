"""The bytes of an interchange, made again from its order and its claims, so that no PHI rests beside them."""

from __future__ import annotations

from chassis.domain import Refusal
from chassis.eventstore import Work

from claims.application.ports import BillableClaim, ClaimFormat, PatientDetailsVault
from claims.application.use_cases import claims_of
from claims.domain.interchange import Interchange


class DetailsGone(Refusal):
    """A claim of the interchange cannot be opened any more, so that its bytes cannot be made again."""


def remake(work: Work, interchange: Interchange, claim_format: ClaimFormat, vault: PatientDetailsVault) -> bytes:
    """The bytes as they were intended; the interchange's digest tells whether they are.

    Raises:
        DetailsGone, Unwritable: see there.
    """
    claims = claims_of(work, interchange.claim_ids)
    sent = [claim.submissions[interchange.id] for claim in claims]
    opened = vault.open_details([content.details for content in sent])
    billable = [BillableClaim(content, phi) for content, phi in zip(sent, opened, strict=True) if phi]
    if len(billable) < len(claims):
        lost = len(claims) - len(billable)
        raise DetailsGone(f"{interchange.order.file_name}: the details of {lost} of its claims open no more")
    return claim_format.write(interchange.order, billable)
