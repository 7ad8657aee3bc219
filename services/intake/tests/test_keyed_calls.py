"""The calls of `billing.intake.v1.KeyedRemittanceService`, over a real connection."""

from __future__ import annotations

import json
from collections.abc import Iterator

import grpc
import pytest
from billing.common.v1 import common_pb2
from billing.intake.v1 import keyed_remittances_pb2 as pb
from billing.intake.v1 import keyed_remittances_pb2_grpc
from chassis.rpc import RemoteRefusal, channel_to, make_server
from intake.adapters.grpc_keyed import keyed_remittance_service

from .callers import KnownTokens, Token
from .keyed_examples import CONTENT
from .world import IntakeUnderTest

SCOPES = {
    "ada": {"intake.read", "intake.write", "payments.approve"},
    "ben": {"intake.read", "payments.approve"},
}
RAW = CONTENT.model_dump_json().encode()
PAYMENT = common_pb2.Money(minor=8000, currency="USD")


class Desk:
    def __init__(self) -> None:
        self.service = IntakeUnderTest()
        assert self.service.intake.keying is not None
        services = [keyed_remittance_service(self.service.intake.core, self.service.intake.keying)]
        self.server = make_server(services, KnownTokens(SCOPES), host="127.0.0.1", port=0, threads=4)
        self.server.server.start()

    def calling_as(self, name: str) -> keyed_remittances_pb2_grpc.KeyedRemittanceServiceStub:
        channel = channel_to(f"127.0.0.1:{self.server.port}", Token(name))
        return keyed_remittances_pb2_grpc.KeyedRemittanceServiceStub(channel)


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    try:
        yield made
    finally:
        made.server.server.stop(None)


def test_two_people_bring_a_remittance_from_paper_on_its_way(desk: Desk) -> None:
    keyed_id = desk.calling_as("ada").KeyRemittance(pb.KeyRemittanceRequest(content=RAW)).keyed_id
    checked = pb.CheckRemittanceRequest(keyed_id=keyed_id, payment=PAYMENT, claim_count=1)
    with pytest.raises(RemoteRefusal, match="another person checks it"):
        desk.calling_as("ada").CheckRemittance(checked)
    desk.calling_as("ben").CheckRemittance(checked)
    desk.service.sweep()
    (told,) = desk.calling_as("ben").ListKeyedRemittances(pb.ListKeyedRemittancesRequest()).remittances
    assert (told.state, told.trace_number, told.payment.minor) == ("received", "CHECK 4711", 8000)
    assert told.keyed_by != told.checked_by
    assert told.message_id


def test_who_may_not_key_is_refused(desk: Desk) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        desk.calling_as("ben").KeyRemittance(pb.KeyRemittanceRequest(content=RAW))
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "no JSON"),
        (b"[]", "content"),
        (b'{"payer": "ACME"}', "trace_number: missing"),
        (json.dumps(json.loads(RAW) | {"payment": 80.0}).encode(), "payment"),
        (b'{"a": "' + b"x" * 1_000_000 + b'"}', "at most"),
    ],
)
def test_what_is_no_remittance_is_refused_with_the_field(desk: Desk, content: bytes, told: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        desk.calling_as("ada").KeyRemittance(pb.KeyRemittanceRequest(content=content))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert told in (refused.value.details() or "")
