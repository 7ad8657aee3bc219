"""The read model of payment plans: what was agreed, and whether it runs."""

from __future__ import annotations

from collections.abc import Iterable

from chassis.domain import Event
from chassis.eventstore import Change, Table, put

from payments.domain.payment_plan import PaymentPlan

RUNNING = "running"
PAYMENT_PLANS = Table(
    "payment_plans",
    {
        "plan_id": "uuid",
        "account_id": "uuid",
        "entity": "text",
        "state": "text",
        "total_minor": "bigint",
        "instalments": "integer",
        "agreed_on": "date",
        "agreed_by": "text",
        "ended_on": "date",
    },
    key=("plan_id",),
    indexes=(("account_id",), ("state",)),
)
"""`state` is `running`, or why it ended."""


def project_plans(event: Event) -> Iterable[Change]:
    """The row of a plan that one stored event changes."""
    match event:
        case PaymentPlan.Agreed():
            yield put(
                PAYMENT_PLANS,
                plan_id=event.originator_id,
                account_id=event.account_id,
                entity=event.entity,
                state=RUNNING,
                total_minor=sum(each.amount.minor for each in event.instalments),
                instalments=len(event.instalments),
                agreed_on=event.effective_date,
                agreed_by=event.agreed_by,
            )
        case PaymentPlan.Ended():
            ended = {"state": event.why.value, "ended_on": event.effective_date}
            yield put(PAYMENT_PLANS, plan_id=event.originator_id, **ended)
        case _:
            return
