"""The sample service's operations behind a real gRPC server, and the tokens that open it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
from billing.operations.v1 import operations_pb2_grpc
from chassis.eventstore import Work, transact
from chassis.eventstore.memory import MemoryEventStore
from chassis.exceptions import raise_case
from chassis.exceptions.guides import Action, CaseGuide
from chassis.messaging.delivery import Delivery
from chassis.messaging.relay import outgoing
from chassis.rpc import channel_to
from chassis.rpc.operations import operations_service
from chassis.rpc.server import make_server
from chassis.runtime.core import ServiceCore
from chassis.security.tokens import TokenVerifier
from chassis.testing import FixedClock, context
from chassis.testing.sample_service import ANNOUNCER, NOTER, announce, memory_store, noting
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

ISSUER = "https://issuer.test"
KEY = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig"})
OTHER = ECKey.generate_key("P-256", {"kid": "k2"})
ALL = "claims.read claims.write"
MATCH = Action("match", "Say whose it is.", "throughline things match {subject} OWNER", "things.write")
GUIDES = {
    "Loose": CaseGuide(
        "Money that nobody claims.", ("throughline trace {subject}",), (MATCH,), within_days=3, by_two=True
    ),
}


def signed(claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None, key: Any = KEY) -> str:
    now = int(time.time())
    body = {"iss": ISSUER, "aud": "throughline", "sub": "anna", "client_id": "console", "exp": now + 60, "scope": ALL}
    head = {"alg": "ES256", "typ": "at+jwt", "kid": "k1"}
    return jwt.encode(head | (header or {}), body | (claims or {}), key, algorithms=["ES256", "HS256"])


def verifier() -> TokenVerifier:
    return TokenVerifier("jwks", ISSUER, "throughline", fetch=lambda url: KeySet([KEY]))


@dataclass
class Token:
    text: str

    def token(self) -> str:
        return self.text


class Noter:
    """The noter's operations behind a real gRPC server."""

    def __init__(self) -> None:
        self.store = memory_store(NOTER)
        self.clock = FixedClock()
        self.consumers = noting(self.store, self.clock)
        self.mended: list[tuple[UUID, str]] = []
        shape = replace(NOTER, guides=GUIDES)
        core = ServiceCore(shape, self.store, self.clock, self.consumers, mending={"Mendable": self.mend})
        self.woken = 0
        self.running = make_server(
            [operations_service(core)], verifier(), host="127.0.0.1", port=0, threads=4, after_call=self.wake
        )
        self.running.server.start()

    def mend(self, work: Work, subject_id: UUID, reason: str) -> None:
        self.mended.append((subject_id, reason))

    def open_case(self, code: str, subject_id: UUID, due_on: date | None = None) -> str:
        """A case that no message is parked for."""

        def decide(work: Work) -> UUID:
            return raise_case(
                work, uuid4(), code=code, summary="odd", subject="thing", subject_id=subject_id, due_on=due_on
            )

        return str(transact(self.store, context(), decide))

    def wake(self) -> None:
        self.woken += 1

    def stub(self, token: str | None) -> operations_pb2_grpc.OperationsServiceStub:
        source = None if token is None else Token(token)
        return operations_pb2_grpc.OperationsServiceStub(channel_to(f"127.0.0.1:{self.running.port}", source))

    def receive(self, kind: str) -> None:
        source: MemoryEventStore = memory_store(ANNOUNCER)
        announce(source, context(), [uuid4()], kind=kind)
        (entry,) = source.log(0, 10)
        (event,) = ANNOUNCER.publishing(entry.event)
        message = outgoing("intake", entry, event, 0)
        self.consumers["intake"].handle([Delivery(message.subject, message.headers, message.data)])


def status_of(call: Callable[[], Any]) -> str:
    with pytest.raises(grpc.RpcError) as refused:
        call()
    return str(refused.value.code().name)
