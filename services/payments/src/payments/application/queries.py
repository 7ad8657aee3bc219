"""The read models of payments."""

from __future__ import annotations

from collections.abc import Iterable

from canonical.money import Money
from chassis.domain import Event
from chassis.eventstore import Change, Table, add, put

from payments.application.provider_rows import PROVIDER_TABLES, provider_move, reversals
from payments.domain.deposit import Deposit
from payments.domain.patient_account import PatientAccount
from payments.domain.payment import Channel, Payment, Payout
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
        "amount_minor": "bigint",
        "effective_date": "date",
        "matched_to": "uuid",
        "message_id": "uuid",
        "span_start": "bigint",
        "span_length": "bigint",
        "recorded_at": "timestamptz",
    },
    key=("deposit_id",),
    indexes=(("kind", "matched_to"), ("reference",), ("matched_to",)),
)
PAYMENTS = Table(
    "payments",
    {
        "payment_id": "uuid",
        "channel": "text",
        "gateway_id": "text",
        "entity": "text",
        "state": "text",
        "amount_minor": "bigint",
        "effective_date": "date",
        "account_id": "uuid",
        "message_id": "uuid",
        "payout_id": "uuid",
    },
    key=("payment_id",),
    indexes=(("gateway_id",), ("account_id",)),
)
PAYOUTS = Table(
    "payouts",
    {
        "payout_id": "uuid",
        "gateway_id": "text",
        "state": "text",
        "net_minor": "bigint",
        "arrives_on": "date",
        "deposit_id": "uuid",
        "message_id": "uuid",
        "announced_at": "timestamptz",
    },
    key=("payout_id",),
    indexes=(("state",), ("gateway_id",)),
)
ACCOUNTS = Table(
    "patient_accounts",
    {
        "account_id": "uuid",
        "entity": "text",
        "patient_id": "uuid",
        "responsibility_minor": "bigint",
        "applied_minor": "bigint",
        "unapplied_minor": "bigint",
    },
    key=("account_id",),
    indexes=(("patient_id",), ("entity",)),
)
ACTIVITY = Table(
    "account_activity",
    {
        "account_id": "uuid",
        "ordinal": "bigint",
        "kind": "text",
        "amount_minor": "bigint",
        "effective_date": "date",
        "source_id": "uuid",
        "claim_id": "uuid",
        "encounter_id": "uuid",
    },
    key=("account_id", "ordinal"),
)
TABLES = (REMITTANCES, RECEIPTS, DEPOSITS, PAYMENTS, PAYOUTS, ACCOUNTS, ACTIVITY, *PROVIDER_TABLES)


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
    elif isinstance(event, Deposit.Recorded | Deposit.Matched):
        yield from _deposit(event)
    elif isinstance(event, Payment.Succeeded | Payment.Failed | Payment.Matched):
        yield from _payment(event)
    elif isinstance(event, Payout.Announced | Payout.Composed | Payout.DepositMatched):
        yield from _payout(event)
    elif isinstance(
        event,
        PatientAccount.ResponsibilityAssigned | PatientAccount.PaymentReceived | PatientAccount.UnappliedApplied,
    ):
        yield from _account(event)


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


def _deposit(event: Deposit.Recorded | Deposit.Matched) -> Iterable[Change]:
    if isinstance(event, Deposit.Recorded):
        yield put(
            DEPOSITS,
            deposit_id=event.originator_id,
            entity=event.entity,
            kind=event.kind.value,
            reference=event.reference,
            amount_minor=event.amount.minor,
            effective_date=event.effective_date,
            message_id=event.message_id,
            span_start=event.span_start,
            span_length=event.span_length,
            recorded_at=event.timestamp,
        )
    else:
        yield put(DEPOSITS, deposit_id=event.originator_id, matched_to=event.matched_to)


def _payment(event: Payment.Succeeded | Payment.Failed | Payment.Matched) -> Iterable[Change]:
    if isinstance(event, Payment.Matched):
        yield put(PAYMENTS, payment_id=event.originator_id, account_id=event.account_id)
        return
    succeeded = isinstance(event, Payment.Succeeded)
    yield put(
        PAYMENTS,
        payment_id=event.originator_id,
        channel=(event.channel if isinstance(event, Payment.Succeeded) else Channel.GATEWAY).value,
        gateway_id=event.gateway_id,
        entity=event.entity,
        state="succeeded" if succeeded else "failed",
        amount_minor=event.amount.minor,
        effective_date=event.effective_date if isinstance(event, Payment.Succeeded) else None,
        account_id=event.account_id if isinstance(event, Payment.Succeeded) else None,
        message_id=event.message_id,
    )


def _payout(event: Payout.Announced | Payout.Composed | Payout.DepositMatched) -> Iterable[Change]:
    if isinstance(event, Payout.Announced):
        yield put(
            PAYOUTS,
            payout_id=event.originator_id,
            gateway_id=event.gateway_id,
            state="announced",
            net_minor=event.net.minor,
            arrives_on=event.arrives_on,
            message_id=event.message_id,
            announced_at=event.timestamp,
        )
    elif isinstance(event, Payout.Composed):
        yield put(PAYOUTS, payout_id=event.originator_id, state="composed")
        for payment_id in event.payment_ids:
            yield put(PAYMENTS, payment_id=payment_id, payout_id=event.originator_id)
    else:
        yield put(PAYOUTS, payout_id=event.originator_id, deposit_id=event.deposit_id)


def _account(
    event: PatientAccount.ResponsibilityAssigned | PatientAccount.PaymentReceived | PatientAccount.UnappliedApplied,
) -> Iterable[Change]:
    key: dict[str, object] = {"account_id": event.originator_id}
    if isinstance(event, PatientAccount.ResponsibilityAssigned):
        yield put(ACCOUNTS, **key, entity=event.entity, patient_id=event.patient_id)
        yield add(ACCOUNTS, key, responsibility_minor=event.amount.minor, applied_minor=0, unapplied_minor=0)
        yield _activity(event, "responsibility", event.amount, source_id=event.source_id, claim_id=event.claim_id)
    elif isinstance(event, PatientAccount.PaymentReceived):
        yield put(ACCOUNTS, **key, entity=event.entity, patient_id=event.patient_id)
        yield add(
            ACCOUNTS,
            key,
            responsibility_minor=0,
            applied_minor=event.applied.minor,
            unapplied_minor=event.unapplied.minor,
        )
        yield _activity(event, "payment", -(event.applied + event.unapplied), source_id=event.payment_id)
    else:
        yield add(ACCOUNTS, key, applied_minor=event.amount.minor, unapplied_minor=-event.amount.minor)
        yield _activity(event, "application", -event.amount, source_id=event.payment_id)


def _activity(
    event: PatientAccount.ResponsibilityAssigned | PatientAccount.PaymentReceived | PatientAccount.UnappliedApplied,
    kind: str,
    amount: Money,
    **facts: object,
) -> Change:
    encounter = event.encounter_id if isinstance(event, PatientAccount.ResponsibilityAssigned) else None
    return put(
        ACTIVITY,
        account_id=event.originator_id,
        ordinal=event.originator_version,
        kind=kind,
        amount_minor=amount.minor,
        effective_date=event.effective_date,
        encounter_id=encounter,
        **facts,
    )
