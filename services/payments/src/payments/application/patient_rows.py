"""The read models of patients' money: payments and what becomes of them, payouts, accounts and their activity."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Event
from chassis.eventstore import Change, Row, Table, add, put

from payments.application.write_off_rows import PATIENT_WRITE_OFFS, write_off_changes
from payments.domain.account_facts import AccountFacts
from payments.domain.disputes import DisputeStep
from payments.domain.patient_account import PatientAccount
from payments.domain.payment import Channel, Payment
from payments.domain.payout import Payout, returned_share_id_of
from payments.domain.refunds import NOTHING, RefundStep

PAYMENTS = Table(
    "payments",
    {
        "payment_id": "uuid",
        "channel": "text",
        "gateway": "text",
        "gateway_id": "text",
        "entity": "text",
        "state": "text",
        "amount_minor": "bigint",
        "taken_back_minor": "bigint",
        "effective_date": "date",
        "account_id": "uuid",
        "message_id": "uuid",
        "payout_id": "uuid",
        "named_account_id": "uuid",
        "named_patient_id": "uuid",
        "named_encounter_id": "uuid",
    },
    key=("payment_id",),
    indexes=(("gateway_id",), ("account_id",)),
)
GATEWAY_MOVES = Table(
    "gateway_moves",
    {
        "move_id": "uuid",
        "kind": "text",
        "payment_id": "uuid",
        "entity": "text",
        "amount_minor": "bigint",
        "effective_date": "date",
        "payout_id": "uuid",
    },
    key=("move_id",),
    indexes=(("payment_id",), ("payout_id",)),
)
"""What refunds, disputes, returns and payouts that came back took from the balance at the gateway (below zero) or gave it, and
which payout had it."""
REFUNDS = Table(
    "refunds",
    {
        "refund_id": "uuid",
        "payment_id": "uuid",
        "entity": "text",
        "state": "text",
        "amount_minor": "bigint",
        "reason": "text",
        "requested_by": "text",
        "gateway_id": "text",
    },
    key=("refund_id",),
    indexes=(("payment_id",), ("state",)),
)
PAYOUTS = Table(
    "payouts",
    {
        "payout_id": "uuid",
        "gateway": "text",
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
        "written_off_minor": "bigint",
        "applied_minor": "bigint",
        "unapplied_minor": "bigint",
        "allowance_minor": "bigint",
        "owed_minor": "bigint",
    },
    key=("account_id",),
    indexes=(("patient_id",), ("entity",), ("owed_minor",)),
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
    indexes=(
        ("encounter_id",),
        ("amount_minor",),
        ("source_id",),
    ),
)
PATIENT_TABLES = (PAYMENTS, GATEWAY_MOVES, REFUNDS, PAYOUTS, ACCOUNTS, ACTIVITY, PATIENT_WRITE_OFFS)


def patient_changes(event: Event) -> Iterable[Change]:
    """The rows that one stored event of a payment, payout or account changes."""
    match event:
        case Payment.Succeeded() | Payment.Processing() | Payment.Failed() | Payment.Cancelled():
            yield _payment(event)
        case Payment.Matched():
            yield put(PAYMENTS, payment_id=event.originator_id, account_id=event.account_id)
        case Payment.RefundRequested() | Payment.RefundTold() | Payment.RefundMoved() | Payment.RefundDenied():
            yield from _refund(event)
        case Payment.DisputeMoved() | Payment.Returned():
            yield from _taken(event)
        case Payout.Announced() | Payout.Composed() | Payout.Returned() | Payout.DepositMatched():
            yield from _payout(event)
        case (
            PatientAccount.ResponsibilityAssigned()
            | PatientAccount.PaymentReceived()
            | PatientAccount.UnappliedApplied()
            | PatientAccount.CashTakenBack()
            | PatientAccount.WrittenOff()
        ):
            yield from _account(event)
            yield from write_off_changes(event)
        case PatientAccount.AllowanceMoved():
            yield add(ACCOUNTS, {"account_id": event.originator_id}, allowance_minor=event.amount.minor)
        case PatientAccount.PayerHeard():
            yield _known(event)
            yield _sums(event)
        case _:
            yield from write_off_changes(event)


def gateway_move_id(cause_id: UUID, step: str) -> UUID:
    """The row of what one step of a refund, dispute or return did to the balance at the gateway."""
    return derive("gateway-move", cause_id, step)


def _payment(event: Payment.Succeeded | Payment.Processing | Payment.Failed | Payment.Cancelled) -> Change:
    states: dict[type[Event], str] = {
        Payment.Processing: "processing",
        Payment.Failed: "failed",
        Payment.Cancelled: "cancelled",
    }
    succeeded = event if isinstance(event, Payment.Succeeded) else None
    return put(
        PAYMENTS,
        payment_id=event.originator_id,
        channel=(succeeded.channel if succeeded else Channel.GATEWAY).value,
        gateway=succeeded.gateway if succeeded else None,
        gateway_id=event.gateway_id,
        entity=event.entity,
        state=states.get(type(event), "succeeded"),
        amount_minor=event.amount.minor,
        taken_back_minor=0,
        effective_date=succeeded.effective_date if succeeded else None,
        account_id=succeeded.account_id if succeeded else None,
        named_account_id=succeeded.named_account_id if succeeded else None,
        named_patient_id=succeeded.named_patient_id if succeeded else None,
        named_encounter_id=succeeded.named_encounter_id if succeeded else None,
        message_id=event.message_id,
    )


def _refund(
    event: Payment.RefundRequested | Payment.RefundTold | Payment.RefundMoved | Payment.RefundDenied,
) -> Iterable[Change]:
    key: dict[str, object] = {"refund_id": event.refund_id, "payment_id": event.originator_id}
    match event:
        case Payment.RefundRequested():
            asked = {"reason": event.reason, "requested_by": event.requested_by, "entity": event.entity or None}
            yield put(REFUNDS, **key, state="requested", amount_minor=event.amount.minor, **asked)
        case Payment.RefundTold():
            told = {"gateway_id": event.gateway_refund_id, "state": event.state.value}
            yield put(REFUNDS, **key, amount_minor=event.amount.minor, **told)
        case Payment.RefundDenied():
            yield put(REFUNDS, **key, state="denied")
        case Payment.RefundMoved():
            yield from _refund_moved(event)


def _refund_moved(event: Payment.RefundMoved) -> Iterable[Change]:
    amount = event.amount.minor
    taken = {RefundStep.APPROVED: amount, RefundStep.CANCELLED: -amount}.get(event.step, 0)
    moved = {RefundStep.PAID: -amount, RefundStep.FAILED: amount}.get(event.step, 0)
    yield put(REFUNDS, refund_id=event.refund_id, entity=event.entity, state=event.step.value)
    if taken:
        yield add(PAYMENTS, {"payment_id": event.originator_id}, taken_back_minor=taken)
    if moved and event.channel is Channel.GATEWAY:
        yield _moved(event, event.refund_id, "refund", event.step.value, moved)


def _taken(event: Payment.DisputeMoved | Payment.Returned) -> Iterable[Change]:
    if isinstance(event, Payment.Returned):
        taken = event.amount.minor
        yield _moved(event, event.return_id, "return", "returned", -event.amount.minor)
    else:
        taken = {DisputeStep.LOST: 1, DisputeStep.RECOVERED: -1}.get(event.step, 0) * event.amount.minor
        whole = {DisputeStep.WITHDRAWN: -(event.amount + event.fee).minor, DisputeStep.WON: event.amount.minor}
        if event.step in whole:
            yield _moved(event, event.dispute_id, "dispute", event.step.value, whole[event.step])
    if taken:
        yield add(PAYMENTS, {"payment_id": event.originator_id}, taken_back_minor=taken)


def _moved(
    event: Payment.RefundMoved | Payment.DisputeMoved | Payment.Returned, cause: UUID, kind: str, step: str, minor: int
) -> Change:
    return put(
        GATEWAY_MOVES,
        move_id=gateway_move_id(cause, step),
        kind=kind,
        payment_id=event.originator_id,
        entity=event.entity,
        amount_minor=minor,
        effective_date=event.effective_date,
    )


def _payout(
    event: Payout.Announced | Payout.Composed | Payout.Returned | Payout.DepositMatched,
) -> Iterable[Change]:
    if isinstance(event, Payout.Announced):
        yield put(
            PAYOUTS,
            payout_id=event.originator_id,
            gateway=event.gateway,
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
        for move_id in event.move_ids:
            yield put(GATEWAY_MOVES, move_id=move_id, payout_id=event.originator_id)
    elif isinstance(event, Payout.Returned):
        yield put(PAYOUTS, payout_id=event.originator_id, state="returned")
        for share in event.shares:
            yield put(
                GATEWAY_MOVES,
                move_id=gateway_move_id(returned_share_id_of(event.originator_id, share.entity), "returned"),
                kind="payout",
                entity=share.entity,
                amount_minor=-share.gross.minor,
                effective_date=event.effective_date,
            )
    else:
        yield put(PAYOUTS, payout_id=event.originator_id, deposit_id=event.deposit_id)


Counted = (
    AccountFacts.ResponsibilityAssigned
    | AccountFacts.PaymentReceived
    | AccountFacts.UnappliedApplied
    | AccountFacts.CashTakenBack
    | AccountFacts.WrittenOff
)


def activity_row(event: Counted) -> Row:
    """The line that an event of an account is: positive raises what is owed."""
    row: Row = {
        "account_id": event.originator_id,
        "ordinal": event.originator_version,
        "effective_date": event.effective_date,
    }
    match event:
        case PatientAccount.ResponsibilityAssigned():
            row |= {"source_id": event.source_id, "claim_id": event.claim_id, "encounter_id": event.encounter_id}
            return row | {"kind": "responsibility", "amount_minor": event.amount.minor}
        case PatientAccount.PaymentReceived():
            received = event.applied + event.unapplied
            return row | {"kind": "payment", "amount_minor": -received.minor, "source_id": event.payment_id}
        case PatientAccount.UnappliedApplied():
            return row | {"kind": "application", "amount_minor": -event.amount.minor, "source_id": event.payment_id}
        case PatientAccount.CashTakenBack():
            return row | {"kind": event.reason.value, "amount_minor": event.amount.minor, "source_id": event.cause_id}
    row |= {"source_id": event.write_off_id, "encounter_id": event.encounter_id}
    return row | {"kind": event.kind.value, "amount_minor": -event.amount.minor}


def _account(event: Counted) -> Iterable[Change]:
    yield _known(event)
    yield put(ACTIVITY, **activity_row(event))
    match event:
        case PatientAccount.ResponsibilityAssigned():
            yield _sums(event, responsibility=event.amount)
        case PatientAccount.PaymentReceived():
            yield _sums(event, applied=event.applied, unapplied=event.unapplied)
        case PatientAccount.UnappliedApplied():
            yield _sums(event, applied=event.amount, unapplied=-event.amount)
        case PatientAccount.CashTakenBack():
            yield _sums(event, unapplied=-event.amount)
        case PatientAccount.WrittenOff():
            yield _sums(event, written_off=event.amount)


def _known(event: Counted | AccountFacts.PayerHeard) -> Change:
    """The account is there as well where its payers left nothing to the patient: a payment may name it."""
    return put(ACCOUNTS, account_id=event.originator_id, entity=event.entity, patient_id=event.patient_id)


def _sums(
    event: Counted | AccountFacts.PayerHeard,
    *,
    responsibility: Money = NOTHING,
    written_off: Money = NOTHING,
    applied: Money = NOTHING,
    unapplied: Money = NOTHING,
) -> Change:
    return add(
        ACCOUNTS,
        {"account_id": event.originator_id},
        responsibility_minor=responsibility.minor,
        written_off_minor=written_off.minor,
        applied_minor=applied.minor,
        unapplied_minor=unapplied.minor,
        owed_minor=(responsibility - written_off - applied).minor,
    )
