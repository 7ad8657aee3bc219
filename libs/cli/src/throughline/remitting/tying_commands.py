"""`throughline remit tie`: deposits and remittances that a person ties."""

from __future__ import annotations

from typing import Annotated

import typer
from billing.payments.v1 import payments_pb2 as pb
from billing.payments.v1 import payments_pb2_grpc

from throughline.connection import StateOption, access_to
from throughline.outcome import Exit, ends_with_a_code
from throughline.screen import say
from throughline.wire import identity_in


def add_tying(app: typer.Typer) -> None:
    """Puts the command among those of remittances."""
    app.command()(tie)


@ends_with_a_code
def tie(
    deposit: Annotated[
        list[str], typer.Option(metavar="DEPOSIT", help="The deposit's id; several for one remittance.")
    ],
    remittance: Annotated[
        list[str], typer.Option(metavar="REMITTANCE", help="The remittance's id; several for one deposit.")
    ],
    state: StateOption = None,
) -> Exit:
    """Tie deposits and remittances that belong together, whole and to the cent.

    Exit code: 1 where they do not come to the same, or are tied already.
    """
    request = pb.TieDepositsRequest(
        deposit_ids=[identity_in(each, "a deposit") for each in deposit],
        remittance_ids=[identity_in(each, "a remittance") for each in remittance],
    )
    with access_to(state) as access:
        stub = payments_pb2_grpc.PaymentsServiceStub(access.channel("payments"))
        access.call("payments", stub.TieDeposits, request)
    say("tied")
    return Exit.OK
