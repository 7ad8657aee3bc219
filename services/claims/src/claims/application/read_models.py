"""The tables that answer questions, and how each stored event changes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from chassis.domain import Event
from chassis.eventstore import Change, Row, Table, add, put

from claims.domain.claim import Claim
from claims.domain.claim_state import ClaimState
from claims.domain.interchange import Interchange, InterchangeState
from claims.domain.unknown_payment import UnknownClaimPayment

CLAIMS = Table(
    "claims",
    {
        "claim_id": "uuid",
        "patient_control_number": "text",
        "state": "text",
        "entity": "text",
        "payer": "text",
        "payer_class": "text",
        "encounter_id": "uuid",
        "posting": "integer",
        "patient_id": "uuid",
        "service_from": "date",
        "interchange_id": "uuid",
        "payer_control_number": "text",
        "hold_reasons": "text",
        "rejection_codes": "text",
        "charge_minor": "bigint",
        "paid_minor": "bigint",
        "contractual_minor": "bigint",
        "denied_minor": "bigint",
        "patient_minor": "bigint",
        "other_minor": "bigint",
        "written_off_minor": "bigint",
        "adjudications": "integer",
        "drafted_at": "timestamptz",
        "changed_at": "timestamptz",
    },
    key=("claim_id",),
    indexes=(
        ("state", "entity", "payer"),
        ("entity", "payer"),
        ("patient_control_number",),
        ("encounter_id",),
        ("patient_id",),
        ("interchange_id",),
    ),
)
"""One row a claim. `hold_reasons` and `rejection_codes` hold one reason a line. Amounts of all adjudications add up.

`denied_minor` is what is denied and not written off.
"""

INTERCHANGES = Table(
    "interchanges",
    {
        "interchange_id": "uuid",
        "control_number": "text",
        "file_name": "text",
        "state": "text",
        "entity": "text",
        "payer": "text",
        "receiver": "text",
        "claim_count": "integer",
        "total_minor": "bigint",
        "digest": "text",
        "answer": "text",
        "intended_at": "timestamptz",
        "sent_at": "timestamptz",
    },
    key=("interchange_id",),
    indexes=(("state",), ("control_number",)),
)

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
"""One row a payer decision. The span is the claim's bytes in the remittance's raw message, which intake keeps."""

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
        "span_start": "bigint",
        "span_length": "bigint",
    },
    key=("remittance_id", "position"),
    indexes=(("entity", "payer"),),
)

TABLES = (CLAIMS, INTERCHANGES, ADJUDICATIONS, UNKNOWN_PAYMENTS)


def project(event: Event) -> Iterable[Change]:
    """The rows that a stored event changes."""
    projecting = _PROJECTING.get(type(event))
    return () if projecting is None else projecting(event)


def _drafted(event: Claim.Drafted) -> Iterator[Change]:
    content = event.content
    yield put(
        CLAIMS,
        claim_id=event.originator_id,
        patient_control_number=content.patient_control_number,
        state=ClaimState.DRAFTED.value,
        entity=content.entity,
        payer=content.payer,
        payer_class=content.payer_class.value,
        encounter_id=content.encounter_id,
        posting=content.posting,
        patient_id=content.patient_id,
        service_from=content.service_from,
        charge_minor=content.total.minor,
        paid_minor=0,
        contractual_minor=0,
        denied_minor=0,
        patient_minor=0,
        other_minor=0,
        written_off_minor=0,
        adjudications=0,
        payer_control_number="",
        hold_reasons="",
        rejection_codes="",
        drafted_at=event.timestamp,
        changed_at=event.timestamp,
    )


def _moved(event: Event, state: ClaimState, **columns: object) -> Change:
    row: Row = {"claim_id": event.originator_id, "state": state.value, "changed_at": event.timestamp}
    return put(CLAIMS, **row, **columns)


def _held(event: Claim.Held) -> Iterator[Change]:
    yield _moved(event, ClaimState.HELD, hold_reasons="\n".join(map(str, event.reasons)))


def _made_ready(event: Claim.MadeReady) -> Iterator[Change]:
    yield _moved(event, ClaimState.READY, hold_reasons="", rejection_codes="")


def _submitted(event: Claim.Submitted) -> Iterator[Change]:
    yield _moved(event, ClaimState.SUBMITTED, interchange_id=event.interchange_id)


def _accepted(event: Claim.Accepted) -> Iterator[Change]:
    yield _moved(event, ClaimState.ACCEPTED)
    if event.payer_control_number:
        yield put(CLAIMS, claim_id=event.originator_id, payer_control_number=event.payer_control_number)


def _number_learned(event: Claim.PayerNumberLearned) -> Iterator[Change]:
    yield put(CLAIMS, claim_id=event.originator_id, payer_control_number=event.payer_control_number)


def _rejected(event: Claim.Rejected) -> Iterator[Change]:
    yield _moved(event, ClaimState.REJECTED, rejection_codes="\n".join(event.codes))


def _adjudicated(event: Claim.Adjudicated) -> Iterator[Change]:
    decision, shares = event.decision, event.shares
    amounts = {
        "paid_minor": decision.paid.minor,
        "contractual_minor": shares.contractual.minor,
        "denied_minor": shares.denied.minor,
        "patient_minor": shares.patient.minor,
        "other_minor": shares.other.minor,
    }
    yield _moved(event, event.state)
    yield add(CLAIMS, {"claim_id": event.originator_id}, adjudications=1, **amounts)
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
        first=event.first,
        denied=event.denied,
        charge_minor=decision.charge.minor,
        span_start=decision.span_start,
        span_length=decision.span_length,
        recorded_at=event.timestamp,
        **amounts,
    )


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
        span_start=decision.span_start,
        span_length=decision.span_length,
    )


def _intended(event: Interchange.Intended) -> Iterator[Change]:
    order = event.order
    yield put(
        INTERCHANGES,
        interchange_id=event.originator_id,
        control_number=order.control_number,
        file_name=order.file_name,
        state=InterchangeState.INTENDED.value,
        entity=order.entity,
        payer=order.payer,
        receiver=order.payer_party.receiver_id,
        claim_count=len(event.claim_ids),
        total_minor=event.total.minor,
        digest=event.digest,
        answer="",
        intended_at=event.timestamp,
    )


def _uncertain(event: Interchange.BecameUncertain) -> Iterator[Change]:
    yield put(INTERCHANGES, interchange_id=event.originator_id, state=InterchangeState.UNCERTAIN.value)


def _sent(event: Interchange.Sent) -> Iterator[Change]:
    state = InterchangeState.SENT.value
    yield put(INTERCHANGES, interchange_id=event.originator_id, state=state, sent_at=event.timestamp)


def _acknowledged(event: Interchange.Acknowledged) -> Iterator[Change]:
    state = InterchangeState.ACKNOWLEDGED.value
    yield put(INTERCHANGES, interchange_id=event.originator_id, state=state, answer=f"TA1 {event.code}")


def _decided(event: Interchange.Decided) -> Iterator[Change]:
    answer = f"{event.acknowledgement} {event.code}"
    yield put(INTERCHANGES, interchange_id=event.originator_id, state=event.state.value, answer=answer)


_PROJECTING: dict[type[Event], Callable[[Any], Iterator[Change]]] = {
    Claim.Drafted: _drafted,
    Claim.Held: _held,
    Claim.MadeReady: _made_ready,
    Claim.Submitted: _submitted,
    Claim.Accepted: _accepted,
    Claim.PayerNumberLearned: _number_learned,
    Claim.Rejected: _rejected,
    Claim.Adjudicated: _adjudicated,
    Claim.DenialWrittenOff: _denial_written_off,
    UnknownClaimPayment.Recorded: _payment_unknown,
    Interchange.Intended: _intended,
    Interchange.BecameUncertain: _uncertain,
    Interchange.Sent: _sent,
    Interchange.Acknowledged: _acknowledged,
    Interchange.Decided: _decided,
}
