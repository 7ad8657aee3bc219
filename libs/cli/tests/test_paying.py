"""`throughline payments`, `unapplied`, `write-offs` and `statement`: what they ask, and how they tell the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from billing.common.v1 import common_pb2
from billing.payments.v1 import gateway_orders_pb2 as gateway_orders
from billing.payments.v1 import patient_accounts_pb2 as accounts
from billing.payments.v1 import patient_payments_pb2 as patients
from billing.payments.v1 import payments_pb2 as pb
from google.protobuf.message import Message
from throughline.main import app
from typer.testing import CliRunner

PAYMENT = "3f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
REFUND = "5a0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
ACCOUNT = "7c0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
PATIENT = "9d0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
CLAIM = "ae0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
Serve = Callable[..., Path]
PAYMENTS, ACCOUNTS, PATIENTS, ORDERS = (
    f"billing.payments.v1.{name}Service" for name in ("Payments", "PatientAccounts", "PatientPayments", "GatewayOrders")
)


def usd(minor: int) -> common_pb2.Money:
    return common_pb2.Money(minor=minor, currency="USD")


A_PAYMENT = pb.Payment(
    payment_id=PAYMENT, entity="NORTH", state="succeeded", amount=usd(2500), effective_date="2026-06-01"
)
A_REFUND = patients.Refund(
    refund_id=REFUND,
    payment_id=PAYMENT,
    state="requested",
    amount=usd(1000),
    reason="overpaid",
    requested_by="user:ann",
)
A_WRITE_OFF = accounts.WriteOff(
    write_off_id=REFUND, account_id=ACCOUNT, kind="charity", state="approved", amount=usd(700), stands=usd(600)
)
A_DISPUTE = patients.Dispute(dispute_id=REFUND, payment_id=PAYMENT, amount=usd(900), respond_by="2026-06-20")
A_STATEMENT = accounts.GetStatementResponse(
    account_id=ACCOUNT,
    entity="NORTH",
    as_of="2026-06-30",
    visits=[accounts.StatementVisit(on="2026-06-01", charged=usd(12000), share=usd(2500), open=usd(2500))],
    lines=[accounts.StatementLine(on="2026-06-01", amount=usd(2500), explanation="Your share.")],
    ages=[accounts.StatementAge(age="up to 30 days", amount=usd(2500))],
    balance=usd(2500),
    adds_up=True,
    document=b"<!DOCTYPE html>",
    media_type="text/html",
)


AN_ORDER = gateway_orders.GatewayOrder(
    order_id=REFUND, gateway="stripe", kind="payment", state="uncertain", amount=usd(2500), placed_by="user:ann"
)
A_CANDIDATE = patients.Candidate(account_id=ACCOUNT, entity="NORTH", score=40, reasons=["it owes that much"])


class Asked:
    """Gives each method its answer, and keeps what was asked."""

    def __init__(self) -> None:
        self.requests: list[Message] = []
        self.statement = A_STATEMENT
        of_refund = {"refund": A_REFUND}
        of_write_off = {"write_off": A_WRITE_OFF}
        unapplied = accounts.Unapplied(
            payment_id=PAYMENT, entity="NORTH", amount=usd(500), age_days=40, why="unclaimed"
        )
        self.answers: dict[str, tuple[type[Message], Message]] = {
            f"{PAYMENTS}/ListPayments": (pb.ListPaymentsRequest, pb.ListPaymentsResponse(payments=[A_PAYMENT])),
            f"{PAYMENTS}/MatchPayment": (pb.MatchPaymentRequest, pb.MatchPaymentResponse(applied=usd(300))),
            f"{PATIENTS}/GetPayment": (
                patients.GetPaymentRequest,
                patients.GetPaymentResponse(
                    payment=A_PAYMENT, refunds=[A_REFUND], taken_back=usd(1000), candidates=[A_CANDIDATE]
                ),
            ),
            f"{PATIENTS}/PostPayment": (
                patients.PostPaymentRequest,
                patients.PostPaymentResponse(
                    payment_id=PAYMENT, account_id=ACCOUNT, applied=usd(1000), balance=usd(1500)
                ),
            ),
            f"{PATIENTS}/RequestRefund": (patients.RequestRefundRequest, patients.RequestRefundResponse(**of_refund)),
            f"{PATIENTS}/ApproveRefund": (patients.ApproveRefundRequest, patients.ApproveRefundResponse(**of_refund)),
            f"{PATIENTS}/DenyRefund": (patients.DenyRefundRequest, patients.DenyRefundResponse(**of_refund)),
            f"{PATIENTS}/CancelRefund": (patients.CancelRefundRequest, patients.CancelRefundResponse(**of_refund)),
            f"{PATIENTS}/RecordRefundPaid": (
                patients.RecordRefundPaidRequest,
                patients.RecordRefundPaidResponse(**of_refund),
            ),
            f"{PATIENTS}/ListRefunds": (patients.ListRefundsRequest, patients.ListRefundsResponse(refunds=[A_REFUND])),
            f"{PATIENTS}/ListDisputes": (
                patients.ListDisputesRequest,
                patients.ListDisputesResponse(disputes=[A_DISPUTE]),
            ),
            f"{ORDERS}/RequestPayment": (
                gateway_orders.RequestPaymentRequest,
                gateway_orders.RequestPaymentResponse(order=AN_ORDER),
            ),
            f"{ORDERS}/DecideOrder": (
                gateway_orders.DecideOrderRequest,
                gateway_orders.DecideOrderResponse(order=AN_ORDER),
            ),
            f"{ORDERS}/ListOrders": (
                gateway_orders.ListOrdersRequest,
                gateway_orders.ListOrdersResponse(orders=[AN_ORDER]),
            ),
            f"{ACCOUNTS}/Allocate": (
                accounts.AllocateRequest,
                accounts.AllocateResponse(account=pb.Account(balance=usd(500)), unapplied=usd(1000)),
            ),
            f"{ACCOUNTS}/ListUnapplied": (
                accounts.ListUnappliedRequest,
                accounts.ListUnappliedResponse(unapplied=[unapplied], total=usd(500), count=1),
            ),
            f"{ACCOUNTS}/ListWriteOffs": (
                accounts.ListWriteOffsRequest,
                accounts.ListWriteOffsResponse(write_offs=[A_WRITE_OFF]),
            ),
            f"{ACCOUNTS}/RequestWriteOff": (
                accounts.RequestWriteOffRequest,
                accounts.RequestWriteOffResponse(**of_write_off),
            ),
            f"{ACCOUNTS}/ApproveWriteOff": (
                accounts.ApproveWriteOffRequest,
                accounts.ApproveWriteOffResponse(**of_write_off),
            ),
            f"{ACCOUNTS}/ReverseWriteOff": (
                accounts.ReverseWriteOffRequest,
                accounts.ReverseWriteOffResponse(**of_write_off),
            ),
        }

    def served(self) -> dict[str, tuple[type[Message], Callable[..., Message]]]:
        def answering(answer: Message) -> Callable[..., Message]:
            def answered(request: Message, context: grpc.ServicerContext) -> Message:
                self.requests.append(request)
                return answer

            return answered

        plain = {method: (request, answering(answer)) for method, (request, answer) in self.answers.items()}
        return plain | {
            f"{ACCOUNTS}/GetStatement": (accounts.GetStatementRequest, self._statement),
            f"{ACCOUNTS}/GetBalance": (accounts.GetBalanceRequest, self._balance),
            f"{PAYMENTS}/GetPatientBalance": (pb.GetPatientBalanceRequest, self._patient),
        }

    def _statement(self, request: accounts.GetStatementRequest, context: grpc.ServicerContext) -> Message:
        self.requests.append(request)
        if request.account_id != ACCOUNT:
            context.abort(grpc.StatusCode.NOT_FOUND, "no account")
        return self.statement

    def _balance(self, request: accounts.GetBalanceRequest, context: grpc.ServicerContext) -> Message:
        self.requests.append(request)
        if request.account_id != ACCOUNT:
            context.abort(grpc.StatusCode.NOT_FOUND, "no account")
        whole = pb.Account(account_id=ACCOUNT, entity="NORTH", responsibility=usd(2500), balance=usd(2500))
        line = pb.Activity(account_id=ACCOUNT, kind="responsibility", amount=usd(2500), claim_id=CLAIM)
        return accounts.GetBalanceResponse(
            accounts=[accounts.AccountBalance(account=whole, lines=[line])], balance=usd(2500)
        )

    def _patient(self, request: pb.GetPatientBalanceRequest, context: grpc.ServicerContext) -> Message:
        entities = {PATIENT: ["NORTH"], PAYMENT: ["NORTH", "SOUTH"]}.get(request.patient_id, [])
        return pb.GetPatientBalanceResponse(
            accounts=[pb.Account(account_id=ACCOUNT, entity=entity) for entity in entities]
        )


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def suite(serve: Serve, asked: Asked) -> str:
    return str(serve(asked.served()))


TOLD = [
    (["payments", "list", "--unmatched"], [PAYMENT, "25.00", "nobody's yet"], "only_unmatched"),
    (
        ["payments", "show", PAYMENT],
        ["10.00 of it was refunded", "overpaid", "may be for", "it owes that much"],
        "payment_id",
    ),
    (
        ["payments", "post", "10.00", "--account", ACCOUNT],
        ["10.00 pays what is owed", "owes 15.00", "Its key was"],
        "amount",
    ),
    (["payments", "match", PAYMENT, ACCOUNT], ["3.00 of it pays"], "account_id"),
    (["payments", "set-aside", ACCOUNT, PAYMENT, CLAIM, "10", "--name", "knee"], ["owes 5.00", "10.00 of"], "target"),
    (["payments", "refund", PAYMENT, "10.00", "--reason", "overpaid"], [REFUND, "user:ann"], "idempotency_key"),
    (["payments", "refunds", "--in", "requested"], [REFUND], "state"),
    (["payments", "approve", REFUND, "10.00"], [REFUND], "amount"),
    (["payments", "deny", REFUND], [REFUND], "refund_id"),
    (["payments", "cancel", REFUND], [REFUND], "refund_id"),
    (["payments", "paid", REFUND, "--reference", "check 9"], [REFUND], "reference"),
    (["payments", "disputes"], ["9.00", "not moved", "2026-06-20"], "only_open"),
    (["payments", "charge", ACCOUNT, "25.00", "--method", "pm_1", "--ach"], ["uncertain", "25.00"], "method_kind"),
    (["payments", "orders", "--in", "uncertain"], ["user:ann", "stripe"], "state"),
    (["payments", "decide", REFUND, "--again"], [REFUND], "again"),
    (["unapplied", "--unclaimed"], ["names no account of ours", "5.00 of 1 payments", "40"], "only_unclaimed"),
    (["write-offs", "list"], ["charity", "7.00", "6.00"], "limit"),
    (
        ["write-offs", "request", ACCOUNT, CLAIM, "7.00", "--kind", "charity", "--reason", "hardship"],
        ["charity"],
        "place",
    ),
    (["write-offs", "approve", REFUND, "7.00"], ["approved"], "amount"),
    (["write-offs", "turn-down", REFUND, "--reason", "no form"], ["charity"], "turn_down"),
    (["write-offs", "reverse", REFUND, "1.00", "--reason", "income"], ["charity"], "idempotency_key"),
    (["statement", ACCOUNT], ["25.00 is owed to NORTH", "Your share.", "up to 30 days", "add up"], "account_id"),
    (["balance", ACCOUNT, "--as-of", "2026-06-30"], ["Balance 25.00", f"claim {CLAIM}", "add up"], "as_of"),
]


@pytest.mark.parametrize(("words", "told", "field"), TOLD, ids=[" ".join(words[:2]) for words, _, _ in TOLD])
def test_what_was_answered_is_told_in_words_and_as_data(
    runner: CliRunner, suite: str, asked: Asked, words: list[str], told: list[str], field: str
) -> None:
    result = runner.invoke(app, [*words, "--state", suite])
    assert result.exit_code == 0, result.output
    assert [word for word in told if word not in result.stdout] == []
    assert getattr(asked.requests[-1], field)
    data = runner.invoke(app, [*words, "--state", suite, "--json"])
    assert isinstance(json.loads(data.stdout), dict)


def test_a_key_that_is_given_is_the_one_that_is_asked_with(runner: CliRunner, suite: str, asked: Asked) -> None:
    runner.invoke(app, ["payments", "post", "1", "--account", ACCOUNT, "--key", "receipt-17", "--state", suite])
    (request,) = asked.requests
    assert isinstance(request, patients.PostPaymentRequest)
    assert (request.idempotency_key, request.amount.minor) == ("receipt-17", 100)


def test_the_statement_of_a_patient_is_that_of_their_only_account(
    runner: CliRunner, suite: str, tmp_path: Path
) -> None:
    page = tmp_path / "statement.html"
    result = runner.invoke(app, ["statement", PATIENT, "--out", str(page), "--state", suite])
    assert result.exit_code == 0, result.output
    assert page.read_bytes() == b"<!DOCTYPE html>"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["statement", PAYMENT], 2),
        (["statement", "7"], 2),
        (["statement", ACCOUNT, "--out", "statement.docx"], 2),
        (["payments", "post", "1.234", "--account", ACCOUNT], 2),
        (["balance", PATIENT, "--as-of", "2026-06-30"], 1),
    ],
)
def test_what_cannot_be_done_has_an_exit_code(runner: CliRunner, suite: str, words: list[str], code: int) -> None:
    assert runner.invoke(app, [*words, "--state", suite]).exit_code == code


def test_a_statement_that_does_not_add_up_is_exit_code_one(runner: CliRunner, suite: str, asked: Asked) -> None:
    asked.statement = accounts.GetStatementResponse(account_id=ACCOUNT, balance=usd(1))
    result = runner.invoke(app, ["statement", ACCOUNT, "--state", suite])
    assert result.exit_code == 1
    assert "do not add up" in result.stdout
