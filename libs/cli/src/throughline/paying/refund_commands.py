"""The commands of `throughline payments` about refunds and disputes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer
from billing.payments.v1 import patient_payments_pb2 as pb

from throughline.connection import StateOption
from throughline.outcome import Exit, ends_with_a_code
from throughline.paying.calls import LIMIT, EntityOption, KeyOption, LimitOption, key_or_new, patient_money, show
from throughline.paying.telling import tell_disputes, tell_refunds
from throughline.screen import JsonOption
from throughline.wire import amount_in, identity_in

RefundArgument = Annotated[str, typer.Argument(metavar="REFUND", help="The refund's id.")]
AmountArgument = Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 12.30.")]
_Decided = (
    pb.RequestRefundResponse
    | pb.ApproveRefundResponse
    | pb.DenyRefundResponse
    | pb.CancelRefundResponse
    | pb.RecordRefundPaidResponse
)


def add_to(app: typer.Typer) -> None:
    """Adds the commands to `throughline payments`."""
    for command in (refunds, refund, approve, deny, cancel, paid, disputes):
        app.command(command.__name__)(command)


@ends_with_a_code
def refunds(
    payment: Annotated[str, typer.Option(help="Only of this payment.")] = "",
    in_state: Annotated[str, typer.Option("--in", metavar="STATE", help="Only in this state, such as requested.")] = "",
    entity: EntityOption = "",
    limit: LimitOption = LIMIT,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List refunds. The JSON is an object with the list `refunds`."""
    request = pb.ListRefundsRequest(payment_id=payment, state=in_state, entity=entity, limit=limit)
    with patient_money(state) as money:
        show(money.ask(money.patients.ListRefunds, request), lambda told: tell_refunds(told.refunds), as_json)
    return Exit.OK


@ends_with_a_code
def refund(
    payment: Annotated[str, typer.Argument(metavar="PAYMENT", help="The payment's id.")],
    amount: AmountArgument,
    reason: Annotated[str, typer.Option(help="duplicate, overpaid, not-provided, goodwill, credit-balance or other.")],
    key: KeyOption = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Ask to give a payment back, or a part of it; somebody has to approve it. The JSON has `refund`."""
    request = pb.RequestRefundRequest(
        payment_id=identity_in(payment, "a payment"),
        idempotency_key=key_or_new(key),
        amount=amount_in(amount, "AMOUNT"),
        reason=reason,
    )
    with patient_money(state) as money:
        show(money.ask(money.patients.RequestRefund, request), _tell, as_json)
    return Exit.OK


@ends_with_a_code
def approve(
    refund_id: RefundArgument, amount: AmountArgument, state: StateOption = None, as_json: JsonOption = False
) -> Exit:
    """Approve a refund of exactly this amount; above the limit that is another person than who asked. The JSON has `refund`."""
    request = pb.ApproveRefundRequest(refund_id=identity_in(refund_id, "a refund"), amount=amount_in(amount, "AMOUNT"))
    with patient_money(state) as money:
        show(money.ask(money.patients.ApproveRefund, request), _tell, as_json)
    return Exit.OK


@ends_with_a_code
def deny(refund_id: RefundArgument, state: StateOption = None, as_json: JsonOption = False) -> Exit:
    """End a refund that nobody has approved. The JSON has `refund`."""
    request = pb.DenyRefundRequest(refund_id=identity_in(refund_id, "a refund"))
    with patient_money(state) as money:
        show(money.ask(money.patients.DenyRefund, request), _tell, as_json)
    return Exit.OK


@ends_with_a_code
def cancel(refund_id: RefundArgument, state: StateOption = None, as_json: JsonOption = False) -> Exit:
    """Give the account the cash back of a refund that the gateway could not pay. The JSON has `refund`."""
    request = pb.CancelRefundRequest(refund_id=identity_in(refund_id, "a refund"))
    with patient_money(state) as money:
        show(money.ask(money.patients.CancelRefund, request), _tell, as_json)
    return Exit.OK


@ends_with_a_code
def paid(
    refund_id: RefundArgument,
    reference: Annotated[str, typer.Option(help="Under which it was paid, such as a check number.")],
    on: Annotated[str, typer.Option(metavar="DAY", help="On which business date; else today.")] = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Note that an approved refund was paid by hand; the gateway pays its own. The JSON has `refund`."""
    request = pb.RecordRefundPaidRequest(refund_id=identity_in(refund_id, "a refund"), reference=reference, paid_on=on)
    with patient_money(state) as money:
        show(money.ask(money.patients.RecordRefundPaid, request), _tell, as_json)
    return Exit.OK


@ends_with_a_code
def disputes(
    payment: Annotated[str, typer.Option(help="Only of this payment.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Those that have ended too.")] = False,
    limit: LimitOption = LIMIT,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List disputes, the nearest day for evidence first. The JSON is an object with the list `disputes`."""
    request = pb.ListDisputesRequest(payment_id=payment, only_open=not every, limit=limit)
    with patient_money(state) as money:
        show(money.ask(money.patients.ListDisputes, request), lambda told: tell_disputes(told.disputes), as_json)
    return Exit.OK


def _tell(told: _Decided) -> None:
    decided: Iterable[pb.Refund] = [told.refund]
    tell_refunds(decided)
