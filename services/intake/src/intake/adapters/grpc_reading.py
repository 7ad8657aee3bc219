"""The gRPC face of reading: content that is explained before it is sent, and kept messages that are read again."""

from __future__ import annotations

from datetime import UTC
from uuid import UUID

import grpc
from billing.intake.v1 import intake_reading_pb2 as pb
from billing.intake.v1 import intake_reading_pb2_grpc
from chassis.domain import Context
from chassis.inbound import ExpiredRaw
from chassis.keys import ErasedKey
from chassis.rpc import BadArgument, GrpcService
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from intake.adapters.explaining import Explaining
from intake.application.reprocessing import Reprocessing
from intake.application.rereadings import NotReadable

NAME = "billing.intake.v1.IntakeReadingService"
SCOPES = {"ExplainContent": "intake.read", "ReprocessMessages": "intake.reprocess"}
CONTENT_BYTES_MAX = 3 * 1_048_576
MESSAGES_MAX = 100
MESSAGES_USUAL = 50


def reading_service(core: ServiceCore, explaining: Explaining, reprocessing: Reprocessing) -> GrpcService:
    """The service with the scope of each method."""
    servicer = IntakeReading(core, explaining, reprocessing)
    return GrpcService(
        NAME,
        lambda server: intake_reading_pb2_grpc.add_IntakeReadingServiceServicer_to_server(servicer, server),
        SCOPES,
    )


class IntakeReading(intake_reading_pb2_grpc.IntakeReadingServiceServicer):
    """Each message is read again in a transaction of its own, so a call that is cut off has done what it has done."""

    def __init__(self, core: ServiceCore, explaining: Explaining, reprocessing: Reprocessing) -> None:
        self._core = core
        self._explaining = explaining
        self._reprocessing = reprocessing

    def ExplainContent(
        self, request: pb.ExplainContentRequest, context: grpc.ServicerContext
    ) -> pb.ExplainContentResponse:
        if not 0 < len(request.content) <= CONTENT_BYTES_MAX:
            raise BadArgument(f"content: 1 to {CONTENT_BYTES_MAX} bytes")
        found = self._explaining.explain(request.content)
        return pb.ExplainContentResponse(
            format=found.format,
            message_count=found.messages,
            accepted_count=found.accepted,
            sentences=found.sentences,
            findings=found.findings,
            unmapped=found.unmapped,
            effects=found.effects,
        )

    def ReprocessMessages(
        self, request: pb.ReprocessMessagesRequest, context: grpc.ServicerContext
    ) -> pb.ReprocessMessagesResponse:
        caller = call_context(self._core.clock())
        ids, position = self._chosen(request)
        messages = [self._reread(caller, each, request.reader, dry_run=request.dry_run) for each in ids]
        return pb.ReprocessMessagesResponse(messages=messages, next_position=position)

    def _chosen(self, request: pb.ReprocessMessagesRequest) -> tuple[list[UUID], int]:
        if request.message_ids:
            if len(request.message_ids) > MESSAGES_MAX:
                raise BadArgument(f"message_ids: at most {MESSAGES_MAX}")
            return [uuid_in(each, "message_ids") for each in request.message_ids], 0
        if not request.HasField("since") or not 0 <= request.limit <= MESSAGES_MAX or request.position < 0:
            raise BadArgument(f"since: an instant, where no messages are named; limit: at most {MESSAGES_MAX}")
        instant = request.since.ToDatetime(UTC)
        return self._reprocessing.since(instant, request.position, request.limit or MESSAGES_USUAL)

    def _reread(self, caller: Context, message_id: UUID, reader: str, *, dry_run: bool) -> pb.RereadMessage:
        try:
            found = self._reprocessing.reprocess(caller, message_id, reader=reader, dry_run=dry_run)
        except NotReadable as why:
            return pb.RereadMessage(message_id=str(message_id), unreadable=str(why))
        except ErasedKey:
            return pb.RereadMessage(message_id=str(message_id), unreadable="its bytes have been erased")
        except ExpiredRaw as expired:
            return pb.RereadMessage(message_id=str(message_id), unreadable=str(expired))
        return pb.RereadMessage(
            message_id=str(message_id),
            before=found.before,
            after=found.after,
            differences=found.differences,
            findings=found.findings,
            notes=found.notes,
        )
