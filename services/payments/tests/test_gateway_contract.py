"""Every gateway keeps the same promises, whatever its words: an order is done once, found again, and told of."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Unavailable
from payments.adapters.processor_gateway import ProcessorGateway, notice_of, processor_webhooks
from payments.adapters.stripe_api import StripeGateway
from payments.adapters.stripe_gateway import stripe_webhooks
from payments.adapters.webhook_fields import ForgedWebhook, WebhookRefused
from payments.adapters.webhooks import webhook_app
from payments.application.patient_rows import PAYMENTS
from payments.application.ports import GatewayRefused, PaymentGateway, PaymentOrder, RefundOrder
from payments.domain.gateway_facts import (
    DisputeReported,
    ObjectKind,
    PaymentArrived,
    PaymentPending,
    PayoutAnnounced,
    RefundReported,
    ReturnReported,
)
from payments.domain.payment import payment_id_of
from payments.domain.payout import LineKind
from payments.domain.refunds import ToldState
from sandbox.world.gateway import API_KEY, WEBHOOK_SECRET, CardGateway
from sandbox.world.gateway_later_objects import DisputeStatus
from sandbox.world.loopback import LoopbackApp
from sandbox.world.misbehaviour import Fault, Misbehaviour
from sandbox.world.processor import PROCESSOR_KEY, PROCESSOR_SECRET, Processor, signed_headers

from .test_patient_money import ACCOUNT
from .world import World, adjudication

TODAY = datetime.now(UTC).date()
LONG_AGO = datetime.now(UTC) - timedelta(hours=1)
SOON = LONG_AGO + timedelta(hours=3)
REFUND = derive("test-refund", 1)


@dataclass
class Outside:
    """One gateway with its outside."""

    gateway: PaymentGateway
    sandbox: CardGateway | Processor
    faults: Misbehaviour

    def pay(self) -> str:
        if isinstance(self.sandbox, Processor):
            return self.sandbox.pay(10_000, str(ACCOUNT), "NORTH").id
        return self.sandbox.pay(Money(10_000), str(ACCOUNT), "NORTH").id

    def settle(self) -> str:
        return self.sandbox.settle("NORTH") if isinstance(self.sandbox, Processor) else self.sandbox.pay_out("NORTH").id


@pytest.fixture(params=["stripe", "processor"])
def outside(request: pytest.FixtureRequest) -> Iterator[Outside]:
    faults = Misbehaviour()
    if request.param == "stripe":
        with CardGateway(3, misbehaviour=faults) as cards:
            yield Outside(StripeGateway(API_KEY, cards.url, retries=0), cards, faults)
    else:
        with Processor(3, misbehaviour=faults) as processor:
            yield Outside(ProcessorGateway(PROCESSOR_KEY, processor.url), processor, faults)


def order(kind: str = "card", amount: int = 2_500) -> PaymentOrder:
    token = "pm_usBankAccount" if kind == "ach" else "pm_card_visa"
    return PaymentOrder(derive("test-request", kind), ACCOUNT, "NORTH", Money(amount), kind, token, LONG_AGO)


def test_the_same_order_of_a_payment_is_done_once_and_found(outside: Outside) -> None:
    assert outside.gateway.find_payment(order(), TODAY) is None
    first = outside.gateway.create_payment(order(), TODAY)
    assert isinstance(first, PaymentArrived)
    assert (first.amount, first.entity, first.account_id) == (Money(2_500), "NORTH", ACCOUNT)
    assert outside.gateway.create_payment(order(), TODAY) == first
    assert outside.gateway.find_payment(order(), TODAY) == first
    assert outside.gateway.object_of(ObjectKind.PAYMENT, first.gateway_id, TODAY) == first


def test_a_bank_debit_is_pending_until_it_is_told_otherwise(outside: Outside) -> None:
    made = outside.gateway.create_payment(order("ach"), TODAY)
    assert isinstance(made, PaymentPending)
    outside.sandbox.happen(lambda later: later.settle_debit(made.gateway_id))
    outside.sandbox.happen(lambda later: later.fail_debit(made.gateway_id))
    told = [type(event.fact) for event in outside.gateway.events_between(LONG_AGO, SOON)]
    assert [fact for fact in told if fact in (PaymentPending, PaymentArrived, ReturnReported)] == [
        PaymentPending,
        PaymentArrived,
        ReturnReported,
    ]


def test_a_refund_whose_answer_was_lost_is_found_under_our_id_and_made_once(outside: Outside) -> None:
    wanted = RefundOrder(REFUND, outside.pay(), Money(1_000))
    outside.faults.request(Fault.TIMEOUT_AFTER_WORK, target="api")
    with pytest.raises(Unavailable):
        outside.gateway.create_refund(wanted, TODAY)
    found = outside.gateway.find_refund(wanted, TODAY)
    assert isinstance(found, RefundReported)
    assert (found.refund_id, found.state, found.amount) == (REFUND, ToldState.SUCCEEDED, Money(1_000))
    assert outside.gateway.create_refund(wanted, TODAY) == found
    assert len(outside.sandbox.later.refunds) == 1


def test_what_cannot_be_is_refused_and_an_outage_is_not(outside: Outside) -> None:
    payment = outside.pay()
    with pytest.raises(GatewayRefused):
        outside.gateway.create_refund(RefundOrder(REFUND, payment, Money(10_001)), TODAY)
    with pytest.raises(GatewayRefused):
        outside.gateway.object_of(ObjectKind.PAYMENT, "pi_none", TODAY)
    outside.faults.request(Fault.DOWN, target="api")
    with pytest.raises(Unavailable):
        outside.gateway.object_of(ObjectKind.PAYMENT, payment, TODAY)


def test_a_payout_is_told_and_comes_apart_into_what_it_settles(outside: Outside) -> None:
    payment = outside.pay()
    outside.sandbox.happen(lambda later: later.refund(payment, 1_000)[1])
    outside.sandbox.happen(lambda later: later.dispute(payment, 2_000)[1])
    dispute_id = next(iter(outside.sandbox.later.disputes))
    outside.sandbox.happen(lambda later: later.close(dispute_id, DisputeStatus.WON))
    payout = outside.settle()
    lines = outside.gateway.balance_transactions(payout)
    told = outside.gateway.object_of(ObjectKind.PAYOUT, payout, TODAY)
    assert isinstance(told, PayoutAnnounced)
    assert told.net == Money.total(line.net for line in lines)
    assert sorted(line.kind for line in lines) == sorted(
        [LineKind.PAYMENT, LineKind.REFUND, LineKind.DISPUTE_WITHDRAWN, LineKind.DISPUTE_GIVEN_BACK]
    )
    assert next(line for line in lines if line.kind is LineKind.PAYMENT).payment_gateway_id == payment


def test_what_happened_is_listed_oldest_first_with_the_facts_of_the_webhooks(outside: Outside) -> None:
    payment = outside.pay()
    outside.sandbox.happen(lambda later: later.dispute(payment, 2_000)[1])
    found = outside.gateway.events_between(LONG_AGO, SOON)
    facts = [event.fact for event in found]
    arrived = next(fact for fact in facts if isinstance(fact, PaymentArrived))
    disputed = next(fact for fact in facts if isinstance(fact, DisputeReported))
    assert facts.index(arrived) < facts.index(disputed)
    assert (arrived.gateway_id, disputed.payment_gateway_id) == (payment, payment)
    assert disputed.told.is_withdrawn
    assert len({event.event_id for event in found}) == len(found)
    assert outside.gateway.events_between(SOON, SOON + timedelta(hours=1)) == []
    assert outside.gateway.events_between(LONG_AGO, LONG_AGO + timedelta(minutes=1)) == []


def test_both_gateways_reach_one_account_through_their_own_doors() -> None:
    world = World()
    world.deliver(adjudication(50_000))
    schemes = [stripe_webhooks([WEBHOOK_SECRET]), processor_webhooks([PROCESSOR_SECRET])]
    door = LoopbackApp(webhook_app(world.doors, schemes, lambda: datetime.now(UTC)))
    door.start()
    with CardGateway(3) as cards, Processor(3) as processor:
        cards.webhooks.configure(f"{door.url}/webhooks/stripe", WEBHOOK_SECRET)
        processor.webhooks.configure(f"{door.url}/webhooks/processor", PROCESSOR_SECRET)
        one = cards.pay(Money(1_000), str(ACCOUNT), "NORTH").id
        other = processor.pay(2_000, str(ACCOUNT), "NORTH").id
        deadline = time.monotonic() + 10
        while cards.webhooks.waiting_count or processor.webhooks.waiting_count:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    door.stop()
    found = {(row["gateway"], row["gateway_id"], row["amount_minor"]) for row in world.rows(PAYMENTS)}
    assert found == {("stripe", one, 1_000), ("processor", other, 2_000)}
    assert one == other, "the sandbox gives both the same id, and they are still two payments"


NOTICE = {"notice": "ntc_1", "topic": "transaction", "sent": "2026-03-02T12:00:00Z"}
SALE = {"reference": "tx_1", "kind": "sale", "status": "captured", "amount": "25.00", "currency": "USD", "custom": {}}


def notice(**changes: object) -> bytes:
    return json.dumps({**NOTICE, "transaction": {**SALE, **changes}}).encode()


def test_an_amount_as_a_text_is_read_to_the_cent() -> None:
    fact = PaymentArrived("tx_1", Money(2_500), date(2026, 3, 2), "", None, "tx_1")
    assert notice_of(notice()) == ("ntc_1", fact)


@pytest.mark.parametrize("wrong", ["25", "25.0", "25.005", "1e3", "-25.00", "٢٥.00", " 25.00", "", None, 25, "0.00"])
def test_an_amount_of_another_form_is_refused(wrong: object) -> None:
    with pytest.raises(WebhookRefused, match="amount"):
        notice_of(notice(amount=wrong))


@pytest.mark.parametrize(("secret", "drift"), [("other", 0), ("new", 301), ("new", -301)])
def test_a_notice_is_believed_under_its_secrets_and_now_only(secret: str, drift: int) -> None:
    scheme, now = processor_webhooks(["old", "new"]), datetime(2026, 3, 2, tzinfo=UTC)
    raw, at = notice(), int(now.timestamp())
    for good in ("old", "new"):
        scheme.verify(raw, httpx.Headers(signed_headers(raw, good, at)), now)
    with pytest.raises(ForgedWebhook):
        scheme.verify(raw, httpx.Headers(signed_headers(raw, secret, at + drift)), now)
    with pytest.raises(ForgedWebhook):
        scheme.verify(raw + b" ", httpx.Headers(signed_headers(raw, "new", at)), now)
    with pytest.raises(ForgedWebhook):
        scheme.verify(raw, {}, now)


def test_ids_of_two_gateways_never_meet() -> None:
    ids: set[UUID] = {payment_id_of("1"), payment_id_of("1", "processor")}
    assert len(ids) == 2
