"""`throughline plans`."""

from __future__ import annotations

from typing import Annotated

import typer
from billing.payments.v1 import account_work_pb2 as pb

from throughline.connection import StateOption
from throughline.outcome import Exit, Unusable, ends_with_a_code
from throughline.paying.account_telling import tell_plan, tell_plans
from throughline.paying.calls import LIMIT, EntityOption, KeyOption, LimitOption, key_or_new, patient_money, show
from throughline.screen import JsonOption
from throughline.wire import amount_in, identity_in

PlanArgument = Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")


@app.callback()
def plans() -> None:
    """Plans by which patients pay what they owe in instalments."""


@app.command("list")
@ends_with_a_code
def list_plans(
    account: Annotated[str, typer.Option(help="Only of this account.")] = "",
    in_state: Annotated[
        str, typer.Option("--in", metavar="STATE", help="running, paid, nothing-owed or cancelled.")
    ] = "",
    entity: EntityOption = "",
    limit: LimitOption = LIMIT,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """List plans with how each stands today, the newest first. The JSON is an object with the list `plans`."""
    request = pb.ListPlansRequest(account_id=account, state=in_state, entity=entity, limit=limit)
    with patient_money(state) as money:
        show(money.ask(money.work.ListPlans, request), lambda told: tell_plans(told.plans), as_json)
    return Exit.OK


@app.command("show")
@ends_with_a_code
def show_plan(plan: PlanArgument, state: StateOption = None, as_json: JsonOption = False) -> Exit:
    """Show one plan with its instalments. The JSON is an object with the list `plans`."""
    request = pb.ListPlansRequest(plan_id=identity_in(plan, "a plan"))
    with patient_money(state) as money:
        show(money.ask(money.work.ListPlans, request), lambda told: tell_plan(told.plans[0]), as_json)
    return Exit.OK


@app.command()
@ends_with_a_code
def agree(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account.")],
    instalments: Annotated[list[str], typer.Argument(metavar="DAY=AMOUNT...", help="Such as 2026-05-01=25.00.")],
    key: KeyOption = "",
    state: StateOption = None,
    as_json: JsonOption = False,
) -> Exit:
    """Agree on instalments of what an account owes. The JSON has `plan`."""
    request = pb.AgreePlanRequest(
        account_id=identity_in(account, "an account"),
        idempotency_key=key_or_new(key),
        instalments=map(_instalment, instalments),
    )
    with patient_money(state) as money:
        show(money.ask(money.work.AgreePlan, request), lambda told: tell_plan(told.plan), as_json)
    return Exit.OK


@app.command()
@ends_with_a_code
def cancel(plan: PlanArgument, state: StateOption = None, as_json: JsonOption = False) -> Exit:
    """End a plan that runs; the account is asked to pay as any other. The JSON has `plan`."""
    request = pb.CancelPlanRequest(plan_id=identity_in(plan, "a plan"))
    with patient_money(state) as money:
        show(money.ask(money.work.CancelPlan, request), lambda told: tell_plan(told.plan), as_json)
    return Exit.OK


def _instalment(text: str) -> pb.Instalment:
    day, equals, amount = text.partition("=")
    if not equals:
        raise Unusable(f"{text!r}: a day and an amount, such as 2026-05-01=25.00")
    return pb.Instalment(due_on=day, amount=amount_in(amount, "AMOUNT"))
