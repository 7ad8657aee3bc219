"""`throughline remit ...`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

import typer
from billing.claims.v1 import claims_pb2, claims_pb2_grpc
from billing.payments.v1 import payments_pb2 as pb
from billing.payments.v1 import payments_pb2_grpc
from google.protobuf.message import Message

from throughline.connection import Access, StateOption, access_to
from throughline.outcome import Exit, NotFound, Unusable, ends_with_a_code
from throughline.remitting.keying_commands import add_keying
from throughline.remitting.matches import tell_matched, tell_unmatched, tell_unmatched_claim
from throughline.remitting.telling import tell_balance, tell_balances, tell_remittance, tell_remittances
from throughline.remitting.tying_commands import add_tying
from throughline.screen import JsonOption, show_json
from throughline.wire import as_uuid, data_of, identity_in

_Told = TypeVar("_Told", bound=Message)
LIMIT = 100
LIST_MAX = 1000
UNMATCHED_MAX = 500
LimitOption = Annotated[int, typer.Option(min=1, max=LIST_MAX, help="At most so many.")]
EntityOption = Annotated[str, typer.Option(help="Only this legal entity.")]
PayerOption = Annotated[str, typer.Option(help="Only this payer, by its code in master data.")]
RemittanceArgument = Annotated[
    str, typer.Argument(metavar="TRACE|ID", help="A trace number (TRN02) or a remittance's id.")
]
PositionArgument = Annotated[int, typer.Argument(metavar="POSITION", min=0, help="The payment's place in it, from 0.")]
ReasonOption = Annotated[str, typer.Option(help="How that is known; it is kept for ever. No names of patients.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")


@app.callback()
def remit() -> None:
    """Remittances of payers, and what stays open between payers and providers."""


@app.command()
@ends_with_a_code
def show(
    remittance: RemittanceArgument,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Show one remittance: its copies, its deposit, its provider-level adjustments and the items they moved.

    The JSON has remittance (null where no copy was accepted), receipts, deposit, provider_adjustments and provider_items.

    Exit code: 1 where there is none.
    """
    with access_to(state) as access:
        stub = payments_pb2_grpc.PaymentsServiceStub(access.channel("payments"))
        request = pb.GetRemittanceRequest(remittance_id=_remittance_id(access, remittance))
        told = access.call("payments", stub.GetRemittance, request)
    _show(told, tell_remittance, as_json)
    return Exit.OK


@app.command("list")
@ends_with_a_code
def list_remittances(
    entity: EntityOption = "",
    payer: PayerOption = "",
    waiting: Annotated[bool, typer.Option("--waiting", help="Only those whose deposit has not come.")] = False,
    limit: LimitOption = LIMIT,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List accepted remittances, the newest first. The JSON is an object with the list `remittances`."""
    request = pb.ListRemittancesRequest(entity=entity, payer=payer, only_without_deposit=waiting, limit=limit)
    with access_to(state) as access:
        stub = payments_pb2_grpc.PaymentsServiceStub(access.channel("payments"))
        found = access.call("payments", stub.ListRemittances, request)
    _show(found, tell_remittances, as_json)
    return Exit.OK


@app.command()
@ends_with_a_code
def balances(
    balance: Annotated[str, typer.Argument(metavar="[ID]", help="Tell this one whole.")] = "",
    entity: EntityOption = "",
    payer: PayerOption = "",
    provider: Annotated[str, typer.Option(help="Only this provider, as PLB01 names it.")] = "",
    only_open: Annotated[bool, typer.Option("--open", help="Only those with an open item.")] = False,
    limit: LimitOption = LIMIT,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Say what stays open between payers and providers: forwarded balances, recoupments put off, advances.

    The JSON is an object with the list `balances`, or for one of them with balance, items and adjustments.
    """
    with access_to(state) as access:
        stub = payments_pb2_grpc.PaymentsServiceStub(access.channel("payments"))
        if balance:
            one = pb.GetProviderBalanceRequest(balance_id=identity_in(balance, "a balance"))
            _show(access.call("payments", stub.GetProviderBalance, one), tell_balance, as_json)
            return Exit.OK
        many = pb.ListProviderBalancesRequest(
            entity=entity, payer=payer, provider=provider, only_open=only_open, limit=limit
        )
        _show(access.call("payments", stub.ListProviderBalances, many), tell_balances, as_json)
    return Exit.OK


@app.command()
@ends_with_a_code
def unmatched(
    entity: EntityOption = "",
    payer: PayerOption = "",
    limit: Annotated[int, typer.Option(min=1, max=UNMATCHED_MAX, help="At most so many.")] = LIMIT,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List the claim payments that wait as unapplied cash, the oldest first. The JSON has the list `payments`."""
    with access_to(state) as access:
        stub = claims_pb2_grpc.ClaimsServiceStub(access.channel("claims"))
        request = claims_pb2.ListUnmatchedPaymentsRequest(entity=entity, payer=payer, limit=limit)
        _show(access.call("claims", stub.ListUnmatchedPayments, request), tell_unmatched, as_json)
    return Exit.OK


@app.command("match")
@ends_with_a_code
def match_payment(
    remittance: RemittanceArgument,
    position: PositionArgument,
    claim: Annotated[str, typer.Argument(metavar="CLAIM|NUMBER", help="A claim's id or patient control number.")],
    reason: ReasonOption,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Give a payment that no claim holds to a claim. The JSON has `claim`, as it is afterwards.

    Exit code: 1 where a rule says no; a reversal must negate a decision on the claim.
    """
    with access_to(state) as access:
        stub = claims_pb2_grpc.ClaimsServiceStub(access.channel("claims"))
        request = claims_pb2.MatchClaimPaymentRequest(
            remittance_id=_remittance_id(access, remittance),
            position=position,
            claim_id=_claim_id(access, stub, claim),
            reason=reason,
        )
        _show(access.call("claims", stub.MatchClaimPayment, request), tell_matched, as_json)
    return Exit.OK


@app.command("unmatch")
@ends_with_a_code
def unmatch_payment(
    remittance: RemittanceArgument,
    position: PositionArgument,
    reason: ReasonOption,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Take a matched payment off its claim, so that it waits as unapplied cash again. The JSON has `claim`."""
    with access_to(state) as access:
        stub = claims_pb2_grpc.ClaimsServiceStub(access.channel("claims"))
        request = claims_pb2.UnmatchClaimPaymentRequest(
            remittance_id=_remittance_id(access, remittance), position=position, reason=reason
        )
        _show(access.call("claims", stub.UnmatchClaimPayment, request), tell_unmatched_claim, as_json)
    return Exit.OK


add_keying(app)
add_tying(app)


def _show(told: _Told, tell: Callable[[_Told], None], as_json: bool) -> None:
    if as_json:
        show_json(data_of(told))
    else:
        tell(told)


def _remittance_id(access: Access, wanted: str) -> str:
    """The id of a remittance by its id or trace number; two payers may use the same trace number."""
    if as_uuid(wanted) is not None:
        return identity_in(wanted, "a remittance")
    stub = payments_pb2_grpc.PaymentsServiceStub(access.channel("payments"))
    found = access.call("payments", stub.ListRemittances, pb.ListRemittancesRequest(trace_number=wanted)).remittances
    several = [f"{each.remittance_id} of {each.payer}" for each in found]
    _refuse_not_one(several, f"accepted remittance has the trace number {wanted}")
    return found[0].remittance_id


def _claim_id(access: Access, stub: claims_pb2_grpc.ClaimsServiceStub, wanted: str) -> str:
    if as_uuid(wanted) is not None:
        return identity_in(wanted, "a claim")
    request = claims_pb2.FindClaimRequest(patient_control_number=wanted)
    found = access.call("claims", stub.FindClaim, request).claims
    several = [f"{each.claim_id} of {each.payer}" for each in found]
    _refuse_not_one(several, f"claim has the patient control number {wanted}")
    return found[0].claim_id


def _refuse_not_one(found: Sequence[str], what: str) -> None:
    if not found:
        raise NotFound(f"no {what}")
    if len(found) > 1:
        raise Unusable(f"more than one {what}; say which: {', '.join(found)}")
