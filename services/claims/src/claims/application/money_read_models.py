"""The tables of payers' money: decisions, payments that no claim holds, and what was only noted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from canonical.codes import AdjustmentGroup
from chassis.domain import Event
from chassis.eventstore import Change, Table, add, put

from claims.application.read_models import CLAIMS
from claims.domain.adjudication import PRIOR_PAYER_REASON, DecisionKind
from claims.domain.claim import Claim
from claims.domain.unknown_payment import MatchMoved, UnknownClaimPayment

ADJUDICATIONS = Table(
    "adjudications",
    {
        "remittance_id": "uuid",
        "position": "integer",
        "claim_id": "uuid",
        "encounter_id": "uuid",
        "patient_id": "uuid",
        "entity": "text",
        "payer": "text",
        "effective_date": "date",
        "payer_status": "text",
        "payer_control_number": "text",
        "kind": "text",
        "reverses_remittance_id": "uuid",
        "reverses_position": "integer",
        "match": "integer",
        "sequence": "integer",
        "next_payer": "text",
        "first": "boolean",
        "denied": "boolean",
        "charge_minor": "bigint",
        "paid_minor": "bigint",
        "contractual_minor": "bigint",
        "denied_minor": "bigint",
        "patient_minor": "bigint",
        "other_minor": "bigint",
        "span_start": "bigint",
        "span_length": "bigint",
        "recorded_at": "timestamptz",
    },
    key=("remittance_id", "position"),
    indexes=(("claim_id",), ("entity", "payer")),
)
"""One row a payer decision. The span is the claim's bytes in the remittance's raw message, which intake keeps.

What was matched and unmatched again keeps its row, with kind `unmatched` and no amounts.
"""

UNKNOWN_PAYMENTS = Table(
    "unknown_claim_payments",
    {
        "remittance_id": "uuid",
        "position": "integer",
        "patient_control_number": "text",
        "entity": "text",
        "payer": "text",
        "why": "text",
        "effective_date": "date",
        "paid_minor": "bigint",
        "unapplied_minor": "bigint",
        "match": "integer",
        "is_matched": "boolean",
        "claim_id": "uuid",
        "span_start": "bigint",
        "span_length": "bigint",
    },
    key=("remittance_id", "position"),
    indexes=(("is_matched", "entity", "payer"), ("claim_id",)),
)
"""One row a payment that could not be booked to a claim. `claim_id` is the claim that it was matched to since."""

NOTED_PAYMENTS = Table(
    "noted_claim_payments",
    {
        "remittance_id": "uuid",
        "position": "integer",
        "claim_id": "uuid",
        "entity": "text",
        "payer": "text",
        "why": "text",
        "effective_date": "date",
        "span_start": "bigint",
        "span_length": "bigint",
    },
    key=("remittance_id", "position"),
    indexes=(("claim_id",),),
)
"""One row a claim payment that moves no account; `claim_id` is empty where the claim is not ours."""

MONEY_TABLES = (ADJUDICATIONS, UNKNOWN_PAYMENTS, NOTED_PAYMENTS)


def project_money(event: Event) -> Iterable[Change]:
    """The rows that a stored event changes."""
    projecting = _PROJECTING.get(type(event))
    return () if projecting is None else projecting(event)


def _adjudicated(event: Claim.Adjudicated) -> Iterator[Change]:
    decision, shares = event.decision, event.shares
    amounts = {
        "paid_minor": decision.paid.minor,
        "contractual_minor": shares.contractual.minor,
        "denied_minor": shares.denied.minor,
        "patient_minor": shares.patient.minor,
        "other_minor": shares.other.minor,
    }
    is_unmatched = event.kind is DecisionKind.UNMATCHED
    yield put(CLAIMS, claim_id=event.originator_id, state=event.state.value, changed_at=event.timestamp)
    yield add(
        CLAIMS,
        {"claim_id": event.originator_id},
        adjudications=-1 if is_unmatched else 1,
        next_payer_minor=shares.patient.minor if event.next_payer else 0,
        memo_minor=_told_of_earlier_payers(event),
        **amounts,
    )
    if is_unmatched:
        amounts = dict.fromkeys(amounts, 0)
    yield put(
        ADJUDICATIONS,
        remittance_id=decision.remittance_id,
        position=decision.position,
        claim_id=event.originator_id,
        encounter_id=event.encounter_id,
        patient_id=event.patient_id,
        entity=event.entity,
        payer=event.payer,
        effective_date=decision.effective_date,
        payer_status=decision.payer_status,
        payer_control_number=decision.payer_control_number,
        kind=event.kind.value,
        reverses_remittance_id=event.reverses_remittance_id,
        reverses_position=event.reverses_position,
        match=event.match,
        sequence=event.sequence,
        next_payer=event.next_payer,
        first=event.first,
        denied=event.denied,
        charge_minor=0 if is_unmatched else decision.charge.minor,
        span_start=decision.span_start,
        span_length=decision.span_length,
        recorded_at=event.timestamp,
        **amounts,
    )


def _told_of_earlier_payers(event: Claim.Adjudicated) -> int:
    """OA-23 is a memo: what the payers before took off was taken off on their claims, and is open where there are none."""
    adjustments = event.decision.adjustments
    return sum(
        each.amount.minor
        for each in adjustments
        if each.group is AdjustmentGroup.OTHER and each.reason == PRIOR_PAYER_REASON
    )


def _denial_released(event: Claim.DenialReleased) -> Iterator[Change]:
    yield add(CLAIMS, {"claim_id": event.originator_id}, denied_minor=-event.amount.minor)


def _denial_written_off(event: Claim.DenialWrittenOff) -> Iterator[Change]:
    minor = event.amount.minor
    yield add(CLAIMS, {"claim_id": event.originator_id}, denied_minor=-minor, written_off_minor=minor)


def _payment_unknown(event: UnknownClaimPayment.Recorded) -> Iterator[Change]:
    decision = event.decision
    yield put(
        UNKNOWN_PAYMENTS,
        remittance_id=decision.remittance_id,
        position=decision.position,
        patient_control_number=event.patient_control_number,
        entity=event.entity,
        payer=event.payer,
        why=event.why.value,
        effective_date=decision.effective_date,
        paid_minor=decision.paid.minor,
        unapplied_minor=decision.paid.minor,
        match=0,
        is_matched=False,
        span_start=decision.span_start,
        span_length=decision.span_length,
    )


def _matched(event: UnknownClaimPayment.Matched) -> Iterator[Change]:
    yield _moved_match(event, event.claim_id, 0)


def _unmatched(event: UnknownClaimPayment.Unmatched) -> Iterator[Change]:
    yield _moved_match(event, None, event.paid.minor)


def _moved_match(event: MatchMoved, claim_id: UUID | None, unapplied: int) -> Change:
    return put(
        UNKNOWN_PAYMENTS,
        remittance_id=event.remittance_id,
        position=event.position,
        unapplied_minor=unapplied,
        match=event.match,
        is_matched=claim_id is not None,
        claim_id=claim_id,
    )


def _noted(event: Claim.PaymentNoted | UnknownClaimPayment.Noted) -> Iterator[Change]:
    decision = event.decision
    yield put(
        NOTED_PAYMENTS,
        remittance_id=decision.remittance_id,
        position=decision.position,
        claim_id=event.originator_id if isinstance(event, Claim.PaymentNoted) else None,
        entity=event.entity,
        payer=event.payer,
        why=event.why,
        effective_date=decision.effective_date,
        span_start=decision.span_start,
        span_length=decision.span_length,
    )


_PROJECTING: dict[type[Event], Callable[[Any], Iterator[Change]]] = {
    Claim.Adjudicated: _adjudicated,
    Claim.DenialReleased: _denial_released,
    Claim.DenialWrittenOff: _denial_written_off,
    Claim.PaymentNoted: _noted,
    UnknownClaimPayment.Recorded: _payment_unknown,
    UnknownClaimPayment.Noted: _noted,
    UnknownClaimPayment.Matched: _matched,
    UnknownClaimPayment.Unmatched: _unmatched,
}
