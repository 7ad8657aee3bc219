"""What the payers before a claim have decided, as it stands now."""

from __future__ import annotations

from chassis.domain import Refusal
from chassis.eventstore import Work

from claims.domain.claim import Claim
from claims.domain.claim_content import ClaimContent, PriorPayment, claim_id_in_sequence
from claims.domain.prior_payments import content_for_next, prior_payment_by


class PriorPayerUndecided(Refusal):
    """A replacement shows what every payer before has decided, and of one of them no decision covers the charge."""


def show_prior_payments(work: Work, claim: Claim) -> None:
    """What goes out again shows what the payers before have decided by now.

    Raises:
        PriorPayerUndecided: see there.
    """
    content = claim.content
    prior = prior_payments(work, content, content.sequence - 1)
    renewed = content.model_copy(update={"prior": prior})
    if renewed.lacks_prior_payers:
        raise PriorPayerUndecided(f"claim {claim.id}: {len(prior)} of {content.sequence - 1} payers before it decided")
    claim.redraft(renewed)


def content_after(work: Work, claim: Claim) -> ClaimContent:
    """The claim for the same charges to the payer after this one's."""
    return content_for_next(claim.content, prior_payments(work, claim.content, claim.content.sequence))


def prior_payments(work: Work, content: ClaimContent, payers: int) -> tuple[PriorPayment, ...]:
    """What the first so many payers have decided as it stands now; nothing of one whose decisions do not cover the charge."""
    claims = [work.require(Claim, claim_id_in_sequence(content, number)) for number in range(1, payers + 1)]
    decided = (None if claim.is_being_revised else prior_payment_by(claim.content, claim.decisions) for claim in claims)
    return tuple(prior for prior in decided if prior is not None)
