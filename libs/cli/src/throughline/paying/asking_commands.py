"""`throughline asking`."""

from __future__ import annotations

from typing import Annotated

import typer
from billing.payments.v1 import account_work_pb2 as pb

from throughline.connection import StateOption
from throughline.outcome import Exit, ends_with_a_code
from throughline.paying.account_telling import tell_asked, tell_proposals
from throughline.paying.calls import LIMIT, EntityOption, patient_money, show
from throughline.screen import JsonOption, say
from throughline.wire import identity_in

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")
MostOption = Annotated[int, typer.Option("--limit", min=1, max=500, help="At most so many.")]


@app.callback()
def asking() -> None:
    """How patients are asked to pay, step by step."""


@app.command("list")
@ends_with_a_code
def list_asked(
    step: Annotated[
        str,
        typer.Option(help="nothing-due, held, statement-1 to statement-3, final-notice or pre-collection."),
    ] = "",
    entity: EntityOption = "",
    limit: MostOption = LIMIT,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List accounts that owe something by their step. The JSON has accounts and looked_at."""
    request = pb.ListAskingRequest(entity=entity, step=step, limit=limit)
    with patient_money(state) as money:
        show(money.ask(money.work.ListAsking, request), tell_asked, as_json)
    return Exit.OK


@app.command()
@ends_with_a_code
def sent(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account.")],
    means: Annotated[str, typer.Option(help="mail, portal or e-mail.")],
    on: Annotated[str, typer.Option(metavar="DAY", help="The day of the statement; else today.")] = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Note that a statement went out; the next one asks by the next step when that is due. The JSON has `step`."""
    request = pb.RecordStatementSentRequest(account_id=identity_in(account, "an account"), means=means, sent_on=on)
    with patient_money(state) as money:
        show(
            money.ask(money.work.RecordStatementSent, request),
            lambda told: say(f"It asked as {told.step}."),
            as_json,
        )
    return Exit.OK


@ends_with_a_code
def refund_proposals(
    entity: Annotated[str, typer.Argument(metavar="ENTITY", help="The legal entity.")],
    older_than: Annotated[int, typer.Option(metavar="DAYS", min=0, help="Cash that has waited so long.")] = 60,
    limit: MostOption = LIMIT,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List cash that should go back to patients, the oldest first. The JSON is an object with the list `proposals`."""
    request = pb.ListRefundProposalsRequest(entity=entity, older_than_days=older_than, limit=limit)
    with patient_money(state) as money:
        show(money.ask(money.work.ListRefundProposals, request), lambda told: tell_proposals(told.proposals), as_json)
    return Exit.OK
