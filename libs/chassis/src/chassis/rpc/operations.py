"""The operations service of every service: its exceptions, its aggregates' histories, how far it has got."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import grpc
from billing.operations.v1 import operations_pb2 as pb
from billing.operations.v1 import operations_pb2_grpc
from canonical.money import Money
from canonical.sealed import Sealed
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from chassis.domain import Aggregate, Event
from chassis.eventstore import Row, transact
from chassis.eventstore.registry import events_of
from chassis.eventstore.work import Work
from chassis.exceptions.case import CASES, CaseState, ExceptionCase
from chassis.exceptions.guides import CaseGuide, actions_of_every_case, guide_of
from chassis.messaging.consumer import retry_case
from chassis.rpc.case_messages import case_told
from chassis.rpc.errors import BadArgument, NotThere, uuid_in
from chassis.rpc.server import GrpcService
from chassis.runtime.core import ServiceCore
from chassis.telemetry.correlation import call_context

NAME = "billing.operations.v1.OperationsService"
CASES_DEFAULT = 100
CASES_MAX = 1000
_ENVELOPE = frozenset(Event.model_fields)


def operations_service(core: ServiceCore) -> GrpcService:
    """What the runtime adds beside the service's own; reading needs `<service>.read`, acting `<service>.write`."""
    servicer = Operations(core)
    reads = dict.fromkeys(("ListCases", "GetCase", "GetHistory", "GetStatus"), f"{core.shape.name}.read")
    writes = dict.fromkeys(("RetryCase", "AssignCase", "DismissCase"), f"{core.shape.name}.write")
    return GrpcService(
        NAME,
        lambda server: operations_pb2_grpc.add_OperationsServiceServicer_to_server(servicer, server),
        {**reads, **writes},
    )


class Operations(operations_pb2_grpc.OperationsServiceServicer):
    """Answers from the store alone."""

    def __init__(self, core: ServiceCore) -> None:
        self._core = core

    def ListCases(self, request: pb.ListCasesRequest, context: grpc.ServicerContext) -> pb.ListCasesResponse:
        if not 0 <= request.limit <= CASES_MAX:
            raise BadArgument(f"limit: 0 to {CASES_MAX}")
        if request.state and request.state not in set(CaseState):
            raise BadArgument(f"state: one of {', '.join(CaseState)}")
        where = {"state": request.state, "code": request.code, "owner": request.owner}
        chosen = {column: value for column, value in where.items() if value}
        limit = request.limit or CASES_DEFAULT
        rows = self._core.store.rows(CASES, chosen, order=("-raised_at", "case_id"), limit=limit)
        return pb.ListCasesResponse(cases=[self._told(row) for row in rows])

    def GetCase(self, request: pb.GetCaseRequest, context: grpc.ServicerContext) -> pb.GetCaseResponse:
        return pb.GetCaseResponse(case=self._case(uuid_in(request.case_id, "case_id")))

    def RetryCase(self, request: pb.RetryCaseRequest, context: grpc.ServicerContext) -> pb.RetryCaseResponse:
        case_id = uuid_in(request.case_id, "case_id")

        def retry(work: Work) -> None:
            retry_case(work, case_id, self._core.consumers.values(), request.reason, self._core.mending)

        transact(self._core.store, call_context(self._core.clock()), retry)
        return pb.RetryCaseResponse(case=self._case(case_id))

    def AssignCase(self, request: pb.AssignCaseRequest, context: grpc.ServicerContext) -> pb.AssignCaseResponse:
        case_id = uuid_in(request.case_id, "case_id")

        def assign(work: Work) -> None:
            work.require(ExceptionCase, case_id).assign(request.owner or work.context.meta.actor)

        transact(self._core.store, call_context(self._core.clock()), assign)
        return pb.AssignCaseResponse(case=self._case(case_id))

    def DismissCase(self, request: pb.DismissCaseRequest, context: grpc.ServicerContext) -> pb.DismissCaseResponse:
        case_id = uuid_in(request.case_id, "case_id")

        def dismiss(work: Work) -> None:
            case = work.require(ExceptionCase, case_id)
            if not case.dismiss(request.reason, by_two=self._guide(case.code, case.subject, case.message_id).by_two):
                return
            if case.message_id is not None and work.store.parked(message_ids=[case.message_id]):
                work.unpark(case.message_id)
            decide = self._core.dismissing.get(case.code)
            if decide is not None and case.subject_id is not None:
                decide(work, case.subject_id, request.reason)

        transact(self._core.store, call_context(self._core.clock()), dismiss)
        return pb.DismissCaseResponse(case=self._case(case_id))

    def GetHistory(self, request: pb.GetHistoryRequest, context: grpc.ServicerContext) -> pb.GetHistoryResponse:
        identity = uuid_in(request.aggregate_id, "aggregate_id")
        story = self._core.store.story(identity)
        if not story:
            raise NotThere(f"nothing here has the id {identity}")
        return pb.GetHistoryResponse(aggregate_type=self._kind_of(story[0]), events=[_event(event) for event in story])

    def GetStatus(self, request: pb.GetStatusRequest, context: grpc.ServicerContext) -> pb.GetStatusResponse:
        store = self._core.store
        open_states = [CaseState.OPEN.value, CaseState.ASSIGNED.value]
        open_cases = store.sums(CASES, (), ("state",), {"state": open_states})
        return pb.GetStatusResponse(
            service=self._core.shape.name,
            last_position=store.last_position(),
            relay_position=store.relay_position(),
            open_cases=sum(int(str(row["count"])) for row in open_cases),
            parked_messages=len(store.parked()),
            consumers=sorted(consumer.name for consumer in self._core.consumers.values()),
            backlog=self._core.backlog,
            master_data_version=self._core.master_data_version(),
        )

    def _case(self, case_id: UUID) -> pb.Case:
        rows = self._core.store.rows(CASES, {"case_id": case_id}, limit=1)
        if not rows:
            raise NotThere(f"no case {case_id}")
        return self._told(rows[0])

    def _told(self, row: Row) -> pb.Case:
        code, can_be_retried = str(row["code"]), row["message_id"] is not None or row["code"] in self._core.mending
        guide = self._guide(code, str(row["subject"]), row["message_id"])
        return case_told(row, guide, actions_of_every_case(self._core.shape.name, guide, can_be_retried=can_be_retried))

    def _guide(self, code: str, subject: str, message_id: object) -> CaseGuide:
        return guide_of(self._core.shape.guides, code, subject, has_parked_message=message_id is not None)

    def _kind_of(self, event: Event) -> str:
        kinds: tuple[type[Aggregate], ...] = (ExceptionCase, *self._core.shape.aggregates)
        for aggregate in kinds:
            if type(event) in events_of(aggregate):
                return aggregate.__name__
        return ""


def _event(event: Event) -> pb.HistoryEvent:
    fields = {name: getattr(event, name) for name in type(event).model_fields if name not in _ENVELOPE}
    return pb.HistoryEvent(
        version=event.originator_version,
        topic=event.TOPIC,
        timestamp=event.timestamp.isoformat(),
        actor=event.meta.actor,
        causation_id=str(event.meta.causation_id),
        correlation_id=str(event.meta.correlation_id),
        source_system=event.meta.source_system,
        source_reference=event.meta.source_reference,
        state_json=json.dumps(unsealed_view(fields), sort_keys=True),
    )


def unsealed_view(value: Any) -> Any:
    """A JSON value of an event's field in which every sealed part is the word `sealed`."""
    if isinstance(value, Sealed):
        return "sealed"
    if isinstance(value, Money):
        return str(value)
    if isinstance(value, BaseModel):
        return {name: unsealed_view(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(key): unsealed_view(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [unsealed_view(item) for item in value]
    return to_jsonable_python(value)
