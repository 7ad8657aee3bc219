"""The commands of `throughline payments` about orders at gateways."""

from __future__ import annotations

from typing import Annotated

import typer
from billing.payments.v1 import gateway_orders_pb2 as pb

from throughline.connection import StateOption
from throughline.outcome import Exit, ends_with_a_code
from throughline.paying.calls import LIMIT, KeyOption, LimitOption, key_or_new, patient_money, show
from throughline.paying.telling import tell_orders
from throughline.screen import JsonOption
from throughline.wire import amount_in, identity_in


def add_to(app: typer.Typer) -> None:
    """Adds the commands to `throughline payments`."""
    for command in (charge, orders, decide):
        app.command(command.__name__)(command)


@ends_with_a_code
def charge(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account it is to pay.")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 12.30.")],
    method: Annotated[str, typer.Option(help="The gateway's token of the card or bank account. Never its number.")],
    by_ach: Annotated[bool, typer.Option("--ach", help="A bank account; else a card.")] = False,
    key: KeyOption = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Order a payment at the gateway, by a card or bank account that it keeps. The JSON has `order`."""
    request = pb.RequestPaymentRequest(
        account_id=identity_in(account, "an account"),
        idempotency_key=key_or_new(key),
        amount=amount_in(amount, "AMOUNT"),
        method_kind="ach" if by_ach else "card",
        method=method,
    )
    with patient_money(state) as money:
        show(money.ask(money.orders.RequestPayment, request), lambda told: tell_orders([told.order]), as_json)
    return Exit.OK


@ends_with_a_code
def orders(
    in_state: Annotated[str, typer.Option("--in", metavar="STATE", help="Only in this state, such as uncertain.")] = "",
    account: Annotated[str, typer.Option(help="Only of this account.")] = "",
    limit: LimitOption = LIMIT,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List what gateways were asked to do, the newest first. The JSON is an object with the list `orders`."""
    request = pb.ListOrdersRequest(state=in_state, account_id=account, limit=limit)
    with patient_money(state) as money:
        show(money.ask(money.orders.ListOrders, request), lambda told: tell_orders(told.orders), as_json)
    return Exit.OK


@ends_with_a_code
def decide(
    order: Annotated[str, typer.Argument(metavar="ORDER", help="The order's id.")],
    again: Annotated[bool, typer.Option("--again/--give-up", help="Send it anew, or give it up.")],
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Say what becomes of an uncertain or refused order; look at the gateway first. The JSON has `order`."""
    request = pb.DecideOrderRequest(order_id=identity_in(order, "an order"), again=again)
    with patient_money(state) as money:
        show(money.ask(money.orders.DecideOrder, request), lambda told: tell_orders([told.order]), as_json)
    return Exit.OK
