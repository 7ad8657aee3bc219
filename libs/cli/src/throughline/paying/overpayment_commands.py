"""`throughline overpayments`."""

from __future__ import annotations

from typing import Annotated

import typer
from billing.payments.v1 import payer_overpayments_pb2 as pb

from throughline.connection import StateOption
from throughline.outcome import Exit, ends_with_a_code
from throughline.paying.account_telling import tell_credits, tell_overpayments
from throughline.paying.calls import LIMIT, EntityOption, LimitOption, patient_money, show
from throughline.screen import JsonOption, say
from throughline.wire import amount_in, amount_text, identity_in, money_of

AmountArgument = Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 12.30.")]
DayOption = Annotated[str, typer.Option(metavar="DAY", help="The business date; else today.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")


@app.callback()
def overpayments() -> None:
    """What payers paid too much: proposed, identified, and given back within sixty days."""


@app.command("list")
@ends_with_a_code
def list_overpayments(
    entity: EntityOption = "",
    every: Annotated[bool, typer.Option("--all", help="Those that were given back too.")] = False,
    limit: LimitOption = LIMIT,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List identified overpayments, the first due first. The JSON is an object with the list `overpayments`."""
    request = pb.ListPayerOverpaymentsRequest(entity=entity, only_open=not every, limit=limit)
    with patient_money(state) as money:
        told = money.ask(money.overpayments.ListPayerOverpayments, request)
        show(told, lambda found: tell_overpayments(found.overpayments), as_json)
    return Exit.OK


@app.command()
@ends_with_a_code
def proposed(
    entity: EntityOption = "",
    every: Annotated[bool, typer.Option("--all", help="Those that a person identified too.")] = False,
    limit: LimitOption = LIMIT,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List what payers paid twice by their own decisions, the largest first. The JSON is an object with the list `credits`."""
    request = pb.ListPayerCreditsRequest(entity=entity, identified_too=every, limit=limit)
    with patient_money(state) as money:
        told = money.ask(money.overpayments.ListPayerCredits, request)
        show(told, lambda found: tell_credits(found.credits), as_json)
    return Exit.OK


@app.command()
@ends_with_a_code
def identify(
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="The legal entity that was paid.")],
    payer: Annotated[str, typer.Argument(metavar="PAYER", help="The payer.")],
    cause: Annotated[str, typer.Argument(metavar="CLAIM|REMITTANCE", help="What was paid too much.")],
    amount: AmountArgument,
    reason: Annotated[str, typer.Option(help="duplicate-payment, credit-balance, reversal-pending or other.")],
    evidence: Annotated[str, typer.Option(help="What shows it. No names of patients.")],
    on: DayOption = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Say that a payer paid too much; its sixty days run from then. The JSON has `overpayment_id`."""
    request = pb.IdentifyOverpaymentRequest(
        entity=entity,
        payer=payer,
        cause=cause,
        reason=reason,
        evidence=evidence,
        amount=amount_in(amount, "AMOUNT"),
        identified_on=on,
    )
    with patient_money(state) as money:
        told = money.ask(money.overpayments.IdentifyOverpayment, request)
        show(told, lambda found: say(f"Overpayment {found.overpayment_id}."), as_json)
    return Exit.OK


@app.command()
@ends_with_a_code
def move(
    overpayment: Annotated[str, typer.Argument(metavar="OVERPAYMENT", help="The overpayment's id.")],
    step: Annotated[str, typer.Argument(metavar="STEP", help="returned, recouped or withdrawn.")],
    amount: AmountArgument,
    evidence: Annotated[str, typer.Option(help="The check's number, or trace and reference of the PLB.")],
    on: DayOption = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Say what ended an overpayment, or a part of it: another person than who identified it. The JSON has `open`."""
    request = pb.MoveOverpaymentRequest(
        overpayment_id=identity_in(overpayment, "an overpayment"),
        step=step,
        amount=amount_in(amount, "AMOUNT"),
        evidence=evidence,
        effective_date=on,
    )
    with patient_money(state) as money:
        told = money.ask(money.overpayments.MoveOverpayment, request)
        show(told, lambda found: say(f"{amount_text(money_of(found.open))} of it is still owed back."), as_json)
    return Exit.OK
