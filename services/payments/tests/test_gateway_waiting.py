"""Payments that stay under way are asked about at their gateway, in case the event that ends them never came."""

from __future__ import annotations

from datetime import timedelta

import pytest
from canonical.money import Money
from payments.application.doors import GatewayMessage
from payments.application.gateway_questions import GatewayAsking
from payments.application.gateway_rows import PAYMENTS_UNDER_WAY
from payments.application.gateway_waiting import GatewayWaiting
from payments.application.patient_rows import PAYMENTS
from payments.domain.gateway_facts import GatewayFact, PaymentArrived, PaymentDeclined, PaymentPending
from payments.domain.payment import STRIPE

from .examples import DAY
from .world import World

PENDING = PaymentPending("pi_1", Money(5000), "NORTH")
ARRIVED = PaymentArrived("pi_1", Money(5000), DAY, "NORTH", None)
DECLINED = PaymentDeclined("pi_1", Money(5000), "NORTH", "insufficient_funds")
WEEK = timedelta(days=7)


def tell(world: World, fact: GatewayFact, event_id: str = "evt_1") -> None:
    world.doors.receive_webhooks([GatewayMessage(event_id.encode(), event_id, fact)])


def questions(world: World, waiting: GatewayWaiting, days: int) -> int:
    """Lets so many days pass; how often the gateway was asked."""
    world.clock.advance(hours=24 * days)
    before = len(world.gateway.calls)
    waiting.ask()
    GatewayAsking(world.store, world.clock, {STRIPE: world.gateway}).ask()
    return len(world.gateway.calls) - before


def started() -> tuple[World, GatewayWaiting]:
    world = World()
    tell(world, PENDING)
    return world, GatewayWaiting(world.store, world.clock, {STRIPE: world.gateway}, WEEK)


@pytest.mark.parametrize(("fact", "state"), [(ARRIVED, "succeeded"), (DECLINED, "failed")])
def test_the_end_of_a_payment_that_no_event_told_is_asked_for_after_a_week(fact: GatewayFact, state: str) -> None:
    world, waiting = started()
    world.gateway.objects["pi_1"] = fact
    assert questions(world, waiting, 6) == 0
    assert questions(world, waiting, 1) == 1
    assert [row["state"] for row in world.rows(PAYMENTS)] == [state]
    assert world.rows(PAYMENTS_UNDER_WAY) == []
    assert questions(world, waiting, 30) == 0


def test_what_is_still_under_way_is_asked_again_each_time_it_has_waited_twice_as_long() -> None:
    world, waiting = started()
    world.gateway.objects["pi_1"] = PENDING
    assert [questions(world, waiting, 7) for _ in range(8)] == [1, 1, 0, 1, 0, 0, 0, 1]


def test_a_process_that_starts_anew_asks_nothing_twice() -> None:
    world, waiting = started()
    world.gateway.objects["pi_1"] = PENDING
    assert questions(world, waiting, 7) == 1
    anew = GatewayWaiting(world.store, world.clock, {STRIPE: world.gateway}, WEEK)
    assert questions(world, anew, 1) == 0


def test_a_payment_that_the_gateway_does_not_have_is_a_case() -> None:
    world, waiting = started()
    questions(world, waiting, 7)
    assert world.open_cases() == ["GatewayObjectMissing"]


def test_a_payment_whose_end_was_told_is_not_asked_about() -> None:
    world, waiting = started()
    tell(world, DECLINED, "evt_2")
    assert questions(world, waiting, 30) == 0
