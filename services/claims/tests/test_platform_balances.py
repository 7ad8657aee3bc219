"""What platforms hold to be open: compared in turn, summed by platform, and asked for by gRPC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import grpc
import pytest
from billing.claims.v1 import claims_pb2 as pb
from billing.claims.v1 import claims_pb2_grpc
from canonical.events.intake import PlatformBalanceReported
from canonical.ids import derive
from canonical.money import Money
from claims.adapters.grpc import claims_service
from claims.application import comparing_balances
from claims.application.comparing_balances import BalanceComparing
from claims.application.following import DecisionFollowing
from claims.application.platform_read_models import AGREES, DIFFERS, PLATFORM_BALANCES, WAITING

from .door import Door, serving
from .world import EDITS, MASTER_DATA, ClaimsUnderTest, charged, chunk, claim_id, control_number, paid, status

PLATFORM = "northstar"
CHARGED = Money.of("250.00")


def balance(number: int, theirs: str, day: int = 21) -> PlatformBalanceReported:
    return PlatformBalanceReported(
        message_id=derive("test-report", day),
        platform=PLATFORM,
        patient_control_number=control_number(number),
        balance=Money.of(theirs),
        as_of=date(2026, 3, day),
    )


def with_balances(*balances: PlatformBalanceReported, claims: int = 3) -> ClaimsUnderTest:
    service = ClaimsUnderTest()
    service.receive(*(charged(number) for number in range(1, claims + 1)))
    service.receive(*balances)
    return service


def compared(service: ClaimsUnderTest) -> ClaimsUnderTest:
    service.clock.advance(minutes=2)
    service.sweep()
    return service


def states(service: ClaimsUnderTest) -> dict[object, object]:
    return {row["claim_id"]: row["state"] for row in service.store.rows(PLATFORM_BALANCES, {})}


@pytest.fixture
def door() -> Iterator[Door[claims_pb2_grpc.ClaimsServiceStub]]:
    service = compared(with_balances(balance(1, "250.00"), balance(2, "12.00")))
    service.receive(balance(3, "250.00", 22), balance(2, "250.00", 22))
    served = claims_service(service.core, EDITS, DecisionFollowing(MASTER_DATA))
    with serving(service, served, claims_pb2_grpc.ClaimsServiceStub) as opened:
        yield opened


def test_the_sums_of_a_platform_are_of_the_last_comparisons_until_the_next(
    door: Door[claims_pb2_grpc.ClaimsServiceStub],
) -> None:
    stub = door.calling_as("reader")
    (found,) = stub.GetSubledgerBalances(pb.GetSubledgerBalancesRequest(entity="NORTH")).platforms
    assert (found.platform, found.claims, found.differing, found.waiting) == (PLATFORM, 3, 0, 2)
    assert (found.ours.minor, found.theirs.minor) == (50_000, 26_200)
    compared(door.service)
    (found,) = stub.GetSubledgerBalances(pb.GetSubledgerBalancesRequest(entity="NORTH")).platforms
    assert (found.ours.minor, found.theirs.minor, found.waiting) == (75_000, 75_000, 0)


def test_balances_are_listed_by_state_with_both_sides_and_their_report(
    door: Door[claims_pb2_grpc.ClaimsServiceStub],
) -> None:
    stub = door.calling_as("reader")
    waiting = stub.ListPlatformBalances(pb.ListPlatformBalancesRequest(platform=PLATFORM, state=WAITING)).balances
    (found,) = [each for each in waiting if each.claim_id == str(claim_id(2))]
    assert (found.reported.minor, found.theirs.minor, found.ours.minor) == (25_000, 1_200, 25_000)
    assert (found.message_id, found.as_of) == (str(derive("test-report", 22)), "2026-03-22")
    with pytest.raises(grpc.RpcError, match="waiting, differs, agrees"):
        stub.ListPlatformBalances(pb.ListPlatformBalancesRequest(state="odd"))


def test_balances_that_differ_for_long_keep_no_new_one_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing_balances, "COMPARED_PER_RUN_MAX", 2)
    service = compared(with_balances(*(balance(number, "1.00") for number in (1, 2, 3)), claims=4))
    service.receive(balance(4, "250.00"))
    compared(service)
    assert states(service)[claim_id(4)] == AGREES


def test_every_balance_that_differs_is_compared_again_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing_balances, "COMPARED_PER_RUN_MAX", 1)
    service = with_balances(*(balance(number, "0.00") for number in (1, 2, 3)))
    comparing = BalanceComparing(service.store, service.clock)
    service.clock.advance(minutes=2)
    for _ in range(3):
        comparing.run()
    assert set(states(service).values()) == {DIFFERS}
    service.sweep()
    service.receive(status(1), status(2), status(3))
    service.receive(chunk(*(paid(number, number - 1) for number in (1, 2, 3))))
    for _ in range(4):
        comparing.run()
    assert set(states(service).values()) == {AGREES}
