"""Charges that are revised after their claim was drafted: it is redrafted, replaced or voided, as soon as that can be."""

from __future__ import annotations

from canonical.codes import ClaimFrequency
from canonical.events.intake import ChargesRevised
from canonical.ids import derive
from chassis.domain import NotYet
from chassis.eventstore import Work
from chassis.exceptions import end_case

from claims.application.claim_cases import raise_about
from claims.application.prior_payers import prior_payments
from claims.application.resubmitting import resubmit_claim
from claims.application.use_cases import REJECTED_CASE, edit_claim, end_hold, rejection_cause
from claims.domain.claim import Claim, Revision
from claims.domain.claim_content import ClaimContent, claim_id_of, control_number_of_posting
from claims.domain.claim_state import NOT_YET_SENT, RESUBMITTED_FROM, ClaimState
from claims.domain.rules.edit_history import Stage
from claims.domain.rules.edits import ClaimEdits

NO_NUMBER_CASE = "RevisionWaitsForPayerNumber"
VOIDED_CASE = "RevisionOfVoidedClaim"
PASSED_ON_CASE = "RevisionOfPassedOnClaim"
WHY = "the source revised what is billed"


def take_revision(work: Work, event: ChargesRevised, content: ClaimContent) -> Claim | None:
    """The first payer's claim where the revision is new to it, which then waits to be applied.

    Raises:
        NotYet: the claim has not been drafted, or the revision before this one has not come.
    """
    claim_id = claim_id_of(control_number_of_posting(event.encounter_id, event.posting))
    claim = work.get(Claim, claim_id)
    if claim is None:
        raise NotYet(claim_id, "the charges that are revised have not made a claim yet")
    if event.revision > claim.revision + 1:
        raise NotYet(claim_id, "the revision before this one has not come yet")
    revision = Revision(
        number=event.revision,
        content=content if event.charges else None,
        total=event.total,
        previous_total=event.previous_total,
        reason=event.reason.value,
        effective_date=event.revised_on,
    )
    return claim if claim.take_revision(revision) else None


def apply_revision(work: Work, claim: Claim, edits: ClaimEdits) -> None:
    """Does what the claim's place on its way allows; a claim that is with its payer, unanswered, waits for the answer.

    A person is told where the payer never said its own number, without which it cannot know what is replaced.
    """
    if claim.revising is None:
        return
    if claim.frequency is ClaimFrequency.VOID:
        summary = "its charges were revised after it was voided; a person bills what is left"
        raise_about(work, claim, derive("revision-of-voided", claim.id, claim.revision), VOIDED_CASE, summary)
    elif claim.is_ours_to_change:
        _change(work, claim, edits)
    elif claim.state in RESUBMITTED_FROM and claim.is_answered:
        _resubmit(work, claim, edits)


def follow_revision(work: Work, before: Claim, following: Claim, content: ClaimContent, edits: ClaimEdits) -> None:
    """A later payer's claim follows the one before it, as far as its own place allows; `content` shows what stands."""
    if before.is_void or before.content.revision > following.revision:
        revision = Revision(
            number=before.revision,
            content=None if before.is_void else content,
            total=content.total,
            previous_total=following.content.total,
            reason="prior-claim-revised",
            effective_date=work.context.now.date(),
        )
        following.take_revision(revision)
    apply_revision(work, following, edits)


def _change(work: Work, claim: Claim, edits: ClaimEdits) -> None:
    """No payer has it as it is: it is redrafted and edited again, or given up.

    A void of what stands in for a claim that the payer has, and that was refused, waits for the person who mends it.
    """
    assert claim.revising is not None
    hold_before = claim.holds if claim.state is ClaimState.HELD else 0
    content = claim.revising.content
    if content is not None:
        claim.redraft(content)
        if claim.state in NOT_YET_SENT:
            edit_claim(work, claim, edits, Stage.RELEASE)
    elif claim.is_leaving_again:
        claim.void_instead(WHY)
    elif claim.crossed_over_from is not None and claim.interchange_id is None:
        summary = f"{claim.content.payer} got it from the payer before, and nothing of it is left; a person follows up"
        raise_about(work, claim, derive("revision-of-passed-on", claim.id, claim.revision), PASSED_ON_CASE, summary)
    elif claim.frequency is ClaimFrequency.ORIGINAL:
        end_case(work, rejection_cause(claim.id, claim.interchange_id), REJECTED_CASE, WHY)
        claim.withdraw()
    if claim.state is not ClaimState.HELD or claim.holds > hold_before:
        end_hold(work, claim.id, hold_before, WHY)


def _resubmit(work: Work, claim: Claim, edits: ClaimEdits) -> None:
    """A replacement or a void of what the payer has; it goes with the next interchange."""
    assert claim.revising is not None
    content, cause = claim.revising.content, derive("revision-waits", claim.id)
    if not claim.latest_payer_control_number:
        summary = f"{claim.content.payer} told no number of its own, under which the claim could be replaced or voided"
        raise_about(work, claim, cause, NO_NUMBER_CASE, summary)
        return
    if content is None:
        resubmit_claim(work, claim.id, ClaimFrequency.VOID, WHY)
    elif _is_decided_before(work, content):
        resubmit_claim(work, claim.id, ClaimFrequency.REPLACEMENT, WHY)
        prior = {"prior": claim.content.prior}
        claim.redraft(content.model_copy(update=prior))
        edit_claim(work, claim, edits, Stage.RELEASE)
    else:
        return
    end_case(work, cause, NO_NUMBER_CASE, "the payer told its number")


def _is_decided_before(work: Work, content: ClaimContent) -> bool:
    """Whether every payer before has decided on the revised charges, which a replacement must show."""
    return len(prior_payments(work, content, content.sequence - 1)) == content.sequence - 1
