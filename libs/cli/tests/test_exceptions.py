"""`throughline exceptions`: one queue over all services, worked from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

import grpc
import pytest
from billing.common.v1 import common_pb2
from billing.operations.v1 import operations_pb2 as pb
from canonical.money import Money
from chassis.rpc.errors import WireError
from google.protobuf.message import Message
from throughline.connection import SERVICES, Service
from throughline.main import app
from throughline.operations.cases import Case, Wanted, age, find, gather
from throughline.outcome import NotFound, Unreachable, Unusable
from typer.testing import CliRunner

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SPACE = UUID("1d4f5d6c-0000-5000-8000-000000000000")
Serve = Callable[..., Path]


def case(service: Service, number: int, *, state: str = "open", amount: Money | None = None) -> Case:
    return Case(
        service=service,
        case_id=str(uuid5(SPACE, f"{service}{number}")),
        state=state,
        code="UnmappedAdjustment",
        summary="no posting rule for OA-23",
        subject="remittance",
        subject_id=str(uuid5(SPACE, "subject")),
        message_id="",
        entity="NORTH",
        amount=amount,
        owner="",
        reason="",
        actor="",
        raised_at=f"2026-06-01T11:{number:02d}:00+00:00",
        ended_at="",
    )


class FakeDesk:
    """The exceptions of services in memory; those in `down` do not answer."""

    def __init__(self, *cases: Case, down: Sequence[Service] = ()) -> None:
        self.cases = cases
        self.down = down

    def list(self, service: Service, wanted: Wanted) -> Sequence[Case]:
        self._refuse_down(service)
        own = [each for each in self.cases if each.service == service and wanted.state in ("", each.state)]
        return [each for each in own if wanted.owner in ("", each.owner)][: wanted.limit]

    def get(self, service: Service, case_id: str) -> Case:
        self._refuse_down(service)
        for each in self.cases:
            if (each.service, each.case_id) == (service, case_id):
                return each
        raise NotFound(f"no case {case_id}")

    def retry(self, service: Service, case_id: str, reason: str) -> Case:
        return self.get(service, case_id)

    def assign(self, service: Service, case_id: str, owner: str) -> Case:
        return self.get(service, case_id)

    def dismiss(self, service: Service, case_id: str, reason: str) -> Case:
        return self.get(service, case_id)

    def _refuse_down(self, service: Service) -> None:
        if service in self.down:
            raise Unreachable(f"{service} does not answer")


def test_the_queues_of_all_services_are_one_list_newest_first() -> None:
    desk = FakeDesk(
        case("claims", 1), case("ledger", 3), case("claims", 2, state="assigned"), case("intake", 4, state="retried")
    )
    found = gather(desk, SERVICES, ("open", "assigned"), Wanted(limit=100))
    assert [(each.service, each.raised_at[14:16]) for each in found.cases] == [
        ("ledger", "03"),
        ("claims", "02"),
        ("claims", "01"),
    ]
    assert found.unreachable == ()


def test_a_service_that_is_down_does_not_hide_the_others() -> None:
    found = gather(FakeDesk(case("claims", 1), down=["payments"]), SERVICES, ("open",), Wanted(limit=100))
    assert [each.service for each in found.cases] == ["claims"]
    assert found.unreachable == (("payments", "payments does not answer"),)


def test_an_exception_is_found_by_the_beginning_of_its_id() -> None:
    wanted = case("ledger", 7)
    desk = FakeDesk(case("claims", 1), wanted)
    assert find(desk, SERVICES, wanted.case_id[:8].upper()) == wanted
    assert find(desk, SERVICES, wanted.case_id) == wanted


def test_a_beginning_of_two_ids_is_refused_with_both_named() -> None:
    first = case("claims", 1)
    desk = FakeDesk(first, Case(**{**{name: getattr(first, name) for name in Case.__slots__}, "service": "ledger"}))
    with pytest.raises(Unusable, match="2 exceptions begin with"):
        find(desk, SERVICES, first.case_id[:8])


@pytest.mark.parametrize(("wanted", "refusal"), [("abc", Unusable), ("abcdef", NotFound), (str(SPACE), NotFound)])
def test_what_is_not_there_is_told_apart_from_what_is_no_id(wanted: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        find(FakeDesk(case("claims", 1)), SERVICES, wanted)


def test_what_a_silent_service_may_have_is_not_called_absent() -> None:
    with pytest.raises(Unreachable):
        find(FakeDesk(down=["ledger"]), SERVICES, str(SPACE))


@pytest.mark.parametrize(
    ("raised_at", "expected"),
    [
        ("2026-06-01T11:59:20+00:00", "40s"),
        ("2026-06-01T11:30:00+00:00", "30m"),
        ("2026-06-01T02:00:00+00:00", "10h"),
        ("2026-05-20T12:00:00+00:00", "12d"),
        ("2026-06-01T12:00:09+00:00", "0s"),
        ("", ""),
    ],
)
def test_an_age_is_told_in_its_largest_unit(raised_at: str, expected: str) -> None:
    assert age(raised_at, NOW) == expected


class FakeOperations:
    """One case, at the service that the gateway's header names; retrying it is still refused."""

    def __init__(self, at: str) -> None:
        self.at = at
        self.case = pb.Case(
            case_id=str(uuid5(SPACE, "served")),
            state="open",
            code="ClaimHeld",
            summary="member id is missing",
            subject="claim",
            subject_id=str(SPACE),
            amount=common_pb2.Money(minor=1234567, currency="USD"),
            raised_at="2026-06-01T11:00:00+00:00",
            means="The claim lacks what the payer asks for.",
            evidence=[f"throughline trace {SPACE}"],
            actions=[
                pb.CaseAction(
                    name="edit",
                    does="Say what is missing.",
                    command=f"throughline claim edit {SPACE}",
                    scope="claims.write",
                )
            ],
            due_on="2026-06-06",
            needs_second_person=True,
        )

    def list_cases(self, request: pb.ListCasesRequest, context: grpc.ServicerContext) -> pb.ListCasesResponse:
        wanted = self._is_here(context) and request.state in ("", self.case.state)
        wanted = wanted and request.owner in ("", self.case.owner)
        return pb.ListCasesResponse(cases=[self.case] if wanted else [])

    def get_case(self, request: pb.GetCaseRequest, context: grpc.ServicerContext) -> pb.GetCaseResponse:
        if not self._is_here(context) or request.case_id != self.case.case_id:
            refuse(context, WireError(grpc.StatusCode.NOT_FOUND, "NotThere", "no case"))
        return pb.GetCaseResponse(case=self.case)

    def retry_case(self, request: pb.RetryCaseRequest, context: grpc.ServicerContext) -> pb.RetryCaseResponse:
        refuse(context, WireError(grpc.StatusCode.FAILED_PRECONDITION, "ClaimHeld", "member id is missing"))
        return pb.RetryCaseResponse()

    def assign_case(self, request: pb.AssignCaseRequest, context: grpc.ServicerContext) -> pb.AssignCaseResponse:
        self.case.state, self.case.owner = "assigned", request.owner or "user:anna"
        return pb.AssignCaseResponse(case=self.case)

    def dismiss_case(self, request: pb.DismissCaseRequest, context: grpc.ServicerContext) -> pb.DismissCaseResponse:
        self.case.state, self.case.reason = "dismissed", request.reason
        return pb.DismissCaseResponse(case=self.case)

    def answers(self) -> dict[str, tuple[type[Message], Callable[..., Message]]]:
        service = "billing.operations.v1.OperationsService"
        return {
            f"{service}/ListCases": (pb.ListCasesRequest, self.list_cases),
            f"{service}/GetCase": (pb.GetCaseRequest, self.get_case),
            f"{service}/RetryCase": (pb.RetryCaseRequest, self.retry_case),
            f"{service}/AssignCase": (pb.AssignCaseRequest, self.assign_case),
            f"{service}/DismissCase": (pb.DismissCaseRequest, self.dismiss_case),
        }

    def _is_here(self, context: grpc.ServicerContext) -> bool:
        return ("x-throughline-service", self.at) in list(context.invocation_metadata())


def refuse(context: grpc.ServicerContext, error: WireError) -> None:
    context.set_trailing_metadata(error.trailing_metadata())
    context.abort(error.status, error.message)


@pytest.fixture
def suite(serve: Serve) -> Path:
    return serve(FakeOperations("claims").answers())


def run(runner: CliRunner, suite: Path, *words: str) -> tuple[int, dict[str, object], str]:
    result = runner.invoke(app, ["exceptions", *words, "--state", str(suite), "--json"])
    return result.exit_code, json.loads(result.stdout), result.stderr


def test_the_list_is_told_as_data(runner: CliRunner, suite: Path) -> None:
    code, data, _ = run(runner, suite, "list")
    cases = data["cases"]
    assert code == 0
    assert isinstance(cases, list)
    assert [(each["service"], each["code"], each["amount"]) for each in cases] == [
        ("claims", "ClaimHeld", "12345.67 USD")
    ]
    assert data["unreachable"] == []


def test_the_list_is_told_to_people(runner: CliRunner, suite: Path) -> None:
    result = runner.invoke(app, ["exceptions", "list", "--state", str(suite)])
    assert result.exit_code == 0
    for word in ("claims", "ClaimHeld", "12,345.67", "member id is missing", str(uuid5(SPACE, "served"))[:8]):
        assert word in result.stdout


def test_a_service_that_does_not_answer_makes_exit_code_three(runner: CliRunner, serve: Serve) -> None:
    suite = serve(FakeOperations("claims").answers(), without=("ledger",))
    code, data, told = run(runner, suite, "list")
    assert (code, len(data["cases"])) == (3, 1)  # type: ignore[arg-type]
    assert [each["service"] for each in data["unreachable"]] == ["ledger"]  # type: ignore[attr-defined]
    assert "ledger" in runner.invoke(app, ["exceptions", "list", "--state", str(suite)]).stderr
    assert told == ""


def test_a_rule_that_still_says_no_is_exit_code_one_and_named(runner: CliRunner, suite: Path) -> None:
    code, data, told = run(runner, suite, "retry", str(uuid5(SPACE, "served")))
    assert code == 1
    assert data["error"] == {"code": "ClaimHeld", "message": "claims: member id is missing", "exit": 1}
    assert "member id is missing" in told


def test_an_exception_is_dismissed_once_with_a_reason(runner: CliRunner, suite: Path) -> None:
    identity = str(uuid5(SPACE, "served"))
    code, data, _ = run(runner, suite, "dismiss", identity[:8], "--reason", "a test patient")
    assert code == 0
    assert isinstance(data["case"], dict)
    assert (data["case"]["state"], data["case"]["reason"]) == ("dismissed", "a test patient")
    code, data, _ = run(runner, suite, "dismiss", identity, "--reason", "again")
    assert (code, data["error"]["code"]) == (1, "CaseIsClosed")  # type: ignore[index]


def test_dismissing_without_a_reason_is_wrong_usage(runner: CliRunner, suite: Path) -> None:
    result = runner.invoke(app, ["exceptions", "dismiss", str(SPACE), "--state", str(suite)])
    assert result.exit_code == 2


def test_one_exception_is_shown_with_the_way_to_its_history(runner: CliRunner, suite: Path) -> None:
    result = runner.invoke(app, ["exceptions", "show", str(uuid5(SPACE, "served")), "--state", str(suite)])
    assert result.exit_code == 0
    assert f"throughline replay claims {SPACE}" in result.stdout


def test_an_unknown_service_is_wrong_usage(runner: CliRunner, suite: Path) -> None:
    code, data, _ = run(runner, suite, "list", "--service", "billing")
    assert code == 2
    assert "intake, claims, payments" in data["error"]["message"]  # type: ignore[index]


def test_one_exception_is_shown_with_its_evidence_its_day_and_the_commands_that_are_allowed(
    runner: CliRunner, suite: Path
) -> None:
    identity = str(uuid5(SPACE, "served"))
    told = runner.invoke(app, ["exceptions", "show", identity, "--state", str(suite)]).stdout
    ways = (f"Evidence: throughline trace {SPACE}", f"throughline claim edit {SPACE}", "Say what is missing.")
    for words in ("The claim lacks what the payer asks for.", "2026-06-06", *ways):
        assert words in told
    _, data, _ = run(runner, suite, "show", identity)
    assert isinstance(data["case"], dict)
    assert [each["scope"] for each in data["case"]["actions"]] == ["claims.write"]
    assert data["case"]["needs_second_person"] is True


def test_an_exception_is_given_to_somebody_and_listed_by_its_owner(runner: CliRunner, suite: Path) -> None:
    identity = str(uuid5(SPACE, "served"))
    code, data, _ = run(runner, suite, "assign", identity[:8], "--owner", "cash-team")
    assert isinstance(data["case"], dict)
    assert (code, data["case"]["state"], data["case"]["owner"]) == (0, "assigned", "cash-team")
    assert len(run(runner, suite, "list", "--owner", "cash-team")[1]["cases"]) == 1  # type: ignore[arg-type]
    assert run(runner, suite, "list", "--owner", "ann")[1]["cases"] == []


def test_a_proposed_dismissal_is_told_to_who_has_to_agree(runner: CliRunner, serve: Serve) -> None:
    fake = FakeOperations("claims")
    fake.case.dismissal_by, fake.case.dismissal_reason = "user:anna", "a test patient"
    told = runner.invoke(app, ["exceptions", "show", fake.case.case_id, "--state", str(serve(fake.answers()))]).stdout
    assert "user:anna proposed to dismiss it; another person has to agree." in told
