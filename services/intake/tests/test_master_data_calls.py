"""The calls of `billing.intake.v1.MasterDataService`, over a real connection."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import pytest
from billing.intake.v1 import master_data_pb2 as pb
from billing.intake.v1 import master_data_pb2_grpc
from canonical.master_data import MasterData
from chassis.rpc import RemoteRefusal, channel_to, make_server
from intake.adapters.grpc_master_data import master_data_service
from intake.application.changing_master_data import MasterDataKeeping

from .callers import KnownTokens, Token
from .test_held_codes import NEW_PLAN, wait_for
from .world import IntakeUnderTest

HEADER = "code,source,kind,ours\n"
MAPPINGS = HEADER + "".join(
    f"{code},ehr-north,payer,{ours}\n" for code, ours in ((NEW_PLAN, "ACME"), ("ACME", "ACME"), ("BLUEOAK", "BLUEOAK"))
)
WHY = "Harbor Mutual is paid by Acme"
SCOPES = {
    "reader": {"intake.read"},
    "ada": {"intake.read", "master-data.write", "master-data.approve"},
    "ben": {"intake.read", "master-data.approve"},
}


@dataclass(frozen=True)
class Door:
    service: IntakeUnderTest
    keeping: MasterDataKeeping
    port: int

    def calling_as(self, name: str) -> master_data_pb2_grpc.MasterDataServiceStub:
        return master_data_pb2_grpc.MasterDataServiceStub(channel_to(f"127.0.0.1:{self.port}", Token(name)))

    def propose(self, csv: str, **more: object) -> pb.Change:
        table = pb.Table(list_name="crosswalks", content=csv.encode())
        request = pb.ProposeChangeRequest(tables=[table], reason=WHY, **more)  # type: ignore[arg-type]
        change: pb.Change = self.calling_as("ada").ProposeChange(request).change
        return change


@pytest.fixture
def door() -> Iterator[Door]:
    service = IntakeUnderTest()

    def replace(raw: bytes) -> None:
        service.master_data = MasterData.model_validate_json(raw)

    keeping = MasterDataKeeping(service.store, service.clock, lambda: service.master_data, replace)
    services = [master_data_service(service.intake.core, keeping)]
    server = make_server(services, KnownTokens(SCOPES), host="127.0.0.1", port=0, threads=4)
    server.server.start()
    yield Door(service, keeping, server.port)
    server.server.stop(0)


def test_a_held_code_is_listed_mapped_by_two_people_and_its_charges_flow(door: Door) -> None:
    for number in ("1", "2"):
        wait_for(door.service, number)
    (waiting,) = door.calling_as("reader").ListUnmappedCodes(pb.ListUnmappedCodesRequest()).codes
    assert (waiting.kind, waiting.code, waiting.encounters, waiting.amount.minor) == ("payer", NEW_PLAN, 2, 20_000)
    assert (waiting.first_day, waiting.last_day) == ("2026-02-06", "2026-02-06")

    change = door.propose(MAPPINGS)
    assert (change.state, change.needs_another, change.row_count, change.lists) == ("proposed", True, 3, "crosswalks")
    with pytest.raises(RemoteRefusal, match="proposed change"):
        door.calling_as("ada").ApproveChange(pb.ApproveChangeRequest(change_id=change.change_id))
    approved = door.calling_as("ben").ApproveChange(pb.ApproveChangeRequest(change_id=change.change_id))
    assert approved.version == 2
    assert door.keeping.write() == 1
    door.service.sweep()
    assert not door.calling_as("reader").ListUnmappedCodes(pb.ListUnmappedCodesRequest()).codes
    assert [case["state"] for case in door.service.cases()] == ["corrected"]


def test_history_shows_who_did_what_and_every_row(door: Door) -> None:
    change = door.propose(MAPPINGS)
    reader = door.calling_as("reader")
    door.calling_as("ben").RejectChange(pb.RejectChangeRequest(change_id=change.change_id, reason="not this payer"))
    rejected = reader.ListChanges(pb.ListChangesRequest(state="rejected")).changes
    assert [(each.proposer, each.decider, each.decision_reason) for each in rejected] == [
        ("user:ada", "user:ben", "not this payer")
    ]
    found = reader.GetChange(pb.GetChangeRequest(change_id=change.change_id))
    assert sorted(row.list_name for row in found.rows) == ["crosswalks"] * 3
    assert all(row.row and not row.before for row in found.rows)


def test_a_list_is_exported_as_it_was_at_a_version(door: Door) -> None:
    change = door.propose(MAPPINGS)
    door.calling_as("ben").ApproveChange(pb.ApproveChangeRequest(change_id=change.change_id))
    reader = door.calling_as("reader")
    told = [reader.ExportList(pb.ExportListRequest(list_name="crosswalks", version=version)) for version in (1, 2)]
    lines = [gzip.decompress(each.table.content).decode().splitlines() for each in told]
    assert [each.version for each in told] == ["1", "2"]
    assert [any(line.startswith(NEW_PLAN) for line in each) for each in lines] == [False, True]
    again = door.propose("\n".join(lines[0]), replace=True)
    assert (again.row_count, again.base_version) == (3, 2)


def test_a_code_can_be_asked_for_a_day_and_a_version(door: Door) -> None:
    change = door.propose(f"{HEADER[:-1]},valid_from\n{NEW_PLAN},ehr-north,payer,ACME,2026-02-01\n")
    door.calling_as("ben").ApproveChange(pb.ApproveChangeRequest(change_id=change.change_id))

    def known(**asked: object) -> list[int]:
        request = pb.LookUpCodeRequest(list_name="crosswalks", code=NEW_PLAN, **asked)  # type: ignore[arg-type]
        return [row.since_version for row in door.calling_as("reader").LookUpCode(request).rows]

    assert known() == known(day="2026-02-06") == [2]
    assert known(day="2026-01-06") == known(version=1) == []


def test_a_compressed_table_is_taken_and_one_that_lies_is_refused(door: Door) -> None:
    caller = door.calling_as("ada")

    def propose(content: bytes) -> pb.ProposeChangeResponse:
        table = pb.Table(list_name="crosswalks", content=content)
        answer: pb.ProposeChangeResponse = caller.ProposeChange(pb.ProposeChangeRequest(tables=[table], reason=WHY))
        return answer

    assert propose(gzip.compress(MAPPINGS.encode())).change.row_count == 3
    for broken, told in (
        (gzip.compress(MAPPINGS.encode())[:-9], "cut off"),
        (b"\x1f\x8bnothing", "not gzip"),
        (gzip.compress(b" " * (64 * 1024 * 1024 + 1)), "more than"),
        (b"\xff\xfe", "UTF-8"),
        (b"code\nA\n", "source: required"),
    ):
        with pytest.raises(grpc.RpcError, match=told):
            propose(broken)


def test_scopes_divide_the_work(door: Door) -> None:
    with pytest.raises(grpc.RpcError, match=r"master-data\.write is missing"):
        door.calling_as("ben").ProposeChange(pb.ProposeChangeRequest(reason=WHY))
    with pytest.raises(grpc.RpcError, match=r"master-data\.approve is missing"):
        door.calling_as("reader").ApproveChange(pb.ApproveChangeRequest(change_id="x"))
    with pytest.raises(grpc.RpcError, match="no list of master data"):
        door.calling_as("reader").ExportList(pb.ExportListRequest(list_name="tariffs"))
