"""`throughline remit key`, `check`, `turn-down` and `keyed`: remittances from paper, by two people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from billing.common.v1 import common_pb2
from billing.intake.v1 import keyed_remittances_pb2 as pb
from billing.intake.v1 import keyed_remittances_pb2_grpc
from canonical.money import Money

from throughline.connection import Access, StateOption, access_to
from throughline.outcome import Exit, Unusable, ends_with_a_code
from throughline.screen import JsonOption, say, show_json
from throughline.wire import amount_text, data_of, identity_in, money_of

CONTENT_BYTES_MAX = 1_000_000
KeyedArgument = Annotated[str, typer.Argument(metavar="ID", help="The keyed remittance, as `key` and `keyed` name it.")]


def add_keying(app: typer.Typer) -> None:
    """Puts the commands of paper among those of remittances."""
    app.command()(key)
    app.command()(check)
    app.command("turn-down")(turn_down)
    app.command()(keyed)


@ends_with_a_code
def key(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The remittance as JSON.")],
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Key a remittance that came on paper. Another person checks it before anything goes on.

    The file has payer, entity, trace_number (or the check's), payment_method, effective_date, payment, claims and
    provider_adjustments, with the names of the canonical model. It must add up as an 835 must.

    Exit code: 1 where it does not.
    """
    if file.stat().st_size > CONTENT_BYTES_MAX:
        raise Unusable(f"{file} has more than {CONTENT_BYTES_MAX} bytes")
    with access_to(state) as access:
        request = pb.KeyRemittanceRequest(content=file.read_bytes())
        told = access.call("intake", _desk(access).KeyRemittance, request)
    if as_json:
        show_json(data_of(told))
    else:
        say(f"keyed as {told.keyed_id}; another person checks it: throughline remit check {told.keyed_id}")
    return Exit.OK


@ends_with_a_code
def check(
    keyed_id: KeyedArgument,
    payment: Annotated[str, typer.Option(help="The payment as it stands on the paper, such as 1250.00.")],
    claims: Annotated[int, typer.Option(min=0, help="How many claims stand on the paper.")],
    state: StateOption = None,
) -> Exit:
    """Check what another person keyed: say what stands on the paper.

    Exit code: 1 where it is not what was keyed, or you keyed it yourself.
    """
    with access_to(state) as access:
        request = pb.CheckRemittanceRequest(
            keyed_id=identity_in(keyed_id, "a keyed remittance"), payment=_amount(payment), claim_count=claims
        )
        access.call("intake", _desk(access).CheckRemittance, request)
    say("checked; it is received now as every remittance is")
    return Exit.OK


@ends_with_a_code
def turn_down(
    keyed_id: KeyedArgument,
    reason: Annotated[str, typer.Option(help="Why; it is kept for ever. No names of patients.")],
    state: StateOption = None,
) -> Exit:
    """Turn down what was keyed; it can be keyed anew."""
    with access_to(state) as access:
        identity = identity_in(keyed_id, "a keyed remittance")
        request = pb.TurnDownRemittanceRequest(keyed_id=identity, reason=reason)
        access.call("intake", _desk(access).TurnDownRemittance, request)
    say("turned down")
    return Exit.OK


@ends_with_a_code
def keyed(
    status: Annotated[str, typer.Option(help="Only keyed, checked, received or turned-down.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 100,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List what was keyed from paper, the newest first. The JSON is an object with the list `remittances`."""
    with access_to(state) as access:
        request = pb.ListKeyedRemittancesRequest(state=status, limit=limit)
        found = access.call("intake", _desk(access).ListKeyedRemittances, request)
    if as_json:
        show_json(data_of(found))
        return Exit.OK
    for each in found.remittances:
        paid = amount_text(money_of(each.payment))
        say(f"{each.keyed_id}  {each.state}  {each.payer}  {each.trace_number}  {paid} for {each.claim_count} claims")
        say(f"  keyed by {each.keyed_by}" + (f", decided by {each.checked_by}" if each.checked_by else ""))
    return Exit.OK


def _desk(access: Access) -> keyed_remittances_pb2_grpc.KeyedRemittanceServiceStub:
    return keyed_remittances_pb2_grpc.KeyedRemittanceServiceStub(access.channel("intake"))


def _amount(text: str) -> common_pb2.Money:
    try:
        return common_pb2.Money(minor=Money.of(text).minor)
    except ValueError:
        raise Unusable(f"{text} is no amount, such as 1250.00") from None
