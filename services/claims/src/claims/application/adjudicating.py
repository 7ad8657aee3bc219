"""Accepted remittances become adjudications: a chunk of at most 500 claim payments in one unit of work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import date
from uuid import UUID

from canonical.events.payments import RemittanceChunkAccepted
from canonical.master_data import MasterData, UnknownMasterData
from canonical.remittance import ClaimPayment
from chassis.domain import Refusal
from chassis.eventstore import Work
from chassis.exceptions import raise_case

from claims.domain.adjudication import DecidedLine, PayerDecision
from claims.domain.claim import Claim
from claims.domain.claim_content import claim_id_of
from claims.domain.line_matching import match_lines
from claims.domain.unknown_payment import UnknownClaimPayment, Why, unknown_payment_id_of

UNKNOWN_PAYMENT_CASE = "UnknownClaimPayment"

ReasonsOf = Callable[[str, date], Collection[str]]


class PayerGone(Refusal):
    """Master data no longer knows the payer of a claim on its service date; put it back and retry."""


def contractual_reasons_by(master_data: MasterData) -> ReasonsOf:
    """Which CO reasons are contractual with a payer on a day, remembered: a remittance asks for few pairs, often."""
    known: dict[tuple[str, date], frozenset[str]] = {}

    def reasons_of(payer: str, day: date) -> Collection[str]:
        found = known.get((payer, day))
        if found is None:
            try:
                found = frozenset(master_data.payer(payer, day).contractual_reasons)
            except UnknownMasterData as unknown:
                raise PayerGone(str(unknown)) from None
            known[payer, day] = found
        return found

    return reasons_of


def claims_paid_by(event: RemittanceChunkAccepted) -> Iterable[UUID]:
    """The claims that a chunk is about, as far as they are ours."""
    return (claim_id_of(payment.patient_control_number) for payment in event.claims)


def adjudicate_chunk(work: Work, event: RemittanceChunkAccepted, reasons_of: ReasonsOf) -> None:
    """Adjudicates every claim of the chunk; a payment that belongs to none of ours is recorded, with a case.

    Raises:
        ChangedAdjudication, ChangedUnknownPayment: another decision stood at the same place of the remittance.
        PayerGone: see there.
    """
    unknown: list[tuple[Why, ClaimPayment]] = []
    for payment in event.claims:
        claim = work.get_or_new(Claim, claim_id_of(payment.patient_control_number))
        why = why_not_ours(claim, event)
        if why is not None:
            unknown.append((why, payment))
            continue
        content = claim.content
        lines = match_lines(content.lines, payment.services)
        claim.adjudicate(decision_of(event, payment, lines), reasons_of(content.payer, content.service_from))
    work.prefetch(unknown_payment_id_of(event.remittance_id, payment.position) for _, payment in unknown)
    for why, payment in unknown:
        record_unknown(work, event, payment, why)


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


def record_unknown(work: Work, event: RemittanceChunkAccepted, payment: ClaimPayment, why: Why) -> None:
    """Keeps the payment and opens a case, once."""
    identity = unknown_payment_id_of(event.remittance_id, payment.position)
    record = work.get_or_new(UnknownClaimPayment, identity)
    decision = decision_of(event, payment)
    if record.record(why, payment.patient_control_number, event.entity, event.payer, decision):
        raise_case(
            work,
            identity,
            code=UNKNOWN_PAYMENT_CASE,
            summary=f"{event.payer} paid {payment.paid} for {payment.patient_control_number}: {why}",
            subject=f"remittance {event.remittance_id}, claim {payment.position}",
            subject_id=identity,
            entity=event.entity,
            amount=payment.paid,
        )
