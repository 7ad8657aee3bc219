"""The messages of the protos as the values that tracing works on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from billing.claims.v1 import claims_pb2
from billing.intake.v1 import intake_pb2
from billing.ledger.v1 import ledger_pb2
from billing.payments.v1 import payments_pb2

from throughline.connection import Service
from throughline.tracing.records import (
    NOTHING,
    Charge,
    ChargePosting,
    Claim,
    Decision,
    Encounter,
    ErpAnswer,
    Journal,
    Line,
    Message,
    Part,
    Remittance,
)
from throughline.wire import money_of

RECEIVED = "chassis.inbound-message.received"


def line(sent: ledger_pb2.Line) -> Line:
    return Line(sent.account, sent.party, money_of(sent.amount))


def journal(sent: ledger_pb2.Journal, parts: Iterable[ledger_pb2.Part]) -> Journal:
    """The entry with the parts of all its pages."""
    return Journal(
        journal_id=sent.journal_id,
        external_number=sent.external_number,
        entity=sent.entity,
        kind=sent.kind,
        effective_date=sent.effective_date,
        state=sent.state,
        erp=sent.erp,
        erp_document=sent.erp_document,
        lines=tuple(map(line, sent.lines)),
        parts=tuple(map(part, parts)),
    )


def part(sent: ledger_pb2.Part) -> Part:
    return Part(
        posting_id=sent.posting_id,
        event_id=sent.source_event_id,
        line=line(sent.line),
        rules=sent.rules,
        effective_date=sent.effective_date,
        item_id=sent.item_id,
        position=sent.remittance_position,
        claim_id=sent.claim_id,
        encounter_id=sent.encounter_id,
        adjustment=sent.adjustment if sent.HasField("adjustment") else -1,
    )


def erp_answer(erp: str, sent: ledger_pb2.ErpDocument) -> ErpAnswer:
    """What the ERP holds; without lines where it does not show them."""
    lines = tuple(map(line, sent.lines)) or None
    note = "" if lines else f"{erp} does not show the lines of {sent.document_id or 'this document'}"
    return ErpAnswer(erp, sent.document_id, lines, note)


def claim(sent: claims_pb2.Claim) -> Claim:
    return Claim(
        claim_id=sent.claim_id,
        control_number=sent.patient_control_number,
        state=sent.state,
        entity=sent.entity,
        payer=sent.payer,
        encounter_id=sent.encounter_id,
        posting=sent.posting,
        charge=money_of(sent.amounts.charge),
    )


def decision(sent: claims_pb2.Adjudication, control_number: str) -> Decision:
    amounts = sent.amounts
    return Decision(
        remittance_id=sent.remittance_id,
        position=sent.position,
        claim_id=sent.claim_id,
        control_number=control_number,
        first=sent.first,
        charge=money_of(amounts.charge),
        paid=money_of(amounts.paid),
        contractual=money_of(amounts.contractual),
        denied=money_of(amounts.denied),
        patient=money_of(amounts.patient),
        other=money_of(amounts.other),
        span_start=sent.span_start,
        span_length=sent.span_length,
        kind=sent.kind or "decision",
        match=sent.match,
        sequence=sent.sequence or 1,
        next_payer=sent.next_payer,
    )


def unknown_payment(sent: claims_pb2.UnknownPayment) -> Decision:
    """A payment for a claim that is not ours, as a decision without a claim."""
    return Decision(
        remittance_id=sent.remittance_id,
        position=sent.position,
        claim_id="",
        control_number=sent.patient_control_number,
        first=False,
        charge=NOTHING,
        paid=money_of(sent.paid),
        span_start=sent.span_start,
        span_length=sent.span_length,
    )


def remittance(sent: payments_pb2.Remittance) -> Remittance:
    return Remittance(
        remittance_id=sent.remittance_id,
        entity=sent.entity,
        payer=sent.payer,
        trace_number=sent.trace_number,
        payment=money_of(sent.payment),
        claim_count=sent.claim_count,
        effective_date=sent.effective_date,
        deposit_id=sent.deposit_id,
        message_id=sent.message_id,
    )


def encounter(sent: intake_pb2.GetEncounterResponse) -> Encounter:
    return Encounter(
        encounter_id=sent.encounter.encounter_id,
        entity=sent.encounter.entity,
        state=sent.encounter.state,
        charges=tuple(Charge(each.charge_id, money_of(each.amount), each.message_id) for each in sent.charges),
        postings=tuple(
            ChargePosting(
                number=each.posting,
                payer=each.payer,
                total=money_of(each.total),
                charge_ids=tuple(each.charge_ids),
                message_ids=tuple(each.message_ids),
            )
            for each in sent.postings
        ),
    )


def message(sent: intake_pb2.Message) -> Message:
    return Message(
        service="intake",
        message_id=sent.message_id,
        source_system=sent.source_system,
        delivery_key=sent.delivery_key,
        format=sent.format,
        state=sent.state,
        size_bytes=sent.size_bytes,
        received_at=sent.received_at,
    )


def message_in_history(
    service: Service, message_id: str, events: Sequence[tuple[str, Mapping[str, object]]]
) -> Message | None:
    """A message that another service than intake keeps, from its stored events."""
    if not events or events[0][0] != RECEIVED:
        return None
    state = events[0][1]
    return Message(
        service=service,
        message_id=message_id,
        source_system=str(state.get("source_system", "")),
        delivery_key=str(state.get("delivery_key", "")),
        format=str(state.get("format", "")),
        state=events[-1][0].rpartition(".")[2],
        size_bytes=int(str(state.get("size_bytes", 0))),
        received_at="",
    )
