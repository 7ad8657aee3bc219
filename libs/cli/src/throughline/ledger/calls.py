"""The calls of the ledger adapter, through one access."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from billing.ledger.v1 import ledger_desk_pb2_grpc, ledger_pb2_grpc
from google.protobuf.message import Message

from throughline.connection import Access, access_to

_Answer = TypeVar("_Answer", bound=Message)


class Books:
    """Stubs of the services of the ledger adapter."""

    def __init__(self, access: Access) -> None:
        self._access = access
        channel = access.channel("ledger")
        self.ledger = ledger_pb2_grpc.LedgerServiceStub(channel)
        self.desk = ledger_desk_pb2_grpc.LedgerDeskServiceStub(channel)

    def ask(self, method: Callable[..., _Answer], request: Message) -> _Answer:
        """One call.

        Raises:
            Failure: what went wrong, in this command line's own terms.
        """
        return self._access.call("ledger", method, request)


@contextmanager
def books(state: Path | None) -> Iterator[Books]:
    """The calls of the suite of a state folder."""
    with access_to(state) as access:
        yield Books(access)
