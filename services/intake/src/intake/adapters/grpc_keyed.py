"""Remittances from paper over gRPC: who calls is who keyed or checked."""

from __future__ import annotations

import json

import grpc
from billing.common.v1 import common_pb2
from billing.intake.v1 import keyed_remittances_pb2 as pb
from billing.intake.v1 import keyed_remittances_pb2_grpc
from canonical.money import USD, Money
from chassis.eventstore import Row
from chassis.rpc import BadArgument, GrpcService
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context
from pydantic import ValidationError

from intake.adapters.rows import limit_in, number_of, text_of
from intake.application.keying import KEYED_REMITTANCES, Keying
from intake.domain.keyed_remittance import KeyedContent, KeyedState

NAME = "billing.intake.v1.KeyedRemittanceService"
CONTENT_BYTES_MAX = 1_000_000
FAULTS_TOLD_MAX = 5
SCOPES = {
    "KeyRemittance": "intake.write",
    "CheckRemittance": "payments.approve",
    "TurnDownRemittance": "payments.approve",
    "ListKeyedRemittances": "intake.read",
}


def keyed_remittance_service(core: ServiceCore, keying: Keying) -> GrpcService:
    """The service with the scope of each method."""
    servicer = KeyedRemittanceCalls(core, keying)
    return GrpcService(
        NAME,
        lambda server: keyed_remittances_pb2_grpc.add_KeyedRemittanceServiceServicer_to_server(servicer, server),
        SCOPES,
    )


class KeyedRemittanceCalls(keyed_remittances_pb2_grpc.KeyedRemittanceServiceServicer):
    """The desk for paper."""

    def __init__(self, core: ServiceCore, keying: Keying) -> None:
        self._core = core
        self._keying = keying

    def KeyRemittance(
        self, request: pb.KeyRemittanceRequest, context: grpc.ServicerContext
    ) -> pb.KeyRemittanceResponse:
        keyed_id = self._keying.key(call_context(self._core.clock()), content_in(request.content))
        return pb.KeyRemittanceResponse(keyed_id=str(keyed_id))

    def CheckRemittance(
        self, request: pb.CheckRemittanceRequest, context: grpc.ServicerContext
    ) -> pb.CheckRemittanceResponse:
        keyed_id = uuid_in(request.keyed_id, "keyed_id")
        if not request.HasField("payment"):
            raise BadArgument("payment: as it stands on the paper")
        payment = Money(request.payment.minor, request.payment.currency)
        self._keying.check(call_context(self._core.clock()), keyed_id, payment, request.claim_count)
        return pb.CheckRemittanceResponse()

    def TurnDownRemittance(
        self, request: pb.TurnDownRemittanceRequest, context: grpc.ServicerContext
    ) -> pb.TurnDownRemittanceResponse:
        keyed_id = uuid_in(request.keyed_id, "keyed_id")
        self._keying.turn_down(call_context(self._core.clock()), keyed_id, request.reason)
        return pb.TurnDownRemittanceResponse()

    def ListKeyedRemittances(
        self, request: pb.ListKeyedRemittancesRequest, context: grpc.ServicerContext
    ) -> pb.ListKeyedRemittancesResponse:
        if request.state and request.state not in list(KeyedState):
            raise BadArgument(f"state: {', '.join(KeyedState)}")
        where = {"state": request.state} if request.state else {}
        order = ("-keyed_at", "keyed_id")
        rows = self._core.store.rows(KEYED_REMITTANCES, where, order=order, limit=limit_in(request.limit))
        return pb.ListKeyedRemittancesResponse(remittances=map(_sent, rows))


def content_in(raw: bytes) -> KeyedContent:
    """What was keyed; claims and their places follow each other as they stand there.

    Raises:
        BadArgument: no JSON, too long, or a field is missing or not what it should be; values are not repeated.
    """
    if len(raw) > CONTENT_BYTES_MAX:
        raise BadArgument(f"content: at most {CONTENT_BYTES_MAX} bytes")
    try:
        given = json.loads(raw)
        claims = given.get("claims", []) if isinstance(given, dict) else []
        for position, claim in enumerate(claims if isinstance(claims, list) else []):
            if isinstance(claim, dict):
                claim["position"] = position
        return KeyedContent.model_validate_json(json.dumps(given))
    except ValidationError as refused:
        faults = [
            f"{'.'.join(map(str, fault['loc']))}: {fault['type']}" for fault in refused.errors(include_input=False)
        ]
        raise BadArgument(f"content: {'; '.join(faults[:FAULTS_TOLD_MAX])}") from None
    except ValueError:
        raise BadArgument("content: no JSON") from None


def _sent(row: Row) -> pb.KeyedRemittance:
    return pb.KeyedRemittance(
        keyed_id=text_of(row["keyed_id"]),
        state=text_of(row["state"]),
        entity=text_of(row["entity"]),
        payer=text_of(row["payer"]),
        trace_number=text_of(row["trace_number"]),
        payment=common_pb2.Money(minor=number_of(row["payment_minor"]), currency=USD),
        claim_count=number_of(row["claim_count"]),
        keyed_by=text_of(row["keyed_by"]),
        checked_by=text_of(row["checked_by"]),
        reason=text_of(row["reason"]),
        message_id=text_of(row["message_id"]),
    )
