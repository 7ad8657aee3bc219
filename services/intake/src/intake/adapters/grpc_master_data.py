"""Master data over gRPC: proposals as CSV, their approval, every version as it was, and the codes that charges wait for."""

from __future__ import annotations

import gzip
import zlib
from datetime import date
from uuid import UUID

import grpc
from billing.common.v1 import common_pb2
from billing.intake.v1 import master_data_pb2 as pb
from billing.intake.v1 import master_data_pb2_grpc
from canonical.master_data import Dated, MasterDataList, list_called
from canonical.master_data.tables import TABLE_BYTES_MAX, TableRefused, parse_table, table_lines
from canonical.money import USD
from chassis.eventstore import Row
from chassis.rpc import BadArgument, GrpcService, NotThere
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from intake.adapters.rows import limit_in, number_of, text_of
from intake.application.changing_master_data import MasterDataKeeping
from intake.application.held_codes import HELD_FOR_CODES
from intake.application.master_data_rows import CHANGES, row_changes_of, rows_of_code
from intake.domain.master_data_change import ChangeState

NAME = "billing.intake.v1.MasterDataService"
GZIP_MAGIC = b"\x1f\x8b"
EVERY_VERSION = 2**31 - 1
SCOPES = dict.fromkeys(("ListChanges", "GetChange", "ExportList", "LookUpCode", "ListUnmappedCodes"), "intake.read") | {
    "ProposeChange": "master-data.write",
    "ApproveChange": "master-data.approve",
    "RejectChange": "master-data.approve",
}


def master_data_service(core: ServiceCore, keeping: MasterDataKeeping) -> GrpcService:
    """The service with the scope of each method."""
    servicer = MasterDataCalls(core, keeping)
    return GrpcService(
        NAME, lambda server: master_data_pb2_grpc.add_MasterDataServiceServicer_to_server(servicer, server), SCOPES
    )


class MasterDataCalls(master_data_pb2_grpc.MasterDataServiceServicer):
    """Answers from the store alone; who calls is who proposes or approves."""

    def __init__(self, core: ServiceCore, keeping: MasterDataKeeping) -> None:
        self._core = core
        self._store = core.store
        self._keeping = keeping

    def ProposeChange(
        self, request: pb.ProposeChangeRequest, context: grpc.ServicerContext
    ) -> pb.ProposeChangeResponse:
        given: dict[str, tuple[Dated, ...]] = {}
        for table in request.tables:
            wanted = _list(table.list_name)
            if wanted.name in given:
                raise BadArgument(f"tables: {wanted.name} is there twice")
            given[wanted.name] = _rows(table, wanted)
        cause = call_context(self._core.clock())
        change_id = self._keeping.propose(
            cause, given, request.reason, base_version=max(0, request.base_version), replaces=request.replace
        )
        return pb.ProposeChangeResponse(change=self._change(change_id))

    def ApproveChange(
        self, request: pb.ApproveChangeRequest, context: grpc.ServicerContext
    ) -> pb.ApproveChangeResponse:
        change_id = uuid_in(request.change_id, "change_id")
        return pb.ApproveChangeResponse(version=self._keeping.approve(call_context(self._core.clock()), change_id))

    def RejectChange(self, request: pb.RejectChangeRequest, context: grpc.ServicerContext) -> pb.RejectChangeResponse:
        change_id = uuid_in(request.change_id, "change_id")
        self._keeping.reject(call_context(self._core.clock()), change_id, request.reason)
        return pb.RejectChangeResponse()

    def ListChanges(self, request: pb.ListChangesRequest, context: grpc.ServicerContext) -> pb.ListChangesResponse:
        if request.state and request.state not in list(ChangeState):
            raise BadArgument(f"state: {', '.join(ChangeState)}")
        where = {"state": request.state} if request.state else {}
        limit = limit_in(request.limit)
        rows = self._store.rows(CHANGES, where, order=("-proposed_at", "-base_version", "change_id"), limit=limit)
        return pb.ListChangesResponse(changes=map(_change, rows))

    def GetChange(self, request: pb.GetChangeRequest, context: grpc.ServicerContext) -> pb.GetChangeResponse:
        change_id = uuid_in(request.change_id, "change_id")
        rows = row_changes_of(self._store, change_id, limit_in(request.limit))
        return pb.GetChangeResponse(change=self._change(change_id), rows=map(_row_change, rows))

    def ExportList(self, request: pb.ExportListRequest, context: grpc.ServicerContext) -> pb.ExportListResponse:
        wanted = _list(request.list_name)
        content = self._keeping.content(max(0, request.version))
        text = "".join(table_lines(wanted, getattr(content, wanted.name)))
        table = pb.Table(list_name=wanted.name, content=gzip.compress(text.encode(), mtime=0))
        return pb.ExportListResponse(table=table, version=content.version)

    def LookUpCode(self, request: pb.LookUpCodeRequest, context: grpc.ServicerContext) -> pb.LookUpCodeResponse:
        wanted, day = _list(request.list_name), _day(request.day)
        found = rows_of_code(self._store, wanted.name, request.code, request.version or EVERY_VERSION)
        return pb.LookUpCodeResponse(
            rows=[
                pb.KnownRow(row=row, since_version=version)
                for version, row in found
                if day is None or wanted.row.model_validate_json(row).holds_on(day)
            ]
        )

    def ListUnmappedCodes(
        self, request: pb.ListUnmappedCodesRequest, context: grpc.ServicerContext
    ) -> pb.ListUnmappedCodesResponse:
        columns = ("code_id", "source", "kind", "code", "day")
        codes: dict[object, pb.UnmappedCode] = {}
        for row in self._store.sums(HELD_FOR_CODES, ("amount_minor",), columns, {}):
            day = text_of(row["day"])
            code = codes.setdefault(row["code_id"], _unmapped(row, day))
            code.encounters += number_of(row["count"])
            code.amount.minor += number_of(row["amount_minor"])
            code.first_day, code.last_day = min(code.first_day, day), max(code.last_day, day)
        ordered = sorted(codes.values(), key=lambda each: (-each.amount.minor, each.code_id))
        return pb.ListUnmappedCodesResponse(codes=ordered[: limit_in(request.limit)])

    def _change(self, change_id: UUID) -> pb.Change:
        rows = self._store.rows(CHANGES, {"change_id": change_id}, limit=1)
        if not rows:
            raise NotThere("no change has this id")
        return _change(rows[0])


def _list(name: str) -> MasterDataList:
    wanted = list_called(name)
    if wanted is None:
        raise BadArgument("list_name: no list of master data is called so")
    return wanted


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadArgument("day: a day as 2026-01-31") from None


def _rows(table: pb.Table, wanted: MasterDataList) -> tuple[Dated, ...]:
    try:
        return parse_table(_plain(table.content).decode("utf-8"), wanted).rows
    except UnicodeDecodeError:
        raise BadArgument(f"{wanted.name}: not UTF-8") from None
    except TableRefused as refused:
        raise BadArgument(str(refused)) from None


def _plain(content: bytes) -> bytes:
    """The content without its compression; what would grow above the limit of a table is refused."""
    if not content.startswith(GZIP_MAGIC):
        return content
    unpacking = zlib.decompressobj(wbits=31)
    try:
        plain = unpacking.decompress(content, TABLE_BYTES_MAX)
    except zlib.error:
        raise BadArgument("content: not gzip after all") from None
    if unpacking.unconsumed_tail or not unpacking.eof:
        raise BadArgument(f"content: cut off, or more than {TABLE_BYTES_MAX} bytes")
    return plain


def _unmapped(row: Row, day: str) -> pb.UnmappedCode:
    return pb.UnmappedCode(
        code_id=text_of(row["code_id"]),
        source=text_of(row["source"]),
        kind=text_of(row["kind"]),
        code=text_of(row["code"]),
        amount=common_pb2.Money(minor=0, currency=USD),
        first_day=day,
        last_day=day,
    )


def _change(row: Row) -> pb.Change:
    return pb.Change(
        change_id=text_of(row["change_id"]),
        state=text_of(row["state"]),
        reason=text_of(row["reason"]),
        lists=text_of(row["lists"]),
        row_count=number_of(row["row_count"]),
        needs_another=bool(row["needs_another"]),
        base_version=number_of(row["base_version"]),
        version=number_of(row["version"]),
        proposer=text_of(row["proposer"]),
        proposed_at=text_of(row["proposed_at"]),
        decider=text_of(row["decider"]),
        decided_at=text_of(row["decided_at"]),
        decision_reason=text_of(row["decision_reason"]),
    )


def _row_change(row: Row) -> pb.RowChange:
    return pb.RowChange(
        list_name=text_of(row["list_name"]),
        key=text_of(row["row_key"]),
        row=text_of(row["row"]),
        before=text_of(row["before"]),
    )
