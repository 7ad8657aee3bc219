"""`throughline claim replace`, `void` and `coverage`: what people send to payers, and ask them, about one claim."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from billing.claims.v1 import claim_sending_pb2 as pb
from billing.claims.v1 import claims_pb2
from billing.common.v1 import common_pb2

from throughline.claiming.calls import ClaimArgument, Claiming, claiming_at
from throughline.connection import StateOption
from throughline.outcome import Exit, ends_with_a_code
from throughline.screen import Column, JsonOption, say, show_json, show_table
from throughline.wire import amount_text, data_of, money_of

ReasonOption = Annotated[str, typer.Option(help="Why; it is kept for ever. No names of patients.")]
PAYER_SECONDS = 30.0
_FACTS = (Column("fact"), Column("value", flexible=True))
_STANDING = {"yes": "is active", "no": "is not active", "unknown": "is unknown to the payer"}


@ends_with_a_code
def replace(
    claim_id: ClaimArgument, reason: ReasonOption, state: StateOption = None, as_json: JsonOption = False
) -> Exit:
    """Send a claim again in the place of what its payer has (frequency 7). The JSON is the claim.

    Exit code: 1 where the payer has not taken it, or never told its own number of it.
    """
    return _sent_again(Claiming.replace, "a replacement", claim_id, reason, state, as_json=as_json)


@ends_with_a_code
def void(claim_id: ClaimArgument, reason: ReasonOption, state: StateOption = None, as_json: JsonOption = False) -> Exit:
    """Ask the payer to void what it has of a claim (frequency 8); it is not replaced any more. The JSON is the claim.

    Exit code: 1 where the payer has not taken it, or never told its own number of it.
    """
    return _sent_again(Claiming.void, "a void", claim_id, reason, state, as_json=as_json)


@ends_with_a_code
def coverage(
    claim_id: ClaimArgument,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask the payer now, whatever it said before.")] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Say what the payer says of the coverage of a claim's patient, on the claim's first day. Nobody is named.

    The JSON has active, plan, the amounts, rejections, and where it is from: asked_at, trace, clearinghouse, digests.

    Exit code: 1 where the coverage is not known to be active, or the payer answers nothing in real time.
    """
    with claiming_at(state, deadline_seconds=PAYER_SECONDS) as claiming:
        told = claiming.coverage(claiming.claim_id(claim_id), refresh=refresh)
    if as_json:
        show_json(data_of(told))
    else:
        say(f"The coverage with {told.payer} on {told.service_date} {_STANDING[told.active]}.", style="bold")
        show_table(_FACTS, [[name, value] for name, value in _facts(told) if value])
    return Exit.OK if told.active == "yes" else Exit.REFUSED


def _sent_again(
    send: Callable[[Claiming, str, str], claims_pb2.Claim],
    what: str,
    claim_id: str,
    reason: str,
    state: Path | None,
    *,
    as_json: bool,
) -> Exit:
    with claiming_at(state) as claiming:
        claim = send(claiming, claiming.claim_id(claim_id), reason)
    if as_json:
        show_json(data_of(claim))
    else:
        say(
            f"Claim {claim.patient_control_number} is {claim.state}: {what} leaves with the next interchange to {claim.payer}."
        )
    return Exit.OK


def _facts(told: pb.Coverage) -> Iterator[tuple[str, str]]:
    yield "plan", told.plan
    for name in ("deductible", "deductible_left", "copay"):
        amount: common_pb2.Money = getattr(told, name)
        yield name.replace("_", " "), amount_text(money_of(amount)) if told.HasField(name) else ""
    yield "coinsurance", f"{told.coinsurance_percent}%" if told.coinsurance_percent else ""
    yield "not answered, code", ", ".join(told.rejections)
    yield "asked", f"{told.asked_at} of {told.clearinghouse}, trace {told.trace}{', just now' if told.is_fresh else ''}"
