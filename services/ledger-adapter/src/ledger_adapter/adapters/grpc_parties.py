"""Parties and their customer accounts over gRPC, for other systems."""

from __future__ import annotations

import grpc
from billing.ledger.v1 import parties_pb2 as pb
from billing.ledger.v1 import parties_pb2_grpc
from chassis.eventstore import Row
from chassis.rpc import BadArgument, GrpcService, NotThere
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from ledger_adapter.adapters.messages import text
from ledger_adapter.adapters.paging import size_of
from ledger_adapter.application import parties
from ledger_adapter.application.parties import PartySync
from ledger_adapter.application.ports import ErpParty
from ledger_adapter.domain.party_account import PartyKind

NAME = "billing.ledger.v1.PartyService"
READ, WRITE = "ledger.read", "ledger.write"
SCOPES = {"GetParty": READ, "ListParties": READ, "UpsertParty": WRITE, "MergeParties": WRITE}
PARTIES_MAX = 1000


def party_service(core: ServiceCore, sync: PartySync) -> GrpcService:
    """The service as the runtime serves it."""
    servicer = Parties(core, sync)
    return GrpcService(
        NAME, lambda server: parties_pb2_grpc.add_PartyServiceServicer_to_server(servicer, server), SCOPES
    )


class Parties(parties_pb2_grpc.PartyServiceServicer):
    """Asks the application and writes messages."""

    def __init__(self, core: ServiceCore, sync: PartySync) -> None:
        self._core = core
        self._store = core.store
        self._sync = sync

    def UpsertParty(self, request: pb.UpsertPartyRequest, context: grpc.ServicerContext) -> pb.UpsertPartyResponse:
        if request.kind not in set(PartyKind):
            raise BadArgument(f"kind: one of {', '.join(PartyKind)}")
        party = ErpParty(entity=request.entity, code=request.code, kind=PartyKind(request.kind))
        row = self._sync.upsert(call_context(self._core.clock()), party)
        return pb.UpsertPartyResponse(party=_message(row))

    def GetParty(self, request: pb.GetPartyRequest, context: grpc.ServicerContext) -> pb.GetPartyResponse:
        row = parties.party(self._store, request.entity, request.code, by_erp_code=request.by_erp_code)
        if row is None:
            raise NotThere("no party of this entity has the code")
        return pb.GetPartyResponse(party=_message(row), stands_for=_message(parties.standing_for(self._store, row)))

    def ListParties(self, request: pb.ListPartiesRequest, context: grpc.ServicerContext) -> pb.ListPartiesResponse:
        size = size_of(request.page_size, PARTIES_MAX, 200)
        if request.page_token and parties.party(self._store, request.entity, request.page_token) is None:
            raise BadArgument("page_token: not one that a page told")
        rows = parties.parties(self._store, request.entity, size + 1, request.page_token)
        return pb.ListPartiesResponse(
            parties=map(_message, rows[:size]),
            next_page_token=text(rows[size - 1]["code"]) if len(rows) > size else "",
        )

    def MergeParties(self, request: pb.MergePartiesRequest, context: grpc.ServicerContext) -> pb.MergePartiesResponse:
        said = call_context(self._core.clock())
        row = self._sync.merge(said, request.entity, request.code, request.into, request.reason)
        return pb.MergePartiesResponse(party=_message(row))


def _message(row: Row) -> pb.Party:
    names = ("entity", "code", "kind", "erp", "erp_code", "erp_id", "state", "reason", "merged_into")
    return pb.Party(**{name: text(row[name]) for name in names})
