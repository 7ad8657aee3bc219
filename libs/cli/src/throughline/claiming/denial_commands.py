"""`throughline denials`."""

from __future__ import annotations

from typing import Annotated

import typer
from billing.claims.v1 import claim_work_pb2 as work

from throughline.claiming.calls import DENIALS_MAX, EVERY_STATE, claiming_at
from throughline.claiming.telling import tell_denial, tell_denials
from throughline.connection import StateOption
from throughline.outcome import Exit, Unusable, ends_with_a_code
from throughline.screen import JsonOption, show_json
from throughline.wire import amount_in, data_of

DenialArgument = Annotated[str, typer.Argument(metavar="ID", help="A denial's id, or the beginning of it.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it is kept for ever. No names of patients.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")


@app.callback()
def denials() -> None:
    """What payers would not pay, worked until it is recovered or given up."""


@app.command("list")
@ends_with_a_code
def list_denials(
    queue: Annotated[str, typer.Option(help="Only this queue.")] = "",
    owner: Annotated[str, typer.Option(help="Only what this person has.")] = "",
    payer: Annotated[str, typer.Option(help="Only denials by this payer.")] = "",
    in_state: Annotated[str, typer.Option("--in", metavar="STATE", help="Only this state; else all but closed.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=DENIALS_MAX, help="At most so many.")] = 100,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List denials, the nearest appeal limit first. The JSON is an object with the list `denials`."""
    wanted = in_state or (EVERY_STATE if every else "")
    request = work.ListDenialsRequest(state=wanted, queue=queue, owner=owner, payer=payer, page_size=limit)
    with claiming_at(state) as claiming:
        found = claiming.denials(request)
    if as_json:
        show_json(data_of(found))
    else:
        tell_denials(found.denials)
    return Exit.OK


@app.command()
@ends_with_a_code
def show(denial_id: DenialArgument, state: StateOption = None, as_json: JsonOption = False) -> Exit:
    """Show one denial with everything that was done about it. The JSON has denial and history."""
    with claiming_at(state) as claiming:
        found = claiming.denial(claiming.denial_id(denial_id))
    if as_json:
        show_json(data_of(found))
    else:
        tell_denial(found.denial, found.history)
    return Exit.OK


@app.command()
@ends_with_a_code
def assign(
    denial_id: DenialArgument,
    owner: Annotated[str, typer.Option(help="The person or team that has it now.")],
    queue: Annotated[str, typer.Option(help="Another queue.")] = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Give a denial to somebody."""
    with claiming_at(state) as claiming:
        identity = claiming.denial_id(denial_id)
        changed = claiming.assign(work.AssignDenialRequest(denial_id=identity, owner=owner, queue=queue))
    return _changed(changed, as_json)


@app.command("work")
@ends_with_a_code
def record_work(
    denial_id: DenialArgument,
    action: Annotated[str, typer.Option(help="appealed, corrected-claim-sent, transferred, or upheld by the payer.")],
    note: Annotated[str, typer.Option(help="What was done; it is kept for ever. No names of patients.")],
    reference: Annotated[str, typer.Option(help="A number of the payer's or ours.")] = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Record what was done about a denial."""
    with claiming_at(state) as claiming:
        identity = claiming.denial_id(denial_id)
        acted = work.RecordDenialActionRequest(denial_id=identity, action=action, note=note, reference=reference)
        changed = claiming.act(acted)
    return _changed(changed, as_json)


@app.command("write-off")
@ends_with_a_code
def request_write_off(
    denial_id: DenialArgument,
    reason: ReasonOption,
    amount: Annotated[str, typer.Option(help="How much, such as 12.30; else all that is at risk.")] = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Ask to give up what is at risk, or a part of it; another person approves."""
    request = work.RequestWriteOffRequest(reason=reason)
    if amount:
        request.amount.CopyFrom(amount_in(amount, "--amount"))
    with claiming_at(state) as claiming:
        request.denial_id = claiming.denial_id(denial_id)
        changed = claiming.request_write_off(request)
    return _changed(changed, as_json)


@app.command()
@ends_with_a_code
def approve(
    denial_id: DenialArgument,
    amount: Annotated[str, typer.Option(help="How much you approve, such as 12.30: what was asked for.")] = "",
    turn_down: Annotated[bool, typer.Option("--turn-down", help="Say no instead.")] = False,
    reason: Annotated[str, typer.Option(help="Why it is turned down. No names of patients.")] = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Approve the write-off that another person asked for, or turn it down.

    Exit code: 1 where another amount was asked for, or you asked for it yourself: THROUGHLINE_CLIENT_ID and
    THROUGHLINE_CLIENT_SECRET name another client.
    """
    if turn_down == bool(amount):
        raise Unusable("either --amount, which is how much you approve, or --turn-down")
    decided = work.ApproveWriteOffRequest(turn_down=turn_down, reason=reason)
    if amount:
        decided.amount.CopyFrom(amount_in(amount, "--amount"))
    with claiming_at(state) as claiming:
        decided.denial_id = claiming.denial_id(denial_id)
        changed = claiming.approve_write_off(decided)
    return _changed(changed, as_json)


def _changed(denial: work.Denial, as_json: bool) -> Exit:
    if as_json:
        show_json({"denial": data_of(denial)})
    else:
        tell_denial(denial)
    return Exit.OK
