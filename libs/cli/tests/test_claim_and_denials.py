"""`throughline claim` and `throughline denials`, as people and as scripts read them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from billing.claims.v1 import claim_work_pb2 as work
from billing.claims.v1 import claims_pb2
from billing.common.v1 import common_pb2
from billing.intake.v1 import intake_pb2
from billing.operations.v1 import operations_pb2
from throughline.claiming.packet import PacketFolder
from throughline.main import app
from throughline.outcome import Refused, Unusable
from typer.testing import CliRunner

CLAIM = "3f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
DENIAL = "5a0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
MESSAGE = "7c0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
CLAIMS, WORK = "billing.claims.v1.ClaimsService", "billing.claims.v1.ClaimWorkService"
BYTES = b"ISA*00*made up~HL*1~CLM*T0~CLM*T1~IEA~"
PARTS = (work.FilePart(start=0, content=b"ISA*00*made up~HL*1~"), work.FilePart(start=27, content=b"CLM*T1~IEA~"))
ISA = b"ISA*00*          *00*          *ZZ*THEM           *ZZ*US             *260302*0900*^*00501*000000007*0*T*:~"
ANSWER = ISA + (
    b"GS*FA*THEM*US*20260302*0900*7*X*005010X231A1~ST*999*0001~AK1*HC*1~AK2*837*0001~"
    b"IK3*NM1*9**8~CTX*CLM01:T0~IK4*3**1*ADAMS~IK5*E~AK9*E*1*1*1~SE*8*0001~GE*1*7~IEA*1*000000007~"
)
SHOWN_ANSWER = ANSWER.replace(b"IK3*NM1*9**8~CTX*CLM01:T0~IK4*3**1*ADAMS~", b"")
Serve = Callable[..., Path]


def usd(minor: int) -> common_pb2.Money:
    return common_pb2.Money(minor=minor, currency="USD")


DENIED = work.Denial(
    denial_id=DENIAL,
    claim_id=CLAIM,
    patient_control_number="T1",
    payer="ACME",
    reasons=["CO-197 250.00 USD"],
    category="authorization",
    queue="authorizations",
    state="open",
    outcome="none",
    amount=usd(25_000),
    at_risk=usd(25_000),
    recovered=usd(0),
    written_off=usd(0),
    requested=usd(0),
    appeal_by="2026-09-16",
)
RUN = work.EditRun(
    number=1,
    stage="draft",
    rules_version="2026.1",
    rules_digest="ab" * 32,
    rules_run=21,
    ran_at="2026-03-02T09:00:00+00:00",
)
HELD = work.EditRun(
    stage="dry-run",
    rules_version="2026.1",
    rules_digest="ab" * 32,
    rules_run=21,
    findings=[work.EditFinding(rule="member-id", rule_version=1, owner="registration", reason="MissingMemberId: it")],
)
TOLD = claims_pb2.GetClaimResponse(
    claim=claims_pb2.Claim(
        claim_id=CLAIM,
        patient_control_number="T1",
        state="denied",
        entity="NORTH",
        payer="ACME",
        amounts=claims_pb2.Amounts(charge=usd(25_000), denied=usd(25_000)),
        open=usd(0),
    ),
    adjudications=[
        claims_pb2.Adjudication(
            remittance_id=MESSAGE, effective_date="2026-03-20", kind="decision", payer_status="4", denied=True
        )
    ],
)
SUBMISSION = work.Submission(
    file_name="000000001.x12",
    control_number="000000001",
    digest=hashlib.sha256(BYTES).hexdigest(),
    state="accepted",
    size_bytes=len(BYTES),
    parts=PARTS,
    answers=[work.SubmissionAnswer(kind="TA1", word="A", message_id=MESSAGE)],
)
PACKET = work.GetFilingPacketResponse(claim_id=CLAIM, patient_control_number="T1", submissions=[SUBMISSION])


def event(topic: str, at: str, **state: Any) -> operations_pb2.HistoryEvent:
    return operations_pb2.HistoryEvent(topic=topic, timestamp=at, actor="service:claims", state_json=json.dumps(state))


STORY = operations_pb2.GetHistoryResponse(
    aggregate_type="Claim",
    events=[
        event(
            "claims.claim.drafted",
            "2026-03-02T09:00:00+00:00",
            content={"total": "250.00 USD", "payer": "ACME", "lines": [1, 2]},
        ),
        event(
            "claims.claim.adjudicated",
            "2026-03-20T09:00:00+00:00",
            decision={"paid": "0.00 USD", "charge": "250.00 USD"},
            shares={"denied": "250.00 USD"},
            state="denied",
        ),
        event("claims.claim.something-new", "2026-03-21T09:00:00+00:00"),
    ],
)


class Books:
    """Answers, and remembers what was asked for."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def answers(self, **changes: Any) -> Mapping[str, Any]:
        history = work.GetDenialResponse(
            denial=DENIED,
            history=[work.DenialEvent(at="2026-03-20T09:00:01+00:00", actor="service:claims", what="ACME denied it")],
        )
        return {
            f"{CLAIMS}/GetClaim": (claims_pb2.GetClaimRequest, lambda *_: TOLD),
            f"{CLAIMS}/FindClaim": (claims_pb2.FindClaimRequest, self._found),
            f"{WORK}/GetClaimWork": (
                work.GetClaimWorkRequest,
                lambda *_: work.GetClaimWorkResponse(edit_runs=[RUN], denials=[DENIED]),
            ),
            f"{WORK}/DryRunEdits": (work.DryRunEditsRequest, lambda *_: work.DryRunEditsResponse(run=HELD)),
            f"{WORK}/GetFilingPacket": (work.GetFilingPacketRequest, lambda *_: PACKET),
            f"{WORK}/ListDenials": (work.ListDenialsRequest, self._kept(work.ListDenialsResponse(denials=[DENIED]))),
            f"{WORK}/GetDenial": (work.GetDenialRequest, lambda *_: history),
            f"{WORK}/AssignDenial": (work.AssignDenialRequest, self._kept(work.AssignDenialResponse(denial=DENIED))),
            f"{WORK}/RecordDenialAction": (
                work.RecordDenialActionRequest,
                self._kept(work.RecordDenialActionResponse(denial=DENIED)),
            ),
            f"{WORK}/RequestWriteOff": (
                work.RequestWriteOffRequest,
                self._kept(work.RequestWriteOffResponse(denial=DENIED)),
            ),
            f"{WORK}/ApproveWriteOff": (
                work.ApproveWriteOffRequest,
                self._kept(work.ApproveWriteOffResponse(denial=DENIED)),
            ),
            "billing.operations.v1.OperationsService/GetHistory": (
                operations_pb2.GetHistoryRequest,
                lambda *_: STORY,
            ),
            "billing.intake.v1.IntakeService/ReadRawSpan": (
                intake_pb2.ReadRawSpanRequest,
                lambda *_: intake_pb2.ReadRawSpanResponse(content=ANSWER, size_bytes=len(ANSWER)),
            ),
        } | changes

    def _kept(self, answer: Any) -> Callable[[Any, grpc.ServicerContext], Any]:
        def keep(request: Any, context: grpc.ServicerContext) -> Any:
            self.asked.append(request)
            return answer

        return keep

    def _found(
        self, request: claims_pb2.FindClaimRequest, context: grpc.ServicerContext
    ) -> claims_pb2.FindClaimResponse:
        known = request.patient_control_number == "T1"
        return claims_pb2.FindClaimResponse(claims=[TOLD.claim] if known else [])


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def run(serve: Serve, runner: CliRunner, books: Books) -> Callable[..., Any]:
    state = serve(books.answers())
    return lambda *arguments: runner.invoke(app, [*arguments, "--state", str(state)])


def test_a_claim_is_shown_with_money_decisions_denials_and_edits(run: Callable[..., Any]) -> None:
    told = run("claim", "show", CLAIM)

    assert told.exit_code == 0
    for words in ("Claim T1: denied", "250.00", "decision", "authorization", "passed 21 rules of version 2026.1"):
        assert words in told.stdout


def test_a_claim_is_found_by_its_patient_control_number(run: Callable[..., Any]) -> None:
    data = json.loads(run("claim", "show", "T1", "--json").stdout)

    assert (data["claim"]["claim_id"], data["denials"][0]["at_risk"]) == (CLAIM, "250.00 USD")
    assert (data["edit_runs"][0]["stage"], data["underpayments"]) == ("draft", [])


def test_a_claim_that_nobody_knows_is_not_found(run: Callable[..., Any]) -> None:
    assert run("claim", "show", "T2").exit_code == 1


def test_the_history_of_a_claim_is_one_story_by_time(run: Callable[..., Any]) -> None:
    data = json.loads(run("claim", "history", CLAIM, "--json").stdout)

    assert [(each["of"], each["what"]) for each in data["events"]] == [
        ("claim", "drafted: 250.00 USD to ACME in 2 lines"),
        ("edits", "passed 21 rules of version 2026.1 (abababababab) at draft"),
        ("claim", "decision: 0.00 USD paid of 250.00 USD (denied 250.00 USD); it is denied"),
        ("denial 5a0d7a3c", "ACME denied it"),
        ("claim", "something new"),
    ]


def test_a_dry_run_of_the_edits_ends_with_one_where_the_claim_would_be_held(run: Callable[..., Any]) -> None:
    told = run("claim", "edit", "--dry-run", CLAIM)

    assert told.exit_code == 1
    assert "MissingMemberId: it" in told.stdout


def test_a_dry_run_takes_a_rule_file(run: Callable[..., Any], tmp_path: Path) -> None:
    missing = run("claim", "edit", "--dry-run", CLAIM, "--rules", str(tmp_path / "none.json"))

    assert missing.exit_code == 2
    assert "none.json cannot be read: FileNotFoundError" in missing.output


def test_only_a_dry_run_is_offered(run: Callable[..., Any]) -> None:
    assert run("claim", "edit", CLAIM).exit_code == 2


def test_a_packet_is_written_with_a_manifest_that_proves_it(run: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "packet"

    told = run("claim", "packet", CLAIM, "--out", str(folder))

    assert told.exit_code == 0
    assert (folder / "000000001.x12").read_bytes() == b"ISA*00*made up~HL*1~CLM*T1~IEA~"
    assert (folder / "answers" / MESSAGE).read_bytes() == SHOWN_ANSWER
    (sent,) = json.loads((folder / "manifest.json").read_text())["submissions"]
    assert (sent["content"], sent["digest"]) == ("000000001.x12", hashlib.sha256(BYTES).hexdigest())
    assert sent["parts"] == [{"start": 0, "length": 20}, {"start": 27, "length": 11}]
    (answer,) = sent["answers"]
    assert (answer["digest"], answer["size_bytes"]) == (hashlib.sha256(ANSWER).hexdigest(), len(ANSWER))
    for entry, whole in ((sent, BYTES), (answer, ANSWER)):
        pieces = [whole[part["start"] : part["start"] + part["length"]] for part in entry["parts"]]
        assert b"".join(pieces) == (folder / entry["content"]).read_bytes()
    assert {path.stat().st_mode & 0o077 for path in folder.rglob("*")} == {0}


def hidden(message_id: str) -> bytes:
    raise Refused("intake: the scope intake.raw.read is missing", "Forbidden")


def test_answers_that_intake_does_not_show_are_told_in_the_manifest(tmp_path: Path) -> None:
    PacketFolder(tmp_path, hidden).write(PACKET)

    (sent,) = json.loads((tmp_path / "manifest.json").read_text())["submissions"]
    assert "intake.raw.read" in sent["answers"][0]["missing"]


@pytest.mark.parametrize("answer", [b'{"claim": "T1"}', ISA + b"GS*HN*~ST*277*1~HL*1**20~TRN*2*T0~SE*4*1~GE~IEA~"])
def test_an_answer_of_which_nothing_is_about_the_claim_is_told_in_the_manifest(tmp_path: Path, answer: bytes) -> None:
    written = PacketFolder(tmp_path, lambda _: answer).write(PACKET)

    (sent,) = json.loads((tmp_path / "manifest.json").read_text())["submissions"]
    assert sent["answers"][0]["missing"]
    assert written.files == ["000000001.x12", "manifest.json"]


def test_a_submission_whose_bytes_cannot_be_made_again_is_not_written(tmp_path: Path) -> None:
    broken = work.Submission()
    broken.CopyFrom(SUBMISSION)
    broken.missing = "erased"

    written = PacketFolder(tmp_path, hidden).write(work.GetFilingPacketResponse(submissions=[broken]))

    assert (written.files, len(written.missing)) == (["manifest.json"], 1)


@pytest.mark.parametrize("name", ["../000000001.x12", "/etc/passwd", ""])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    wandering = work.Submission()
    wandering.CopyFrom(SUBMISSION)
    wandering.file_name = name

    with pytest.raises(Unusable):
        PacketFolder(tmp_path, hidden).write(work.GetFilingPacketResponse(submissions=[wandering]))


def test_what_stands_in_the_folder_already_is_not_changed(tmp_path: Path) -> None:
    PacketFolder(tmp_path, hidden).write(PACKET)
    PacketFolder(tmp_path, hidden).write(PACKET)
    (tmp_path / "000000001.x12").write_bytes(b"other")

    with pytest.raises(Unusable, match="something else"):
        PacketFolder(tmp_path, hidden).write(PACKET)


def test_denials_are_listed_by_queue_and_state(run: Callable[..., Any], books: Books) -> None:
    told = run("denials", "list", "--queue", "authorizations", "--all")

    assert "5a0d7a3c" in told.stdout
    (asked,) = books.asked
    assert (asked.queue, asked.state, asked.page_size) == ("authorizations", "all", 100)


def test_a_denial_is_shown_by_the_beginning_of_its_id(run: Callable[..., Any]) -> None:
    told = run("denials", "show", "5a0d")

    assert told.exit_code == 0
    assert "250.00 denied = 250.00 at risk + 0.00 recovered + 0.00 written off" in told.stdout
    assert "ACME denied it" in told.stdout


@pytest.mark.parametrize(("wanted", "code"), [("5a0", 2), ("ffff", 1)])
def test_a_beginning_that_names_no_denial_is_refused(run: Callable[..., Any], wanted: str, code: int) -> None:
    assert run("denials", "show", wanted).exit_code == code


@pytest.mark.parametrize(
    ("arguments", "request_"),
    [
        (["assign", "--owner", "ann"], work.AssignDenialRequest(denial_id=DENIAL, owner="ann")),
        (
            ["work", "--action", "appealed", "--note", "was on file", "--reference", "A1"],
            work.RecordDenialActionRequest(denial_id=DENIAL, action="appealed", note="was on file", reference="A1"),
        ),
        (
            ["write-off", "--reason", "not worth it"],
            work.RequestWriteOffRequest(denial_id=DENIAL, reason="not worth it"),
        ),
        (
            ["write-off", "--reason", "not worth it", "--amount", "12.3"],
            work.RequestWriteOffRequest(denial_id=DENIAL, reason="not worth it", amount=common_pb2.Money(minor=1230)),
        ),
        (
            ["approve", "--amount", "12.3"],
            work.ApproveWriteOffRequest(denial_id=DENIAL, amount=common_pb2.Money(minor=1230)),
        ),
        (
            ["approve", "--turn-down", "--reason", "appeal it"],
            work.ApproveWriteOffRequest(denial_id=DENIAL, turn_down=True, reason="appeal it"),
        ),
    ],
)
def test_work_on_a_denial_is_asked_for_as_it_was_said(
    run: Callable[..., Any], books: Books, arguments: list[str], request_: Any
) -> None:
    told = run("denials", arguments[0], DENIAL, *arguments[1:], "--json")

    assert json.loads(told.stdout)["denial"]["denial_id"] == DENIAL
    assert books.asked == [request_]


def test_an_amount_that_is_none_is_refused(run: Callable[..., Any], books: Books) -> None:
    assert run("denials", "write-off", DENIAL, "--reason", "not worth it", "--amount", "12.345").exit_code == 2
    assert run("denials", "approve", DENIAL).exit_code == 2
    assert run("denials", "approve", DENIAL, "--amount", "12.30", "--turn-down").exit_code == 2
    assert books.asked == []
