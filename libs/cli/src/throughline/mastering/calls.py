"""The master data of a suite by gRPC."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

from billing.intake.v1 import master_data_pb2 as pb
from billing.intake.v1 import master_data_pb2_grpc

from throughline.connection import Access


class MasterDataDesk:
    """Proposals, decisions and questions, as whoever the connection says we are."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._stub = master_data_pb2_grpc.MasterDataServiceStub(access.channel("intake"))

    def propose(
        self, tables: Sequence[tuple[str, bytes]], reason: str, *, base: int = 0, replace: bool = False
    ) -> pb.Change:
        """Proposes lists, each as CSV."""
        packed = [pb.Table(list_name=name, content=gzip.compress(content, mtime=0)) for name, content in tables]
        request = pb.ProposeChangeRequest(tables=packed, reason=reason, base_version=base, replace=replace)
        change: pb.Change = self._access.call("intake", self._stub.ProposeChange, request).change
        return change

    def approve(self, change_id: str) -> int:
        """The version that it made."""
        answer = self._access.call("intake", self._stub.ApproveChange, pb.ApproveChangeRequest(change_id=change_id))
        return int(answer.version)

    def reject(self, change_id: str, reason: str) -> None:
        request = pb.RejectChangeRequest(change_id=change_id, reason=reason)
        self._access.call("intake", self._stub.RejectChange, request)

    def changes(self, state: str, limit: int) -> pb.ListChangesResponse:
        return self._access.call("intake", self._stub.ListChanges, pb.ListChangesRequest(state=state, limit=limit))

    def change(self, change_id: str, limit: int) -> pb.GetChangeResponse:
        return self._access.call("intake", self._stub.GetChange, pb.GetChangeRequest(change_id=change_id, limit=limit))

    def exported(self, list_name: str, version: int) -> tuple[str, bytes]:
        """The version, and the list as CSV."""
        request = pb.ExportListRequest(list_name=list_name, version=version)
        answer = self._access.call("intake", self._stub.ExportList, request)
        return str(answer.version), gzip.decompress(answer.table.content)

    def known(self, list_name: str, code: str, day: str, version: int) -> pb.LookUpCodeResponse:
        request = pb.LookUpCodeRequest(list_name=list_name, code=code, day=day, version=version)
        return self._access.call("intake", self._stub.LookUpCode, request)

    def unmapped(self, limit: int) -> pb.ListUnmappedCodesResponse:
        request = pb.ListUnmappedCodesRequest(limit=limit)
        return self._access.call("intake", self._stub.ListUnmappedCodes, request)


def tables_in(paths: Sequence[Path]) -> list[tuple[str, bytes]]:
    """The files, each with the name of its list."""
    return [(path.stem, path.read_bytes()) for path in paths]
