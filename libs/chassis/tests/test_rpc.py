"""gRPC end to end in one process: tokens and scopes checked, failures typed on both sides, deadlines kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import grpc
import pytest
from billing.operations.v1 import operations_pb2 as pb
from billing.operations.v1 import operations_pb2_grpc
from chassis.domain import Transient, Unavailable
from chassis.eventstore import Work, transact
from chassis.eventstore.memory import MemoryEventStore
from chassis.exceptions import raise_case
from chassis.exceptions.guides import Action, CaseGuide
from chassis.messaging.delivery import Delivery
from chassis.messaging.relay import outgoing
from chassis.rpc import RemoteRefusal, channel_to
from chassis.rpc.operations import operations_service
from chassis.rpc.server import OPEN_SERVICES, GrpcService, make_server
from chassis.runtime.core import ServiceCore
from chassis.security.tokens import KEYS_FRESH_SECONDS, LEEWAY_SECONDS, Principal, TokenVerifier, Unauthenticated
from chassis.telemetry.correlation import caused_by, current_cause, incoming
from chassis.testing import FixedClock, context
from chassis.testing.sample_service import ANNOUNCER, NOTER, announce, memory_store, noting
from grpc_health.v1 import health_pb2, health_pb2_grpc
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

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


def status_of(call: Callable[[], Any]) -> str:
    with pytest.raises(grpc.RpcError) as refused:
        call()
    return str(refused.value.code().name)


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


def test_a_case_is_listed_retried_and_dismissed_with_typed_refusals(noter: Noter) -> None:
    noter.receive("refused.v1")
    stub = noter.stub(signed())
    (case,) = stub.ListCases(pb.ListCasesRequest(state="open")).cases
    assert (case.code, case.subject) == ("NeverWelcome", "patient-registered")
    with pytest.raises(RemoteRefusal) as still_no:
        stub.RetryCase(pb.RetryCaseRequest(case_id=case.case_id, reason="again"))
    assert still_no.value.code == "NeverWelcome"
    with pytest.raises(RemoteRefusal) as no_reason:
        stub.DismissCase(pb.DismissCaseRequest(case_id=case.case_id, reason="x"))
    assert no_reason.value.code == "ReasonMissing"
    asked = pb.DismissCaseRequest(case_id=case.case_id, reason="known and settled")
    proposed = stub.DismissCase(asked).case
    assert (proposed.state, proposed.dismissal_by, proposed.needs_second_person) == ("open", "user:anna", True)
    assert stub.GetStatus(pb.GetStatusRequest()).parked_messages == 1
    dismissed = noter.stub(signed({"sub": "ben"})).DismissCase(asked).case
    assert (dismissed.state, dismissed.actor) == ("dismissed", "user:ben")
    assert stub.GetStatus(pb.GetStatusRequest()).parked_messages == 0
    assert noter.woken >= 3


def test_a_case_without_a_message_is_retried_as_its_service_mends_such_a_case(noter: Noter) -> None:
    subject_id, stub = uuid4(), noter.stub(signed())
    case_id = noter.open_case("Mendable", subject_id)
    retried = stub.RetryCase(pb.RetryCaseRequest(case_id=case_id, reason="the cause is gone")).case
    assert (retried.state, noter.mended) == ("retried", [(subject_id, "the cause is gone")])


def test_a_case_without_a_message_that_nobody_can_mend_stays_open(noter: Noter) -> None:
    stub = noter.stub(signed())
    case_id = noter.open_case("Unmendable", uuid4())
    with pytest.raises(RemoteRefusal):
        stub.RetryCase(pb.RetryCaseRequest(case_id=case_id, reason="once more"))
    assert stub.GetCase(pb.GetCaseRequest(case_id=case_id)).case.state == "open"


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


def test_a_case_says_why_it_waits_and_what_may_be_done_about_it_with_its_own_ids(noter: Noter) -> None:
    subject_id = uuid4()
    case_id = noter.open_case("Loose", subject_id)
    case = noter.stub(signed()).GetCase(pb.GetCaseRequest(case_id=case_id)).case
    assert (case.means, case.needs_second_person) == ("Money that nobody claims.", True)
    assert list(case.evidence) == [f"throughline trace {subject_id}"]
    assert [(each.name, each.command, each.scope) for each in case.actions] == [
        ("match", f"throughline things match {subject_id} OWNER", "things.write"),
        ("assign", f"throughline exceptions assign {case_id} --owner WHO", "claims.write"),
        ("dismiss", f"throughline exceptions dismiss {case_id} --reason WHY", "claims.write"),
    ]


def test_a_case_is_due_on_the_day_that_the_outside_set_else_on_that_of_its_kind(noter: Noter) -> None:
    stub, day = noter.stub(signed()), noter.clock().date()
    told, kind = noter.open_case("Loose", uuid4(), due_on=date(2026, 12, 24)), noter.open_case("Loose", uuid4())
    assert stub.GetCase(pb.GetCaseRequest(case_id=told)).case.due_on == "2026-12-24"
    assert stub.GetCase(pb.GetCaseRequest(case_id=kind)).case.due_on == (day + timedelta(days=3)).isoformat()


def test_a_case_whose_retry_can_do_something_says_so(noter: Noter) -> None:
    noter.open_case("Mendable", uuid4())
    noter.receive("refused.v1")
    cases = noter.stub(signed()).ListCases(pb.ListCasesRequest()).cases
    assert all("retry" in [each.name for each in case.actions] for case in cases)
    assert len(cases) == 2


def test_a_case_is_given_to_somebody_and_found_by_its_owner(noter: Noter) -> None:
    stub, case_id = noter.stub(signed()), noter.open_case("Loose", uuid4())
    mine = stub.AssignCase(pb.AssignCaseRequest(case_id=case_id)).case
    assert (mine.state, mine.owner) == ("assigned", "user:anna")
    assert stub.AssignCase(pb.AssignCaseRequest(case_id=case_id, owner="cash-team")).case.owner == "cash-team"
    assert [case.case_id for case in stub.ListCases(pb.ListCasesRequest(owner="cash-team")).cases] == [case_id]
    assert list(stub.ListCases(pb.ListCasesRequest(owner="user:anna")).cases) == []
    with pytest.raises(RemoteRefusal) as nobody:
        stub.AssignCase(pb.AssignCaseRequest(case_id=case_id, owner="Ann Smith, room 4"))
    assert nobody.value.code == "NobodyNamed"
    reader = noter.stub(signed({"scope": "claims.read"}))
    assert status_of(lambda: reader.AssignCase(pb.AssignCaseRequest(case_id=case_id))) == "PERMISSION_DENIED"


def test_where_money_is_left_a_second_person_has_to_agree_to_a_dismissal(noter: Noter) -> None:
    anna, ben = noter.stub(signed()), noter.stub(signed({"sub": "ben"}))
    case_id = noter.open_case("Loose", uuid4())
    asked = pb.DismissCaseRequest(case_id=case_id, reason="the bank took it back")
    assert anna.DismissCase(asked).case.state == "open"
    with pytest.raises(RemoteRefusal) as herself:
        anna.DismissCase(asked)
    assert herself.value.code == "SecondPersonNeeded"
    case = ben.DismissCase(asked).case
    assert (case.state, case.actor, case.dismissal_by) == ("dismissed", "user:ben", "user:anna")
    assert list(case.actions) == []


def test_a_proposed_dismissal_is_off_once_somebody_works_the_case(noter: Noter) -> None:
    anna, ben = noter.stub(signed()), noter.stub(signed({"sub": "ben"}))
    case_id = noter.open_case("Loose", uuid4())
    asked = pb.DismissCaseRequest(case_id=case_id, reason="the bank took it back")
    anna.DismissCase(asked)
    assert ben.AssignCase(pb.AssignCaseRequest(case_id=case_id)).case.dismissal_by == ""
    assert ben.DismissCase(asked).case.state == "assigned"
    assert anna.DismissCase(asked).case.state == "dismissed"
