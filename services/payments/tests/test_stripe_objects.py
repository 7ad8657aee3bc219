"""What every event of Stripe tells, read from the object in the state that it carries."""

from __future__ import annotations

import json
from datetime import date
from uuid import UUID

import pytest
from canonical.money import Money
from payments.adapters.stripe_gateway import event_of
from payments.adapters.webhook_fields import Fields, WebhookRefused
from payments.domain.disputes import DisputeState, ToldDispute
from payments.domain.gateway_facts import (
    DisputeReported,
    GatewayFact,
    NothingNew,
    ObjectChanged,
    ObjectKind,
    PaymentArrived,
    PaymentCancelled,
    PaymentDeclined,
    PaymentPending,
    PayoutAnnounced,
    PayoutCameBack,
    RefundReported,
    ReturnReported,
    Several,
)
from payments.domain.refunds import ToldState

NOON = 1_772_452_800
"""2 March 2026, 12:00 UTC."""
DAY = date(2026, 3, 2)
DAYS = 86_400
ACCOUNT = UUID("00000000-0000-0000-0000-000000000001")
OURS = UUID("00000000-0000-0000-0000-000000000002")
TOLD = {"patient_account": str(ACCOUNT), "entity": "NORTH"}


def intent(status: str, **more: object) -> dict[str, object]:
    return {
        "id": "pi_1",
        "amount": 2500,
        "currency": "usd",
        "status": status,
        "metadata": TOLD,
        "created": NOON,
        **more,
    }


def charge(status: str, **more: object) -> dict[str, object]:
    made = {"id": "ch_1", "amount": 2500, "currency": "usd", "status": status, "metadata": TOLD, "created": NOON}
    return {**made, "payment_intent": "pi_1", **more}


def refund(status: str, **more: object) -> dict[str, object]:
    made = {"id": "re_1", "amount": 1000, "currency": "usd", "status": status, "created": NOON - DAYS, "metadata": {}}
    return {**made, "payment_intent": "pi_1", "charge": "ch_1", **more}


def dispute(status: str, *moves: int, **more: object) -> dict[str, object]:
    lines = [{"amount": move, "fee": 1500 if move < 0 else 0} for move in moves]
    made = {"id": "dp_1", "amount": 2500, "currency": "usd", "status": status, "balance_transactions": lines}
    details = {"due_by": NOON + 20 * DAYS}
    return {**made, "payment_intent": "pi_1", "charge": "ch_1", "evidence_details": details, **more}


def payout(status: str, **more: object) -> dict[str, object]:
    return {"id": "po_1", "amount": 2397, "currency": "usd", "status": status, "arrival_date": NOON + DAYS, **more}


def read(name: str, content: Fields) -> GatewayFact:
    event = {"id": "evt_1", "object": "event", "type": name, "created": NOON, "data": {"object": content}}
    return event_of(json.dumps(event).encode())[1]


def arrived(gateway_id: str = "pi_1", charge_id: str = "ch_1") -> PaymentArrived:
    return PaymentArrived(gateway_id, Money(2500), DAY, "NORTH", ACCOUNT, charge_id)


def refunded(state: ToldState, on: date = date(2026, 3, 1), ours: UUID | None = None) -> RefundReported:
    return RefundReported("re_1", "pi_1", ours, state, Money(1000), on)


def disputed(state: DisputeState, *, fee: int = 0, taken: bool = False, back: bool = False) -> DisputeReported:
    told = ToldDispute("dp_1", Money(2500), Money(fee), state, taken, back, date(2026, 3, 22), DAY)
    return DisputeReported("pi_1", told)


TABLE: list[tuple[str, Fields, GatewayFact]] = [
    ("payment_intent.succeeded", intent("succeeded", amount_received=2500, latest_charge="ch_1"), arrived()),
    ("payment_intent.succeeded", intent("succeeded", latest_charge={"id": "ch_1"}), arrived()),
    ("payment_intent.succeeded", intent("succeeded", charges={"data": [{"id": "ch_1"}]}), arrived()),
    ("payment_intent.succeeded", intent("succeeded"), arrived(charge_id="")),
    ("payment_intent.processing", intent("processing"), PaymentPending("pi_1", Money(2500), "NORTH")),
    (
        "payment_intent.partially_funded",
        intent("requires_action", amount_received=1000),
        PaymentPending("pi_1", Money(2500), "NORTH"),
    ),
    (
        "payment_intent.payment_failed",
        intent("requires_payment_method", last_payment_error={"code": "card_declined", "message": "Jane Doe's card"}),
        PaymentDeclined("pi_1", Money(2500), "NORTH", "card_declined"),
    ),
    (
        "payment_intent.canceled",
        intent("canceled", cancellation_reason="abandoned"),
        PaymentCancelled("pi_1", Money(2500), "NORTH", "abandoned"),
    ),
    ("payment_intent.created", intent("requires_payment_method"), NothingNew("payment intent requires_payment_method")),
    ("payment_intent.requires_action", intent("requires_action"), NothingNew("payment intent requires_action")),
    ("charge.succeeded", charge("succeeded"), NothingNew("charge succeeded")),
    ("charge.succeeded", charge("succeeded", payment_intent=None), arrived("ch_1", "ch_1")),
    ("charge.pending", charge("pending"), NothingNew("charge pending")),
    ("charge.pending", charge("pending", payment_intent=None), PaymentPending("ch_1", Money(2500), "NORTH")),
    ("charge.failed", charge("failed"), NothingNew("charge failed")),
    (
        "charge.failed",
        charge("failed", payment_intent=None, failure_code="card_declined"),
        PaymentDeclined("ch_1", Money(2500), "NORTH", "card_declined"),
    ),
    (
        "charge.failed",
        charge("failed", failure_balance_transaction="txn_9", failure_code="insufficient_funds"),
        ReturnReported("ch_1", "pi_1", Money(2500), "insufficient_funds", DAY),
    ),
    ("charge.refunded", charge("succeeded", amount_refunded=1000), NothingNew("charge succeeded")),
    (
        "charge.refunded",
        charge("succeeded", refunds={"data": [refund("succeeded", payment_intent=None)]}),
        refunded(ToldState.SUCCEEDED),
    ),
    (
        "charge.refunded",
        charge("succeeded", refunds={"data": [refund("succeeded"), refund("failed", id="re_2")]}),
        Several(
            (
                refunded(ToldState.SUCCEEDED),
                RefundReported("re_2", "pi_1", None, ToldState.FAILED, Money(1000), DAY),
            )
        ),
    ),
    ("refund.created", refund("pending"), refunded(ToldState.PENDING)),
    ("refund.created", refund("requires_action"), refunded(ToldState.PENDING)),
    ("refund.updated", refund("succeeded"), refunded(ToldState.SUCCEEDED)),
    ("charge.refund.updated", refund("succeeded"), refunded(ToldState.SUCCEEDED)),
    ("refund.failed", refund("failed"), refunded(ToldState.FAILED, DAY)),
    ("refund.updated", refund("canceled"), refunded(ToldState.CANCELLED, DAY)),
    (
        "refund.created",
        refund("succeeded", metadata={"refund_id": str(OURS)}),
        refunded(ToldState.SUCCEEDED, ours=OURS),
    ),
    ("charge.dispute.created", dispute("warning_needs_response"), disputed(DisputeState.INQUIRY)),
    ("charge.dispute.closed", dispute("warning_closed"), disputed(DisputeState.CLOSED)),
    ("charge.dispute.closed", dispute("prevented"), disputed(DisputeState.CLOSED)),
    ("charge.dispute.created", dispute("needs_response"), disputed(DisputeState.NEEDS_RESPONSE)),
    (
        "charge.dispute.funds_withdrawn",
        dispute("needs_response", -2500),
        disputed(DisputeState.NEEDS_RESPONSE, fee=1500, taken=True),
    ),
    (
        "charge.dispute.updated",
        dispute("under_review", -2500),
        disputed(DisputeState.UNDER_REVIEW, fee=1500, taken=True),
    ),
    ("charge.dispute.closed", dispute("lost", -2500), disputed(DisputeState.LOST, fee=1500, taken=True)),
    (
        "charge.dispute.funds_reinstated",
        dispute("won", -2500, 2500),
        disputed(DisputeState.WON, fee=1500, taken=True, back=True),
    ),
    ("payout.created", payout("in_transit"), NothingNew("payout in_transit")),
    ("payout.paid", payout("paid"), PayoutAnnounced("po_1", Money(2397), date(2026, 3, 3))),
    ("payout.reconciliation_completed", payout("paid"), PayoutAnnounced("po_1", Money(2397), date(2026, 3, 3))),
    ("payout.paid", payout("paid", amount=-100), PayoutAnnounced("po_1", Money(-100), date(2026, 3, 3))),
    (
        "payout.failed",
        payout("failed", failure_code="account_closed"),
        PayoutCameBack("po_1", Money(2397), date(2026, 3, 3), "account_closed", DAY),
    ),
    (
        "payout.canceled",
        payout("canceled"),
        PayoutCameBack("po_1", Money(2397), date(2026, 3, 3), "canceled", DAY),
    ),
    ("checkout.session.completed", {"id": "cs_1"}, NothingNew("checkout.session.completed")),
    ("mandate.updated", {"id": "mandate_1"}, NothingNew("mandate.updated")),
]


@pytest.mark.parametrize(("name", "content", "fact"), TABLE, ids=[f"{row[0]}-{n}" for n, row in enumerate(TABLE)])
def test_each_event_tells_its_fact(name: str, content: Fields, fact: GatewayFact) -> None:
    assert read(name, content) == fact


@pytest.mark.parametrize(
    ("name", "content", "field"),
    [
        ("payment_intent.succeeded", intent("succeeded") | {"status": None}, "status"),
        ("payment_intent.succeeded", intent("succeeded", amount=-1), "amount"),
        ("payment_intent.succeeded", intent("succeeded", amount=True), "amount"),
        ("payment_intent.succeeded", intent("succeeded", currency="jpy"), "currency"),
        ("refund.created", refund("new"), "status"),
        ("refund.created", refund("pending", payment_intent=None, charge=None), "payment_intent"),
        ("charge.dispute.created", dispute("arbitration"), "status"),
        ("charge.dispute.created", dispute("lost", balance_transactions=[{"amount": "-1"}]), "amount"),
        ("payout.paid", payout("paid", arrival_date="tomorrow"), "arrival_date"),
    ],
)
def test_a_field_that_is_not_as_documented_is_refused_by_name(name: str, content: Fields, field: str) -> None:
    with pytest.raises(WebhookRefused, match=field):
        read(name, content)


def test_a_reason_of_the_gateway_is_a_code_and_never_a_sentence() -> None:
    told = read(
        "payment_intent.payment_failed", intent("requires_payment_method", last_payment_error={"code": "no, Jane"})
    )
    assert isinstance(told, PaymentDeclined)
    assert told.reason == "declined"


def thin(kind: str, **related: object) -> bytes:
    event = {"id": "evt_2", "object": "v2.core.event", "type": "v1.any", "created": "2026-03-02T12:00:00.000Z"}
    return json.dumps({**event, "related_object": {"id": "pi_1", "type": kind, **related}}).encode()


def test_a_thin_event_says_what_to_ask_for() -> None:
    assert event_of(thin("payment_intent")) == ("evt_2", ObjectChanged(ObjectKind.PAYMENT, "pi_1", DAY))
    assert event_of(thin("charge.dispute"))[1] == ObjectChanged(ObjectKind.DISPUTE, "pi_1", DAY)
    assert event_of(thin("billing.meter"))[1] == NothingNew("v1.any")


@pytest.mark.parametrize("raw", [thin("payout", id=None), thin("payout").replace(b"2026-03-02T12", b"soon")])
def test_a_thin_event_without_its_object_or_its_instant_is_refused(raw: bytes) -> None:
    with pytest.raises(WebhookRefused):
        event_of(raw)
