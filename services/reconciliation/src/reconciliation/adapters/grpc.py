"""The gRPC face of reconciliation: proofs, and the breaks that people work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import grpc
from billing.reconciliation.v1 import reconciliation_pb2 as pb
from billing.reconciliation.v1 import reconciliation_pb2_grpc
from chassis.eventstore import Row, Work, transact
from chassis.rpc import BadArgument, GrpcService, NotThere
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from reconciliation.adapters.wire import on_wire, text
from reconciliation.application import use_cases
from reconciliation.application.queries import BREAKS, RUNS, identity, minor
from reconciliation.application.use_cases import Reconciling
from reconciliation.domain.breaks import BreakState
from reconciliation.domain.findings import ControlResult, Divergence, Verdict
from reconciliation.domain.runs import ReconciliationRun

NAME = "billing.reconciliation.v1.ReconciliationService"
LATEST = "latest"
READS = ("GetRun", "ListRuns", "ListBreaks")
WRITES = ("Run", "ResolveBreak", "RequestWriteOff", "WriteOffBreak")
JUDGEMENTS: dict[str, Callable[[Work, UUID, str], None]] = {
    "explained": use_cases.explain_break,
    "corrected": use_cases.correct_break,
}


def reconciliation_service(core: ServiceCore, reconciling: Reconciling) -> GrpcService:
    """The service with the scope of each method."""
    servicer = Reconciliation(core, reconciling)
    return GrpcService(
        NAME,
        lambda server: reconciliation_pb2_grpc.add_ReconciliationServiceServicer_to_server(servicer, server),
        dict.fromkeys(READS, "reconciliation.read") | dict.fromkeys(WRITES, "reconciliation.write"),
    )


class Reconciliation(reconciliation_pb2_grpc.ReconciliationServiceServicer):
    """Answers from the store, and proves on request."""

    def __init__(self, core: ServiceCore, reconciling: Reconciling) -> None:
        self._core = core
        self._store = core.store
        self._reconciling = reconciling

    def Run(self, request: pb.RunRequest, context: grpc.ServicerContext) -> pb.RunResponse:
        run_id = self._reconciling.run(request.entities, call_context(self._core.clock()))
        return pb.RunResponse(run=self._run(run_id))

    def GetRun(self, request: pb.GetRunRequest, context: grpc.ServicerContext) -> pb.GetRunResponse:
        return pb.GetRunResponse(run=self._run(self._run_id(request.run_id)))

    def ListRuns(self, request: pb.ListRunsRequest, context: grpc.ServicerContext) -> pb.ListRunsResponse:
        limit = _limit(request.limit, 20, 500)
        rows = self._store.rows(RUNS, {}, order=("-completed_at",), limit=limit)
        return pb.ListRunsResponse(runs=[_summary(row) for row in rows])

    def ListBreaks(self, request: pb.ListBreaksRequest, context: grpc.ServicerContext) -> pb.ListBreaksResponse:
        if request.state and request.state not in set(BreakState):
            raise BadArgument(f"state: one of {', '.join(BreakState)}")
        where: dict[str, object] = {"entity": request.entity} if request.entity else {}
        if request.state:
            where["state"] = request.state
        elif request.only_open:
            where["state"] = [BreakState.OPENED.value, BreakState.EXPLAINED.value]
        limit = _limit(request.limit, 100, 1000)
        rows = self._store.rows(BREAKS, where, order=("-changed_at",), limit=limit)
        return pb.ListBreaksResponse(breaks=[_break(row) for row in rows])

    def ResolveBreak(self, request: pb.ResolveBreakRequest, context: grpc.ServicerContext) -> pb.ResolveBreakResponse:
        judgement = JUDGEMENTS.get(request.how)
        if judgement is None:
            raise BadArgument(f"how: one of {', '.join(JUDGEMENTS)}")
        return pb.ResolveBreakResponse(found=self._judge(judgement, request))

    def RequestWriteOff(
        self, request: pb.RequestWriteOffRequest, context: grpc.ServicerContext
    ) -> pb.RequestWriteOffResponse:
        return pb.RequestWriteOffResponse(found=self._judge(use_cases.request_write_off, request))

    def WriteOffBreak(
        self, request: pb.WriteOffBreakRequest, context: grpc.ServicerContext
    ) -> pb.WriteOffBreakResponse:
        return pb.WriteOffBreakResponse(found=self._judge(use_cases.write_off_break, request))

    def _judge(
        self,
        judgement: Callable[[Work, UUID, str], None],
        request: pb.ResolveBreakRequest | pb.RequestWriteOffRequest | pb.WriteOffBreakRequest,
    ) -> pb.Break:
        break_id = uuid_in(request.break_id, "break_id")
        context = call_context(self._core.clock())
        transact(self._store, context, lambda work: judgement(work, break_id, request.reason))
        return _break(self._store.rows(BREAKS, {"break_id": break_id}, limit=1)[0])

    def _run_id(self, asked: str) -> UUID:
        if asked != LATEST:
            return uuid_in(asked, "run_id")
        rows = self._store.rows(RUNS, {}, order=("-completed_at",), limit=1)
        if not rows:
            raise NotThere("nothing has been proved yet")
        return identity(rows[0], "run_id")

    def _run(self, run_id: UUID) -> pb.Run:
        rows = self._store.rows(RUNS, {"run_id": run_id}, limit=1)
        if not rows:
            raise NotThere(f"no proof {run_id}")
        run = Work(self._store, call_context(self._core.clock())).require(ReconciliationRun, run_id)
        found = _summary(rows[0])
        found.results.extend(_result(result) for result in run.results)
        return found


def _limit(asked: int, default: int, highest: int) -> int:
    if not 0 <= asked <= highest:
        raise BadArgument(f"limit: 0 to {highest}")
    return asked or default


def _summary(row: Row) -> pb.Run:
    entities, positions = row["entities"], row["positions"]
    assert isinstance(entities, list), "entities are kept as a list"
    assert isinstance(positions, dict), "positions are kept by service"
    counts: dict[str, Any] = {name: row[name] for name in ("controls", "explained", "in_motion", "broken")}
    return pb.Run(
        run_id=text(row["run_id"]),
        entities=entities,
        positions=positions,
        requested_by=text(row["requested_by"]),
        completed_at=text(row["completed_at"]),
        unexplained=on_wire(minor(row, "unexplained_minor")),
        **counts,
    )


def _result(result: ControlResult) -> pb.ControlResult:
    place = result.place
    return pb.ControlResult(
        control=place.control.value,
        compared=place.compared.value,
        entity=place.entity,
        account=place.account,
        party=place.party,
        ours=on_wire(result.ours),
        theirs=on_wire(result.theirs),
        residual=on_wire(result.residual),
        items=[
            pb.ExplainingItem(
                reason=item.reason,
                amount=on_wire(item.amount),
                subject_id=text(item.subject_id),
                reference=item.reference,
            )
            for item in result.items
        ],
        unexplained=on_wire(result.unexplained),
        verdict=result.verdict.value,
        first_divergence=_divergence(result.first_divergence),
        break_id=str(place.break_id) if result.verdict is Verdict.BROKEN else "",
        since=text(result.since),
    )


def _divergence(found: Divergence | None) -> pb.Divergence | None:
    if found is None:
        return None
    subject = text(found.subject_id)
    return pb.Divergence(what=found.what, subject_id=subject, amount=on_wire(found.amount), note=found.note)


def _break(row: Row) -> pb.Break:
    occurrence = row["occurrence"]
    assert isinstance(occurrence, int), "a count"
    told = ("break_id", "state", "control", "compared", "entity", "account", "party", "divergence", "divergence_id")
    more = ("divergence_note", "reason", "requested_by", "approved_by", "run_id", "opened_at", "changed_at")
    texts: dict[str, Any] = {name: text(row[name]) for name in (*told, *more)}
    return pb.Break(
        occurrence=occurrence,
        residual=on_wire(minor(row, "residual_minor")),
        written_off=on_wire(minor(row, "written_off_minor")),
        **texts,
    )
