"""The gRPC face of people's work on claims: edits, denials, underpayments and the filing proof."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

import grpc
from billing.claims.v1 import claim_work_pb2 as pb
from billing.claims.v1 import claim_work_pb2_grpc
from canonical.money import USD, Money
from chassis.eventstore import Work, transact
from chassis.rpc import BadArgument, GrpcService, NotThere
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from claims.adapters.arguments import given, offset_in, reason_in, size_of
from claims.adapters.rule_files import changed_rules
from claims.adapters.work_messages import (
    denial_message,
    dry_run_message,
    edit_run_message,
    happening_message,
    packet_message,
    underpayment_message,
)
from claims.application import queries, work_queries, working_denials
from claims.application.editing import DryRun
from claims.application.packet import FilingPackets
from claims.application.work_read_models import OPEN_STATES
from claims.domain.denial_facts import DenialAction, DenialState
from claims.domain.rules.rule import RuleSet
from claims.domain.rules.values import RuleRefused

NAME = "billing.claims.v1.ClaimWorkService"
READ, WRITE, RAW_READ = "claims.read", "claims.write", "claims.raw.read"
READING = ("GetClaimWork", "DryRunEdits", "ListDenials", "GetDenial", "ListUnderpayments")
WRITING = ("AssignDenial", "RecordDenialAction", "RequestWriteOff", "ApproveWriteOff")
EVERY_STATE = "all"
UNDERPAYMENT_STATES = ("open", "resolved")
NAME_LENGTH_MAX = 100

_Choice = TypeVar("_Choice", bound=StrEnum)


def claim_work_service(core: ServiceCore, dry_run: DryRun, packets: FilingPackets) -> GrpcService:
    """The service as the runtime serves it."""
    servicer = ClaimWork(core, dry_run, packets)
    return GrpcService(
        NAME,
        lambda server: claim_work_pb2_grpc.add_ClaimWorkServiceServicer_to_server(servicer, server),
        dict.fromkeys(READING, READ) | dict.fromkeys(WRITING, WRITE) | {"GetFilingPacket": RAW_READ},
    )


class ClaimWork(claim_work_pb2_grpc.ClaimWorkServiceServicer):
    """Reads the read models and hands commands on; nothing here decides."""

    def __init__(self, core: ServiceCore, dry_run: DryRun, packets: FilingPackets) -> None:
        self._core = core
        self._store = core.store
        self._dry_run = dry_run
        self._packets = packets

    def GetClaimWork(self, request: pb.GetClaimWorkRequest, context: grpc.ServicerContext) -> pb.GetClaimWorkResponse:
        claim_id = uuid_in(request.claim_id, "claim_id")
        if queries.claim_row(self._store, claim_id) is None:
            raise NotThere(f"no claim {claim_id}")
        return pb.GetClaimWorkResponse(
            edit_runs=map(edit_run_message, work_queries.edit_runs_of(self._store, claim_id)),
            denials=map(denial_message, work_queries.denials_of(self._store, claim_id)),
            underpayments=map(underpayment_message, work_queries.underpayments_of(self._store, claim_id)),
        )

    def DryRunEdits(self, request: pb.DryRunEditsRequest, context: grpc.ServicerContext) -> pb.DryRunEditsResponse:
        now = self._core.clock()
        run = self._dry_run.of(uuid_in(request.claim_id, "claim_id"), now, self._rules(request.rules))
        return pb.DryRunEditsResponse(run=dry_run_message(run, now))

    def ListDenials(self, request: pb.ListDenialsRequest, context: grpc.ServicerContext) -> pb.ListDenialsResponse:
        where = given(queue=request.queue, owner=request.owner, payer=request.payer)
        if not request.state:
            where["state"] = OPEN_STATES
        elif request.state != EVERY_STATE:
            where["state"] = _one_of(DenialState, request.state, "state").value
        size, skip = size_of("page_size", request.page_size), offset_in(request.page_token)
        rows = work_queries.denial_rows(self._store, where, skip=skip, size=size)
        next_token = str(skip + size) if len(rows) > size else ""
        return pb.ListDenialsResponse(denials=map(denial_message, rows[:size]), next_page_token=next_token)

    def GetDenial(self, request: pb.GetDenialRequest, context: grpc.ServicerContext) -> pb.GetDenialResponse:
        denial_id = uuid_in(request.denial_id, "denial_id")
        history = work_queries.history_of_denial(self._store, denial_id)
        return pb.GetDenialResponse(denial=self._denial(denial_id), history=map(happening_message, history))

    def AssignDenial(self, request: pb.AssignDenialRequest, context: grpc.ServicerContext) -> pb.AssignDenialResponse:
        owner, queue = _name(request.owner, "owner"), request.queue and _name(request.queue, "queue")
        changed = self._change(
            request.denial_id, lambda work, each: working_denials.assign_denial(work, each, owner, queue)
        )
        return pb.AssignDenialResponse(denial=changed)

    def RecordDenialAction(
        self, request: pb.RecordDenialActionRequest, context: grpc.ServicerContext
    ) -> pb.RecordDenialActionResponse:
        action = _one_of(DenialAction, request.action, "action")
        note, reference = reason_in(request.note, "note"), request.reference
        if len(reference) > NAME_LENGTH_MAX:
            raise BadArgument(f"reference: at most {NAME_LENGTH_MAX} characters")
        changed = self._change(
            request.denial_id, lambda work, each: working_denials.act_on_denial(work, each, action, note, reference)
        )
        return pb.RecordDenialActionResponse(denial=changed)

    def RequestWriteOff(
        self, request: pb.RequestWriteOffRequest, context: grpc.ServicerContext
    ) -> pb.RequestWriteOffResponse:
        amount = _amount(request)
        reason = reason_in(request.reason, "reason")
        changed = self._change(
            request.denial_id, lambda work, each: working_denials.request_write_off(work, each, amount, reason)
        )
        return pb.RequestWriteOffResponse(denial=changed)

    def ApproveWriteOff(
        self, request: pb.ApproveWriteOffRequest, context: grpc.ServicerContext
    ) -> pb.ApproveWriteOffResponse:
        if request.turn_down:
            reason = reason_in(request.reason, "reason")
            changed = self._change(
                request.denial_id, lambda work, each: working_denials.turn_write_off_down(work, each, reason)
            )
        else:
            amount = _amount(request)
            if amount is None:
                raise BadArgument("amount: how much is approved")
            changed = self._change(
                request.denial_id, lambda work, each: working_denials.approve_write_off(work, each, amount)
            )
        return pb.ApproveWriteOffResponse(denial=changed)

    def ListUnderpayments(
        self, request: pb.ListUnderpaymentsRequest, context: grpc.ServicerContext
    ) -> pb.ListUnderpaymentsResponse:
        if request.state not in ("", *UNDERPAYMENT_STATES):
            raise BadArgument(f"state: one of {', '.join(UNDERPAYMENT_STATES)}")
        where = given(state=request.state, payer=request.payer)
        rows = work_queries.underpayment_rows(self._store, where, size_of("limit", request.limit))
        return pb.ListUnderpaymentsResponse(underpayments=map(underpayment_message, rows))

    def GetFilingPacket(
        self, request: pb.GetFilingPacketRequest, context: grpc.ServicerContext
    ) -> pb.GetFilingPacketResponse:
        claim_id = uuid_in(request.claim_id, "claim_id")
        return packet_message(self._packets.of(call_context(self._core.clock()), claim_id))

    def _rules(self, written: str) -> RuleSet:
        """The rules in force, or as the file in the request would change them."""
        in_force = self._dry_run.rules
        try:
            return changed_rules(in_force, written) if written else in_force
        except RuleRefused as refused:
            raise BadArgument(f"rules: {refused}") from None

    def _change(self, denial_id: str, command: Callable[[Work, UUID], None]) -> pb.Denial:
        identity = uuid_in(denial_id, "denial_id")
        transact(self._store, call_context(self._core.clock()), lambda work: command(work, identity))
        return self._denial(identity)

    def _denial(self, denial_id: UUID) -> pb.Denial:
        row = work_queries.denial_row(self._store, denial_id)
        if row is None:
            raise NotThere(f"no denial {denial_id}")
        return denial_message(row)


def _one_of(choices: type[_Choice], text: str, field: str) -> _Choice:
    try:
        return choices(text)
    except ValueError:
        raise BadArgument(f"{field}: one of {', '.join(choices)}") from None


def _name(text: str, field: str) -> str:
    if not 1 <= len(text.strip()) <= NAME_LENGTH_MAX:
        raise BadArgument(f"{field}: 1 to {NAME_LENGTH_MAX} characters")
    return text.strip()


def _amount(request: pb.RequestWriteOffRequest | pb.ApproveWriteOffRequest) -> Money | None:
    """What to give up, in the currency of the books; None where the request leaves it open."""
    if not request.HasField("amount"):
        return None
    if request.amount.currency not in ("", USD):
        raise BadArgument(f"amount: in {USD}")
    return Money(request.amount.minor)
