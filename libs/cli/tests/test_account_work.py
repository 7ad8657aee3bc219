"""`throughline transfers`, `plans`, `asking`, `overpayments` and `remit tie`: what they ask, and how they tell the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from billing.common.v1 import common_pb2
from billing.payments.v1 import account_work_pb2 as work
from billing.payments.v1 import payer_overpayments_pb2 as payers
from billing.payments.v1 import payments_pb2 as payments
from google.protobuf.message import Message
from throughline.main import app
from typer.testing import CliRunner

ACCOUNT = "7c0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
OTHER = "9d0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
PAYMENT = "3f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
THING = "5a0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
WORK, OVERPAYMENTS = "billing.payments.v1.AccountWorkService", "billing.payments.v1.PayerOverpaymentsService"


def usd(minor: int) -> common_pb2.Money:
    return common_pb2.Money(minor=minor, currency="USD")


TRANSFER = work.Transfer(
    transfer_id=THING,
    moved="cash",
    state="requested",
    amount=usd(500),
    from_account_id=ACCOUNT,
    to_account_id=OTHER,
    requested_by="user:ann",
    reason="paid for a child",
)
PLAN = work.Plan(
    plan_id=THING,
    account_id=ACCOUNT,
    state="running",
    total=usd(5000),
    instalments=[work.Instalment(due_on="2026-05-01", amount=usd(2500))],
    missed=usd(1000),
    left=usd(4000),
    next_due=work.Instalment(due_on="2026-06-01", amount=usd(2500)),
)
ASKED = work.AskedAccount(account_id=ACCOUNT, step="statement-2", due="final-notice", asked=usd(2500), stops=["plan"])
PROPOSAL = work.RefundProposal(payment_id=PAYMENT, account_id=ACCOUNT, amount=usd(500), age_days=70)
OVERPAYMENT = payers.PayerOverpayment(
    overpayment_id=THING, payer="ACME", due_on="2026-05-01", amount=usd(8000), open=usd(3000), evidence="paid twice"
)
CREDIT = payers.PayerCredit(claim_id=THING, entity="NORTH", payer="ACME", overpaid=usd(8000), remittance_id=PAYMENT)
ANSWERS: dict[str, tuple[type[Message], Message]] = {
    f"{WORK}/RequestTransfer": (work.RequestTransferRequest, work.RequestTransferResponse(transfer=TRANSFER)),
    f"{WORK}/ApproveTransfer": (work.ApproveTransferRequest, work.ApproveTransferResponse(transfer=TRANSFER)),
    f"{WORK}/ListTransfers": (work.ListTransfersRequest, work.ListTransfersResponse(transfers=[TRANSFER])),
    f"{WORK}/AgreePlan": (work.AgreePlanRequest, work.AgreePlanResponse(plan=PLAN)),
    f"{WORK}/CancelPlan": (work.CancelPlanRequest, work.CancelPlanResponse(plan=PLAN)),
    f"{WORK}/ListPlans": (work.ListPlansRequest, work.ListPlansResponse(plans=[PLAN])),
    f"{WORK}/ListAsking": (work.ListAskingRequest, work.ListAskingResponse(accounts=[ASKED], looked_at=7)),
    f"{WORK}/RecordStatementSent": (
        work.RecordStatementSentRequest,
        work.RecordStatementSentResponse(step="statement-2"),
    ),
    f"{WORK}/ListRefundProposals": (
        work.ListRefundProposalsRequest,
        work.ListRefundProposalsResponse(proposals=[PROPOSAL]),
    ),
    f"{OVERPAYMENTS}/ListPayerOverpayments": (
        payers.ListPayerOverpaymentsRequest,
        payers.ListPayerOverpaymentsResponse(overpayments=[OVERPAYMENT]),
    ),
    f"{OVERPAYMENTS}/ListPayerCredits": (
        payers.ListPayerCreditsRequest,
        payers.ListPayerCreditsResponse(credits=[CREDIT]),
    ),
    f"{OVERPAYMENTS}/IdentifyOverpayment": (
        payers.IdentifyOverpaymentRequest,
        payers.IdentifyOverpaymentResponse(overpayment_id=THING),
    ),
    f"{OVERPAYMENTS}/MoveOverpayment": (
        payers.MoveOverpaymentRequest,
        payers.MoveOverpaymentResponse(open=usd(3000)),
    ),
    "billing.payments.v1.PaymentsService/TieDeposits": (payments.TieDepositsRequest, payments.TieDepositsResponse()),
}
ASKED_WITH: list[Message] = []


def answering(answer: Message) -> Callable[..., Message]:
    def answered(request: Message, context: grpc.ServicerContext) -> Message:
        ASKED_WITH.append(request)
        return answer

    return answered


@pytest.fixture
def suite(serve: Callable[..., Path]) -> str:
    return str(serve({method: (request, answering(answer)) for method, (request, answer) in ANSWERS.items()}))


WHY = ["--reason", "paid for a child"]
TOLD = [
    (["transfers", "list", "--from", ACCOUNT], [THING, "5.00", "user:ann"], "from_account_id"),
    (["transfers", "request", ACCOUNT, OTHER, PAYMENT, "5.00", *WHY], ["requested", "5.00"], "idempotency_key"),
    (["transfers", "approve", THING, "5.00"], [THING], "amount"),
    (["transfers", "turn-down", THING, *WHY], [THING], "turn_down"),
    (["plans", "list", "--account", ACCOUNT], ["25.00 by 2026-06-01", "10.00"], "account_id"),
    (["plans", "show", THING], ["2026-05-01", "40.00"], "plan_id"),
    (["plans", "agree", ACCOUNT, "2026-05-01=25.00", "2026-06-01=25.00"], ["running"], "instalments"),
    (["plans", "cancel", THING], ["running"], "plan_id"),
    (["asking", "list", "--step", "statement-2"], ["final-notice", "plan", "Looked at 7"], "step"),
    (["asking", "sent", ACCOUNT, "--means", "mail"], ["asked as statement-2"], "means"),
    (["payments", "refund-proposals", "NORTH"], [PAYMENT, "70"], "older_than_days"),
    (["overpayments", "list"], ["2026-05-01", "30.00", "paid twice"], "only_open"),
    (["overpayments", "proposed", "--entity", "NORTH"], ["80.00", "not yet"], "entity"),
    (
        ["overpayments", "identify", "NORTH", "ACME", THING, "80.00", "--reason", "other", "--evidence", "paid twice"],
        [THING],
        "evidence",
    ),
    (["overpayments", "move", THING, "returned", "50.00", "--evidence", "check 9"], ["30.00 of it"], "step"),
]


@pytest.mark.parametrize(("words", "told", "field"), TOLD, ids=[" ".join(words[:2]) for words, _, _ in TOLD])
def test_what_was_answered_is_told_in_words_and_as_data(
    runner: CliRunner, suite: str, words: list[str], told: list[str], field: str
) -> None:
    result = runner.invoke(app, [*words, "--state", suite])
    assert result.exit_code == 0, result.output
    assert [word for word in told if word not in result.stdout] == []
    assert getattr(ASKED_WITH[-1], field)
    data = runner.invoke(app, [*words, "--state", suite, "--json"])
    assert isinstance(json.loads(data.stdout), dict)


def test_a_share_moves_instead_of_cash_where_that_is_said(runner: CliRunner, suite: str) -> None:
    for more, moved in (([], "cash"), (["--share"], "share")):
        words = ["transfers", "request", ACCOUNT, OTHER, PAYMENT, "5.00", *WHY, *more]
        assert runner.invoke(app, [*words, "--state", suite]).exit_code == 0
        request = ASKED_WITH[-1]
        assert isinstance(request, work.RequestTransferRequest)
        assert request.moved == moved


def test_deposits_are_tied_to_remittances(runner: CliRunner, suite: str) -> None:
    words = ["remit", "tie", "--deposit", THING, "--deposit", OTHER, "--remittance", PAYMENT]
    assert runner.invoke(app, [*words, "--state", suite]).exit_code == 0
    request = ASKED_WITH[-1]
    assert isinstance(request, payments.TieDepositsRequest)
    assert (list(request.deposit_ids), list(request.remittance_ids)) == ([THING, OTHER], [PAYMENT])


def test_an_instalment_is_a_day_and_an_amount(runner: CliRunner, suite: str) -> None:
    assert runner.invoke(app, ["plans", "agree", ACCOUNT, "25.00", "--state", suite]).exit_code == 2
