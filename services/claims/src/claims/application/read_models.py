"""The tables that answer questions, and how each stored event changes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from chassis.domain import Event
from chassis.eventstore import Change, Row, Table, add, put

from claims.domain.claim import Claim
from claims.domain.claim_state import ClaimState
from claims.domain.interchange import Interchange, InterchangeState

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
        "worked_by": "text",
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
        "sequence": "integer",
        "owed_minor": "bigint",
        "memo_minor": "bigint",
        "next_payer": "text",
        "next_payer_minor": "bigint",
        "next_claim_id": "uuid",
        "last_answer": "text",
        "reported_status": "text",
        "reported_on": "date",
        "silent_since": "timestamptz",
        "asked_at": "timestamptz",
        "drafted_at": "timestamptz",
        "changed_at": "timestamptz",
    },
    key=("claim_id",),
    indexes=(
        ("state", "entity", "payer"),
        ("state", "payer", "silent_since"),
        ("entity", "payer"),
        ("entity", "next_payer"),
        ("patient_control_number",),
        ("encounter_id",),
        ("patient_id",),
        ("interchange_id",),
    ),
)
"""One row a claim. `hold_reasons` and `rejection_codes` hold one reason a line. Amounts of all adjudications add up.

`denied_minor` is what is denied, not released and not written off. `owed_minor` is what a payer was charged with when the
claim was drafted: a later payer owes only what the ones before left to it, which is `next_payer_minor` of their claims.
`worked_by` is the external platform that it went to, empty where it goes to its payer. `memo_minor` is what of `other_minor` tells of earlier payers and takes nothing off. `next_claim_id` is the claim to the next
payer once that has been sent or decided.
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

TABLES = (CLAIMS, INTERCHANGES)


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
        sequence=content.sequence,
        owed_minor=content.total.minor if content.sequence == 1 else 0,
        memo_minor=0,
        next_payer=content.next_payers[0].payer if content.next_payers else "",
        next_payer_minor=0,
        last_answer="",
        reported_status="",
        silent_since=event.timestamp,
        payer_control_number="",
        worked_by="",
        hold_reasons="",
        rejection_codes="",
        drafted_at=event.timestamp,
        changed_at=event.timestamp,
    )


def _moved(event: Event, state: ClaimState, **columns: object) -> Change:
    row: Row = {"claim_id": event.originator_id, "state": state.value, "changed_at": event.timestamp}
    return put(CLAIMS, **row, **columns)


def _redrafted(event: Claim.Redrafted) -> Iterator[Change]:
    content = event.content
    row = {"charge_minor": content.total.minor, "service_from": content.service_from}
    yield put(CLAIMS, claim_id=event.originator_id, **row)


def _revision_taken(event: Claim.RevisionTaken) -> Iterator[Change]:
    """The payer owes it from here on, whenever the claim itself follows."""
    if event.sequence == 1:
        owed = event.total.minor - event.previous_total.minor
        yield add(CLAIMS, {"claim_id": event.originator_id}, owed_minor=owed)


def _withdrawn(event: Claim.Withdrawn) -> Iterator[Change]:
    yield _moved(event, ClaimState.VOIDED, hold_reasons="", rejection_codes="")


def _held(event: Claim.Held) -> Iterator[Change]:
    yield _moved(event, ClaimState.HELD, hold_reasons="\n".join(map(str, event.reasons)))


def _made_ready(event: Claim.MadeReady | Claim.ResubmissionIntended) -> Iterator[Change]:
    yield _moved(event, ClaimState.READY, hold_reasons="", rejection_codes="")


def _submitted(event: Claim.Submitted) -> Iterator[Change]:
    where = {"interchange_id": event.interchange_id, "worked_by": event.worked_by}
    yield _moved(event, ClaimState.SUBMITTED, **where, silent_since=event.timestamp)


def _accepted(event: Claim.Accepted) -> Iterator[Change]:
    yield _moved(event, ClaimState.ACCEPTED, silent_since=event.timestamp)
    if event.payer_control_number:
        yield put(CLAIMS, claim_id=event.originator_id, payer_control_number=event.payer_control_number)


def _number_learned(event: Claim.PayerNumberLearned) -> Iterator[Change]:
    if event.payer_control_number:
        yield put(CLAIMS, claim_id=event.originator_id, payer_control_number=event.payer_control_number)


def _rejected(event: Claim.Rejected) -> Iterator[Change]:
    yield _moved(event, ClaimState.REJECTED, rejection_codes="\n".join(event.codes))


def _resubmission_rejected(event: Claim.ResubmissionRejected) -> Iterator[Change]:
    yield put(CLAIMS, claim_id=event.originator_id, rejection_codes="\n".join(event.codes))


def _crossed_over(event: Claim.CrossedOver) -> Iterator[Change]:
    yield _moved(event, ClaimState.SUBMITTED, hold_reasons="", silent_since=event.timestamp)


def _next_claim_moved(event: Claim.NextClaimMoved) -> Iterator[Change]:
    yield _moved(event, event.state, next_claim_id=event.next_claim_id)


def _answer_noted(event: Claim.AnswerNoted) -> Iterator[Change]:
    answer = event.answer
    word = " ".join((answer.reporter or "277CA", "accepted" if answer.accepted else "rejected", *answer.codes))
    yield put(CLAIMS, claim_id=event.originator_id, last_answer=word)


def _status_reported(event: Claim.StatusReported) -> Iterator[Change]:
    status = event.status
    word = " ".join((*status.category_codes, *status.status_codes))
    told = {"reported_status": word, "reported_on": status.status_date, "silent_since": event.timestamp}
    yield put(CLAIMS, claim_id=event.originator_id, **told)


def _status_asked(event: Claim.StatusAsked) -> Iterator[Change]:
    yield put(CLAIMS, claim_id=event.originator_id, asked_at=event.timestamp, silent_since=event.timestamp)


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
        receiver=order.platform or order.payer_party.receiver_id,
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
    Claim.Redrafted: _redrafted,
    Claim.RevisionTaken: _revision_taken,
    Claim.Withdrawn: _withdrawn,
    Claim.Held: _held,
    Claim.MadeReady: _made_ready,
    Claim.ResubmissionIntended: _made_ready,
    Claim.Submitted: _submitted,
    Claim.Accepted: _accepted,
    Claim.PayerNumberLearned: _number_learned,
    Claim.Rejected: _rejected,
    Claim.ResubmissionRejected: _resubmission_rejected,
    Claim.CrossedOver: _crossed_over,
    Claim.NextClaimMoved: _next_claim_moved,
    Claim.AnswerNoted: _answer_noted,
    Claim.StatusReported: _status_reported,
    Claim.StatusAsked: _status_asked,
    Interchange.Intended: _intended,
    Interchange.BecameUncertain: _uncertain,
    Interchange.Sent: _sent,
    Interchange.Acknowledged: _acknowledged,
    Interchange.Decided: _decided,
}
