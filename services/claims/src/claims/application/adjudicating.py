"""Accepted remittances become adjudications: a chunk of at most 500 claim payments in one unit of work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from canonical.events.payments import RemittanceChunkAccepted
from canonical.remittance import ClaimPayment
from chassis.eventstore import Work
from chassis.exceptions import case_id_of

from claims.application.contractual_reasons import ReasonsOf
from claims.application.following import DecisionFollowing
from claims.application.judging import judge_decisions
from claims.application.matching import UNKNOWN_PAYMENT_CASE, match_awaited, raise_unknown
from claims.application.next_claims import advance_next_claims, pass_on
from claims.application.revising import apply_revision
from claims.domain.adjudication import NOTED, DecidedLine, PayerDecision, Place
from claims.domain.claim import Claim
from claims.domain.claim_content import claim_id_in_sequence, claim_id_of
from claims.domain.line_matching import match_lines
from claims.domain.rules.edits import ClaimEdits
from claims.domain.unknown_payment import UnknownClaimPayment, Why, unknown_payment_id_of

RESEMBLED_SHOWN_MAX = 4
NO_DECISIONS: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class _Unbooked:
    """A payment that could not be booked, and the decisions that it may be meant for."""

    why: Why
    payment: ClaimPayment
    resembled: tuple[Place, ...] = NO_DECISIONS

    @property
    def said(self) -> str:
        """What its case says of it; of many decisions only the first."""
        places = self.resembled[:RESEMBLED_SHOWN_MAX]
        told = " and ".join(f"remittance {remittance_id}, claim {position}" for remittance_id, position in places)
        more = " and others" if len(self.resembled) > len(places) else ""
        of_those = f" of {told}{more}" if told else ""
        return f"for {self.payment.patient_control_number}: {self.why}{of_those}"


def claims_paid_by(event: RemittanceChunkAccepted) -> Iterable[UUID]:
    """The claims that a chunk is about, as far as they are ours."""
    return (claim_id_of(payment.patient_control_number) for payment in event.claims)


def adjudicate_chunk(
    work: Work,
    event: RemittanceChunkAccepted,
    reasons_of: ReasonsOf,
    edits: ClaimEdits,
    following: DecisionFollowing,
) -> None:
    """Adjudicates every claim of the chunk; a payment that cannot be booked to one of ours is recorded, with a case.

    Raises:
        ChangedAdjudication, ChangedUnknownPayment: another decision stood at the same place of the remittance.
        PayerGone: see there.
    """
    unknown: list[_Unbooked] = []
    moved: dict[UUID, Claim] = {}
    named = [work.get_or_new(Claim, claim_id) for claim_id in claims_paid_by(event)]
    work.prefetch(_passed_on(named, event.payer))
    for first, payment in zip(named, event.claims, strict=True):
        claim = claim_paid(work, event, first, payment)
        version = claim.version
        why, resembled = why_not_ours(claim, event), NO_DECISIONS
        if why is None:
            content = claim.content
            lines = match_lines(content.lines, payment.services)
            decision = decision_of(event, payment, lines)
            why = claim.adjudicate(decision, reasons_of(content.payer, content.service_from))
            resembled = claim.looks_like(decision) if decision.place in claim.awaiting else NO_DECISIONS
        if why is not None:
            unknown.append(_Unbooked(why, payment, resembled))
        if claim.version > version:
            moved[claim.id] = claim
    record_unknown(work, event, unknown)
    settle_decisions(work, moved.values(), reasons_of, edits, following)


def settle_decisions(
    work: Work, moved: Iterable[Claim], reasons_of: ReasonsOf, edits: ClaimEdits, following: DecisionFollowing
) -> None:
    """What follows from new decisions: awaited reversals that are proved by now, suspicions, denials, next payers' claims."""
    claims = list(moved)
    match_awaited(work, [claim for claim in claims if claim.awaiting], reasons_of)
    judge_decisions(work, claims)
    following.follow(work, claims)
    for claim in claims:
        apply_revision(work, claim, edits)
    advance_next_claims(work, claims, edits)


def _passed_on(named: Iterable[Claim], payer: str) -> Iterable[UUID]:
    """The next payers' claims of those that another payer than their own pays for."""
    for claim in named:
        if claim.exists and claim.content.payer != payer and claim.content.next_payers:
            yield claim_id_in_sequence(claim.content, claim.content.sequence + 1)


def claim_paid(work: Work, event: RemittanceChunkAccepted, claim: Claim, payment: ClaimPayment) -> Claim:
    """The claim that is paid for where this one is named: a payer that got it from the one before uses that one's number.

    What only notes something of a claim shows no payer to have got it: what we have not sent we still send.
    """
    while claim.was_submitted and claim.content.entity == event.entity:
        content = claim.content
        if content.payer == event.payer or event.payer not in [each.payer for each in content.next_payers]:
            break
        if content.next_payers[0].payer == event.payer and payment.status not in NOTED:
            return pass_on(work, claim)
        following = work.get_or_new(Claim, claim_id_in_sequence(content, content.sequence + 1))
        if not following.was_submitted:
            break
        claim = following
    return claim


def why_not_ours(claim: Claim, event: RemittanceChunkAccepted) -> Why | None:
    """Why the payment cannot go to this claim; None when it can."""
    if not claim.exists:
        return Why.UNKNOWN_CONTROL_NUMBER
    if not claim.was_submitted:
        return Why.NEVER_SUBMITTED
    if claim.content.entity != event.entity:
        return Why.OTHER_ENTITY
    return Why.OTHER_PAYER if claim.content.payer != event.payer else None


def decision_of(
    event: RemittanceChunkAccepted, payment: ClaimPayment, lines: tuple[DecidedLine, ...] = ()
) -> PayerDecision:
    """What a claim keeps of a payment; the parts were validated with the event."""
    return PayerDecision.trusted(
        remittance_id=event.remittance_id,
        position=payment.position,
        effective_date=event.effective_date,
        payer_status=payment.status,
        charge=payment.charge,
        paid=payment.paid,
        patient_responsibility=payment.patient_responsibility,
        adjustments=payment.all_adjustments,
        payer_control_number=payment.payer_control_number,
        span_start=payment.span_start,
        span_length=payment.span_length,
        lines=lines,
        remark_codes=payment.remark_codes,
        earlier_control_number=payment.earlier_control_number,
    )


def record_unknown(work: Work, event: RemittanceChunkAccepted, unknown: Sequence[_Unbooked]) -> None:
    """Keeps the payments and opens their cases, once; what moves no money is only noted."""
    payments = [each.payment for each in unknown]
    identities = [unknown_payment_id_of(event.remittance_id, payment.position) for payment in payments]
    cases = [case_id_of(identity, UNKNOWN_PAYMENT_CASE) for identity in identities]
    work.prefetch([*identities, *cases])
    for identity, unbooked in zip(identities, unknown, strict=True):
        why, payment = unbooked.why, unbooked.payment
        record = work.get_or_new(UnknownClaimPayment, identity)
        decision = decision_of(event, payment)
        if payment.status in NOTED and not payment.paid:
            record.note(NOTED[payment.status], event.entity, event.payer, decision)
        elif record.record(why, payment.patient_control_number, event.entity, event.payer, decision, payment.services):
            raise_unknown(work, record, identity, unbooked.said)
