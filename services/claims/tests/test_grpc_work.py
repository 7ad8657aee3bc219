"""The questions and commands of people's work on claims, asked over a real connection."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from billing.claims.v1 import claim_work_pb2 as pb
from billing.claims.v1 import claim_work_pb2_grpc
from billing.common.v1 import common_pb2
from canonical.ids import derive
from chassis.rpc import RemoteRefusal
from claims.adapters.grpc_work import claim_work_service
from claims.adapters.x12_claims import X12ClaimFormat
from claims.application.editing import DryRun
from claims.application.packet import FilingPackets
from claims.domain.access import FilingDisclosure
from claims.domain.denial import denial_id_of

from .door import Door, serving
from .world import (
    DENIAL,
    EDITS,
    ClaimsUnderTest,
    acknowledged,
    charged,
    chunk,
    claim_id,
    control_number,
    paid,
    person,
    status,
)

DENIED = str(denial_id_of(claim_id(2), 1))


WorkDoor = Door[claim_work_pb2_grpc.ClaimWorkServiceStub]


@pytest.fixture
def door() -> Iterator[WorkDoor]:
    service = ClaimsUnderTest().submitted(1, 2)
    service.receive(charged(3, has_member_id=False))
    service.receive(acknowledged("TA1", "A"), acknowledged("999", "A"), status(1))
    service.receive(chunk(paid(1, 0), paid(2, 1, amount="0.00", adjustments=(DENIAL,))))
    dry_run = DryRun(service.store, EDITS, service.vault)
    packets = FilingPackets(service.store, X12ClaimFormat(), service.vault)
    served = claim_work_service(service.core, dry_run, packets)
    with serving(service, served, claim_work_pb2_grpc.ClaimWorkServiceStub) as opened:
        yield opened


def test_the_work_on_a_claim_is_its_edits_denials_and_underpayments(door: WorkDoor) -> None:
    answer = door.calling_as("reader").GetClaimWork(pb.GetClaimWorkRequest(claim_id=str(claim_id(2))))

    assert [(run.number, run.stage, len(run.findings)) for run in answer.edit_runs] == [
        (1, "draft", 0),
        (2, "submission", 0),
    ]
    (denial,) = answer.denials
    assert (denial.denial_id, denial.category, denial.at_risk.minor) == (DENIED, "authorization", 25_000)
    assert list(answer.underpayments) == []


def test_a_dry_run_says_what_holds_a_claim_and_keeps_nothing(door: WorkDoor) -> None:
    position = door.service.store.last_position()

    run = door.calling_as("reader").DryRunEdits(pb.DryRunEditsRequest(claim_id=str(claim_id(3)))).run

    assert [(each.rule, each.owner) for each in run.findings] == [("member-id", "registration")]
    assert (run.number, run.stage, run.rules_digest) == (0, "dry-run", EDITS.rules.digest)
    assert door.service.store.last_position() == position


def test_a_dry_run_tries_rules_that_are_not_in_force_yet(door: WorkDoor) -> None:
    reader = door.calling_as("reader")
    dear = {"id": "dear", "version": 1, "when": {"fact": "total", "above": "100.00"}}
    words = {"reason": "TooDear", "owner": "billing", "needs": "at most 100.00"}
    rules = json.dumps({"version": "next", "rules": [dear | words]})

    run = reader.DryRunEdits(pb.DryRunEditsRequest(claim_id=str(claim_id(1)), rules=rules)).run

    assert ([each.reason for each in run.findings], run.rules_version) == (
        ["TooDear: at most 100.00"],
        f"{EDITS.rules.version}+next",
    )
    with pytest.raises(grpc.RpcError, match=r"rules: rules\.0"):
        reader.DryRunEdits(pb.DryRunEditsRequest(claim_id=str(claim_id(1)), rules='{"version": "1", "rules": [{}]}'))


def test_a_dry_run_needs_the_details_open(door: WorkDoor) -> None:
    door.service.vault.erased.add(charged(3).patient_id)

    with pytest.raises(RemoteRefusal) as refusal:
        door.calling_as("reader").DryRunEdits(pb.DryRunEditsRequest(claim_id=str(claim_id(3))))
    assert refusal.value.code == "DetailsClosed"


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, 1),
        ({"queue": "authorizations", "payer": "ACME"}, 1),
        ({"queue": "coding"}, 0),
        ({"state": "closed"}, 0),
        ({"state": "all"}, 1),
        ({"owner": "ann"}, 0),
    ],
)
def test_denials_are_listed_by_what_they_are(door: WorkDoor, asked: dict[str, Any], found: int) -> None:
    assert len(door.calling_as("reader").ListDenials(pb.ListDenialsRequest(**asked)).denials) == found


def test_pages_of_denials_cover_all_of_them_once(door: WorkDoor) -> None:
    door.service.submitted(4).receive(chunk(paid(4, 0, amount="0.00", adjustments=(DENIAL,)), remittance=2))
    reader, seen, token = door.calling_as("reader"), list[str](), ""
    for _ in range(2):
        page = reader.ListDenials(pb.ListDenialsRequest(page_size=1, page_token=token, state="all"))
        seen += [denial.claim_id for denial in page.denials]
        token = page.next_page_token

    assert (token, len(seen), len(set(seen))) == ("", 2, 2)


def test_a_denial_is_worked_by_one_person_and_given_up_by_two(door: WorkDoor) -> None:
    ann, ben = door.calling_as("ann"), door.calling_as("ben")
    assert ann.AssignDenial(pb.AssignDenialRequest(denial_id=DENIED, owner="ann")).denial.state == "in-work"
    acted = pb.RecordDenialActionRequest(denial_id=DENIED, action="appealed", note="it was on file", reference="A1")
    assert ann.RecordDenialAction(acted).denial.state == "appealed"
    asked = pb.RequestWriteOffRequest(denial_id=DENIED, reason="the appeal was lost")
    asked.amount.CopyFrom(common_pb2.Money(minor=5_000, currency="USD"))
    assert ann.RequestWriteOff(asked).denial.requested.minor == 5_000
    with pytest.raises(RemoteRefusal) as refusal:
        ann.ApproveWriteOff(pb.ApproveWriteOffRequest(denial_id=DENIED, amount=common_pb2.Money(minor=5_000)))
    assert refusal.value.code == "OwnRequest"
    turned_down = pb.ApproveWriteOffRequest(denial_id=DENIED, turn_down=True, reason="appeal once more")
    assert ben.ApproveWriteOff(turned_down).denial.requested.minor == 0
    ann.RequestWriteOff(pb.RequestWriteOffRequest(denial_id=DENIED, reason="lost once more"))

    with pytest.raises(RemoteRefusal) as refusal:
        ben.ApproveWriteOff(pb.ApproveWriteOffRequest(denial_id=DENIED, amount=common_pb2.Money(minor=5_000)))
    assert refusal.value.code == "OtherAmountRequested"

    seen = common_pb2.Money(minor=25_000)
    denial = ben.ApproveWriteOff(pb.ApproveWriteOffRequest(denial_id=DENIED, amount=seen)).denial

    assert (denial.state, denial.outcome, denial.written_off.minor) == ("closed", "written-off", 25_000)
    history = ann.GetDenial(pb.GetDenialRequest(denial_id=DENIED)).history
    assert [event.actor for event in history][1:] == ["user:ann"] * 3 + ["user:ben", "user:ann", "user:ben"]
    assert history[-1].what == "user:ben wrote off 250.00 USD: lost once more"


def test_the_packet_of_a_claim_proves_what_was_sent_and_what_came_back(door: WorkDoor) -> None:
    packet = door.calling_as("auditor").GetFilingPacket(pb.GetFilingPacketRequest(claim_id=str(claim_id(1))))

    assert (packet.patient_control_number, packet.payer_control_number) == (control_number(1), "ICN1")
    (sent,) = packet.submissions
    whole = door.service.transport.files["000000001.x12"]
    assert (sent.digest, sent.size_bytes, sent.content) == (hashlib.sha256(whole).hexdigest(), len(whole), b"")
    assert all(whole[part.start : part.start + len(part.content)] == part.content for part in sent.parts)
    assert (sent.control_number, sent.state, sent.proof) == ("000000001", "accepted", "sent")
    assert [(each.kind, each.word) for each in sent.answers] == [("TA1", "A"), ("999", "A"), ("277CA", "accepted")]


def test_a_packet_shows_no_other_patient_of_the_same_interchange(door: WorkDoor) -> None:
    packet = door.calling_as("auditor").GetFilingPacket(pb.GetFilingPacketRequest(claim_id=str(claim_id(1))))

    (sent,) = packet.submissions
    shown = b"".join(part.content for part in sent.parts)
    assert sent.claim_count > 1
    assert (shown.startswith(b"ISA*"), shown.count(b"CLM*")) == (True, 1)
    assert f"CLM*{control_number(1)}*".encode() in shown
    others = [person(number).coverage for number in range(2, sent.claim_count + 1)]
    assert not [each.member_id for each in others if each and each.member_id.encode() in shown]


def test_a_look_at_a_packet_is_recorded_with_who_looked(door: WorkDoor) -> None:
    door.calling_as("auditor").GetFilingPacket(pb.GetFilingPacketRequest(claim_id=str(claim_id(1))))

    last = door.service.store.log(door.service.store.last_position() - 1, 1)[0].event
    assert isinstance(last, FilingDisclosure.Given)
    assert (last.claim_id, last.meta.actor) == (claim_id(1), "user:auditor")


def test_a_packet_without_its_details_says_why_it_has_no_bytes(door: WorkDoor) -> None:
    door.service.vault.erased.add(charged(2).patient_id)

    packet = door.calling_as("auditor").GetFilingPacket(pb.GetFilingPacketRequest(claim_id=str(claim_id(1))))

    (sent,) = packet.submissions
    assert (list(sent.parts), len(sent.digest)) == ([], 64)
    assert "the details of 1 of its claims open no more" in sent.missing


def test_who_may_only_read_gets_no_packet_and_changes_nothing(door: WorkDoor) -> None:
    reader = door.calling_as("reader")

    with pytest.raises(grpc.RpcError, match=r"claims\.raw\.read"):
        reader.GetFilingPacket(pb.GetFilingPacketRequest(claim_id=str(claim_id(1))))
    with pytest.raises(grpc.RpcError, match=r"claims\.write"):
        reader.ApproveWriteOff(pb.ApproveWriteOffRequest(denial_id=DENIED))


UNKNOWN = str(derive("test-nothing"))


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("GetClaimWork", pb.GetClaimWorkRequest(claim_id="nonsense")),
        ("ListDenials", pb.ListDenialsRequest(state="nonsense")),
        ("ListDenials", pb.ListDenialsRequest(page_size=501)),
        ("AssignDenial", pb.AssignDenialRequest(denial_id=DENIED, owner=" ")),
        ("RecordDenialAction", pb.RecordDenialActionRequest(denial_id=DENIED, action="ignored", note="long enough")),
        ("RecordDenialAction", pb.RecordDenialActionRequest(denial_id=DENIED, action="appealed", note="no")),
        ("ApproveWriteOff", pb.ApproveWriteOffRequest(denial_id=DENIED)),
        (
            "RequestWriteOff",
            pb.RequestWriteOffRequest(
                denial_id=DENIED, reason="long enough", amount=common_pb2.Money(minor=1, currency="CAD")
            ),
        ),
        ("ListUnderpayments", pb.ListUnderpaymentsRequest(state="nonsense")),
    ],
)
def test_a_bad_question_is_refused_by_its_field(door: WorkDoor, method: str, request_: object) -> None:
    with pytest.raises(grpc.RpcError, match="INVALID_ARGUMENT"):
        getattr(door.calling_as("ann"), method)(request_)


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("GetClaimWork", pb.GetClaimWorkRequest(claim_id=UNKNOWN)),
        ("DryRunEdits", pb.DryRunEditsRequest(claim_id=UNKNOWN)),
        ("GetDenial", pb.GetDenialRequest(denial_id=UNKNOWN)),
        ("AssignDenial", pb.AssignDenialRequest(denial_id=UNKNOWN, owner="ann")),
    ],
)
def test_what_is_not_there_is_not_found(door: WorkDoor, method: str, request_: object) -> None:
    with pytest.raises(RemoteRefusal, match="no "):
        getattr(door.calling_as("ann"), method)(request_)
