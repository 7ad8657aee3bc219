"""Read models of intake: patients, encounters, remittance receipts, payers' answers."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.domain import Event
from chassis.eventstore import Change, Row, Table, add, put
from chassis.eventstore.projecting import of

from intake.application.patient_rows import PATIENT_TABLES
from intake.domain.encounter import Encounter
from intake.domain.encounter_content import EncounterState
from intake.domain.partner_answer import PartnerAnswer
from intake.domain.payer_answer import PayerAnswer
from intake.domain.remittance_receipt import RemittanceReceipt

ENCOUNTERS = Table(
    "encounters",
    {
        "encounter_id": "uuid",
        "patient_id": "uuid",
        "source": "text",
        "entity": "text",
        "state": "text",
        "charge_count": "integer",
        "charged_minor": "bigint",
        "posting_count": "integer",
        "posted_minor": "bigint",
        "hold_reasons": "text",
        "opened_at": "timestamptz",
        "held_at": "timestamptz",
    },
    key=("encounter_id",),
    indexes=(("state",), ("patient_id",)),
)
RECEIPTS = Table(
    "remittance_receipts",
    {
        "receipt_id": "uuid",
        "remittance_id": "uuid",
        "message_id": "uuid",
        "entity": "text",
        "payer": "text",
        "trace_number": "text",
        "payment_minor": "bigint",
        "effective_date": "date",
        "claim_count": "integer",
        "claims_read": "integer",
        "received_at": "timestamptz",
    },
    key=("receipt_id",),
    indexes=(("remittance_id",), ("message_id",)),
)
PARTNER_ANSWERS = Table(
    "partner_answers",
    {
        "answer_id": "uuid",
        "message_id": "uuid",
        "kind": "text",
        "receiver": "text",
        "name": "text",
        "is_written": "boolean",
        "owed_at": "timestamptz",
    },
    key=("answer_id",),
    indexes=(("is_written", "owed_at"), ("message_id",)),
)
ANSWERS = Table(
    "payer_answers",
    {
        "answer_id": "uuid",
        "message_id": "uuid",
        "kind": "text",
        "code": "text",
        "control_number": "text",
        "accepted": "integer",
        "rejected": "integer",
        "received_at": "timestamptz",
    },
    key=("answer_id",),
    indexes=(("message_id",),),
)
TABLES = (*PATIENT_TABLES, ENCOUNTERS, RECEIPTS, ANSWERS, PARTNER_ANSWERS)


@of(RemittanceReceipt, PayerAnswer, PartnerAnswer)
def project(event: Event) -> Iterable[Change]:
    """The rows that one stored event changes."""
    match event:
        case RemittanceReceipt.Read() | RemittanceReceipt.ChunkRead():
            yield _receipt(event)
        case PayerAnswer.AcknowledgementRead() | PayerAnswer.StatusesRead():
            yield from _answer(event)
        case PartnerAnswer.Owed():
            yield put(
                PARTNER_ANSWERS,
                answer_id=event.originator_id,
                message_id=event.message_id,
                kind=event.kind.value,
                receiver=event.receiver,
                name=event.name,
                is_written=False,
                owed_at=event.timestamp,
            )
        case PartnerAnswer.Written() | PartnerAnswer.AskedAgain():
            is_written = isinstance(event, PartnerAnswer.Written)
            yield put(PARTNER_ANSWERS, answer_id=event.originator_id, is_written=is_written)
        case PayerAnswer.InquiryAnswersRead():
            row: Row = {"message_id": event.message_id, "received_at": event.timestamp}
            yield put(ANSWERS, answer_id=event.originator_id, kind="277", **row)


@of(Encounter)
def project_encounters(event: Event) -> Iterable[Change]:
    """The row of an encounter."""
    key: Row = {"encounter_id": event.originator_id}
    match event:
        case Encounter.Opened():
            facts = event.facts
            yield put(
                ENCOUNTERS,
                **key,
                patient_id=facts.patient_id,
                source=facts.source,
                entity=facts.entity,
                state=EncounterState.OPEN.value,
                opened_at=event.timestamp,
                charge_count=0,
                charged_minor=0,
                posting_count=0,
                posted_minor=0,
            )
        case Encounter.ChargeCaptured():
            amount = event.charge.line.amount if event.change is None else event.change
            yield add(ENCOUNTERS, key, charge_count=event.count_change, charged_minor=amount.minor)
        case Encounter.ChargeCorrected() | Encounter.ChargeVoided():
            yield add(ENCOUNTERS, key, charge_count=event.count_change, charged_minor=event.change.minor)
        case Encounter.Cancelled() | Encounter.Reopened():
            now = EncounterState.OPEN if isinstance(event, Encounter.Reopened) else EncounterState.CANCELLED
            yield put(ENCOUNTERS, **key, state=now.value, hold_reasons=None, held_at=None)
        case Encounter.Finished() | Encounter.Released():
            yield put(ENCOUNTERS, **key, state=EncounterState.FINISHED.value, hold_reasons=None, held_at=None)
        case Encounter.Held():
            reasons = "; ".join(map(str, event.reasons))
            state = EncounterState.HELD.value
            yield put(ENCOUNTERS, **key, state=state, hold_reasons=reasons, held_at=event.timestamp)
        case Encounter.Charged():
            yield put(ENCOUNTERS, **key, posting_count=event.posting)
            yield add(ENCOUNTERS, key, posted_minor=event.total.minor)
        case Encounter.Revised():
            yield add(ENCOUNTERS, key, posted_minor=event.total.minor - event.previous_total.minor)


def _receipt(event: RemittanceReceipt.Read | RemittanceReceipt.ChunkRead) -> Change:
    if isinstance(event, RemittanceReceipt.ChunkRead):
        return add(RECEIPTS, {"receipt_id": event.originator_id}, claims_read=len(event.claims))
    summary = event.summary
    return put(
        RECEIPTS,
        receipt_id=event.originator_id,
        remittance_id=summary.remittance_id,
        message_id=summary.message_id,
        entity=summary.entity,
        payer=summary.payer_id,
        trace_number=summary.trace_number,
        payment_minor=summary.payment.minor,
        effective_date=summary.effective_date,
        claim_count=summary.claim_count,
        claims_read=0,
        received_at=event.timestamp,
    )


def _answer(event: PayerAnswer.AcknowledgementRead | PayerAnswer.StatusesRead) -> Iterable[Change]:
    row = {"message_id": event.message_id, "received_at": event.timestamp}
    if isinstance(event, PayerAnswer.StatusesRead):
        accepted = sum(status.accepted for status in event.statuses)
        yield put(ANSWERS, answer_id=event.originator_id, kind="277CA", **row)
        rejected = len(event.statuses) - accepted
        yield add(ANSWERS, {"answer_id": event.originator_id}, accepted=accepted, rejected=rejected)
        return
    said = event.acknowledgement
    number = said.interchange_control_number or said.group_control_number
    yield put(ANSWERS, answer_id=event.originator_id, kind=said.kind, code=said.code, control_number=number, **row)
