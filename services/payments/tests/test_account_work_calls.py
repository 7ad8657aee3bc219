"""What people do about accounts by call: transfers by two people, plans, asking, and cash that should go back."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import grpc
import pytest
from billing.common.v1 import common_pb2
from billing.payments.v1 import account_work_pb2 as pb
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore.work import UnknownAggregate
from chassis.rpc import BadArgument, NotThere
from chassis.telemetry.correlation import caused_by, incoming
from payments.adapters.grpc_account_work import SCOPES, AccountWork, account_work_service
from payments.domain.account_transfer import OwnTransfer, TransferChanged, TransferDecided
from payments.domain.patient_account import account_id_of
from payments.domain.payment_plan import OtherPlan, PlanEnded

from .examples import DAY, PATIENT
from .test_front_desk import PAYMENT, paid
from .world import World, adjudication

NO_CONTEXT = cast(grpc.ServicerContext, None)
ACCOUNT = account_id_of("NORTH", PATIENT)
CHILD = account_id_of("NORTH", derive("test-patient", 2))


def usd(minor: int) -> common_pb2.Money:
    return common_pb2.Money(minor=minor, currency="USD")


class Desk(World):
    """A patient who owes 25.00 and has paid 30.00, another who owes 7.00, and the people who work their accounts."""

    def __init__(self) -> None:
        super().__init__()
        other = {"patient_id": derive("test-patient", 2), "claim_id": derive("test-claim", 2)}
        self.deliver(adjudication(2500), adjudication(700, 1, **other), paid(3000))
        self.calls = AccountWork(self.core, lambda: DAY, Money(200))

    def ask(self, minor: int = 500, by: str = "user:ann", key: str = "transfer-1") -> pb.Transfer:
        request = pb.RequestTransferRequest(
            idempotency_key=key,
            moved="cash",
            source=str(PAYMENT),
            from_account_id=str(ACCOUNT),
            to_account_id=str(CHILD),
            amount=usd(minor),
            reason="paid for the child",
        )
        with caused_by(incoming(by, None, None)):
            return self.calls.RequestTransfer(request, NO_CONTEXT).transfer

    def decide(self, transfer: pb.Transfer, by: str, *, turn_down: bool = False) -> pb.Transfer:
        request = pb.ApproveTransferRequest(
            transfer_id=transfer.transfer_id, amount=transfer.amount, turn_down=turn_down, reason="the wrong child"
        )
        with caused_by(incoming(by, None, None)):
            return self.calls.ApproveTransfer(request, NO_CONTEXT).transfer

    def agree(self, *parts: tuple[int, int], key: str = "plan-one") -> pb.Plan:
        instalments = [
            pb.Instalment(due_on=(DAY + timedelta(days=days)).isoformat(), amount=usd(minor)) for days, minor in parts
        ]
        request = pb.AgreePlanRequest(account_id=str(CHILD), idempotency_key=key, instalments=instalments)
        with caused_by(incoming("user:ann", None, None)):
            return self.calls.AgreePlan(request, NO_CONTEXT).plan

    def cancel(self, plan: pb.Plan) -> pb.Plan:
        with caused_by(incoming("user:ann", None, None)):
            return self.calls.CancelPlan(pb.CancelPlanRequest(plan_id=plan.plan_id), NO_CONTEXT).plan

    def sent(self, request: pb.RecordStatementSentRequest) -> str:
        with caused_by(incoming("user:ann", None, None)):
            return self.calls.RecordStatementSent(request, NO_CONTEXT).step


def test_a_transfer_is_asked_for_by_one_person_and_made_by_another() -> None:
    desk = Desk()
    asked = desk.ask()
    assert (asked.state, asked.requested_by, asked.cash_id) == ("requested", "user:ann", "")
    with pytest.raises(OwnTransfer):
        desk.decide(asked, "user:ann")
    made = desk.decide(asked, "user:bea")
    assert (made.state, made.decided_by, made.effective_date) == ("made", "user:bea", DAY.isoformat())
    assert made.cash_id
    with pytest.raises(TransferDecided):
        desk.decide(asked, "user:bea")
    listed = desk.calls.ListTransfers(pb.ListTransfersRequest(to_account_id=str(CHILD), state="made"), NO_CONTEXT)
    assert list(listed.transfers) == [made]


def test_below_the_limit_one_person_is_enough_and_the_same_key_is_the_same_transfer() -> None:
    desk = Desk()
    asked = desk.ask(200)
    assert desk.ask(200) == asked
    assert desk.decide(asked, "user:ann").state == "made"
    with pytest.raises(TransferChanged):
        desk.ask(300)


def test_a_transfer_may_be_turned_down() -> None:
    desk = Desk()
    assert desk.decide(desk.ask(), "user:bea", turn_down=True).state == "turned-down"


@pytest.mark.parametrize(
    "wrong", [{"moved": "debt"}, {"source": "x"}, {"reason": "x"}, {"idempotency_key": "short"}, {"amount": usd(0)}]
)
def test_a_transfer_that_cannot_be_is_refused_by_the_name_of_its_field(wrong: dict[str, object]) -> None:
    fields: dict[str, object] = {
        "idempotency_key": "transfer-1",
        "moved": "cash",
        "source": str(PAYMENT),
        "from_account_id": str(ACCOUNT),
        "to_account_id": str(CHILD),
        "amount": usd(100),
        "reason": "paid for the child",
    }
    with pytest.raises(BadArgument, match=next(iter(wrong))):
        Desk().calls.RequestTransfer(pb.RequestTransferRequest(**(fields | wrong)), NO_CONTEXT)  # type: ignore[arg-type]


def test_a_plan_is_agreed_on_shown_as_it_stands_and_ended() -> None:
    desk = Desk()
    plan = desk.agree((10, 300), (40, 400))
    assert desk.agree((10, 300), (40, 400)) == plan
    assert (plan.state, plan.total.minor, plan.left.minor, plan.next_due.amount.minor) == ("running", 700, 700, 300)
    with pytest.raises(OtherPlan):
        desk.agree((10, 300))
    listed = desk.calls.ListPlans(pb.ListPlansRequest(account_id=str(CHILD)), NO_CONTEXT)
    assert [each.plan_id for each in listed.plans] == [plan.plan_id]
    ended = desk.cancel(plan)
    assert (ended.state, ended.ended_on) == ("cancelled", DAY.isoformat())
    with pytest.raises(PlanEnded):
        desk.cancel(plan)


def test_a_plan_says_what_of_it_was_missed() -> None:
    desk = Desk()
    plan = desk.agree((10, 300), (40, 400))
    desk.clock.advance(days=(DAY - desk.clock().date()).days + 11)
    (found,) = desk.calls.ListPlans(pb.ListPlansRequest(plan_id=plan.plan_id), NO_CONTEXT).plans
    assert (found.missed.minor, found.paid.minor, found.next_due.amount.minor) == (300, 0, 400)
    with pytest.raises(NotThere):
        desk.calls.ListPlans(pb.ListPlansRequest(plan_id=str(PATIENT)), NO_CONTEXT)


def test_accounts_are_listed_by_their_step_and_a_sent_statement_is_noted() -> None:
    desk = Desk()
    desk.clock.advance(days=(DAY - desk.clock().date()).days)
    (account,) = desk.calls.ListAsking(pb.ListAskingRequest(entity="NORTH", step="statement-1"), NO_CONTEXT).accounts
    assert (account.account_id, account.asked.minor, account.next_in_days) == (str(CHILD), 700, 30)
    request = pb.RecordStatementSentRequest(account_id=str(CHILD), means="mail")
    assert desk.sent(request) == "statement-1"
    desk.clock.advance(days=30)
    (account,) = desk.calls.ListAsking(pb.ListAskingRequest(step="statement-2"), NO_CONTEXT).accounts
    assert (account.step, account.due, account.days) == ("statement-2", "statement-2", 30)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (pb.RecordStatementSentRequest(account_id=str(CHILD), means="smoke"), BadArgument),
        (pb.RecordStatementSentRequest(account_id=str(CHILD), means="mail", sent_on="2026-03-03"), BadArgument),
        (pb.RecordStatementSentRequest(account_id=str(PATIENT), means="mail"), UnknownAggregate),
    ],
)
def test_a_statement_that_cannot_have_been_sent_is_refused(
    request_: pb.RecordStatementSentRequest, error: type[Exception]
) -> None:
    with pytest.raises(error):
        Desk().sent(request_)


def test_cash_that_should_go_back_is_listed() -> None:
    desk = Desk()
    desk.clock.advance(days=(DAY - desk.clock().date()).days + 40)
    request = pb.ListRefundProposalsRequest(entity="NORTH", older_than_days=30)
    (proposal,) = desk.calls.ListRefundProposals(request, NO_CONTEXT).proposals
    assert (proposal.payment_id, proposal.amount.minor, proposal.age_days) == (str(PAYMENT), 500, 40)
    desk.decide(desk.ask(500), "user:bea")
    assert not desk.calls.ListRefundProposals(request, NO_CONTEXT).proposals
    with pytest.raises(BadArgument):
        desk.calls.ListRefundProposals(pb.ListRefundProposalsRequest(), NO_CONTEXT)


def test_every_call_has_its_scope() -> None:
    service = account_work_service(Desk().core, lambda: DAY, Money(0))
    names = {name for name in vars(pb) if name.endswith("Request")}
    assert {f"{method}Request" for method in service.scopes} == names
    assert SCOPES["ApproveTransfer"] == "payments.approve"
