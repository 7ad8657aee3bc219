"""Payments ordered at a gateway by call, and what a person decides of an order that nobody knows the end of."""

from __future__ import annotations

from typing import cast
from uuid import UUID

import grpc
import pytest
from billing.common.v1 import common_pb2
from billing.payments.v1 import gateway_orders_pb2 as pb
from chassis.eventstore import Work
from chassis.eventstore.work import UnknownAggregate
from chassis.rpc import BadArgument
from chassis.telemetry.correlation import caused_by, incoming
from payments.adapters.grpc_orders import GatewayOrders
from payments.domain.card_numbers import CardNumberSeen
from payments.domain.gateway_order import GatewayOrder
from payments.domain.refunds import ToldState

from .examples import PATIENT
from .test_patient_money import ACCOUNT, Told, arrived, refund

NO_CONTEXT = cast(grpc.ServicerContext, None)


class Ordering(Told):
    """A patient who owes 25.00, and somebody who orders payments."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = GatewayOrders(self.core)

    def order(self, **changes: str) -> pb.GatewayOrder:
        fields = {"idempotency_key": "order-17", "method_kind": "card", "method": "pm_card_visa", **changes}
        amount = common_pb2.Money(minor=2500, currency="USD")
        with caused_by(incoming("user:ann", None, None)):
            request = pb.RequestPaymentRequest(account_id=str(ACCOUNT), amount=amount, **fields)
            return self.calls.RequestPayment(request, NO_CONTEXT).order

    def decide(self, order_id: str, *, again: bool) -> pb.GatewayOrder:
        with caused_by(incoming("user:eve", None, None)):
            return self.calls.DecideOrder(pb.DecideOrderRequest(order_id=order_id, again=again), NO_CONTEXT).order


def test_the_same_request_is_one_order() -> None:
    world = Ordering()
    first = world.order()
    assert (first.kind, first.amount.minor, first.account_id, first.placed_by) == (
        "payment",
        2500,
        str(ACCOUNT),
        "user:ann",
    )
    assert world.order() == first
    assert list(world.calls.ListOrders(pb.ListOrdersRequest(account_id=str(ACCOUNT)), NO_CONTEXT).orders) == [first]


def test_an_order_that_nobody_knows_the_end_of_is_given_up_by_a_person() -> None:
    world = Ordering()
    placed = world.order()

    def lose_the_answer(work: Work) -> None:
        order = work.require(GatewayOrder, UUID(placed.order_id))
        order.attempt(world.clock())
        order.lose_answer("no answer in time")

    world.change(lose_the_answer)
    assert world.calls.ListOrders(pb.ListOrdersRequest(state="uncertain"), NO_CONTEXT).orders
    decided = world.decide(placed.order_id, again=False)
    assert decided.state == "given-up"


@pytest.mark.parametrize("changes", [{"method_kind": "cash"}, {"method": ""}, {"idempotency_key": "short"}])
def test_an_order_that_cannot_be_is_refused_by_its_field(changes: dict[str, str]) -> None:
    with pytest.raises(BadArgument, match=f"^{next(iter(changes))}"):
        Ordering().order(**changes)


def test_a_card_number_is_no_token() -> None:
    with pytest.raises(CardNumberSeen):
        Ordering().order(method="4242424242424242")


def test_an_order_that_was_never_placed_cannot_be_decided() -> None:
    with pytest.raises(UnknownAggregate):
        Ordering().decide(str(PATIENT), again=True)


def test_what_went_back_from_the_gateway_is_listed_until_a_payout_settles_it() -> None:
    world = Ordering()
    world.tell(arrived(), refund(ToldState.SUCCEEDED))
    request = pb.ListGatewayMovesRequest(entity="NORTH", only_not_paid_out=True)
    (move,) = world.calls.ListGatewayMoves(request, NO_CONTEXT).moves
    assert (move.kind, move.entity, move.amount.minor, move.payout_id) == ("refund", "NORTH", -1000, "")
    elsewhere = pb.ListGatewayMovesRequest(entity="SOUTH")
    assert list(world.calls.ListGatewayMoves(elsewhere, NO_CONTEXT).moves) == []
