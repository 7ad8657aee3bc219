"""`throughline payments` and `throughline unapplied`."""

from __future__ import annotations

from typing import Annotated

import typer
from billing.payments.v1 import patient_accounts_pb2 as accounts
from billing.payments.v1 import patient_payments_pb2 as patients
from billing.payments.v1 import payments_pb2 as pb

from throughline.connection import StateOption
from throughline.outcome import Exit, ends_with_a_code
from throughline.paying import order_commands, refund_commands
from throughline.paying.asking_commands import refund_proposals
from throughline.paying.calls import (
    LIMIT,
    EntityOption,
    KeyOption,
    LimitOption,
    key_or_new,
    patient_money,
    show,
)
from throughline.paying.telling import tell_payment, tell_payments, tell_posted, tell_unapplied
from throughline.screen import JsonOption, say
from throughline.wire import amount_in, amount_text, identity_in, money_of

PaymentArgument = Annotated[str, typer.Argument(metavar="PAYMENT", help="The payment's id.")]
AmountArgument = Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 12.30.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")
refund_commands.add_to(app)
order_commands.add_to(app)
app.command("refund-proposals")(refund_proposals)


@app.callback()
def payments() -> None:
    """What patients paid, whose it is, and what was given back."""


@app.command("list")
@ends_with_a_code
def list_payments(
    entity: EntityOption = "",
    unmatched: Annotated[bool, typer.Option("--unmatched", help="Only those that belong to no account.")] = False,
    not_paid_out: Annotated[bool, typer.Option("--not-paid-out", help="Only those that no payout holds.")] = False,
    limit: LimitOption = LIMIT,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List payments, the newest first. The JSON is an object with the list `payments`."""
    request = pb.ListPaymentsRequest(
        entity=entity, only_unmatched=unmatched, only_not_paid_out=not_paid_out, limit=limit
    )
    with patient_money(state) as money:
        show(money.ask(money.payments.ListPayments, request), tell_payments, as_json)
    return Exit.OK


@app.command("show")
@ends_with_a_code
def show_payment(payment: PaymentArgument, state: StateOption = None, as_json: JsonOption = False) -> Exit:
    """Show one payment with its refunds. The JSON has payment, refunds and taken_back."""
    request = patients.GetPaymentRequest(payment_id=identity_in(payment, "a payment"))
    with patient_money(state) as money:
        show(money.ask(money.patients.GetPayment, request), tell_payment, as_json)
    return Exit.OK


@app.command()
@ends_with_a_code
def post(
    amount: AmountArgument,
    account: Annotated[str, typer.Option(help="The account it pays.")] = "",
    patient: Annotated[str, typer.Option(help="Without an account: the patient's pseudonym, with --entity.")] = "",
    entity: Annotated[str, typer.Option(help="Without an account: the legal entity that has the money.")] = "",
    channel: Annotated[str, typer.Option(help="front-desk, check or lockbox.")] = "front-desk",
    on: Annotated[str, typer.Option(metavar="DAY", help="The business date; else today.")] = "",
    reference: Annotated[str, typer.Option(help="Check number or receipt. Never a card or account number.")] = "",
    key: KeyOption = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Post a payment that was taken outside the gateway.

    The JSON has payment_id, account_id, applied, unapplied, balance and repeated_request.

    Exit code: 1 where the same key came before with another payment.
    """
    request = patients.PostPaymentRequest(
        idempotency_key=key_or_new(key),
        account_id=account,
        patient_id=patient,
        entity=entity,
        amount=amount_in(amount, "AMOUNT"),
        channel=channel,
        received_on=on,
        reference=reference,
    )
    with patient_money(state) as money:
        show(money.ask(money.patients.PostPayment, request), tell_posted, as_json)
    if not key and not as_json:
        say(f"Its key was {request.idempotency_key}.")
    return Exit.OK


@app.command()
@ends_with_a_code
def match(
    payment: PaymentArgument,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account whose it is.")],
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Say whose payment it is. The JSON has `applied`. Exit code: 1 where a rule says no."""
    request = pb.MatchPaymentRequest(
        payment_id=identity_in(payment, "a payment"), account_id=identity_in(account, "an account")
    )
    with patient_money(state) as money:
        show(money.ask(money.payments.MatchPayment, request), _tell_match, as_json)
    return Exit.OK


@app.command("set-aside")
@ends_with_a_code
def set_aside(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account.")],
    payment: PaymentArgument,
    target: Annotated[str, typer.Argument(metavar="CLAIM|ENCOUNTER", help="What it is to pay, and nothing else.")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 12.30; 0 ends it.")],
    name: Annotated[str, typer.Option(help="A name of this; the same name again changes its amount.")],
    line: Annotated[str, typer.Option(help="Only for this line of the claim, from 1, or this charge's id.")] = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Set cash of a payment aside for one claim or encounter, or a line of it. The JSON has allocation_id, account and unapplied."""
    request = accounts.AllocateRequest(
        account_id=identity_in(account, "an account"),
        payment_id=identity_in(payment, "a payment"),
        target=identity_in(target, "a claim or encounter"),
        amount=amount_in(amount, "AMOUNT"),
        allocation=name,
        line=line,
    )
    with patient_money(state) as money:
        show(money.ask(money.accounts.Allocate, request), _tell_set_aside, as_json)
    return Exit.OK


@ends_with_a_code
def unapplied(
    entity: EntityOption = "",
    account: Annotated[str, typer.Option(help="Only this account's.")] = "",
    unclaimed: Annotated[bool, typer.Option("--unclaimed", help="Only payments that belong to no account.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = LIMIT,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List cash that pays nothing, the oldest first, with its age and why. The JSON has unapplied, total and count."""
    request = accounts.ListUnappliedRequest(entity=entity, account_id=account, only_unclaimed=unclaimed, limit=limit)
    with patient_money(state) as money:
        show(money.ask(money.accounts.ListUnapplied, request), tell_unapplied, as_json)
    return Exit.OK


def _tell_match(told: pb.MatchPaymentResponse) -> None:
    say(f"Matched; {amount_text(money_of(told.applied))} of it pays what is owed.")


def _tell_set_aside(told: accounts.AllocateResponse) -> None:
    say(f"The account owes {amount_text(money_of(told.account.balance))} now.")
    say(f"{amount_text(money_of(told.unapplied))} of the payment pays nothing yet.")
