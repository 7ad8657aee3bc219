"""`submit --explain` says what every file is without sending it; `reprocess` goes portion by portion to the end."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from billing.intake.v1 import intake_reading_pb2 as pb
from chassis.file_formats import Format, recognise
from google.protobuf.message import Message
from throughline.main import app
from typer.testing import CliRunner

READING = "billing.intake.v1.IntakeReadingService"
CONFIGURED = os.environ.get("THROUGHLINE_CORPUS")
CORPUS = Path(CONFIGURED) if CONFIGURED else Path(__file__).resolve().parents[4] / "shared" / "data"
PAYERS_FILES = sorted(path for path in (CORPUS / "x12").rglob("*") if path.is_file())
ONE, OTHER = "3f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77", "9d0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
EXPLAINED = pb.ExplainContentResponse(
    format="hl7v2",
    message_count=1,
    accepted_count=1,
    sentences=["1. HL7 v2.5.1 DFT^P03 from EHR at N: would be accepted."],
    unmapped=["IN1-3: unknown-payer: no payer NOBODY"],
    effects=["encounter x: held"],
)
CHANGED = pb.RereadMessage(message_id=ONE, before="accepted", after="accepted", differences=["encounter x: released"])
REFUSED = pb.RereadMessage(message_id=OTHER, before="refused", after="refused", findings=["PID-3: required: a number"])
Serve = Callable[..., Path]


class Desk:
    """Answers like intake, and remembers what was asked for."""

    def __init__(self, serve: Serve, runner: CliRunner) -> None:
        self.asked: list[Any] = []
        self._runner = runner
        self._state = serve(
            {
                f"{READING}/ExplainContent": (pb.ExplainContentRequest, self._explain),
                f"{READING}/ReprocessMessages": (pb.ReprocessMessagesRequest, self._reprocess),
            }
        )

    def run(self, *arguments: str) -> Any:
        return self._runner.invoke(app, [*arguments, "--state", str(self._state)])

    def _explain(self, request: Message, context: grpc.ServicerContext) -> Message:
        self.asked.append(request)
        return EXPLAINED

    def _reprocess(self, request: Message, context: grpc.ServicerContext) -> Message:
        assert isinstance(request, pb.ReprocessMessagesRequest)
        copy = pb.ReprocessMessagesRequest()
        copy.CopyFrom(request)
        self.asked.append(copy)
        if request.HasField("since") and not request.position:
            return pb.ReprocessMessagesResponse(messages=[CHANGED], next_position=7)
        return pb.ReprocessMessagesResponse(messages=[REFUSED] if request.position else [CHANGED])


@pytest.fixture
def desk(serve: Serve, runner: CliRunner) -> Desk:
    return Desk(serve, runner)


def test_a_message_is_explained_by_intake_and_not_sent(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "a.hl7"
    path.write_bytes(b"MSH|^~\\&|EHR|N\r")
    told = desk.run("submit", "--explain", str(path))
    assert told.exit_code == 0
    for word in ("would be accepted", "unmapped: IN1-3", "then: encounter x: held"):
        assert word in told.output
    data = json.loads(desk.run("submit", "--explain", str(path), "--json").output)
    assert data["files"][0]["messages"] == 1
    assert desk.asked[0].content == path.read_bytes()


def test_a_file_of_no_known_format_is_said_to_be_none(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"Dear colleagues")
    told = desk.run("submit", "--explain", str(path))
    assert (told.exit_code, desk.asked) == (2, [])
    assert "neither FHIR" in told.output


@pytest.mark.skipif(not PAYERS_FILES, reason="the folder of real files is not here; set THROUGHLINE_CORPUS")
def test_every_real_payers_file_is_explained_here(desk: Desk) -> None:
    files = [path for path in PAYERS_FILES if recognise(path.read_bytes()[:65_536]) is Format.X12]
    told = desk.run("submit", "--explain", "--json", *map(str, files))
    found = json.loads(told.output)["files"]
    assert len(found) == len(files) > 50
    assert all(each["sentences"] and each["format"] == "x12" for each in found)
    assert desk.asked == []


def test_messages_since_an_instant_are_read_to_the_end(desk: Desk) -> None:
    told = desk.run("reprocess", "--since", "2026-03-01", "--dry-run")
    assert [request.position for request in desk.asked] == [0, 7]
    assert all(request.dry_run for request in desk.asked)
    assert told.exit_code == 1
    for word in ("would be recorded: encounter x: released", "refused: PID-3", "2 read again: 1 would change"):
        assert word in told.output


def test_named_messages_are_read_by_a_named_profile(desk: Desk) -> None:
    told = desk.run("reprocess", "--message", ONE, "--reader", "mended", "--json")
    assert told.exit_code == 0
    assert json.loads(told.output)["messages"][0]["differences"] == ["encounter x: released"]
    (asked,) = desk.asked
    assert (list(asked.message_ids), asked.reader, asked.dry_run) == ([ONE], "mended", False)


@pytest.mark.parametrize(
    "arguments",
    [(), ("--since", "2026-03-01", "--message", ONE), ("--since", "yesterday"), ("--message", "nonsense")],
)
def test_a_run_that_names_nothing_clear_is_refused(desk: Desk, arguments: tuple[str, ...]) -> None:
    assert desk.run("reprocess", *arguments).exit_code == 2
    assert desk.asked == []
