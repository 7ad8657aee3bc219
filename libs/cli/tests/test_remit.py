"""`throughline remit`: remittances and provider balances, as people and as scripts read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from billing.claims.v1 import claims_pb2
from billing.common.v1 import common_pb2
from billing.payments.v1 import payments_pb2 as pb
from throughline.main import app
from typer.testing import CliRunner

REMITTANCE = "3f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
OTHER = "5a0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
BALANCE = "7c0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
ITEM = "9d0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77"
SERVICE = "billing.payments.v1.PaymentsService"
Serve = Callable[..., Path]


def usd(minor: int) -> common_pb2.Money:
    return common_pb2.Money(minor=minor, currency="USD")


def remittance(identity: str = REMITTANCE, trace: str = "TRACE1", payer: str = "ACME") -> pb.Remittance:
    return pb.Remittance(
        remittance_id=identity,
        entity="NORTH",
        payer=payer,
        trace_number=trace,
        payment=usd(500_000),
        total_charge=usd(700_000),
        total_paid=usd(500_500),
        total_provider_adjustments=usd(500),
        claim_count=3,
        reversal_count=1,
        chunk_count=1,
        chunks_accepted=1,
        settlement="waiting",
        effective_date="2026-06-01",
    )


ADJUSTMENT = pb.ProviderAdjustment(
    remittance_id=REMITTANCE,
    reason="WO",
    reference="ICN1",
    amount=usd(500),
    effective_date="2026-06-01",
    balance_id=BALANCE,
    item_ids=[ITEM],
    reversed_claims=[pb.ReversedClaim(remittance_id=OTHER, patient_control_number="T1", paid=usd(-8000))],
)
PUT_OFF = pb.ProviderItem(
    item_id=ITEM,
    remittance_id=OTHER,
    reason="WO",
    reference="ICN1",
    amount=usd(-8000),
    open=usd(-7500),
    effective_date="2026-05-01",
    state="owed-to-payer",
    settled_by=[pb.SettledPart(remittance_id=REMITTANCE, amount=usd(500), effective_date="2026-06-01")],
)
HEAD = pb.ProviderBalance(
    balance_id=BALANCE,
    entity="NORTH",
    payer="ACME",
    provider="1234567893",
    open=usd(-7430),
    owed_to_payer=usd(-7500),
    unexplained=usd(70),
    open_item_count=2,
)


class FakePayments:
    """One remittance with one adjustment; `TWICE` is the trace number of two payers."""

    def __init__(self, deposit: bool = False, settlement: str = "waiting") -> None:
        self.deposit = deposit
        self.settlement = settlement
        self.asked: list[pb.ListRemittancesRequest] = []

    def get(self, request: pb.GetRemittanceRequest, context: grpc.ServicerContext) -> pb.GetRemittanceResponse:
        if request.remittance_id == OTHER:
            return pb.GetRemittanceResponse(receipts=[pb.Receipt(receipt_id=BALANCE, verdict="unsupported")])
        if request.remittance_id != REMITTANCE:
            context.abort(grpc.StatusCode.NOT_FOUND, "no copy of this remittance came")
        head = remittance()
        head.settlement = self.settlement
        return pb.GetRemittanceResponse(
            remittance=head,
            receipts=[pb.Receipt(receipt_id=ITEM, verdict="accepted", payment=usd(500_000))],
            deposit=pb.Deposit(deposit_id=BALANCE, effective_date="2026-06-03") if self.deposit else None,
            provider_adjustments=[ADJUSTMENT],
            provider_items=[PUT_OFF],
        )

    def list(self, request: pb.ListRemittancesRequest, context: grpc.ServicerContext) -> pb.ListRemittancesResponse:
        self.asked.append(request)
        both = [remittance(), remittance(OTHER, "TWICE"), remittance(ITEM, "TWICE", "OTHER")]
        found = [each for each in both if request.trace_number in ("", each.trace_number)]
        return pb.ListRemittancesResponse(remittances=found)

    def balances(
        self, request: pb.ListProviderBalancesRequest, context: grpc.ServicerContext
    ) -> pb.ListProviderBalancesResponse:
        return pb.ListProviderBalancesResponse(balances=[HEAD] if request.payer in ("", "ACME") else [])

    def balance(
        self, request: pb.GetProviderBalanceRequest, context: grpc.ServicerContext
    ) -> pb.GetProviderBalanceResponse:
        return pb.GetProviderBalanceResponse(balance=HEAD, items=[PUT_OFF], adjustments=[ADJUSTMENT])


def served(serve: Serve, fake: FakePayments) -> str:
    return str(
        serve(
            {
                f"{SERVICE}/GetRemittance": (pb.GetRemittanceRequest, fake.get),
                f"{SERVICE}/ListRemittances": (pb.ListRemittancesRequest, fake.list),
                f"{SERVICE}/ListProviderBalances": (pb.ListProviderBalancesRequest, fake.balances),
                f"{SERVICE}/GetProviderBalance": (pb.GetProviderBalanceRequest, fake.balance),
            }
        )
    )


@pytest.fixture
def suite(serve: Serve) -> str:
    return served(serve, FakePayments())


@pytest.mark.parametrize("wanted", ["TRACE1", REMITTANCE, REMITTANCE.upper()])
def test_a_remittance_is_shown_by_its_trace_number_or_id(runner: CliRunner, suite: str, wanted: str) -> None:
    result = runner.invoke(app, ["remit", "show", wanted, "--state", suite])
    assert result.exit_code == 0, result.output
    for words in (
        "Trace TRACE1 of ACME, 2026-06-01, for NORTH",
        "Paid 5,005.00 for 3 claims of 7,000.00, 1 of them reversals",
        "less provider-level adjustments of 5.00 it pays 5,000.00",
        "Its deposit has not come yet.",
        "T1 (-80.00)",
        "owed-to-payer",
        "5.00 on 2026-06-01",
    ):
        assert words in result.stdout


def test_a_remittance_is_shown_as_data(runner: CliRunner, suite: str) -> None:
    result = runner.invoke(app, ["remit", "show", "TRACE1", "--state", suite, "--json"])
    data = json.loads(result.stdout)
    assert data["remittance"]["payment"] == "5000.00 USD"
    assert data["deposit"] is None
    assert data["receipts"][0]["verdict"] == "accepted"
    (adjustment,) = data["provider_adjustments"]
    assert (adjustment["reason"], adjustment["adjustment"], adjustment["item_ids"]) == ("WO", 0, [ITEM])
    assert adjustment["reversed_claims"][0]["paid"] == "-80.00 USD"
    assert data["provider_items"][0]["settled_by"][0]["amount"] == "5.00 USD"


@pytest.mark.parametrize(
    ("deposit", "settlement", "words"),
    [
        (True, "deposited", "Its money came on 2026-06-03"),
        (False, "nothing-to-pay", "It pays nothing, so that no deposit will come"),
    ],
)
def test_how_a_remittance_is_settled_is_said(
    runner: CliRunner, serve: Serve, deposit: bool, settlement: str, words: str
) -> None:
    state = served(serve, FakePayments(deposit, settlement))
    assert words in runner.invoke(app, ["remit", "show", "TRACE1", "--state", state]).stdout


def test_a_remittance_of_which_no_copy_was_accepted_is_shown(runner: CliRunner, suite: str) -> None:
    result = runner.invoke(app, ["remit", "show", OTHER, "--state", suite])
    assert "No copy of this remittance was accepted." in result.stdout
    assert "unsupported" in result.stdout


@pytest.mark.parametrize(
    ("wanted", "code", "words"),
    [
        ("NONE", 1, "no accepted remittance has"),
        (ITEM, 1, "no copy"),
        ("TWICE", 2, f"{OTHER} of ACME, {ITEM} of OTHER"),
    ],
)
def test_what_cannot_be_shown_has_an_exit_code_and_a_reason(
    runner: CliRunner, suite: str, wanted: str, code: int, words: str
) -> None:
    result = runner.invoke(app, ["remit", "show", wanted, "--state", suite])
    assert result.exit_code == code
    assert words in result.stderr


def test_remittances_are_listed(runner: CliRunner, serve: Serve) -> None:
    fake = FakePayments()
    words = ["remit", "list", "--payer", "ACME", "--waiting", "--limit", "7", "--state", served(serve, fake)]
    result = runner.invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "5,000.00" in result.stdout
    (asked,) = fake.asked
    assert (asked.payer, asked.only_without_deposit, asked.limit) == ("ACME", True, 7)
    data = json.loads(runner.invoke(app, [*words, "--json"]).stdout)
    assert [each["trace_number"] for each in data["remittances"]] == ["TRACE1", "TWICE", "TWICE"]


def test_balances_are_listed_and_told(runner: CliRunner, suite: str) -> None:
    listed = runner.invoke(app, ["remit", "balances", "--state", suite])
    assert listed.exit_code == 0, listed.output
    assert "75.00" in listed.stdout
    none = runner.invoke(app, ["remit", "balances", "--payer", "OTHER", "--state", suite])
    assert "No provider-level adjustment has left anything open." in none.stdout
    told = runner.invoke(app, ["remit", "balances", BALANCE, "--state", suite])
    for words in (
        "ACME and provider 1234567893, NORTH",
        "75.00 is owed to the payer",
        "0.70 was taken by the payer, and nothing open explains it.",
        "ICN1",
    ):
        assert words in told.stdout
    data = json.loads(runner.invoke(app, ["remit", "balances", BALANCE, "--state", suite, "--json"]).stdout)
    assert (data["balance"]["open"], data["items"][0]["open"]) == ("-74.30 USD", "-75.00 USD")
    assert runner.invoke(app, ["remit", "balances", "7", "--state", suite]).exit_code == 2


class FakeClaims:
    """One claim, `PCN1`, and one payment that waits; it may be matched with a reason."""

    def __init__(self) -> None:
        self.asked: list[claims_pb2.MatchClaimPaymentRequest | claims_pb2.UnmatchClaimPaymentRequest] = []

    def find(self, request: claims_pb2.FindClaimRequest, context: grpc.ServicerContext) -> claims_pb2.FindClaimResponse:
        found = [claims_pb2.Claim(claim_id=ITEM)] if request.patient_control_number == "PCN1" else []
        return claims_pb2.FindClaimResponse(claims=found)

    def unmatched(
        self, request: claims_pb2.ListUnmatchedPaymentsRequest, context: grpc.ServicerContext
    ) -> claims_pb2.ListUnmatchedPaymentsResponse:
        payment = claims_pb2.UnknownPayment(
            remittance_id=REMITTANCE, position=3, paid=usd(-8000), why="reversal-unknown-original", payer="ACME"
        )
        return claims_pb2.ListUnmatchedPaymentsResponse(payments=[payment] if request.payer == "ACME" else [])

    def match(
        self, request: claims_pb2.MatchClaimPaymentRequest, context: grpc.ServicerContext
    ) -> claims_pb2.MatchClaimPaymentResponse:
        if request.position != 3:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "it does not negate a decision of the claim")
        self.asked.append(request)
        return claims_pb2.MatchClaimPaymentResponse(claim=CLAIM)

    def unmatch(
        self, request: claims_pb2.UnmatchClaimPaymentRequest, context: grpc.ServicerContext
    ) -> claims_pb2.UnmatchClaimPaymentResponse:
        self.asked.append(request)
        return claims_pb2.UnmatchClaimPaymentResponse(claim=CLAIM)


CLAIM = claims_pb2.Claim(claim_id=ITEM, patient_control_number="PCN1", state="accepted", open=usd(8000))


@pytest.fixture
def claims() -> FakeClaims:
    return FakeClaims()


@pytest.fixture
def both(serve: Serve, claims: FakeClaims) -> str:
    name = "billing.claims.v1.ClaimsService"
    return str(
        serve(
            {
                f"{SERVICE}/ListRemittances": (pb.ListRemittancesRequest, FakePayments().list),
                f"{name}/FindClaim": (claims_pb2.FindClaimRequest, claims.find),
                f"{name}/ListUnmatchedPayments": (claims_pb2.ListUnmatchedPaymentsRequest, claims.unmatched),
                f"{name}/MatchClaimPayment": (claims_pb2.MatchClaimPaymentRequest, claims.match),
                f"{name}/UnmatchClaimPayment": (claims_pb2.UnmatchClaimPaymentRequest, claims.unmatch),
            }
        )
    )


def test_payments_without_a_claim_are_listed_with_the_reason(runner: CliRunner, both: str) -> None:
    told = runner.invoke(app, ["remit", "unmatched", "--payer", "ACME", "--state", both])
    assert told.exit_code == 0, told.output
    assert "reversal-unknown-original" in told.stdout
    assert "-80.00" in told.stdout
    assert "Every payment has its claim." in runner.invoke(app, ["remit", "unmatched", "--state", both]).stdout


@pytest.mark.parametrize("remittance_named", ["TRACE1", REMITTANCE])
@pytest.mark.parametrize("claim_named", ["PCN1", ITEM])
def test_a_payment_is_given_to_a_claim_and_taken_off_it_again(
    runner: CliRunner, both: str, claims: FakeClaims, remittance_named: str, claim_named: str
) -> None:
    why = ["--reason", "the payer's letter names it", "--state", both]
    matched = runner.invoke(app, ["remit", "match", remittance_named, "3", claim_named, *why])
    assert matched.exit_code == 0, matched.output
    assert "PCN1" in matched.stdout
    assert "accepted with 80.00 open" in matched.stdout
    unmatched = runner.invoke(app, ["remit", "unmatch", remittance_named, "3", *why, "--json"])
    assert json.loads(unmatched.stdout)["claim"]["open"] == "80.00 USD"
    assert [(each.remittance_id, each.position) for each in claims.asked] == [(REMITTANCE, 3)] * 2
    assert {each.reason for each in claims.asked} == {"the payer's letter names it"}
    assert isinstance(claims.asked[0], claims_pb2.MatchClaimPaymentRequest)
    assert claims.asked[0].claim_id == ITEM


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["TRACE1", "3", "NOBODY"], 1),
        (["TRACE1", "4", "PCN1"], 1),
        (["TWICE", "3", "PCN1"], 2),
        (["TRACE1", "-1", ITEM], 2),
    ],
)
def test_what_cannot_be_matched_has_an_exit_code(
    runner: CliRunner, both: str, claims: FakeClaims, words: list[str], code: int
) -> None:
    result = runner.invoke(app, ["remit", "match", *words, "--reason", "a letter", "--state", both])
    assert result.exit_code == code, result.output
    assert claims.asked == []
