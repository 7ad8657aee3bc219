"""Secondary and later claims: drafted from what the payer before decided, or taken as passed on by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from uuid import UUID

from canonical.ids import derive
from chassis.eventstore import Work
from chassis.exceptions import case_id_of

from claims.application.claim_cases import raise_about
from claims.application.editing import prefetch_edit_runs
from claims.application.prior_payers import content_after
from claims.application.revising import follow_revision
from claims.application.use_cases import UNDECIDED, draft_claim, edit_claim, end_hold, hold_claim
from claims.domain.claim import Claim
from claims.domain.claim_content import ClaimContent, claim_id_in_sequence
from claims.domain.claim_state import NOT_YET_SENT, ClaimState, NextClaimStage
from claims.domain.prior_payments import leaves_something
from claims.domain.rules.edit_history import Stage
from claims.domain.rules.edits import ClaimEdits

PRIMARY_CHANGED_CASE = "PrimaryChanged"
UNKNOWN_NEXT_CASE = "CrossedOverToUnknownPayer"
PASSED_ON = "the payer before passed it on"


def advance_next_claims(work: Work, decided: Iterable[Claim], edits: ClaimEdits) -> None:
    """Drafts, renews or gives up the later payers' claims of each, and tells the claim before how far it has got."""
    claims = list(decided)
    work.prefetch(identity for claim in claims for identity in _ids_of_all_payers(claim.content))
    pairs = [(claim, following) for claim in claims for following in _following(work, claim)]
    prefetch_edit_runs(work, (following for _, following in pairs))
    work.prefetch(case_id_of(_change_of(*pair), PRIMARY_CHANGED_CASE) for pair in pairs if pair[1].interchange_id)
    for claim in claims:
        if claim.content.next_payers:
            _advance(work, claim, edits)
        elif claim.decisions.is_crossed_over:
            _raise_unknown_next(work, claim)
    for claim in claims:
        if claim.content.sequence > 1:
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
        following.draft(content_after(work, claim))
    hold_before = following.holds if following.state is ClaimState.HELD else 0
    if following.cross_over(claim.id):
        end_hold(work, following.id, hold_before, PASSED_ON)
    return following


def _advance(work: Work, claim: Claim, edits: ClaimEdits) -> None:
    """Every later payer is shown the change; the first that has no claim yet gets one, if there is something to bill."""
    if claim.decisions.is_crossed_over:
        pass_on(work, claim)
    before = claim
    for following in _following(work, claim):
        content = content_after(work, before)
        follow_revision(work, before, following, content, edits)
        if not following.is_void and following.revising is None:
            if following.is_ours_to_change:
                _renew(work, following, content, edits, is_owed=leaves_something(before.content, before.decisions))
            elif content.prior != following.content.prior:
                _raise_changed(work, claim, following)
        before = following
    if before.content.next_payers and leaves_something(before.content, before.decisions):
        content = content_after(work, before)
        if not content.lacks_prior_payers:
            draft_claim(work, content, edits)


def _renew(work: Work, following: Claim, content: ClaimContent, edits: ClaimEdits, *, is_owed: bool) -> None:
    """Edits a claim that is about to leave again, with what the payers before say now; others are edited when they do."""
    changed = following.redraft(content)
    if following.state not in NOT_YET_SENT:
        return
    hold_before = following.holds if following.state is ClaimState.HELD else 0
    if content.lacks_prior_payers or not is_owed:
        hold_claim(work, following, (UNDECIDED,))
    elif changed:
        edit_claim(work, following, edits, Stage.RELEASE)
    if following.state is ClaimState.READY or following.holds > hold_before:
        end_hold(work, following.id, hold_before, "the payer before has decided again")


def _raise_changed(work: Work, claim: Claim, following: Claim) -> None:
    """What was sent stays as it was sent; a person decides whether to replace it."""
    summary = f"{claim.content.payer} decided otherwise after {following.content.payer} was billed; it is {claim.state}"
    raise_about(work, following, _change_of(claim, following), PRIMARY_CHANGED_CASE, summary)


def _change_of(claim: Claim, following: Claim) -> UUID:
    """What the case of a change is raised for: each change of a payer before."""
    return derive("primary-changed", following.id, claim.id, claim.version)


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


def _ids_of_all_payers(content: ClaimContent) -> Iterator[UUID]:
    """The claims for the same charges to every payer, where there is more than one."""
    payers = content.sequence + len(content.next_payers)
    if payers > 1:
        yield from (claim_id_in_sequence(content, sequence) for sequence in range(1, payers + 1))


def _following(work: Work, claim: Claim) -> list[Claim]:
    """The claims to later payers that there are, in order."""
    ids = list(_ids_of_all_payers(claim.content))[claim.content.sequence :]
    return list(takewhile(lambda following: following.exists, (work.get_or_new(Claim, each) for each in ids)))


def _next_id(claim: Claim) -> UUID:
    return claim_id_in_sequence(claim.content, claim.content.sequence + 1)


def _before_id(claim: Claim) -> UUID:
    return claim_id_in_sequence(claim.content, claim.content.sequence - 1)
