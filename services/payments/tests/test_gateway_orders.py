"""What we order at a gateway is done once, however its answers get lost; what it does not tell by itself is asked for."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Unavailable
from payments.adapters.stripe_gateway import event_of
from payments.application.doors import Answer, GatewayMessage
from payments.application.gateway_orders import decide_order, request_payment
from payments.application.gateway_polling import GatewayPolling, PollingTimes
from payments.application.gateway_rows import GATEWAY_ORDERS, GATEWAY_QUESTIONS
from payments.application.patient_money import approve_refund, cancel_failed_refund
from payments.application.patient_rows import PAYMENTS, REFUNDS
from payments.application.ports import GatewayEvent, UnreadableEvent
from payments.application.row_values import uuid_of
from payments.domain.gateway_facts import NothingNew, ObjectChanged, ObjectKind, PaymentArrived
from payments.domain.gateway_order import OrderChanged, OrderOver, WrongOrder
from payments.domain.payment import STRIPE, Payment

from .examples import DAY
from .fake_gateway import FakeGateway
from .test_patient_money import ACCOUNT, PAYMENT, Told, arrived

REFUND = derive("test-refund", 1)
REQUEST = derive("test-request", 1)


class Desk(Told):
    """A patient's payment of 25.00 with a gateway that can be ordered from."""

    def __init__(self) -> None:
        super().__init__()
        self.tell(arrived())

    def refund(self) -> None:
        def decide_one(payment: Payment) -> None:
            payment.request_refund(REFUND, Money(1000), "overpaid", "clerk")

        self.change(lambda work: decide_one(work.require(Payment, PAYMENT)))
        self.change(
            lambda work: approve_refund(work, work.require(Payment, PAYMENT), REFUND, by="lead", limit=Money(0), on=DAY)
        )

    def order_payment(self, amount: int = 700, kind: str = "ach", request: UUID = REQUEST) -> None:
        self.change(
            lambda work: request_payment(
                work, request, account_id=ACCOUNT, amount=Money(amount), method_kind=kind, method="pm_1", by="clerk"
            )
        )

    def send(self, rounds: int = 1) -> None:
        sweep = next(each for each in self.core.sweeps if each.name == "send-gateway-orders")
        for _ in range(rounds):
            with suppress(Unavailable):
                sweep.run()

    def order(self) -> tuple[str, str]:
        (row,) = self.rows(GATEWAY_ORDERS)
        return str(row["state"]), str(row["gateway_id"] or "")

    def decide(self, *, again: bool) -> None:
        (row,) = self.rows(GATEWAY_ORDERS)
        self.change(lambda work: decide_order(work, uuid_of(row["order_id"]), again=again, by="lead"))


def test_an_approved_refund_is_sent_once() -> None:
    desk = Desk()
    desk.refund()
    desk.send(3)
    assert desk.order() == ("known", f"re_{REFUND}")
    assert desk.gateway.calls == ["create"]


def test_a_refund_whose_answer_was_lost_is_found_and_not_made_again() -> None:
    desk = Desk()
    desk.refund()
    desk.gateway.loses = 1
    desk.send()
    assert desk.order() == ("uncertain", "")
    desk.send(3)
    assert desk.order() == ("known", f"re_{REFUND}")
    assert desk.gateway.calls == ["create", "find refund"]


def test_a_refund_that_never_arrived_is_sent_again_under_the_same_key() -> None:
    desk = Desk()
    desk.refund()
    desk.gateway.down = True
    desk.send(2)
    assert desk.order() == ("uncertain", "")
    desk.gateway.down = False
    desk.send()
    assert desk.order() == ("known", f"re_{REFUND}")
    assert desk.gateway.calls[-2:] == ["find refund", "create"]


def test_what_is_uncertain_for_longer_than_the_gateway_keeps_keys_waits_for_a_person() -> None:
    desk = Desk()
    desk.refund()
    desk.gateway.down = True
    desk.send()
    desk.gateway.down = False
    desk.clock.advance(hours=2)
    desk.send(2)
    assert (desk.order(), desk.open_cases()) == (("uncertain", ""), ["UncertainPayment"])
    assert desk.gateway.calls == ["create", "find refund"], "probed now and then, and not sent again"
    desk.decide(again=True)
    desk.send()
    assert (desk.order(), desk.open_cases()) == (("known", f"re_{REFUND}"), [])
    with pytest.raises(OrderOver):
        desk.decide(again=False)


def test_a_refund_that_the_gateway_refuses_is_given_up_by_a_person_and_its_cash_is_free_again() -> None:
    desk = Desk()
    desk.refund()
    desk.gateway.refuses = "charge_already_refunded"
    desk.send(2)
    assert (desk.order()[0], desk.open_cases()) == ("refused", ["GatewayRefusedOrder"])
    desk.decide(again=False)
    desk.change(lambda work: cancel_failed_refund(work, work.require(Payment, PAYMENT), REFUND, on=DAY))
    assert [row["state"] for row in desk.rows(REFUNDS)] == ["cancelled"]
    assert (desk.sums(), desk.open_cases()) == ((0, 2500, 0, 2500), [])


def test_a_payment_is_ordered_once_and_its_money_comes_by_what_the_gateway_tells() -> None:
    desk = Desk()
    desk.order_payment()
    desk.order_payment()
    with pytest.raises(OrderChanged):
        desk.order_payment(701)
    desk.send(2)
    (order_id,) = (row["order_id"] for row in desk.rows(GATEWAY_ORDERS))
    assert desk.order() == ("known", f"pi_{order_id}")
    assert len(desk.rows(PAYMENTS)) == 1
    desk.tell(PaymentArrived(f"pi_{order_id}", Money(700), DAY, "NORTH", ACCOUNT))
    assert desk.sums() == (0, 2500, 700, 3200)


@pytest.mark.parametrize(("amount", "kind"), [(0, "card"), (-1, "card"), (100, "cash")])
def test_an_order_of_nothing_or_by_an_unknown_way_is_refused(amount: int, kind: str) -> None:
    with pytest.raises(WrongOrder):
        Desk().order_payment(amount, kind)


def told_thin(desk: Desk, number: int = 1) -> None:
    fact = ObjectChanged(ObjectKind.PAYMENT, "pi_9", DAY)
    message = GatewayMessage(f"thin {number}".encode(), f"evt_thin_{number}", fact)
    assert desk.doors.receive_webhooks([message]) == [Answer.TAKEN]


def ask(desk: Desk) -> None:
    with suppress(Unavailable):
        next(each for each in desk.core.sweeps if each.name == "ask-gateways").run()


def test_what_a_thin_event_names_is_asked_for_until_it_is_answered() -> None:
    desk = Desk()
    told_thin(desk)
    desk.gateway.down = True
    ask(desk)
    assert [row["state"] for row in desk.rows(GATEWAY_QUESTIONS)] == ["open"]
    desk.gateway.down = False
    desk.gateway.objects["pi_9"] = PaymentArrived("pi_9", Money(300), DAY, "NORTH", ACCOUNT)
    ask(desk)
    ask(desk)
    assert desk.sums() == (0, 2500, 300, 2800)
    assert desk.gateway.calls == ["ask payment pi_9"] * 2


def test_what_the_gateway_does_not_know_is_a_case_and_others_are_answered() -> None:
    desk = Desk()
    told_thin(desk)
    ask(desk)
    assert desk.open_cases() == ["GatewayObjectMissing"]
    assert [row["state"] for row in desk.rows(GATEWAY_QUESTIONS)] == ["answered"]


class Polled(Desk):
    def __init__(self) -> None:
        super().__init__()
        times = PollingTimes(grace=timedelta(minutes=2))
        self.polling = GatewayPolling(self.store, self.clock, {STRIPE: self.gateway}, self.doors, times)

    def happen(self, number: int = 9, amount: int = 300) -> GatewayEvent:
        told = {"patient_account": str(ACCOUNT), "entity": "NORTH"}
        content = {"id": f"pi_{number}", "amount": amount, "currency": "usd", "status": "succeeded", "metadata": told}
        event = {"id": f"evt_{number}", "object": "event", "type": "payment_intent.succeeded", "created": 1_772_452_800}
        raw = json.dumps({**event, "data": {"object": content}}).encode()
        made = GatewayEvent(f"evt_{number}", self.clock(), raw, event_of(raw)[1])
        self.gateway.events.append(made)
        return made


def test_an_event_that_no_webhook_told_is_found_after_its_grace_and_taken_once() -> None:
    desk = Polled()
    missed = desk.happen()
    assert desk.polling.poll() == 0
    desk.clock.advance(minutes=3)
    assert desk.polling.poll() == 1
    desk.clock.advance(minutes=1)
    assert desk.polling.poll() == 0
    assert desk.sums() == (0, 2500, 300, 2800)
    late = GatewayMessage(b" " + missed.raw, missed.event_id, missed.fact)
    assert desk.doors.receive_webhooks([late]) == [Answer.TAKEN]
    assert (desk.sums(), desk.open_cases()) == ((0, 2500, 300, 2800), [])


def test_an_event_that_came_by_webhook_is_not_fetched() -> None:
    desk = Polled()
    event = desk.happen()
    desk.doors.receive_webhooks([GatewayMessage(event.raw + b" ", event.event_id, event.fact)])
    desk.clock.advance(minutes=3)
    assert desk.polling.poll() == 0


def test_days_of_events_are_asked_for_in_windows_and_each_once() -> None:
    desk = Polled()
    for number in range(20, 25):
        desk.happen(number)
        desk.clock.advance(hours=7)
    assert desk.polling.poll() == 5
    asked = len(desk.gateway.calls)
    assert asked == 72
    desk.clock.advance(minutes=1)
    assert desk.polling.poll() == 0
    assert len(desk.gateway.calls) == asked + 1


def test_a_gateway_that_is_down_is_asked_again_from_where_it_was_left() -> None:
    desk = Polled()
    desk.happen()
    desk.gateway.down = True
    desk.clock.advance(hours=20)
    with pytest.raises(Unavailable):
        desk.polling.poll()
    desk.gateway.down = False
    assert desk.polling.poll() == 0, "it is not asked again at once"
    desk.clock.advance(minutes=1)
    assert desk.polling.poll() == 1


def test_a_gateway_that_is_away_keeps_no_other_from_being_asked() -> None:
    desk = Polled()
    away = FakeGateway(down=True)
    gateways = {"away": away, STRIPE: desk.gateway}
    desk.polling = GatewayPolling(desk.store, desk.clock, gateways, desk.doors, PollingTimes())
    desk.happen()
    desk.clock.advance(minutes=3)
    with pytest.raises(Unavailable):
        desk.polling.poll()
    assert desk.sums() == (0, 2500, 300, 2800)


def test_an_event_that_cannot_be_read_is_kept_with_its_reason_for_a_person() -> None:
    desk = Polled()
    refusal = UnreadableEvent("status: missing, or not a short text")
    desk.gateway.events.append(GatewayEvent("evt_8", desk.clock(), b"{}", NothingNew("unreadable"), refusal))
    desk.clock.advance(minutes=3)
    assert desk.polling.poll() == 1
    assert desk.open_cases() == ["UnreadableEvent"]
