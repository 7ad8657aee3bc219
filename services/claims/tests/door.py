"""The service behind a real gRPC door, and callers with their scopes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import grpc
from chassis.rpc import GrpcService, channel_to, make_server
from chassis.security.tokens import Principal, Unauthenticated

from .world import ClaimsUnderTest

_Stub = TypeVar("_Stub")
SCOPES: Mapping[str, frozenset[str]] = {
    "reader": frozenset({"claims.read"}),
    "writer": frozenset({"claims.read", "claims.write"}),
    "ann": frozenset({"claims.read", "claims.write"}),
    "ben": frozenset({"claims.read", "claims.write"}),
    "auditor": frozenset({"claims.read", "claims.raw.read"}),
}


class KnownTokens:
    """Each caller's token is the name; nobody else is known."""

    def verify(self, token: str) -> Principal:
        if token not in SCOPES:
            raise Unauthenticated("unknown token")
        return Principal(token, "console", SCOPES[token])


@dataclass(frozen=True)
class Token:
    name: str

    def token(self) -> str:
        return self.name


@dataclass(frozen=True)
class Door(Generic[_Stub]):
    """The service and how to call it."""

    service: ClaimsUnderTest
    port: int
    stub: Callable[[grpc.Channel], _Stub]

    def calling_as(self, name: str) -> _Stub:
        return self.stub(channel_to(f"127.0.0.1:{self.port}", Token(name)))


@contextmanager
def serving(
    service: ClaimsUnderTest, served: GrpcService, stub: Callable[[grpc.Channel], _Stub]
) -> Iterator[Door[_Stub]]:
    server = make_server([served], KnownTokens(), host="127.0.0.1", port=0, threads=2)
    server.server.start()
    yield Door(service, server.port, stub)
    server.server.stop(None).wait()
