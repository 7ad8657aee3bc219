"""Payments posted in real time, once for each key, and refunds that two people decide about."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import cast

import grpc
import pytest
from billing.common.v1 import common_pb2
from billing.payments.v1 import patient_payments_pb2 as pb
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore.work import UnknownAggregate
from chassis.inbound import INBOUND_MESSAGES
from chassis.inbound.keeping import read_raw
from chassis.keys import MemoryKeyStore, Sealer
from chassis.rpc import BadArgument, NotThere
from chassis.telemetry.correlation import caused_by, incoming
from payments.adapters.grpc_payments import PatientPayments
from payments.application.patient_rows import PAYMENTS
from payments.application.posting import KeyUsedBefore, PaymentPosting
from payments.application.refunding import NotPaidByHand, OtherAmountRequested
from payments.domain.card_numbers import CardNumberSeen
from payments.domain.disputes import DisputeState
from payments.domain.patient_account import account_id_of
from payments.domain.payment import Payment
from payments.domain.refunds import MoreThanRefundable, RefundDecided, SecondPersonNeeded, ToldState

from .examples import DAY, PATIENT
from .test_patient_money import ACCOUNT, PAYMENT, Told, arrived, dispute, refund

NO_CONTEXT = cast(grpc.ServicerContext, None)
LIMIT = Money(500)
STRANGER = derive("test-patient", 2)


def usd(minor: int) -> common_pb2.Money:
    return common_pb2.Money(minor=minor, currency="USD")


class Desk(Told):
    """A patient who owes 25.00, and the people who take and give back money."""

    def __init__(self) -> None:
        super().__init__()
        self.sealer = Sealer(MemoryKeyStore(random.Random(7).randbytes))
        posting = PaymentPosting(self.store, self.sealer)
        self.calls = PatientPayments(self.core, posting, lambda: DAY, lambda: {"NORTH"}, LIMIT)

    def post(
        self, minor: int = 1000, key: str = "receipt-1", by: str = "user:ann", **changes: str
    ) -> pb.PostPaymentResponse:
        whose = {} if "patient_id" in changes else {"account_id": str(ACCOUNT)}
        fields = {"channel": "front-desk", "reference": "R-17", **whose, **changes}
        request = pb.PostPaymentRequest(idempotency_key=key, amount=usd(minor), **fields)
        with caused_by(incoming(by, None, None)):
            return self.calls.PostPayment(request, NO_CONTEXT)

    def ask(self, minor: int, key: str = "refund-1", by: str = "user:ann", payment_id: object = PAYMENT) -> pb.Refund:
        request = pb.RequestRefundRequest(
            payment_id=str(payment_id), idempotency_key=key, amount=usd(minor), reason="overpaid"
        )
        with caused_by(incoming(by, None, None)):
            return self.calls.RequestRefund(request, NO_CONTEXT).refund

    def approve(self, asked: pb.Refund, by: str, minor: int | None = None) -> pb.Refund:
        amount = asked.amount.minor if minor is None else minor
        with caused_by(incoming(by, None, None)):
            request = pb.ApproveRefundRequest(refund_id=asked.refund_id, amount=usd(amount))
            return self.calls.ApproveRefund(request, NO_CONTEXT).refund

    def deny(self, asked: pb.Refund, by: str) -> pb.Refund:
        with caused_by(incoming(by, None, None)):
            return self.calls.DenyRefund(pb.DenyRefundRequest(refund_id=asked.refund_id), NO_CONTEXT).refund

    def cancel(self, asked: pb.Refund) -> pb.Refund:
        with caused_by(incoming("user:eve", None, None)):
            return self.calls.CancelRefund(pb.CancelRefundRequest(refund_id=asked.refund_id), NO_CONTEXT).refund

    def paid(self, asked: pb.Refund, reference: str = "check 9") -> pb.Refund:
        with caused_by(incoming("user:eve", None, None)):
            request = pb.RecordRefundPaidRequest(refund_id=asked.refund_id, reference=reference)
            return self.calls.RecordRefundPaid(request, NO_CONTEXT).refund


def test_a_posted_payment_pays_what_is_owed_at_once() -> None:
    desk = Desk()
    posted = desk.post(4000)
    assert (posted.applied.minor, posted.unapplied.minor, posted.balance.minor) == (2500, 1500, 0)
    assert (posted.account_id, posted.repeated_request) == (str(ACCOUNT), False)
    (row,) = desk.rows(PAYMENTS)
    assert (str(row["payment_id"]), row["channel"], row["state"]) == (posted.payment_id, "front-desk", "succeeded")


def test_who_posted_a_payment_is_kept_with_it() -> None:
    desk = Desk()
    desk.post(by="user:ann")
    (event,) = [logged.event for logged in desk.memory.log(0, 100) if isinstance(logged.event, Payment.Succeeded)]
    assert (event.meta.actor, event.method) == ("user:ann", "front-desk")


def test_the_request_is_kept_sealed_and_the_payment_names_it() -> None:
    desk = Desk()
    desk.post(reference="R-17")
    (payment,) = desk.rows(PAYMENTS)
    (message,) = desk.rows(INBOUND_MESSAGES)
    assert payment["message_id"] == message["message_id"]
    assert b'"reference": "R-17"' in read_raw(desk.store, desk.sealer, payment["message_id"])  # type: ignore[arg-type]


def test_the_same_key_again_is_the_same_payment() -> None:
    desk = Desk()
    first = desk.post(1000)
    again = desk.post(1000, by="user:bob")
    assert (again.payment_id, again.repeated_request, again.balance.minor) == (first.payment_id, True, 1500)
    assert len(desk.rows(PAYMENTS)) == 1


@pytest.mark.parametrize("changes", [{"reference": "R-18"}, {"channel": "check"}, {"received_on": "2026-03-01"}])
def test_the_same_key_with_another_body_is_a_conflict(changes: dict[str, str]) -> None:
    desk = Desk()
    desk.post(1000)
    with pytest.raises(KeyUsedBefore):
        desk.post(1000, **changes)
    with pytest.raises(KeyUsedBefore):
        desk.post(1001)
    assert desk.sums() == (1500, 1000, 0, 0)


def test_many_at_once_are_each_posted_once_and_a_refused_one_disturbs_none() -> None:
    desk = Desk()

    def post(number: int) -> str:
        try:
            account = {"account_id": str(derive("nobody"))} if number == 7 else {}
            return desk.post(100, f"receipt-{number % 20}", **account).payment_id
        except UnknownAggregate:
            return "unknown"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(post, range(40)))
    assert answers.count("unknown") == 1
    assert len(set(answers) - {"unknown"}) == 20
    assert desk.sums() == (500, 2000, 0, 0)


def test_a_prepayment_opens_the_account_of_its_patient() -> None:
    desk = Desk()
    posted = desk.post(700, patient_id=str(STRANGER), entity="NORTH", channel="lockbox")
    assert posted.account_id == str(account_id_of("NORTH", STRANGER))
    assert (posted.applied.minor, posted.unapplied.minor, posted.balance.minor) == (0, 700, 0)


@pytest.mark.parametrize(
    ("field", "request_fields"),
    [
        ("account_id", {"entity": "NORTH"}),
        ("entity", {"patient_id": str(STRANGER), "entity": "WEST"}),
        ("patient_id", {"patient_id": "7", "entity": "NORTH"}),
        ("channel", {"channel": "crypto"}),
        ("received_on", {"received_on": (DAY + timedelta(days=2)).isoformat()}),
        ("received_on", {"received_on": "soon"}),
        ("reference", {"reference": "x" * 61}),
        ("idempotency_key", {"key": "short"}),
    ],
)
def test_a_payment_that_cannot_be_is_refused_by_its_field(field: str, request_fields: dict[str, str]) -> None:
    with pytest.raises(BadArgument, match=f"^{field}"):
        Desk().post(**request_fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("minor", [0, -100, 100_000_001])
def test_an_amount_that_no_payment_has_is_refused(minor: int) -> None:
    with pytest.raises(BadArgument, match=r"^amount"):
        Desk().post(minor)


def test_a_card_number_in_the_reference_is_refused_and_nothing_is_kept() -> None:
    desk = Desk()
    with pytest.raises(CardNumberSeen):
        desk.post(reference="visa 4242424242424242")
    assert desk.rows(PAYMENTS) == desk.rows(INBOUND_MESSAGES) == []


def test_a_refund_is_asked_for_and_approved_by_somebody_else() -> None:
    desk = Desk()
    desk.tell(arrived())
    asked = desk.ask(1000)
    assert (asked.state, asked.requested_by, asked.reason) == ("requested", "user:ann", "overpaid")
    assert desk.ask(1000) == asked
    with pytest.raises(SecondPersonNeeded):
        desk.approve(asked, "user:ann")
    with pytest.raises(OtherAmountRequested):
        desk.approve(asked, "user:eve", 999)
    assert desk.approve(asked, "user:eve").state == "approved"
    with pytest.raises(RefundDecided):
        desk.deny(asked, "user:eve")


def test_a_small_refund_needs_one_person_and_a_denied_one_moves_nothing() -> None:
    desk = Desk()
    desk.tell(arrived())
    assert desk.approve(desk.ask(500), "user:ann").state == "approved"
    assert desk.deny(desk.ask(600, "refund-2"), "user:eve").state == "denied"
    assert desk.sums()[0] == 500


def test_more_than_is_left_is_never_refunded() -> None:
    desk = Desk()
    desk.tell(arrived())
    desk.ask(2000)
    with pytest.raises(MoreThanRefundable):
        desk.ask(501, "refund-2")


def test_a_refund_that_the_gateway_could_not_pay_is_cancelled_by_a_person() -> None:
    desk = Desk()
    desk.tell(arrived())
    asked = desk.approve(desk.ask(1000), "user:eve")
    with pytest.raises(RefundDecided):
        desk.cancel(asked)
    ours = derive("refund-request", "refund-1")
    desk.tell(refund(ToldState.FAILED, ours=ours))
    assert desk.open_cases() == ["RefundFailed"]
    assert desk.cancel(asked).state == "cancelled"
    assert (desk.sums()[0], desk.open_cases()) == (0, [])


def test_a_refund_of_the_front_desks_money_is_paid_by_hand_once() -> None:
    desk = Desk()
    posted = desk.post(2500)
    asked = desk.ask(1000, payment_id=posted.payment_id)
    with pytest.raises(NotPaidByHand):
        desk.paid(asked)
    desk.approve(asked, "user:eve")
    assert desk.paid(asked).state == "paid"
    assert desk.paid(asked).gateway_id == "check 9"
    with pytest.raises(NotPaidByHand):
        desk.paid(asked, "check 10")


def test_a_refund_at_the_gateway_is_not_paid_by_hand() -> None:
    desk = Desk()
    desk.tell(arrived())
    with pytest.raises(NotPaidByHand):
        desk.paid(desk.approve(desk.ask(1000), "user:eve"))


def test_a_payment_is_told_with_its_refunds() -> None:
    desk = Desk()
    desk.tell(arrived())
    asked = desk.approve(desk.ask(1000), "user:eve")
    told = desk.calls.GetPayment(pb.GetPaymentRequest(payment_id=str(PAYMENT)), NO_CONTEXT)
    assert (told.payment.amount.minor, told.taken_back.minor, list(told.refunds)) == (2500, 1000, [asked])
    listed = desk.calls.ListRefunds(pb.ListRefundsRequest(state="approved", entity="NORTH"), NO_CONTEXT)
    assert list(listed.refunds) == [asked]
    with pytest.raises(NotThere):
        desk.calls.GetPayment(pb.GetPaymentRequest(payment_id=str(PATIENT)), NO_CONTEXT)
    with pytest.raises(UnknownAggregate):
        desk.approve(pb.Refund(refund_id=str(PATIENT), amount=usd(1)), "user:eve")


def test_disputes_are_listed_until_they_have_ended() -> None:
    desk = Desk()
    told = (arrived(), dispute(DisputeState.NEEDS_RESPONSE), dispute(DisputeState.LOST))

    def open_disputes() -> list[tuple[str, int, str, str, str]]:
        request = pb.ListDisputesRequest(payment_id=str(PAYMENT), only_open=True)
        found = desk.calls.ListDisputes(request, NO_CONTEXT).disputes
        return [(each.gateway_id, each.amount.minor, each.step, each.outcome, each.respond_by) for each in found]

    desk.tell(*told[:2])
    assert open_disputes() == [("dp_1", 2500, "withdrawn", "", (DAY + timedelta(days=20)).isoformat())]
    desk.tell(*told)
    assert open_disputes() == []
    (ended,) = desk.calls.ListDisputes(pb.ListDisputesRequest(), NO_CONTEXT).disputes
    assert (ended.step, ended.outcome, ended.fee.minor) == ("lost", "lost", 1500)


def test_an_unmatched_payment_is_told_with_the_accounts_it_may_belong_to() -> None:
    desk = Desk()
    desk.tell(arrived(2500, account_id=None))
    told = desk.calls.GetPayment(pb.GetPaymentRequest(payment_id=str(PAYMENT)), NO_CONTEXT)
    (candidate,) = told.candidates
    assert (candidate.account_id, candidate.entity) == (str(ACCOUNT), "NORTH")
    assert candidate.score > 0
    assert candidate.reasons


def test_refunds_of_an_entity_are_listed_from_the_day_they_are_asked_for() -> None:
    desk = Desk()
    desk.tell(arrived())
    asked = desk.ask(1000)
    listed = desk.calls.ListRefunds(pb.ListRefundsRequest(entity="NORTH"), NO_CONTEXT)
    assert [(each.refund_id, each.state) for each in listed.refunds] == [(asked.refund_id, "requested")]
    assert not desk.calls.ListRefunds(pb.ListRefundsRequest(entity="SOUTH"), NO_CONTEXT).refunds
