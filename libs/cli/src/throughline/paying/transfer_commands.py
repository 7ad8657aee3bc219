"""`throughline transfers`."""

from __future__ import annotations

from typing import Annotated

import typer
from billing.payments.v1 import account_work_pb2 as pb

from throughline.connection import StateOption
from throughline.outcome import Exit, ends_with_a_code
from throughline.paying.account_telling import tell_transfers
from throughline.paying.calls import LIMIT, EntityOption, KeyOption, LimitOption, key_or_new, patient_money, show
from throughline.screen import JsonOption
from throughline.wire import amount_in, identity_in

TransferArgument = Annotated[str, typer.Argument(metavar="TRANSFER", help="The transfer's id.")]
AmountArgument = Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 12.30.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it is kept for ever. No names of patients.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")


@app.callback()
def transfers() -> None:
    """Cash and shares that move from one patient's account to another's."""


@app.command("list")
@ends_with_a_code
def list_transfers(
    source: Annotated[str, typer.Option("--from", metavar="ACCOUNT", help="Only from this account.")] = "",
    target: Annotated[str, typer.Option("--to", metavar="ACCOUNT", help="Only to this account.")] = "",
    in_state: Annotated[str, typer.Option("--in", metavar="STATE", help="requested, made or turned-down.")] = "",
    entity: EntityOption = "",
    limit: LimitOption = LIMIT,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List transfers, the newest request first. The JSON is an object with the list `transfers`."""
    request = pb.ListTransfersRequest(
        from_account_id=source, to_account_id=target, state=in_state, entity=entity, limit=limit
    )
    with patient_money(state) as money:
        show(money.ask(money.work.ListTransfers, request), lambda told: tell_transfers(told.transfers), as_json)
    return Exit.OK


@app.command("request")
@ends_with_a_code
def request_transfer(
    source: Annotated[str, typer.Argument(metavar="FROM", help="The account that gives.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="The account that takes.")],
    what: Annotated[
        str, typer.Argument(metavar="PAYMENT|CLAIM|ENCOUNTER", help="The payment whose cash, or what is owed where.")
    ],
    amount: AmountArgument,
    reason: ReasonOption,
    is_share: Annotated[bool, typer.Option("--share", help="Moves what is owed; else cash of a payment.")] = False,
    key: KeyOption = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Ask to move cash, or what is owed, to another account; somebody has to approve it. The JSON has `transfer`."""
    request = pb.RequestTransferRequest(
        idempotency_key=key_or_new(key),
        moved="share" if is_share else "cash",
        source=identity_in(what, "a payment, claim or encounter"),
        from_account_id=identity_in(source, "an account"),
        to_account_id=identity_in(target, "an account"),
        amount=amount_in(amount, "AMOUNT"),
        reason=reason,
    )
    with patient_money(state) as money:
        show(money.ask(money.work.RequestTransfer, request), _tell, as_json)
    return Exit.OK


@app.command()
@ends_with_a_code
def approve(
    transfer: TransferArgument, amount: AmountArgument, state: StateOption = None, as_json: JsonOption = False
) -> Exit:
    """Approve a transfer of exactly this amount; above the limit that is another person than who asked."""
    request = pb.ApproveTransferRequest(
        transfer_id=identity_in(transfer, "a transfer"), amount=amount_in(amount, "AMOUNT")
    )
    with patient_money(state) as money:
        show(money.ask(money.work.ApproveTransfer, request), _tell, as_json)
    return Exit.OK


@app.command("turn-down")
@ends_with_a_code
def turn_down(
    transfer: TransferArgument, reason: ReasonOption, state: StateOption = None, as_json: JsonOption = False
) -> Exit:
    """End a transfer that nobody has approved. The JSON has `transfer`."""
    request = pb.ApproveTransferRequest(transfer_id=identity_in(transfer, "a transfer"), turn_down=True, reason=reason)
    with patient_money(state) as money:
        show(money.ask(money.work.ApproveTransfer, request), _tell, as_json)
    return Exit.OK


def _tell(told: pb.RequestTransferResponse | pb.ApproveTransferResponse) -> None:
    tell_transfers([told.transfer])
