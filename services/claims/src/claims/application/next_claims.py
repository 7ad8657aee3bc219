"""Secondary and later claims: drafted from what the payer before decided, or taken as passed on by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from canonical.ids import derive
from chassis.eventstore import Work

from claims.application.claim_cases import raise_about
from claims.application.editing import prefetch_edit_runs
from claims.application.use_cases import case_id_of, draft_claim, edit_claim, end_hold, hold_claim
from claims.domain.claim import Claim
from claims.domain.claim_content import HoldReason, PriorPayment, claim_id_in_sequence
from claims.domain.claim_state import ClaimState, NextClaimStage
from claims.domain.prior_payments import content_for_next, prior_payment_by
from claims.domain.rules.edit_history import Stage
from claims.domain.rules.edits import ClaimEdits

PRIMARY_CHANGED_CASE = "PrimaryChanged"
UNKNOWN_NEXT_CASE = "CrossedOverToUnknownPayer"
UNDECIDED = HoldReason(
    code="PriorPayerUndecided", needs="a decision of the payer before that stands and covers the charge"
)
PASSED_ON = "the payer before passed it on"


def advance_next_claims(work: Work, decided: Iterable[Claim], edits: ClaimEdits) -> None:
    """Drafts, renews or gives up the next payer's claim of each, and tells the claim before how far it has got."""
    claims = list(decided)
    with_next = [claim for claim in claims if claim.content.next_payers]
    later = [claim for claim in claims if claim.content.sequence > 1]
    next_ids = [_next_id(claim) for claim in with_next]
    work.prefetch([*next_ids, *map(_before_id, later)])
    following = [work.get_or_new(Claim, next_id) for next_id in next_ids]
    prefetch_edit_runs(work, (each for each in following if each.exists))
    sent = [claim for claim, its_next in zip(with_next, following, strict=True) if its_next.interchange_id]
    work.prefetch(case_id_of(_change_of(claim), PRIMARY_CHANGED_CASE) for claim in sent)
    for claim in claims:
        if claim.content.next_payers:
            _advance(work, claim, edits)
        elif claim.decisions.is_crossed_over:
            _raise_unknown_next(work, claim)
    for claim in later:
        _tell_claim_before(work, claim)


def tell_claims_before(work: Work, submitted: Sequence[Claim]) -> None:
    """The claims before these learn that they were sent."""
    later = [claim for claim in submitted if claim.content.sequence > 1]
    work.prefetch(map(_before_id, later))
    for claim in later:
        _tell_claim_before(work, claim)


def pass_on(work: Work, claim: Claim) -> Claim:
    """The next payer's claim, which that payer has got without us: what we have not sent yet we never send."""
    following = work.get_or_new(Claim, _next_id(claim))
    if not following.exists:
        following.draft(content_for_next(claim.content, _prior(claim)))
    hold_before = following.holds if following.state is ClaimState.HELD else 0
    if following.cross_over(claim.id):
        end_hold(work, following.id, hold_before, PASSED_ON)
    return following


def _advance(work: Work, claim: Claim, edits: ClaimEdits) -> None:
    prior = _prior(claim)
    if claim.decisions.is_crossed_over:
        pass_on(work, claim)
    following = work.get_or_new(Claim, _next_id(claim))
    if not following.exists:
        if prior is not None:
            draft_claim(work, content_for_next(claim.content, prior), edits)
        return
    content = content_for_next(claim.content, prior)
    if following.interchange_id is not None:
        if content.prior != following.content.prior:
            _raise_changed(work, claim, following)
    elif following.crossed_over_from is not None:
        following.redraft(content)
    else:
        _renew(work, following, content.prior, edits)


def _renew(work: Work, following: Claim, prior: tuple[PriorPayment, ...], edits: ClaimEdits) -> None:
    """Edits a claim that was not sent yet again, with what the payer before says now."""
    changed = following.redraft(following.content.model_copy(update={"prior": prior}))
    decided = len(prior) == following.content.sequence - 1
    hold_before = following.holds if following.state is ClaimState.HELD else 0
    if not decided:
        hold_claim(work, following, (UNDECIDED,))
    elif changed:
        edit_claim(work, following, edits, Stage.RELEASE)
    if following.state is ClaimState.READY or following.holds > hold_before:
        end_hold(work, following.id, hold_before, "the payer before has decided again")


def _raise_changed(work: Work, claim: Claim, following: Claim) -> None:
    """What was sent stays as it was sent; a person decides whether to replace it."""
    summary = f"{claim.content.payer} decided otherwise after {following.content.payer} was billed; it is {claim.state}"
    raise_about(work, following, _change_of(claim), PRIMARY_CHANGED_CASE, summary)


def _change_of(claim: Claim) -> UUID:
    """What the case of a change is raised for: each change of the payer before."""
    return derive("primary-changed", _next_id(claim), claim.version)


def _raise_unknown_next(work: Work, claim: Claim) -> None:
    """A person finds out who that is: meanwhile the patient is charged with what the next payer may owe."""
    summary = f"{claim.content.payer} passed the claim on, and we know of no payer after it"
    raise_about(work, claim, derive("unknown-next-payer", claim.id), UNKNOWN_NEXT_CASE, summary)


def _tell_claim_before(work: Work, claim: Claim) -> None:
    before = work.require(Claim, _before_id(claim))
    stage = NextClaimStage.NONE
    if claim.interchange_id is not None:
        stage = NextClaimStage.BILLED
    if claim.decisions.standing:
        stage = NextClaimStage.DECIDED
    before.next_claim_moved(claim.id, stage)


def _prior(claim: Claim) -> PriorPayment | None:
    return prior_payment_by(claim.content, claim.decisions)


def _next_id(claim: Claim) -> UUID:
    return claim_id_in_sequence(claim.content, claim.content.sequence + 1)


def _before_id(claim: Claim) -> UUID:
    return claim_id_in_sequence(claim.content, claim.content.sequence - 1)
