"""`throughline patient`, and whose balance `throughline balance` tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from billing.common.v1 import common_pb2
from billing.intake.v1 import intake_pb2 as pb
from billing.payments.v1 import payments_pb2
from canonical.ids import derive
from google.protobuf.message import Message
from throughline.main import app
from typer.testing import CliRunner

ONE, OTHER, THIRD = (str(derive("patient", number)) for number in (1, 2, 3))
INTAKE = "billing.intake.v1.IntakeService"
PAIR = pb.PatientMatch(
    first_id=ONE, second_id=OTHER, kind="probable", state="open", score=78, likeness="family-name same (+20)"
)
MERGED = pb.GetPatientResponse(
    patient_id=ONE,
    source_system="ehr-north",
    person_id=OTHER,
    merges=[
        pb.PatientMerge(retired_id=ONE, survivor_id=OTHER, actor="user:ada", merged_at="2026-03-02T09:00:00+00:00")
    ],
    linked_patient_ids=[THIRD],
    matches=[PAIR],
    encounter_count=3,
)
DETAILS = pb.GetPatientDetailsResponse(family_name="Doe", given_name="Jane", birth_date="1980-05-17", sex="F")
Serve = Callable[..., Path]


class Desk:
    """Answers like intake, and remembers what was asked for."""

    def __init__(self, serve: Serve, runner: CliRunner) -> None:
        self.asked: list[Message] = []
        self._runner = runner
        answers: dict[str, tuple[type[Message], Message]] = {
            "ListPatientMatches": (pb.ListPatientMatchesRequest, pb.ListPatientMatchesResponse(matches=[PAIR])),
            "GetPatient": (pb.GetPatientRequest, MERGED),
            "GetPatientDetails": (pb.GetPatientDetailsRequest, DETAILS),
            "MergePatients": (pb.MergePatientsRequest, pb.MergePatientsResponse(person_id=OTHER)),
            "UnmergePatients": (pb.UnmergePatientsRequest, pb.UnmergePatientsResponse()),
            "DistinguishPatients": (pb.DistinguishPatientsRequest, pb.DistinguishPatientsResponse()),
        }
        served = {f"{INTAKE}/{name}": (request, self._keep(answer)) for name, (request, answer) in answers.items()}
        self._state = serve(served)

    def run(self, *arguments: str) -> Any:
        return self._runner.invoke(app, ["patient", *arguments, "--state", str(self._state)])

    def _keep(self, answer: Message) -> Callable[[Message, grpc.ServicerContext], Message]:
        def keep(request: Message, context: grpc.ServicerContext) -> Message:
            self.asked.append(request)
            return answer

        return keep


@pytest.fixture
def desk(serve: Serve, runner: CliRunner) -> Desk:
    return Desk(serve, runner)


def test_pairs_are_listed_with_their_points_and_how_they_agree(desk: Desk) -> None:
    told = desk.run("matches")
    assert told.exit_code == 0
    assert "78" in told.output
    data = json.loads(desk.run("matches", "--in", "distinct", "--json").output)
    assert data["matches"][0]["likeness"] == "family-name same (+20)"
    assert desk.asked[-1] == pb.ListPatientMatchesRequest(state="distinct", limit=100)


def test_a_patient_is_shown_without_a_name_unless_one_is_asked_for(desk: Desk) -> None:
    plain = desk.run("show", ONE).output
    assert all(word in plain.replace("\n", "") for word in (OTHER, "3 encounters", THIRD))
    assert "Doe" not in plain
    assert len(desk.asked) == 1
    assert "Doe, Jane, born 1980-05-17" in desk.run("show", ONE, "--named").output
    assert json.loads(desk.run("show", ONE, "--json").output)["details"] is None


@pytest.mark.parametrize(
    ("command", "asked", "words"),
    [
        ("merge", pb.MergePatientsRequest(retired_id=ONE, survivor_id=OTHER, reason="same passport"), "Both stand as"),
        (
            "unmerge",
            pb.UnmergePatientsRequest(retired_id=ONE, survivor_id=OTHER, reason="same passport"),
            "two persons",
        ),
        (
            "distinct",
            pb.DistinguishPatientsRequest(patient_id=ONE, other_id=OTHER, reason="same passport"),
            "two persons",
        ),
    ],
)
def test_a_person_decides_with_a_reason(desk: Desk, command: str, asked: Message, words: str) -> None:
    told = desk.run(command, ONE, OTHER, "--reason", "same passport")
    assert (told.exit_code, desk.asked) == (0, [asked])
    assert words in told.output
    assert desk.run(command, ONE, OTHER).exit_code == 2


def test_a_name_is_no_patient(desk: Desk) -> None:
    assert desk.run("merge", "Doe", OTHER, "--reason", "same passport").exit_code == 2
    assert desk.asked == []


def test_a_balance_of_merged_patients_says_of_whom(serve: Serve, runner: CliRunner) -> None:
    accounts = [
        payments_pb2.Account(
            account_id=str(derive("account", patient)),
            entity="NORTH",
            patient_id=patient,
            responsibility=common_pb2.Money(minor=minor),
            balance=common_pb2.Money(minor=minor),
        )
        for patient, minor in ((OTHER, 2500), (ONE, 700))
    ]
    lines = [
        payments_pb2.Activity(account_id=each.account_id, kind="responsibility", amount=each.responsibility)
        for each in accounts
    ]
    answer = payments_pb2.GetPatientBalanceResponse(
        accounts=accounts,
        balance=common_pb2.Money(minor=3200),
        activity=lines,
        person_id=OTHER,
        merged_patient_ids=[ONE],
    )
    method = "billing.payments.v1.PaymentsService/GetPatientBalance"
    state = serve({method: (payments_pb2.GetPatientBalanceRequest, lambda request, context: answer)})
    told = runner.invoke(app, ["balance", ONE, "--state", str(state)])
    assert told.exit_code == 0
    assert f"Of {OTHER} and, merged into one person with them, {ONE}." in told.output.replace("\n", " ")
    data = json.loads(runner.invoke(app, ["balance", ONE, "--json", "--state", str(state)]).output)
    assert (data["person_id"], data["merged_patient_ids"]) == (OTHER, [ONE])
