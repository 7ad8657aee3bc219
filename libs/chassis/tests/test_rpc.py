"""gRPC end to end in one process: tokens and scopes checked, failures typed on both sides, deadlines kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from uuid import UUID, uuid4

import grpc
import pytest
from billing.operations.v1 import operations_pb2 as pb
from billing.operations.v1 import operations_pb2_grpc
from chassis.domain import Transient, Unavailable
from chassis.messaging.delivery import Delivery
from chassis.rpc import RemoteRefusal, channel_to
from chassis.rpc.operations import operations_service
from chassis.rpc.server import OPEN_SERVICES, GrpcService, make_server
from chassis.runtime.core import ServiceCore
from chassis.security.tokens import KEYS_FRESH_SECONDS, LEEWAY_SECONDS, Principal, TokenVerifier, Unauthenticated
from chassis.telemetry.correlation import caused_by, current_cause, incoming
from chassis.testing import FixedClock, context
from chassis.testing.sample_service import ANNOUNCER, NOTER, announce, memory_store
from grpc_health.v1 import health_pb2, health_pb2_grpc
from joserfc.jwk import KeySet, OctKey

from .noter import ISSUER, KEY, OTHER, Noter, Token, signed, status_of, verifier


@pytest.fixture
def noter() -> Iterator[Noter]:
    running = Noter()
    yield running
    running.running.server.stop(None).wait()


WRONG_TOKENS: list[tuple[str, Callable[[], str]]] = [
    ("empty", lambda: ""),
    ("garbage", lambda: "a.b.c"),
    ("another issuer", lambda: signed({"iss": "https://evil.test"})),
    ("another audience", lambda: signed({"aud": "somebody-else"})),
    ("no audience", lambda: signed({"aud": None})),
    ("too old", lambda: signed({"exp": int(time.time()) - 120})),
    ("no end", lambda: signed({"exp": None})),
    ("not yet", lambda: signed({"nbf": int(time.time()) + 600})),
    ("no access token", lambda: signed(header={"typ": "JWT"})),
    ("another key", lambda: signed(key=OTHER)),
    ("an unknown key", lambda: signed(header={"kid": "k2"}, key=OTHER)),
    ("a shared secret", lambda: signed(header={"alg": "HS256"}, key=OctKey.import_key(b"x" * 64))),
    ("no signature", lambda: unsigned()),
    ("oversize", lambda: signed({"scope": "x" * 9000})),
]


def unsigned() -> str:
    head, body, _ = signed().split(".")
    return f"eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{body}." if head else ""


@pytest.mark.parametrize("make", [make for _, make in WRONG_TOKENS], ids=[name for name, _ in WRONG_TOKENS])
def test_a_token_that_does_not_hold_is_refused(make: Callable[[], str]) -> None:
    with pytest.raises(Unauthenticated) as refused:
        verifier().verify(make())
    assert "eyJ" not in str(refused.value)


def test_a_valid_token_names_its_caller_and_scopes() -> None:
    assert verifier().verify(signed()) == Principal("anna", "console", frozenset({"claims.read", "claims.write"}))
    assert verifier().verify(signed({"sub": "console"})).actor == "service:console"
    assert verifier().verify(signed()).actor == "user:anna"


def test_a_new_signing_key_is_fetched_when_it_is_first_seen() -> None:
    now, known = 0.0, [KeySet([KEY]), KeySet([KEY, OTHER])]
    rotating = TokenVerifier("jwks", ISSUER, "throughline", fetch=lambda url: known.pop(0), monotonic=lambda: now)
    rotating.verify(signed())
    with pytest.raises(Unauthenticated):
        rotating.verify(signed(header={"kid": "k2"}, key=OTHER))
    now = 11.0
    assert rotating.verify(signed(header={"kid": "k2"}, key=OTHER)).subject == "anna"


def test_a_signature_is_computed_once_while_the_keys_are_fresh_and_the_times_are_looked_at_every_time() -> None:
    now, known = 0.0, [KeySet([KEY]), KeySet([OTHER])]
    rotating = TokenVerifier("jwks", ISSUER, "throughline", fetch=lambda url: known.pop(0), monotonic=lambda: now)
    token = signed({"exp": int(time.time()) + 1 - LEEWAY_SECONDS})
    lasting = signed()
    assert not rotating.remembers(lasting)
    assert rotating.verify(lasting) == rotating.verify(lasting)
    assert rotating.remembers(lasting)
    rotating.verify(token)
    time.sleep(2.1)
    with pytest.raises(Unauthenticated):
        rotating.verify(token)
    now = KEYS_FRESH_SECONDS + 1
    assert not rotating.remembers(lasting)
    with pytest.raises(Unauthenticated):
        rotating.verify(lasting)


def test_a_call_without_a_token_or_scope_is_refused(noter: Noter) -> None:
    request = pb.GetStatusRequest()
    assert status_of(lambda: noter.stub(None).GetStatus(request)) == "UNAUTHENTICATED"
    assert status_of(lambda: noter.stub(signed({"scope": "payments.read"})).GetStatus(request)) == "PERMISSION_DENIED"
    reader = noter.stub(signed({"scope": "claims.read"}))
    assert reader.GetStatus(request).service == "claims"
    assert status_of(lambda: reader.DismissCase(pb.DismissCaseRequest())) == "PERMISSION_DENIED"


def test_a_method_nobody_gave_a_scope_is_open_to_nobody() -> None:
    core = ServiceCore(NOTER, memory_store(NOTER), FixedClock(), {})
    service = operations_service(core)
    bare = make_server([GrpcService(service.name, service.add, {})], verifier(), host="127.0.0.1", port=0, threads=2)
    bare.server.start()
    stub = operations_pb2_grpc.OperationsServiceStub(channel_to(f"127.0.0.1:{bare.port}", Token(signed())))
    assert status_of(lambda: stub.GetStatus(pb.GetStatusRequest())) == "PERMISSION_DENIED"
    bare.server.stop(None).wait()


def test_health_is_open_and_follows_readiness(noter: Noter) -> None:
    stub = health_pb2_grpc.HealthStub(grpc.insecure_channel(f"127.0.0.1:{noter.running.port}"))
    for ready, wanted in ((True, "SERVING"), (False, "NOT_SERVING")):
        noter.running.serving(ready=ready)
        answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=5)
        assert health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status) == wanted
    assert "grpc.health.v1.Health" in OPEN_SERVICES


def test_the_status_says_how_far_the_service_is_behind(noter: Noter) -> None:
    stub = noter.stub(signed())
    assert stub.GetStatus(pb.GetStatusRequest()).backlog == 0
    (consumer,) = noter.consumers.values()
    consumer.backlog.took("noter-intake-g0", Delivery("subject", {}, b"", 1, behind=4), 2)
    assert stub.GetStatus(pb.GetStatusRequest()).backlog == 6


def test_a_request_that_does_not_parse_and_one_for_nothing_are_told_apart(noter: Noter) -> None:
    stub = noter.stub(signed())
    assert status_of(lambda: stub.GetCase(pb.GetCaseRequest(case_id="no-id"))) == "INVALID_ARGUMENT"
    assert status_of(lambda: stub.ListCases(pb.ListCasesRequest(limit=5000))) == "INVALID_ARGUMENT"
    assert status_of(lambda: stub.ListCases(pb.ListCasesRequest(state="odd"))) == "INVALID_ARGUMENT"
    with pytest.raises(RemoteRefusal) as missing:
        stub.GetCase(pb.GetCaseRequest(case_id=str(uuid4())))
    assert missing.value.code == "NotThere"


def test_a_history_shows_sealed_parts_as_sealed() -> None:
    store, patient = memory_store(ANNOUNCER), uuid4()
    announce(store, context(actor="user:anna"), [patient])
    core = ServiceCore(ANNOUNCER, store, FixedClock(), {})
    running = make_server([operations_service(core)], verifier(), host="127.0.0.1", port=0, threads=2)
    running.server.start()
    token = Token(signed({"scope": "intake.read"}))
    stub = operations_pb2_grpc.OperationsServiceStub(channel_to(f"127.0.0.1:{running.port}", token))
    history = stub.GetHistory(pb.GetHistoryRequest(aggregate_id=str(patient)))
    assert history.aggregate_type == "Announced"
    (event,) = history.events
    assert (event.version, event.topic, event.actor) == (1, "sample.announced.registered", "user:anna")
    assert json.loads(event.state_json) == {"details": "sealed"}
    running.server.stop(None).wait()


def test_the_cause_of_a_call_reaches_the_other_service(noter: Noter) -> None:
    noter.receive("refused.v1")
    stub = noter.stub(signed())
    (case,) = stub.ListCases(pb.ListCasesRequest()).cases
    correlation = UUID(int=99)
    with caused_by(incoming("user:bob", str(correlation), None)):
        stub.DismissCase(pb.DismissCaseRequest(case_id=case.case_id, reason="known and settled"))
    ended = noter.store.story(UUID(case.case_id))[-1]
    assert ended.meta.correlation_id == correlation
    assert ended.meta.actor == "user:anna"
    assert current_cause() is None


def test_a_server_that_is_away_or_slow_is_told_by_family(noter: Noter, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = operations_pb2_grpc.OperationsServiceStub(channel_to("127.0.0.1:1", Token(signed())))
    with pytest.raises(Unavailable):
        nobody.GetStatus(pb.GetStatusRequest())

    def slowly() -> int:
        time.sleep(0.5)
        return 0

    monkeypatch.setattr(noter.store, "last_position", slowly)
    slow = channel_to(f"127.0.0.1:{noter.running.port}", Token(signed()), deadline_seconds=0.1)
    with pytest.raises(Transient):
        operations_pb2_grpc.OperationsServiceStub(slow).GetStatus(pb.GetStatusRequest())


def test_a_bug_tells_the_caller_nothing(noter: Noter, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> int:
        raise RuntimeError("ZEBEDIAH-CANARY")

    monkeypatch.setattr(noter.store, "last_position", broken)
    with pytest.raises(grpc.RpcError) as failed:
        noter.stub(signed()).GetStatus(pb.GetStatusRequest())
    assert failed.value.code() is grpc.StatusCode.INTERNAL
    assert "CANARY" not in str(failed.value)
