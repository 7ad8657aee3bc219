"""The one bridge from stored events, which are private, to public events, which are promises."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from canonical.codes import AdjustmentGroup
from canonical.envelope import PublicEvent
from canonical.events.claims import (
    ClaimAccepted,
    ClaimAdjudicated,
    ClaimDrafted,
    ClaimHeld,
    ClaimPaymentNoted,
    ClaimPaymentUnknown,
    ClaimRejected,
    ClaimRevised,
    ClaimSubmitted,
    DenialReleased,
    DenialWrittenOff,
    InterchangeSent,
    LineShare,
)
from canonical.money import Money
from chassis.domain import Event

from claims.domain.adjudication import PayerDecision
from claims.domain.claim import Claim
from claims.domain.decided_claim import MoneyMoved
from claims.domain.interchange import Interchange
from claims.domain.unknown_payment import UnknownClaimPayment


def publish(event: Event) -> Iterable[PublicEvent]:
    """The public events that a stored event announces, often none."""
    if isinstance(event, Claim.RevisionTaken) and event.sequence > 1:
        return ()
    announcing = _ANNOUNCING.get(type(event))
    return () if announcing is None else (announcing(event),)


def _drafted(event: Claim.Drafted) -> ClaimDrafted:
    content = event.content
    return ClaimDrafted(
        claim_id=event.originator_id,
        encounter_id=content.encounter_id,
        entity=content.entity,
        payer=content.payer,
        patient_id=content.patient_id,
        patient_control_number=content.patient_control_number,
        total=content.total,
        sequence=content.sequence,
    )


def _held(event: Claim.Held) -> ClaimHeld:
    return ClaimHeld(claim_id=event.originator_id, reasons=tuple(map(str, event.reasons)))


def _submitted(event: Claim.Submitted) -> ClaimSubmitted:
    return ClaimSubmitted(
        claim_id=event.originator_id,
        interchange_id=event.interchange_id,
        entity=event.entity,
        payer=event.payer,
        total=event.total,
    )


def _accepted(event: Claim.Accepted) -> ClaimAccepted:
    return ClaimAccepted(claim_id=event.originator_id, payer_control_number=event.payer_control_number)


def _rejected(event: Claim.Rejected) -> ClaimRejected:
    return ClaimRejected(claim_id=event.originator_id, codes=event.codes)


def _whose(event: MoneyMoved) -> dict[str, Any]:
    return {
        "claim_id": event.originator_id,
        "encounter_id": event.encounter_id,
        "posting": event.posting,
        "patient_id": event.patient_id,
        "entity": event.entity,
        "payer": event.payer,
        "payer_class": event.payer_class,
    }


def _adjudicated(event: Claim.Adjudicated) -> ClaimAdjudicated:
    decision = event.decision
    return ClaimAdjudicated.trusted(
        **_whose(event),
        remittance_id=decision.remittance_id,
        remittance_position=decision.position,
        effective_date=decision.effective_date,
        first=event.first,
        denied=event.denied,
        charge=decision.charge,
        paid=decision.paid,
        patient_responsibility=decision.patient_responsibility,
        adjustments=decision.adjustments,
        service_from=event.service_from,
        kind=event.kind.value,
        payer_status=decision.payer_status,
        reverses_remittance_id=event.reverses_remittance_id,
        reverses_position=event.reverses_position,
        reverses_match=event.reverses_match,
        reverses_also=event.reverses_also,
        partial=event.partial,
        match=event.match,
        next_payer=event.next_payer,
        next_payer_class=event.next_payer_class,
        sequence=event.sequence,
        charges_revision=event.charges_revision,
        overpaid=event.overpaid,
        patient_lines=_patient_lines(decision) if decision.patient_responsibility else (),
    )


def _patient_lines(decision: PayerDecision) -> tuple[LineShare, ...]:
    """What each line that was found leaves to the patient."""
    shares: dict[int, Money] = {}
    for line, adjustments in decision.line_adjustments():
        left = [each.amount for each in adjustments if each.group is AdjustmentGroup.PATIENT]
        if line.line and left:
            shares[line.line] = Money.total([*left, shares.get(line.line, Money(0))])
    return tuple(LineShare.trusted(line=number, amount=amount) for number, amount in sorted(shares.items()))


def _denial_released(event: Claim.DenialReleased) -> DenialReleased:
    return DenialReleased(
        **_whose(event),
        release=event.release,
        amount=event.amount,
        effective_date=event.effective_date,
    )


def _payment_noted(event: Claim.PaymentNoted | UnknownClaimPayment.Noted) -> ClaimPaymentNoted:
    decision = event.decision
    return ClaimPaymentNoted(
        remittance_id=decision.remittance_id,
        remittance_position=decision.position,
        claim_id=event.originator_id if isinstance(event, Claim.PaymentNoted) else None,
        entity=event.entity,
        payer=event.payer,
        effective_date=decision.effective_date,
        why=event.why,
    )


def _denial_written_off(event: Claim.DenialWrittenOff) -> DenialWrittenOff:
    return DenialWrittenOff(
        **_whose(event),
        write_off=event.write_off,
        amount=event.amount,
        reason=event.reason,
        approved_by=event.approved_by,
        effective_date=event.effective_date,
    )


def _payment_unknown(event: UnknownClaimPayment.Recorded) -> ClaimPaymentUnknown:
    decision = event.decision
    return ClaimPaymentUnknown(
        remittance_id=decision.remittance_id,
        remittance_position=decision.position,
        entity=event.entity,
        payer=event.payer,
        paid=decision.paid,
        effective_date=decision.effective_date,
        why=event.why.value,
    )


def _sent(event: Interchange.Sent) -> InterchangeSent:
    return InterchangeSent(
        interchange_id=event.originator_id,
        control_number=event.control_number,
        entity=event.entity,
        payer=event.payer,
        claim_count=event.claim_count,
        total=event.total,
    )


def _revised(event: Claim.RevisionTaken) -> ClaimRevised:
    return ClaimRevised(
        **_whose(event),
        revision=event.revision,
        total=event.total,
        decided=event.decided,
        effective_date=event.effective_date,
    )


_ANNOUNCING: dict[type[Event], Callable[[Any], PublicEvent]] = {
    Claim.Drafted: _drafted,
    Claim.RevisionTaken: _revised,
    Claim.Held: _held,
    Claim.Submitted: _submitted,
    Claim.Accepted: _accepted,
    Claim.Rejected: _rejected,
    Claim.Adjudicated: _adjudicated,
    Claim.PaymentNoted: _payment_noted,
    Claim.DenialReleased: _denial_released,
    Claim.DenialWrittenOff: _denial_written_off,
    UnknownClaimPayment.Recorded: _payment_unknown,
    UnknownClaimPayment.Noted: _payment_noted,
    Interchange.Sent: _sent,
}
