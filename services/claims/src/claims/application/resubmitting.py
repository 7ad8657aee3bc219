"""A person sends a claim again: in the place of the one that the payer has, or to void it."""

from __future__ import annotations

from uuid import UUID

from canonical.codes import ClaimFrequency
from chassis.eventstore import Work
from chassis.exceptions import end_case

from claims.application.denials import answer_with_corrected_claim
from claims.application.prior_payers import show_prior_payments
from claims.application.use_cases import REJECTED_CASE, rejection_cause
from claims.domain.claim import Claim


def resubmit_claim(work: Work, claim_id: UUID, frequency: ClaimFrequency, reason: str) -> Claim:
    """The claim is ready again, and goes with the next interchange to its payer.

    A replacement answers its denials, and shows what the payers before have decided by now.

    Raises:
        UnknownAggregate: there is no such claim.
        NotAtThePayer, NoPayerControlNumber, PriorPayerUndecided: see there.
    """
    claim = work.require(Claim, claim_id)
    claim.resubmit(frequency, reason)
    end_case(work, rejection_cause(claim.id, claim.interchange_id), REJECTED_CASE, reason)
    if frequency is ClaimFrequency.REPLACEMENT:
        show_prior_payments(work, claim)
        answer_with_corrected_claim(work, claim, reason)
    return claim
