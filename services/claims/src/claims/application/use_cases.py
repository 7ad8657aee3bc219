"""Commands on claims: draft and edit, release, answer, adjudicate. Each decides inside a given unit of work."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from canonical.ids import derive
from chassis.domain import Refusal
from chassis.eventstore import Work
from chassis.exceptions import end_case, raise_case

from claims.application.editing import run_edits
from claims.domain.answers import ReportedStatus, SubmissionAnswer
from claims.domain.claim import Claim
from claims.domain.claim_content import ClaimContent, HoldReason, claim_id_of
from claims.domain.claim_state import AWAITING_ANSWER, ClaimState
from claims.domain.interchange import ACCEPTING_CODES, Interchange
from claims.domain.rules.edit_history import KeptRun, Stage
from claims.domain.rules.edits import ClaimEdits
from claims.domain.status_inquiry import StatusInquiry

SUMMARY_LENGTH_MAX = 500
HELD_CASE = "ClaimHeld"
REJECTED_CASE = "ClaimRejected"
INTERCHANGE_REJECTED_CASE = "InterchangeRejected"
INQUIRY_REFUSED_CASE = "StatusInquiryRefused"
STATUS_CASE = "StatusNeedsWork"
UNDECIDED = HoldReason(
    code="PriorPayerUndecided",
    needs="a decision of every payer before that stands, covers the charge and leaves something",
)
_RELEASABLE = frozenset({ClaimState.HELD, ClaimState.REJECTED})


class NotHeld(Refusal):
    """Only a claim that is held or rejected can be released."""


def draft_claim(work: Work, content: ClaimContent, edits: ClaimEdits) -> None:
    """Drafts the claim of one posting and edits it. The same posting again changes nothing.

    Raises:
        ChangedClaim: the same posting with other content.
    """
    claim = work.get_or_new(Claim, claim_id_of(content.patient_control_number))
    if claim.draft(content):
        edit_claim(work, claim, edits, Stage.DRAFT)


def edit_claim(work: Work, claim: Claim, edits: ClaimEdits, stage: Stage) -> None:
    """Runs all edits: the claim is ready, or held with every reason and a case."""
    run = run_edits(work, claim, edits, stage)
    reasons = (*run.reasons, UNDECIDED) if claim.content.lacks_prior_payers else run.reasons
    if reasons:
        hold_claim(work, claim, reasons, run)
    elif claim.state is not ClaimState.READY:
        claim.make_ready(run)
    else:
        claim.keep_run(run)


def hold_claim(work: Work, claim: Claim, reasons: tuple[HoldReason, ...], run: KeptRun | None = None) -> None:
    """Holds the claim, and opens the case of this hold. `run` is the run of the edits that came before it."""
    claim.hold(reasons, run)
    raise_claim_case(work, claim, hold_cause(claim.id, claim.holds), HELD_CASE, "; ".join(map(str, reasons)))


def raise_claim_case(work: Work, claim: Claim, cause: UUID, code: str, summary: str) -> None:
    """Opens the case of a cause about a claim, for its whole amount."""
    raise_case(
        work,
        cause,
        code=code,
        summary=summary[:SUMMARY_LENGTH_MAX],
        subject=f"claim {claim.content.patient_control_number}",
        subject_id=claim.id,
        entity=claim.content.entity,
        amount=claim.content.total,
    )


def hold_cause(claim_id: UUID, number: int) -> UUID:
    """What the case of a claim's hold is raised for."""
    return derive("claim-hold", claim_id, number)


def release_claim(work: Work, claim_id: UUID, edits: ClaimEdits, why: str) -> Claim:
    """Edits a held or rejected claim again, with today's master data; the case of what was wrong before ends.

    What is still wrong, or wrong now, has a case of its own.

    Raises:
        UnknownAggregate: there is no such claim.
        NotHeld: it is neither held nor rejected.
    """
    claim = work.require(Claim, claim_id)
    if claim.state not in _RELEASABLE:
        raise NotHeld(f"claim {claim_id} is {claim.state}, neither held nor rejected")
    hold_before = claim.holds if claim.state is ClaimState.HELD else 0
    edit_claim(work, claim, edits, Stage.RELEASE)
    if claim.state is ClaimState.READY and claim.is_void and claim.is_leaving_again:
        claim.void_instead(why)
    if claim.state is ClaimState.READY or claim.holds > hold_before:
        end_hold(work, claim_id, hold_before, why)
    if not hold_before:
        end_case(work, rejection_cause(claim_id, claim.interchange_id), REJECTED_CASE, why)
    return claim


def end_hold(work: Work, claim_id: UUID, number: int, why: str) -> None:
    """Ends the case of a claim's hold; there is none of number 0."""
    if number:
        end_case(work, hold_cause(claim_id, number), HELD_CASE, why)


def hear_of_claim(work: Work, control_number: str, answer: SubmissionAnswer, payer_control_number: str) -> None:
    """A 277CA took or refused the claim; of a refusal a person is told, also where a payer has decided already.

    Raises:
        UnknownAggregate: no claim of ours has this patient control number.
        NeverSubmitted: it never left.
        UnknownSubmission: it was not part of the submission that is named.
    """
    claim = work.require(Claim, claim_id_of(control_number))
    if not claim.hear(answer, payer_control_number):
        return
    said = f"{answer.reporter or '277CA'} rejected the claim with {', '.join(answer.codes) or 'no code'}"
    cause = rejection_cause(claim.id, claim.interchange_id)
    raise_claim_case(work, claim, cause, REJECTED_CASE, f"{said}; it is {claim.state}")


def keep_reported_status(work: Work, control_number: str, status: ReportedStatus) -> None:
    """A 277 told where the claim stands; where it waits and waiting will not help, a person is told, once for each word.

    Raises:
        UnknownAggregate: no claim of ours has this patient control number.
        NeverSubmitted: it never left.
    """
    claim = work.require(Claim, claim_id_of(control_number))
    claim.report(status)
    if claim.state not in AWAITING_ANSWER or not status.needs_a_person:
        return
    words = ", ".join((*status.category_codes, *status.status_codes))
    summary = f"asked where the claim stands, {claim.content.payer} says {words}"
    raise_claim_case(work, claim, derive("status-needs-work", claim.id, words), STATUS_CASE, summary)


def hear_of_inquiry(work: Work, inquiry: StatusInquiry, acknowledgement: str, code: str) -> None:
    """Questions that their receiver could not read will not be answered, and a person is told."""
    if code in ACCEPTING_CODES:
        return
    inquiry.refuse(acknowledgement, code)
    raise_case(
        work,
        derive("status-inquiry-refused", inquiry.id),
        code=INQUIRY_REFUSED_CASE,
        summary=f"{inquiry.payer} refused our questions where claims stand: {acknowledgement} {code}",
        subject=f"interchange {inquiry.control_number}",
        subject_id=inquiry.id,
        entity=inquiry.entity,
    )


def rejection_cause(claim_id: UUID, interchange_id: UUID | None) -> UUID:
    """What the case of a rejected claim is raised for: one for each time it was submitted."""
    return derive("claim-rejection", claim_id, interchange_id)


def reject_claims_of(work: Work, interchange: Interchange, code: str, notes: tuple[str, ...]) -> int:
    """Rejects every claim that still stands in this interchange, and opens one case for all; how many were rejected."""
    rejected = 0
    for claim in claims_of(work, interchange.claim_ids):
        if claim.interchange_id == interchange.id:
            rejected += claim.reject((code,))
    raise_case(
        work,
        derive("interchange-rejection", interchange.id),
        code=INTERCHANGE_REJECTED_CASE,
        summary="; ".join((f"{code}: {rejected} claims are rejected", *notes))[:SUMMARY_LENGTH_MAX],
        subject=f"interchange {interchange.order.control_number}",
        subject_id=interchange.id,
        entity=interchange.order.entity,
        amount=interchange.total,
    )
    return rejected


def claims_of(work: Work, claim_ids: Iterable[UUID]) -> list[Claim]:
    """The claims, loaded by one query."""
    wanted = tuple(claim_ids)
    work.prefetch(wanted)
    return [work.require(Claim, claim_id) for claim_id in wanted]
