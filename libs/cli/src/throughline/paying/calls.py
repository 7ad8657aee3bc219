"""The calls about patients' money, and the options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar
from uuid import uuid4

import typer
from billing.payments.v1 import (
    account_work_pb2_grpc,
    gateway_orders_pb2_grpc,
    patient_accounts_pb2_grpc,
    patient_payments_pb2_grpc,
    payer_overpayments_pb2_grpc,
    payments_pb2_grpc,
)
from google.protobuf.message import Message

from throughline.connection import Access, access_to
from throughline.screen import show_json
from throughline.wire import data_of

LIST_MAX = 5000
LIMIT = 100
LimitOption = Annotated[int, typer.Option(min=1, max=LIST_MAX, help="At most so many.")]
EntityOption = Annotated[str, typer.Option(help="Only this legal entity.")]
KeyOption = Annotated[
    str, typer.Option(help="Your own name of this, so that asking twice does it once; else one is made and shown.")
]
AsOfOption = Annotated[
    str, typer.Option("--as-of", metavar="DAY", help="Only facts up to this business date, ISO 8601.")
]
KnownAtOption = Annotated[
    str,
    typer.Option(
        "--known-at", metavar="INSTANT", help="Only facts recorded by then, such as 2026-03-02T09:00:00+00:00."
    ),
]

_Answer = TypeVar("_Answer", bound=Message)


class PatientMoney:
    """Stubs of the services of payments, through one access."""

    def __init__(self, access: Access) -> None:
        self._access = access
        channel = access.channel("payments")
        self.payments = payments_pb2_grpc.PaymentsServiceStub(channel)
        self.accounts = patient_accounts_pb2_grpc.PatientAccountsServiceStub(channel)
        self.work = account_work_pb2_grpc.AccountWorkServiceStub(channel)
        self.overpayments = payer_overpayments_pb2_grpc.PayerOverpaymentsServiceStub(channel)
        self.orders = gateway_orders_pb2_grpc.GatewayOrdersServiceStub(channel)
        self.patients = patient_payments_pb2_grpc.PatientPaymentsServiceStub(channel)

    def ask(self, method: Callable[..., _Answer], request: Message) -> _Answer:
        """One call.

        Raises:
            Failure: what went wrong, in this command line's own terms.
        """
        return self._access.call("payments", method, request)


@contextmanager
def patient_money(state: Path | None) -> Iterator[PatientMoney]:
    """The calls of the suite of a state folder."""
    with access_to(state) as access:
        yield PatientMoney(access)


def key_or_new(given: str) -> str:
    """The caller's own name of a request, or a new one."""
    return given or str(uuid4())


def show(told: _Answer, tell: Callable[[_Answer], None], as_json: bool) -> None:
    """An answer as data or in words."""
    if as_json:
        show_json(data_of(told))
    else:
        tell(told)
