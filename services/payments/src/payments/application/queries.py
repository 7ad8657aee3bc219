"""The read models of payments."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.domain import Event
from chassis.eventstore import Change, Table, add, put

from payments.application.gateway_rows import GATEWAY_TABLES, gateway_changes
from payments.application.overpayments import PAYER_OVERPAYMENTS, project_overpayments
from payments.application.patient_rows import PATIENT_TABLES, patient_changes
from payments.application.provider_rows import PROVIDER_TABLES, provider_move, reversals
from payments.domain.deposit import Deposit
from payments.domain.provider_balance import ProviderBalance
from payments.domain.remittance import Remittance, RemittanceChunk, Settlement

REMITTANCES = Table(
    "remittances",
    {
        "remittance_id": "uuid",
        "receipt_id": "uuid",
        "message_id": "uuid",
        "entity": "text",
        "payer": "text",
        "payer_identifier": "text",
        "trace_number": "text",
        "payment_minor": "bigint",
        "charge_minor": "bigint",
        "paid_minor": "bigint",
        "adjustments_minor": "bigint",
        "reversal_count": "integer",
        "claim_count": "integer",
        "chunk_count": "integer",
        "chunks_accepted": "integer",
        "effective_date": "date",
        "settlement": "text",
        "deposit_id": "uuid",
        "accepted_at": "timestamptz",
    },
    key=("remittance_id",),
    indexes=(("trace_number",), ("settlement",)),
)
RECEIPTS = Table(
    "remittance_receipts",
    {
        "receipt_id": "uuid",
        "remittance_id": "uuid",
        "message_id": "uuid",
        "entity": "text",
        "trace_number": "text",
        "verdict": "text",
        "payment_minor": "bigint",
    },
    key=("receipt_id",),
    indexes=(("remittance_id",),),
)
DEPOSITS = Table(
    "deposits",
    {
        "deposit_id": "uuid",
        "entity": "text",
        "kind": "text",
        "reference": "text",
        "further_references": "text",
        "originator": "text",
        "source": "text",
        "is_ach": "boolean",
        "amount_minor": "bigint",
        "effective_date": "date",
        "matched_to": "uuid",
        "told_again_by": "uuid",
        "booked_as": "text",
        "message_id": "uuid",
        "span_start": "bigint",
        "span_length": "bigint",
        "recorded_at": "timestamptz",
    },
    key=("deposit_id",),
    indexes=(("kind", "matched_to"), ("reference",), ("matched_to",), ("amount_minor",)),
)
"""`told_again_by` is the other file's deposit that is the same credit; `booked_as` says where it waits while nobody knows whose
it is; `further_references` are trace numbers with a bar between them."""
UNIDENTIFIED = "unidentified-receipts"
TRACE_SEPARATOR = "|"
TABLES = (REMITTANCES, RECEIPTS, DEPOSITS, *PATIENT_TABLES, *PROVIDER_TABLES, PAYER_OVERPAYMENTS, *GATEWAY_TABLES)


def project(event: Event) -> Iterable[Change]:
    """The rows that one stored event changes."""
    if isinstance(event, Remittance.Accepted | Remittance.Refused):
        yield from _remittance(event)
    elif isinstance(event, Remittance.DepositMatched | Remittance.SettledWithoutDeposit):
        yield _settled(event)
    elif isinstance(event, RemittanceChunk.Accepted):
        yield add(REMITTANCES, {"remittance_id": event.remittance_id}, chunks_accepted=1)
        yield from reversals(event)
    elif isinstance(event, ProviderBalance.Moved):
        yield from provider_move(event)
    elif isinstance(event, Deposit.Recorded):
        yield _deposit(event)
    elif isinstance(event, Deposit.Matched | Deposit.Unidentified | Deposit.ToldAgain):
        yield _later_word(event)
    else:
        yield from project_overpayments(event)
        yield from patient_changes(event)
        yield from gateway_changes(event)


def _settled(event: Remittance.DepositMatched | Remittance.SettledWithoutDeposit) -> Change:
    if isinstance(event, Remittance.SettledWithoutDeposit):
        return put(REMITTANCES, remittance_id=event.originator_id, settlement=Settlement.NOTHING_TO_PAY.value)
    return put(
        REMITTANCES,
        remittance_id=event.originator_id,
        deposit_id=event.deposit_id,
        settlement=Settlement.DEPOSITED.value,
    )


def _remittance(event: Remittance.Accepted | Remittance.Refused) -> Iterable[Change]:
    if isinstance(event, Remittance.Accepted):
        summary = event.summary
        yield put(
            REMITTANCES,
            remittance_id=event.originator_id,
            receipt_id=summary.receipt_id,
            message_id=summary.message_id,
            entity=summary.entity,
            payer=summary.payer_id,
            payer_identifier=summary.payer_identifier,
            trace_number=summary.trace_number,
            payment_minor=summary.payment.minor,
            charge_minor=summary.total_charge.minor,
            paid_minor=summary.total_paid.minor,
            adjustments_minor=summary.total_provider_adjustments.minor,
            reversal_count=summary.reversal_count,
            claim_count=summary.claim_count,
            chunk_count=summary.chunk_count,
            effective_date=summary.effective_date,
            settlement=Settlement.WAITING.value,
            accepted_at=event.timestamp,
        )
        yield put(
            RECEIPTS,
            receipt_id=summary.receipt_id,
            remittance_id=event.originator_id,
            message_id=summary.message_id,
            entity=summary.entity,
            trace_number=summary.trace_number,
            verdict="accepted",
            payment_minor=summary.payment.minor,
        )
    else:
        yield put(
            RECEIPTS,
            receipt_id=event.receipt_id,
            remittance_id=event.originator_id,
            message_id=event.message_id,
            entity=event.entity,
            trace_number=event.trace_number,
            verdict=event.verdict.value,
            payment_minor=event.payment.minor,
        )


def _deposit(event: Deposit.Recorded) -> Change:
    return put(
        DEPOSITS,
        deposit_id=event.originator_id,
        entity=event.entity,
        kind=event.kind.value,
        reference=event.reference,
        further_references=TRACE_SEPARATOR.join(event.further_references),
        originator=event.originator,
        source=event.source.value,
        is_ach=event.is_ach,
        amount_minor=event.amount.minor,
        effective_date=event.effective_date,
        message_id=event.message_id,
        span_start=event.span_start,
        span_length=event.span_length,
        recorded_at=event.timestamp,
    )


def _later_word(event: Deposit.Matched | Deposit.Unidentified | Deposit.ToldAgain) -> Change:
    if isinstance(event, Deposit.Matched):
        return put(DEPOSITS, deposit_id=event.originator_id, matched_to=event.matched_to)
    if isinstance(event, Deposit.Unidentified):
        return put(DEPOSITS, deposit_id=event.originator_id, booked_as=UNIDENTIFIED)
    return put(
        DEPOSITS,
        deposit_id=event.originator_id,
        told_again_by=event.told_by,
        kind=event.kind.value,
        reference=event.reference,
        originator=event.originator,
    )
