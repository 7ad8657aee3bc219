"""`throughline replay` and `throughline balance`: histories and statements, as people and as scripts read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from billing.common.v1 import common_pb2
from billing.operations.v1 import operations_pb2
from billing.payments.v1 import payments_pb2
from canonical.money import Money
from throughline.balance.statement import Account, Activity, Statement
from throughline.main import app
from throughline.operations.history import lines_of
from typer.testing import CliRunner

JOURNAL = "3f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
PATIENT = "5a0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
ACCOUNT = "7c0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
Serve = Callable[..., Path]


def history(
    request: operations_pb2.GetHistoryRequest, context: grpc.ServicerContext
) -> operations_pb2.GetHistoryResponse:
    if request.aggregate_id != JOURNAL:
        context.abort(grpc.StatusCode.NOT_FOUND, f"nothing here has the id {request.aggregate_id}")
    state = {
        "head": {"entity": "NORTH", "external_number": "TL1"},
        "lines": [{"account": "cash", "amount": "1.00 USD"}, {"account": "eft-clearing", "amount": "-1.00 USD"}],
        "details": "sealed",
        "notes": [],
    }
    event = operations_pb2.HistoryEvent(
        version=1,
        topic="ledger.journal-entry.became-uncertain",
        timestamp="2026-06-01T11:00:00+00:00",
        actor="service:ledger",
        causation_id=PATIENT,
        state_json=json.dumps(state),
    )
    return operations_pb2.GetHistoryResponse(aggregate_type="JournalEntry", events=[event])


@pytest.fixture
def ledger(serve: Serve) -> Path:
    method = "billing.operations.v1.OperationsService/GetHistory"
    return serve({method: (operations_pb2.GetHistoryRequest, history)})


def test_a_history_is_told_event_by_event(runner: CliRunner, ledger: Path) -> None:
    result = runner.invoke(app, ["replay", "ledger-adapter", JOURNAL, "--state", str(ledger)])
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    for expected in (
        f"JournalEntry {JOURNAL} at ledger",
        "1 became uncertain",
        "2026-06-01T11:00:00+00:00, by service:ledger, answering 5a0d7a3c",
        "head entity NORTH",
        "lines 2 amount -1.00 USD",
        "details sealed",
    ):
        assert expected in lines


def test_a_history_is_told_as_data(runner: CliRunner, ledger: Path) -> None:
    result = runner.invoke(app, ["replay", "ledger", JOURNAL, "--state", str(ledger), "--json"])
    data = json.loads(result.stdout)
    assert (data["service"], data["aggregate_type"]) == ("ledger", "JournalEntry")
    assert data["events"][0]["state"]["head"]["external_number"] == "TL1"


@pytest.mark.parametrize(("words", "code"), [(("ledger", PATIENT), 1), (("ledger", "7"), 2), (("erp", JOURNAL), 2)])
def test_what_cannot_be_replayed_has_an_exit_code(
    runner: CliRunner, ledger: Path, words: tuple[str, str], code: int
) -> None:
    assert runner.invoke(app, ["replay", *words, "--state", str(ledger)]).exit_code == code


def test_a_long_event_is_cut_with_the_rest_counted() -> None:
    state = {f"field {number}": number for number in range(50)}
    lines = list(lines_of(state, 10))
    assert len(lines) == 11
    assert lines[-1] == ("...", "40 more; --full shows all")


def account(**amounts: int) -> Account:
    names = ("responsibility", "written_off", "applied", "unapplied", "balance")
    given = {name: Money(amounts.get(name, 0)) for name in names}
    return Account(account_id=ACCOUNT, entity="NORTH", patient_id=PATIENT, **given)


def line(kind: str, cents: int) -> Activity:
    return Activity(ACCOUNT, kind, Money(cents), "2026-06-01", JOURNAL, "", "")


BILLED_AND_PAID = (
    line("responsibility", 5000),
    line("payment", -7000),
    line("responsibility", 1000),
    line("application", -1000),
)


def test_the_lines_of_an_account_make_up_its_balance() -> None:
    whole = account(responsibility=6000, applied=6000, unapplied=1000, balance=0)
    assert Statement((whole,), Money(0), BILLED_AND_PAID).adds_up


REFUNDED_AND_FORGIVEN = (
    line("responsibility", 5000),
    line("payment", -4000),
    line("refund", 1500),
    line("application", 1500),
    line("charity", -700),
    line("dispute", 2500),
    line("dispute", -500),
    line("small-balance", -100),
)


def test_lines_that_took_cash_back_or_gave_up_what_was_owed_make_up_the_balance() -> None:
    whole = account(responsibility=5000, written_off=800, applied=500, unapplied=0, balance=3700)
    assert Statement((whole,), Money(3700), REFUNDED_AND_FORGIVEN).adds_up
    without_a_line = Statement((whole,), Money(3700), REFUNDED_AND_FORGIVEN[:-1])
    assert not without_a_line.adds_up


def test_a_credit_balance_and_waiting_cash_are_said_in_words() -> None:
    assert account(responsibility=2500, balance=2500).in_words() == []
    assert account(applied=2500, balance=-2500).in_words() == [
        "NORTH: a credit balance, 25.00 USD of cash is the patient's after a reversal."
    ]
    assert account(unapplied=700).in_words() == [
        "NORTH: 7.00 USD of cash pays nothing yet, and waits for what comes later."
    ]
    assert account(written_off=300, unapplied=-200).in_words() == [
        "NORTH: 3.00 USD of what was owed is written off.",
        "NORTH: 2.00 USD more went back to the payer than was paid; it is owed again.",
    ]


@pytest.mark.parametrize("off", ["responsibility", "written_off", "applied", "unapplied", "balance"])
def test_one_cent_off_in_any_sum_does_not_add_up(off: str) -> None:
    amounts = {"responsibility": 6000, "applied": 6000, "unapplied": 1000, "balance": 0}
    wrong = account(**{**amounts, off: amounts.get(off, 0) + 1})
    assert not Statement((wrong,), wrong.balance, BILLED_AND_PAID).adds_up


class FakePayments:
    """One account; `cents_lost` makes its balance wrong."""

    def __init__(self, cents_lost: int = 0, owed: int = 2500) -> None:
        self.cents_lost = cents_lost
        self.owed = owed

    def get_patient_balance(
        self, request: payments_pb2.GetPatientBalanceRequest, context: grpc.ServicerContext
    ) -> payments_pb2.GetPatientBalanceResponse:
        if request.account_id != ACCOUNT:
            context.abort(grpc.StatusCode.NOT_FOUND, "no account")
        owed = usd(self.owed - self.cents_lost)
        return payments_pb2.GetPatientBalanceResponse(
            accounts=[
                payments_pb2.Account(
                    account_id=ACCOUNT, entity="NORTH", patient_id=PATIENT, responsibility=usd(self.owed), balance=owed
                )
            ],
            balance=owed,
            activity=[
                payments_pb2.Activity(
                    account_id=ACCOUNT,
                    kind="responsibility",
                    amount=usd(self.owed),
                    effective_date="2026-06-01",
                    source_id=PATIENT,
                    claim_id=JOURNAL,
                )
            ],
        )


def usd(minor: int) -> common_pb2.Money:
    return common_pb2.Money(minor=minor, currency="USD")


def serve_payments(serve: Serve, fake: FakePayments) -> str:
    method = "billing.payments.v1.PaymentsService/GetPatientBalance"
    return str(serve({method: (payments_pb2.GetPatientBalanceRequest, fake.get_patient_balance)}))


def test_a_balance_is_told_with_the_claims_behind_it(runner: CliRunner, serve: Serve) -> None:
    suite = serve_payments(serve, FakePayments())
    result = runner.invoke(app, ["balance", ACCOUNT, "--state", suite])
    assert result.exit_code == 0, result.output
    for word in ("Balance 25.00", "NORTH", f"claim {JOURNAL}", "The lines add up"):
        assert word in result.stdout


def test_a_balance_below_zero_is_told_as_a_credit(runner: CliRunner, serve: Serve) -> None:
    suite = serve_payments(serve, FakePayments(owed=-2500))
    result = runner.invoke(app, ["balance", ACCOUNT, "--state", suite])
    assert result.exit_code == 0, result.output
    for words in ("Balance -25.00", "a credit balance", "The lines add up"):
        assert words in result.stdout


def test_a_balance_that_does_not_add_up_is_exit_code_one(runner: CliRunner, serve: Serve) -> None:
    suite = serve_payments(serve, FakePayments(cents_lost=1))
    result = runner.invoke(app, ["balance", ACCOUNT, "--state", suite, "--json"])
    data = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (data["adds_up"], data["balance"]) == (False, "24.99 USD")


def test_a_patient_without_an_account_is_exit_code_one(runner: CliRunner, serve: Serve) -> None:
    suite = serve_payments(serve, FakePayments())
    assert runner.invoke(app, ["balance", PATIENT, "--state", suite]).exit_code == 1
