"""The calls about payment plans: agreed, ended, listed with how they stand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import grpc
from billing.payments.v1 import account_work_pb2 as pb
from canonical.ids import derive
from chassis.eventstore import EventStore, Work, transact
from chassis.rpc import NotThere
from chassis.rpc.errors import uuid_in
from chassis.runtime import ServiceCore
from chassis.telemetry.correlation import call_context

from payments.adapters.arguments import ROWS_MAX, amount_in, day_in, ids_in, key_in, named_in, size_in
from payments.adapters.grpc_messages import minor_sent, money_sent, text_of
from payments.application.payment_plans import PlanThen, agree_plan, cancel_plan, plans_standing
from payments.application.plan_rows import PAYMENT_PLANS
from payments.domain.payment_plan import Instalment


class PlanAnswers:
    """Hands commands on, and answers from the read model and the facts of the accounts."""

    _core: ServiceCore
    _store: EventStore
    _today: Callable[[], date]

    def AgreePlan(self, request: pb.AgreePlanRequest, context: grpc.ServicerContext) -> pb.AgreePlanResponse:
        account_id = uuid_in(request.account_id, "account_id")
        plan_id = derive("plan-request", account_id, key_in(request.idempotency_key, "idempotency_key"))
        instalments = [
            Instalment(
                due_on=day_in(each.due_on, f"instalments, {number}, due_on"),
                amount=amount_in(each.amount, f"instalments, {number}, amount"),
            )
            for number, each in enumerate(request.instalments, 1)
        ]
        on = self._today()
        self._change(lambda work: agree_plan(work, plan_id, account_id=account_id, instalments=instalments, on=on))
        return pb.AgreePlanResponse(plan=self._plan(plan_id))

    def CancelPlan(self, request: pb.CancelPlanRequest, context: grpc.ServicerContext) -> pb.CancelPlanResponse:
        plan_id = uuid_in(request.plan_id, "plan_id")
        self._change(lambda work: cancel_plan(work, plan_id, self._today()))
        return pb.CancelPlanResponse(plan=self._plan(plan_id))

    def ListPlans(self, request: pb.ListPlansRequest, context: grpc.ServicerContext) -> pb.ListPlansResponse:
        where = ids_in(account_id=request.account_id, plan_id=request.plan_id)
        where |= named_in(state=request.state, entity=request.entity)
        limit = size_in(request.limit, "limit", ROWS_MAX)
        rows = self._store.rows(PAYMENT_PLANS, where, order=("-agreed_on", "plan_id"), limit=limit)
        if request.plan_id and not rows:
            raise NotThere("no plan has this id")
        return pb.ListPlansResponse(plans=map(plan_sent, plans_standing(self._store, rows, self._core.clock())))

    def _plan(self, plan_id: UUID) -> pb.Plan:
        rows = self._store.rows(PAYMENT_PLANS, {"plan_id": plan_id})
        (plan,) = plans_standing(self._store, rows, self._core.clock())
        return plan_sent(plan)

    def _change(self, command: Callable[[Work], None]) -> None:
        transact(self._store, call_context(self._core.clock()), command)


def plan_sent(plan: PlanThen) -> pb.Plan:
    """A plan with how it stands."""
    row, standing = plan.row, plan.standing
    return pb.Plan(
        plan_id=text_of(row["plan_id"]),
        account_id=text_of(row["account_id"]),
        entity=text_of(row["entity"]),
        state=text_of(row["state"]),
        total=minor_sent(row["total_minor"]),
        instalments=map(_instalment_sent, plan.instalments),
        agreed_on=text_of(row["agreed_on"]),
        agreed_by=text_of(row["agreed_by"]),
        ended_on=text_of(row["ended_on"]),
        paid=money_sent(standing.paid),
        missed=money_sent(standing.missed_amount),
        left=money_sent(standing.left),
        next_due=_instalment_sent(standing.next_due) if standing.next_due else None,
    )


def _instalment_sent(instalment: Instalment) -> pb.Instalment:
    return pb.Instalment(due_on=instalment.due_on.isoformat(), amount=money_sent(instalment.amount))
