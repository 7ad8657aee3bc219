"""`throughline write-offs`."""

from __future__ import annotations

from typing import Annotated

import typer
from billing.payments.v1 import patient_accounts_pb2 as pb

from throughline.connection import StateOption
from throughline.outcome import Exit, ends_with_a_code
from throughline.paying.calls import LIMIT, EntityOption, KeyOption, LimitOption, key_or_new, patient_money, show
from throughline.paying.telling import tell_write_offs
from throughline.screen import JsonOption
from throughline.wire import amount_in, identity_in

WriteOffArgument = Annotated[str, typer.Argument(metavar="WRITE-OFF", help="The write-off's id.")]
AmountArgument = Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 12.30.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it is kept for ever. No names of patients.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")


@app.callback()
def write_offs() -> None:
    """What patients owe and is given up: charity, small balances, bad debt."""


@app.command("list")
@ends_with_a_code
def list_write_offs(
    account: Annotated[str, typer.Option(help="Only of this account.")] = "",
    in_state: Annotated[str, typer.Option("--in", metavar="STATE", help="requested, approved or turned-down.")] = "",
    entity: EntityOption = "",
    limit: LimitOption = LIMIT,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List write-offs, the newest request first. The JSON is an object with the list `write_offs`."""
    request = pb.ListWriteOffsRequest(account_id=account, state=in_state, entity=entity, limit=limit)
    with patient_money(state) as money:
        show(money.ask(money.accounts.ListWriteOffs, request), lambda told: tell_write_offs(told.write_offs), as_json)
    return Exit.OK


@app.command("request")
@ends_with_a_code
def request_write_off(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account.")],
    place: Annotated[str, typer.Argument(metavar="CLAIM|ENCOUNTER", help="Where it is owed.")],
    amount: AmountArgument,
    kind: Annotated[str, typer.Option(help="charity, small-balance, bad-debt or price-concession.")],
    reason: ReasonOption,
    key: KeyOption = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Ask to give up what is owed; somebody has to approve it. The JSON has `write_off`."""
    request = pb.RequestWriteOffRequest(
        account_id=identity_in(account, "an account"),
        idempotency_key=key_or_new(key),
        place=identity_in(place, "a claim or encounter"),
        kind=kind,
        amount=amount_in(amount, "AMOUNT"),
        reason=reason,
    )
    with patient_money(state) as money:
        show(money.ask(money.accounts.RequestWriteOff, request), _tell, as_json)
    return Exit.OK


@app.command()
@ends_with_a_code
def approve(
    write_off: WriteOffArgument, amount: AmountArgument, state: StateOption = None, as_json: JsonOption = False
) -> Exit:
    """Approve a write-off of exactly this amount; above the limit that is another person than who asked."""
    request = pb.ApproveWriteOffRequest(
        write_off_id=identity_in(write_off, "a write-off"), amount=amount_in(amount, "AMOUNT")
    )
    with patient_money(state) as money:
        show(money.ask(money.accounts.ApproveWriteOff, request), _tell, as_json)
    return Exit.OK


@app.command("turn-down")
@ends_with_a_code
def turn_down(
    write_off: WriteOffArgument, reason: ReasonOption, state: StateOption = None, as_json: JsonOption = False
) -> Exit:
    """End a write-off that nobody has approved. The JSON has `write_off`."""
    request = pb.ApproveWriteOffRequest(
        write_off_id=identity_in(write_off, "a write-off"), turn_down=True, reason=reason
    )
    with patient_money(state) as money:
        show(money.ask(money.accounts.ApproveWriteOff, request), _tell, as_json)
    return Exit.OK


@app.command()
@ends_with_a_code
def reverse(
    write_off: WriteOffArgument,
    amount: AmountArgument,
    reason: ReasonOption,
    key: KeyOption = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Have a write-off owed again, or a part of it. The JSON has `write_off`."""
    request = pb.ReverseWriteOffRequest(
        write_off_id=identity_in(write_off, "a write-off"),
        idempotency_key=key_or_new(key),
        amount=amount_in(amount, "AMOUNT"),
        reason=reason,
    )
    with patient_money(state) as money:
        show(money.ask(money.accounts.ReverseWriteOff, request), _tell, as_json)
    return Exit.OK


def _tell(told: pb.RequestWriteOffResponse | pb.ApproveWriteOffResponse | pb.ReverseWriteOffResponse) -> None:
    tell_write_offs([told.write_off])
