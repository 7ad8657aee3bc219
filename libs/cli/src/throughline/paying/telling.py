"""Patients' payments, refunds, disputes, write-offs and unapplied cash in words and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from billing.common.v1 import common_pb2
from billing.payments.v1 import gateway_orders_pb2 as gateway_orders
from billing.payments.v1 import patient_accounts_pb2 as accounts
from billing.payments.v1 import patient_payments_pb2 as patients
from billing.payments.v1 import payments_pb2 as pb

from throughline.screen import Column, say, show_table
from throughline.wire import amount_text, money_of

_AMOUNT = Column("amount", right=True)
_PAYMENTS = (Column("payment"), Column("date"), Column("entity"), Column("state"), _AMOUNT, Column("account"))
_REFUNDS = (Column("refund"), Column("state"), _AMOUNT, Column("why"), Column("asked for by"), Column("payment"))
_DISPUTES = (Column("dispute"), Column("until"), _AMOUNT, Column("money"), Column("outcome"), Column("payment"))
_WRITE_OFFS = (
    Column("write-off"),
    Column("kind"),
    Column("state"),
    _AMOUNT,
    Column("stands", right=True),
    Column("asked for by"),
    Column("decided by"),
    Column("why", flexible=True),
)
_UNAPPLIED = (
    Column("payment"),
    Column("account"),
    Column("entity"),
    Column("days", right=True),
    _AMOUNT,
    Column("why"),
)
_ORDERS = (
    Column("order"),
    Column("gateway"),
    Column("kind"),
    Column("state"),
    _AMOUNT,
    Column("placed by"),
    Column("there"),
)
_CANDIDATES = (
    Column("account"),
    Column("entity"),
    Column("score", right=True),
    Column("what speaks for it", flexible=True),
)
_WHY = {
    "unclaimed": "names no account of ours",
    "nothing-owed": "nothing is owed on the account",
    "set-aside": "a person set it aside",
}


def tell_payments(told: pb.ListPaymentsResponse) -> None:
    if told.payments:
        show_table(_PAYMENTS, map(_payment, told.payments))
    else:
        say("No payments.")


def tell_payment(told: patients.GetPaymentResponse) -> None:
    """One payment with what became of it."""
    show_table(_PAYMENTS, [_payment(told.payment)])
    if told.taken_back.minor:
        say(f"{_amount(told.taken_back)} of it was refunded, returned or lost in a dispute.")
    tell_refunds(told.refunds)
    if told.candidates:
        say("It belongs to no account yet. It may be for:")
        rows = [[each.account_id, each.entity, str(each.score), "; ".join(each.reasons)] for each in told.candidates]
        show_table(_CANDIDATES, rows)


def tell_posted(told: patients.PostPaymentResponse) -> None:
    again = ", which was there already" if told.repeated_request else ""
    say(f"Payment {told.payment_id}{again}.", style="bold")
    say(f"{_amount(told.applied)} pays what is owed, {_amount(told.unapplied)} pays nothing yet.")
    say(f"Account {told.account_id} owes {_amount(told.balance)} now.")


def tell_refunds(refunds: Iterable[patients.Refund]) -> None:
    rows = [
        [each.refund_id, each.state, _amount(each.amount), each.reason, each.requested_by, each.payment_id]
        for each in refunds
    ]
    _table(_REFUNDS, rows, "No refunds.")


def tell_disputes(disputes: Iterable[patients.Dispute]) -> None:
    rows = [
        [
            each.dispute_id,
            each.respond_by,
            _amount(each.amount),
            each.step or "not moved",
            each.outcome,
            each.payment_id,
        ]
        for each in disputes
    ]
    _table(_DISPUTES, rows, "No disputes.")


def tell_orders(orders: Iterable[gateway_orders.GatewayOrder]) -> None:
    rows = [
        [each.order_id, each.gateway, each.kind, each.state, _amount(each.amount), each.placed_by, each.gateway_id]
        for each in orders
    ]
    _table(_ORDERS, rows, "No orders.")


def tell_write_offs(write_offs: Iterable[accounts.WriteOff]) -> None:
    rows = [
        [
            each.write_off_id,
            each.kind,
            each.state,
            _amount(each.amount),
            _amount(each.stands),
            each.requested_by,
            each.decided_by,
            each.reason,
        ]
        for each in write_offs
    ]
    _table(_WRITE_OFFS, rows, "No write-offs.")


def tell_unapplied(told: accounts.ListUnappliedResponse) -> None:
    """The oldest first, and what there is in all."""
    rows = [
        [
            each.payment_id,
            each.account_id,
            each.entity,
            str(each.age_days),
            _amount(each.amount),
            _WHY.get(each.why, each.why),
        ]
        for each in told.unapplied
    ]
    _table(_UNAPPLIED, rows, "No cash waits.")
    if told.count:
        say(f"{_amount(told.total)} of {told.count} payments pays nothing yet.")


def _payment(payment: pb.Payment) -> list[str]:
    facts = [payment.payment_id, payment.effective_date, payment.entity, payment.state]
    return [*facts, _amount(payment.amount), payment.account_id or "nobody's yet"]


def _amount(sent: common_pb2.Money) -> str:
    return amount_text(money_of(sent))


def _table(columns: Sequence[Column], rows: Sequence[Sequence[str]], nothing: str) -> None:
    if rows:
        show_table(columns, rows)
    else:
        say(nothing)
