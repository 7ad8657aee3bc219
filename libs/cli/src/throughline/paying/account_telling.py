"""Transfers, plans, asking and payers' overpayments in words and tables."""

from __future__ import annotations

from collections.abc import Iterable

from billing.common.v1 import common_pb2
from billing.payments.v1 import account_work_pb2 as pb
from billing.payments.v1 import payer_overpayments_pb2 as payers

from throughline.screen import Column, say, show_table
from throughline.wire import amount_text, money_of

_AMOUNT = Column("amount", right=True)
_TRANSFERS = (
    Column("transfer"),
    Column("moved"),
    Column("state"),
    _AMOUNT,
    Column("from"),
    Column("to"),
    Column("asked for by"),
    Column("decided by"),
    Column("why", flexible=True),
)
_PLANS = (
    Column("plan"),
    Column("account"),
    Column("state"),
    *(Column(name, right=True) for name in ("total", "paid", "missed", "left")),
    Column("next"),
)
_ASKED = (
    Column("account"),
    Column("entity"),
    Column("step"),
    Column("by its days"),
    *(Column(name, right=True) for name in ("asked", "held", "days")),
    Column("stopped by", flexible=True),
)
_PROPOSALS = (Column("payment"), Column("account"), _AMOUNT, Column("days", right=True))
_OVERPAYMENTS = (
    Column("overpayment"),
    Column("payer"),
    Column("until"),
    _AMOUNT,
    Column("open", right=True),
    Column("why"),
    Column("identified by"),
    Column("evidence", flexible=True),
)
_CREDITS = (
    Column("claim"),
    Column("entity"),
    Column("payer"),
    _AMOUNT,
    Column("last decided by"),
    Column("identified"),
)


def tell_transfers(transfers: Iterable[pb.Transfer]) -> None:
    rows = [
        [
            each.transfer_id,
            each.moved,
            each.state,
            _amount(each.amount),
            each.from_account_id,
            each.to_account_id,
            each.requested_by,
            each.decided_by,
            each.reason,
        ]
        for each in transfers
    ]
    show_table(_TRANSFERS, rows) if rows else say("No transfers.")


def tell_plans(plans: Iterable[pb.Plan]) -> None:
    rows = [
        [
            each.plan_id,
            each.account_id,
            each.state,
            *map(_amount, (each.total, each.paid, each.missed, each.left)),
            f"{_amount(each.next_due.amount)} by {each.next_due.due_on}" if each.HasField("next_due") else "",
        ]
        for each in plans
    ]
    show_table(_PLANS, rows) if rows else say("No plans.")


def tell_plan(plan: pb.Plan) -> None:
    """One plan with its instalments."""
    tell_plans([plan])
    show_table((Column("instalment due"), _AMOUNT), [[each.due_on, _amount(each.amount)] for each in plan.instalments])


def tell_asked(told: pb.ListAskingResponse) -> None:
    rows = [
        [
            each.account_id,
            each.entity,
            each.step,
            each.due,
            _amount(each.asked),
            _amount(each.held),
            str(each.days),
            ", ".join(each.stops),
        ]
        for each in told.accounts
    ]
    show_table(_ASKED, rows) if rows else say("No such account.")
    say(f"Looked at {told.looked_at} accounts that owe something.")


def tell_proposals(proposals: Iterable[pb.RefundProposal]) -> None:
    rows = [[each.payment_id, each.account_id, _amount(each.amount), str(each.age_days)] for each in proposals]
    show_table(_PROPOSALS, rows) if rows else say("Nothing should go back.")


def tell_overpayments(overpayments: Iterable[payers.PayerOverpayment]) -> None:
    rows = [
        [
            each.overpayment_id,
            each.payer,
            each.due_on,
            _amount(each.amount),
            _amount(each.open),
            each.reason,
            each.identified_by,
            each.evidence,
        ]
        for each in overpayments
    ]
    show_table(_OVERPAYMENTS, rows) if rows else say("No overpayments.")


def tell_credits(found: Iterable[payers.PayerCredit]) -> None:
    rows = [
        [
            each.claim_id,
            each.entity,
            each.payer,
            _amount(each.overpaid),
            f"{each.remittance_id}, position {each.position}",
            each.overpayment_id or "not yet",
        ]
        for each in found
    ]
    show_table(_CREDITS, rows) if rows else say("No payer has paid twice.")


def _amount(sent: common_pb2.Money) -> str:
    return amount_text(money_of(sent))
