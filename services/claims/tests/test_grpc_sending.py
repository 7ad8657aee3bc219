"""The calls of `ClaimSendingService`, over a real connection."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from billing.claims.v1 import claim_sending_pb2 as pb
from billing.claims.v1 import claim_sending_pb2_grpc
from chassis.domain import Unavailable
from chassis.rpc import RemoteRefusal
from claims.adapters.grpc_sending import claim_sending_service
from claims.application.verifying_coverage import CoverageChecks

from .door import Door, serving
from .inquiry_world import SWIFT, AskingClaims, acme
from .world import charged, chunk, claim_id, paid

REASON = "the wrong modifier"


Stub = claim_sending_pb2_grpc.ClaimSendingServiceStub


@pytest.fixture
def asking() -> AskingClaims:
    """One decided claim (1), one that only left (2), and one of a payer without real time (3)."""
    asking = AskingClaims(acme(transport=SWIFT), members=("M000001",))
    asking.service.submitted(1, 2)
    asking.service.receive(charged(3, payer="BLUEOAK"))
    asking.service.receive(chunk(paid(1)))
    return asking


@pytest.fixture
def door(asking: AskingClaims) -> Iterator[Door[Stub]]:
    checks = CoverageChecks(asking.questions())
    with serving(asking.service, claim_sending_service(asking.service.core, checks), Stub) as opened:
        yield opened


@pytest.fixture
def stub(door: Door[Stub]) -> Stub:
    return door.calling_as("writer")


def test_a_replacement_leaves_with_the_next_interchange_in_the_name_of_who_asked(
    asking: AskingClaims, stub: Stub
) -> None:
    answer = stub.ReplaceClaim(pb.ReplaceClaimRequest(claim_id=str(claim_id(1)), reason=REASON))

    assert answer.claim.state == "ready"
    last = asking.service.store.log(asking.service.store.last_position() - 1, 1)[0].event
    assert last.meta.actor == "user:writer"
    asking.service.sweep()
    assert b"*11:B:7*" in asking.transport.files["000000002.x12"]


def test_a_void_leaves_and_nothing_replaces_it_any_more(asking: AskingClaims, stub: Stub) -> None:
    stub.VoidClaim(pb.VoidClaimRequest(claim_id=str(claim_id(1)), reason=REASON))
    asking.service.sweep()
    assert b"*11:B:8*" in asking.transport.files["000000002.x12"]

    with pytest.raises(RemoteRefusal) as refusal:
        stub.ReplaceClaim(pb.ReplaceClaimRequest(claim_id=str(claim_id(1)), reason=REASON))
    assert refusal.value.code == "NotAtThePayer"


def test_what_no_payer_has_is_not_replaced(stub: Stub) -> None:
    with pytest.raises(RemoteRefusal) as refusal:
        stub.ReplaceClaim(pb.ReplaceClaimRequest(claim_id=str(claim_id(2)), reason=REASON))
    assert refusal.value.code == "NotAtThePayer"


def test_coverage_comes_with_where_it_is_from(stub: Stub) -> None:
    first = stub.VerifyCoverage(pb.VerifyCoverageRequest(claim_id=str(claim_id(1)))).coverage
    again = stub.VerifyCoverage(pb.VerifyCoverageRequest(claim_id=str(claim_id(1)))).coverage

    assert (first.active, first.plan, first.copay.minor, first.coinsurance_percent) == ("yes", "GOLD 1500", 2_500, "20")
    assert (first.deductible.minor, first.deductible_left.minor) == (150_000, 62_050)
    assert (first.is_fresh, again.is_fresh, again.trace) == (True, False, first.trace)
    assert (first.clearinghouse, len(first.question_digest), len(first.answer_digest)) == (SWIFT, 64, 64)


def test_of_several_claims_each_has_its_result_and_unknown_amounts_are_absent(
    stub: Stub,
) -> None:
    ids = [str(claim_id(number)) for number in (2, 3, 9)]
    found = stub.VerifyCoverages(pb.VerifyCoveragesRequest(claim_ids=ids)).results

    assert [each.claim_id for each in found] == ids
    assert [each.code for each in found] == ["", "NoRealTimeWay", "UnknownAggregate"]
    assert (found[0].coverage.active, list(found[0].coverage.rejections)) == ("unknown", ["75"])
    assert not found[0].coverage.HasField("copay")
    assert not found[1].HasField("coverage")


def test_a_clearinghouse_that_is_away_is_told_as_such(asking: AskingClaims, stub: Stub) -> None:
    asking.exchange.is_away = True
    with pytest.raises(Unavailable):
        stub.VerifyCoverage(pb.VerifyCoverageRequest(claim_id=str(claim_id(1))))


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("ReplaceClaim", pb.ReplaceClaimRequest(claim_id="nonsense", reason=REASON)),
        ("ReplaceClaim", pb.ReplaceClaimRequest(claim_id=str(claim_id(1)), reason="why")),
        ("VoidClaim", pb.VoidClaimRequest(claim_id=str(claim_id(1)))),
        ("VerifyCoverage", pb.VerifyCoverageRequest(claim_id="nonsense")),
        ("VerifyCoverages", pb.VerifyCoveragesRequest()),
        ("VerifyCoverages", pb.VerifyCoveragesRequest(claim_ids=[str(claim_id(1))] * 2)),
        ("VerifyCoverages", pb.VerifyCoveragesRequest(claim_ids=[str(claim_id(number)) for number in range(26)])),
    ],
)
def test_a_bad_request_is_refused_by_its_field(stub: Stub, method: str, request_: object) -> None:
    with pytest.raises(grpc.RpcError, match="INVALID_ARGUMENT"):
        getattr(stub, method)(request_)


@pytest.mark.parametrize("method", ["ReplaceClaim", "VoidClaim", "VerifyCoverage", "VerifyCoverages"])
def test_who_may_only_read_sends_and_asks_nothing(door: Door[Stub], method: str) -> None:
    request = getattr(pb, f"{method}Request")()
    with pytest.raises(grpc.RpcError, match=r"claims\.write"):
        getattr(door.calling_as("reader"), method)(request)
