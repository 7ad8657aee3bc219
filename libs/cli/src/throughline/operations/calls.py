"""The operations of a service by gRPC."""

from __future__ import annotations

from collections.abc import Sequence

from billing.operations.v1 import operations_pb2 as pb
from billing.operations.v1 import operations_pb2_grpc

from throughline.connection import Access, Service
from throughline.operations.cases import Action, Case, Wanted
from throughline.operations.history import History, HistoryEvent
from throughline.wire import money_of


class Operations:
    """The exceptions and histories of the services of one suite."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def list(self, service: Service, wanted: Wanted) -> Sequence[Case]:
        request = pb.ListCasesRequest(state=wanted.state, code=wanted.code, owner=wanted.owner, limit=wanted.limit)
        answer = self._access.call(service, self._stub(service).ListCases, request)
        return [_case(service, each) for each in answer.cases]

    def get(self, service: Service, case_id: str) -> Case:
        answer = self._access.call(service, self._stub(service).GetCase, pb.GetCaseRequest(case_id=case_id))
        return _case(service, answer.case)

    def retry(self, service: Service, case_id: str, reason: str) -> Case:
        request = pb.RetryCaseRequest(case_id=case_id, reason=reason)
        return _case(service, self._access.call(service, self._stub(service).RetryCase, request).case)

    def assign(self, service: Service, case_id: str, owner: str) -> Case:
        request = pb.AssignCaseRequest(case_id=case_id, owner=owner)
        return _case(service, self._access.call(service, self._stub(service).AssignCase, request).case)

    def dismiss(self, service: Service, case_id: str, reason: str) -> Case:
        request = pb.DismissCaseRequest(case_id=case_id, reason=reason)
        return _case(service, self._access.call(service, self._stub(service).DismissCase, request).case)

    def history(self, service: Service, aggregate_id: str) -> History:
        """The events of one aggregate.

        Raises:
            NotFound: nothing at this service has the id.
        """
        request = pb.GetHistoryRequest(aggregate_id=aggregate_id)
        answer = self._access.call(service, self._stub(service).GetHistory, request)
        return History(service, aggregate_id, answer.aggregate_type, tuple(map(_event, answer.events)))

    def _stub(self, service: Service) -> operations_pb2_grpc.OperationsServiceStub:
        return operations_pb2_grpc.OperationsServiceStub(self._access.channel(service))


def _case(service: Service, case: pb.Case) -> Case:
    return Case(
        service=service,
        case_id=case.case_id,
        state=case.state,
        code=case.code,
        summary=case.summary,
        subject=case.subject,
        subject_id=case.subject_id,
        message_id=case.message_id,
        entity=case.entity,
        amount=money_of(case.amount) if case.HasField("amount") else None,
        owner=case.owner,
        reason=case.reason,
        actor=case.actor,
        raised_at=case.raised_at,
        ended_at=case.ended_at,
        means=case.means,
        evidence=tuple(case.evidence),
        actions=tuple(Action(each.name, each.does, each.command, each.scope) for each in case.actions),
        due_on=case.due_on,
        needs_second_person=case.needs_second_person,
        dismissal_by=case.dismissal_by,
        dismissal_reason=case.dismissal_reason,
    )


def _event(event: pb.HistoryEvent) -> HistoryEvent:
    return HistoryEvent(
        version=event.version,
        topic=event.topic,
        timestamp=event.timestamp,
        actor=event.actor,
        causation_id=event.causation_id,
        correlation_id=event.correlation_id,
        source_system=event.source_system,
        source_reference=event.source_reference,
        state_json=event.state_json,
    )
