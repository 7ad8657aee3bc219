"""Underpayments: each becomes a case, which ends by itself when the decisions behind it change."""

from __future__ import annotations

from uuid import UUID

from canonical.ids import derive
from canonical.master_data import KnownMasterData
from canonical.money import Money
from chassis.eventstore import Work
from chassis.exceptions import end_case, raise_case

from claims.application.contractual_reasons import payer_on
from claims.domain.claim import Claim
from claims.domain.contract import Comparison, FeeSchedules, compare
from claims.domain.contract_review import ContractReview, contract_review_id_of

UNDERPAID_CASE = "Underpaid"
RESOLVED = "the payer's decisions changed"


def comparison_of(claim: Claim, schedules: FeeSchedules, master_data: KnownMasterData) -> Comparison | None:
    """What the primary payer allowed against its contract; None where there is nothing to compare."""
    content = claim.content
    if content.sequence != 1 or not schedules.knows(content.payer):
        return None
    reasons = payer_on(master_data, content.payer, content.service_from).contractual_reasons
    return compare(content, claim.decisions.standing_decisions, schedules, reasons)


def review_contract(work: Work, claim: Claim, found: Comparison | None, tolerance: Money) -> None:
    """Opens the case of an underpayment beyond the tolerance, or ends the one that is none any more."""
    review = work.get_or_new(ContractReview, contract_review_id_of(claim.id))
    content, before = claim.content, review.found
    was_open = bool(review.shortfall)
    if not review.review(claim.id, content.entity, content.payer, found, tolerance):
        return
    if was_open:
        end_case(work, underpayment_cause(claim.id, before), UNDERPAID_CASE, RESOLVED)
    if review.shortfall and found:
        raise_case(
            work,
            underpayment_cause(claim.id, review.found),
            code=UNDERPAID_CASE,
            summary=f"{content.payer} allowed {found.allowed}, its contract says {found.expected}: {review.shortfall} short",
            subject=f"claim {content.patient_control_number}",
            subject_id=claim.id,
            entity=content.entity,
            amount=review.shortfall,
        )


def underpayment_cause(claim_id: UUID, number: int) -> UUID:
    """What the case of an underpayment is raised for."""
    return derive("underpaid", claim_id, number)
