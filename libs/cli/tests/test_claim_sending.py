"""`throughline claim replace`, `void` and `coverage`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from billing.claims.v1 import claim_sending_pb2 as pb
from billing.claims.v1 import claims_pb2
from billing.common.v1 import common_pb2
from throughline.main import app
from typer.testing import CliRunner

CLAIM = "3f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
SENDING = "billing.claims.v1.ClaimSendingService"
READY = claims_pb2.Claim(claim_id=CLAIM, patient_control_number="T1", state="ready", payer="ACME")
ACTIVE = pb.Coverage(
    payer="ACME",
    service_date="2026-03-02",
    active="yes",
    plan="GOLD 1500",
    deductible=common_pb2.Money(minor=150_000, currency="USD"),
    coinsurance_percent="20",
    asked_at="2026-03-02T09:00:00+00:00",
    trace="000000003-1",
    clearinghouse="swift",
)
UNKNOWN = pb.Coverage(payer="ACME", service_date="2026-03-02", active="unknown", rejections=["75"])
Serve = Callable[..., Path]


class Desk:
    """Answers like claims, and remembers what was asked for."""

    def __init__(self, serve: Serve, runner: CliRunner, coverage: pb.Coverage = ACTIVE) -> None:
        self.asked: list[Any] = []
        self._runner = runner
        self._state = serve(
            {
                f"{SENDING}/ReplaceClaim": (pb.ReplaceClaimRequest, self._keep(pb.ReplaceClaimResponse(claim=READY))),
                f"{SENDING}/VoidClaim": (pb.VoidClaimRequest, self._keep(pb.VoidClaimResponse(claim=READY))),
                f"{SENDING}/VerifyCoverage": (
                    pb.VerifyCoverageRequest,
                    self._keep(pb.VerifyCoverageResponse(coverage=coverage)),
                ),
            }
        )

    def run(self, *arguments: str) -> Any:
        return self._runner.invoke(app, ["claim", *arguments, "--state", str(self._state)])

    def _keep(self, answer: Any) -> Callable[[Any, grpc.ServicerContext], Any]:
        def keep(request: Any, context: grpc.ServicerContext) -> Any:
            self.asked.append(request)
            return answer

        return keep


@pytest.mark.parametrize(
    ("command", "request_", "words"),
    [
        ("replace", pb.ReplaceClaimRequest(claim_id=CLAIM, reason="wrong modifier"), "a replacement leaves"),
        ("void", pb.VoidClaimRequest(claim_id=CLAIM, reason="wrong modifier"), "a void leaves"),
    ],
)
def test_a_claim_is_sent_again_for_a_reason(
    serve: Serve, runner: CliRunner, command: str, request_: object, words: str
) -> None:
    desk = Desk(serve, runner)

    told = desk.run(command, CLAIM, "--reason", "wrong modifier")

    assert (told.exit_code, desk.asked) == (0, [request_])
    assert words in " ".join(told.stdout.split())
    assert json.loads(desk.run(command, CLAIM, "--reason", "wrong modifier", "--json").stdout)["state"] == "ready"


@pytest.mark.parametrize("command", ["replace", "void"])
def test_nothing_is_sent_again_without_a_reason(serve: Serve, runner: CliRunner, command: str) -> None:
    desk = Desk(serve, runner)
    assert desk.run(command, CLAIM).exit_code == 2
    assert desk.asked == []


def test_active_coverage_is_told_with_what_is_left_to_pay_and_where_it_is_from(serve: Serve, runner: CliRunner) -> None:
    desk = Desk(serve, runner)

    told = desk.run("coverage", CLAIM, "--refresh")

    assert (told.exit_code, desk.asked) == (0, [pb.VerifyCoverageRequest(claim_id=CLAIM, refresh=True)])
    for words in ("is active", "GOLD 1500", "1500.00", "20%", "000000003-1"):
        assert words in told.stdout.replace(",", "")
    assert "copay" not in told.stdout


def test_coverage_that_the_payer_does_not_know_ends_with_one(serve: Serve, runner: CliRunner) -> None:
    desk = Desk(serve, runner, UNKNOWN)

    told = desk.run("coverage", CLAIM)

    assert told.exit_code == 1
    assert "unknown to the payer" in told.stdout
    assert "75" in told.stdout
