"""What new decisions on a claim make suspicious: more decided than was charged, or one payment told twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from canonical.ids import derive
from chassis.eventstore import Work
from chassis.exceptions import case_id_of, end_case

from claims.application.claim_cases import raise_about
from claims.domain.adjudication import DecisionKind, PayerDecision
from claims.domain.claim import Claim

OVER_ADJUDICATED_CASE = "OverAdjudicated"
DUPLICATE_CASE = "SuspectedDuplicateClaimPayment"


def judge_decisions(work: Work, claims: Iterable[Claim]) -> None:
    """Opens a case for each suspicion, and ends what a reversal has explained. Nothing is dropped for a suspicion."""
    several = [claim for claim in claims if len(claim.decisions.booked) > 1]
    work.prefetch(case_id_of(cause, OVER_ADJUDICATED_CASE) for claim in several for cause in _causes(claim))
    for claim in several:
        _judge_sum(work, claim)
    _judge_twins(work, several)


def _judge_sum(work: Work, claim: Claim) -> None:
    over = claim.decisions.over_adjudicated(claim.content.total)
    if not over:
        for cause in _causes(claim):
            end_case(work, cause, OVER_ADJUDICATED_CASE, "a reversal took the excess back")
        return
    summary = f"{claim.content.payer} decided on {over} more than the claim charges, and reversed nothing"
    raise_about(work, claim, _causes(claim)[-1], OVER_ADJUDICATED_CASE, summary, over)


def _causes(claim: Claim) -> Sequence[UUID]:
    """One for each number of reversals so far: what one of them explained may come again."""
    reversals = sum(each.kind is DecisionKind.REVERSAL for each in claim.decisions.booked.values())
    return [derive("over-adjudicated", claim.id, number) for number in range(reversals + 1)]


def _judge_twins(work: Work, claims: Iterable[Claim]) -> None:
    twins = [(claim, decision) for claim in claims for decision in _new_twins(claim)]
    work.prefetch(case_id_of(_twin_cause(claim, decision), DUPLICATE_CASE) for claim, decision in twins)
    for claim, decision in twins:
        summary = f"{decision.paid} under the payer's number and status of another decision that stands"
        raise_about(work, claim, _twin_cause(claim, decision), DUPLICATE_CASE, summary, decision.paid)


def _new_twins(claim: Claim) -> Iterator[PayerDecision]:
    newest = {event.decision.place for event in claim.pending if isinstance(event, Claim.Adjudicated)}
    for decision in claim.decisions.standing_decisions:
        if decision.place in newest and claim.decisions.twins_of(decision):
            yield decision


def _twin_cause(claim: Claim, decision: PayerDecision) -> UUID:
    return derive("duplicate-claim-payment", claim.id, *decision.place)
