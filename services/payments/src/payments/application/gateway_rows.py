"""The read models of what we ask of gateways: questions, orders of payments and refunds, and payments under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chassis.domain import Event
from chassis.eventstore import Change, Table, put
from chassis.eventstore.tables import remove

from payments.domain.gateway_order import GatewayOrder, OrderState
from payments.domain.gateway_question import GatewayQuestion
from payments.domain.payment import Channel, Payment

GATEWAY_QUESTIONS = Table(
    "gateway_questions",
    {
        "question_id": "uuid",
        "gateway": "text",
        "kind": "text",
        "gateway_id": "text",
        "entity": "text",
        "state": "text",
        "message_id": "uuid",
        "asked_at": "timestamptz",
    },
    key=("question_id",),
    indexes=(("state",),),
)
GATEWAY_ORDERS = Table(
    "gateway_orders",
    {
        "order_id": "uuid",
        "gateway": "text",
        "kind": "text",
        "state": "text",
        "entity": "text",
        "amount_minor": "bigint",
        "account_id": "uuid",
        "refund_id": "uuid",
        "gateway_id": "text",
        "placed_by": "text",
        "placed_at": "timestamptz",
    },
    key=("order_id",),
    indexes=(("state",), ("account_id",)),
)
PAYMENTS_UNDER_WAY = Table(
    "payments_under_way",
    {
        "payment_id": "uuid",
        "gateway": "text",
        "gateway_id": "text",
        "entity": "text",
        "message_id": "uuid",
        "since": "timestamptz",
    },
    key=("payment_id",),
    indexes=(("gateway",),),
)
"""Payments that a gateway has taken the order for, and said nothing more of."""
GATEWAY_TABLES = (GATEWAY_QUESTIONS, GATEWAY_ORDERS, PAYMENTS_UNDER_WAY)
_ORDER_STATES: Mapping[type[Event], OrderState] = {
    GatewayOrder.Attempted: OrderState.SENDING,
    GatewayOrder.AnswerLost: OrderState.UNCERTAIN,
    GatewayOrder.Refused: OrderState.REFUSED,
}


def gateway_changes(event: Event) -> Iterable[Change]:
    """The rows that one stored event of a question or an order changes."""
    match event:
        case GatewayQuestion.Asked():
            yield put(
                GATEWAY_QUESTIONS,
                question_id=event.originator_id,
                gateway=event.gateway,
                kind=event.kind.value,
                gateway_id=event.gateway_id,
                entity=event.entity,
                state="open",
                message_id=event.message_id,
                asked_at=event.timestamp,
            )
        case GatewayQuestion.Answered():
            yield put(GATEWAY_QUESTIONS, question_id=event.originator_id, state="answered")
        case Payment.Processing():
            yield put(
                PAYMENTS_UNDER_WAY,
                payment_id=event.originator_id,
                gateway=event.gateway,
                gateway_id=event.gateway_id,
                entity=event.entity,
                message_id=event.message_id,
                since=event.timestamp,
            )
        case Payment.Succeeded(channel=Channel.GATEWAY) | Payment.Failed() | Payment.Cancelled():
            yield remove(PAYMENTS_UNDER_WAY, payment_id=event.originator_id)
        case GatewayOrder.Placed():
            yield _placed(event)
        case GatewayOrder.Attempted() | GatewayOrder.AnswerLost() | GatewayOrder.Refused():
            yield put(GATEWAY_ORDERS, order_id=event.originator_id, state=_ORDER_STATES[type(event)].value)
        case GatewayOrder.Known():
            told = {"state": OrderState.KNOWN.value, "gateway_id": event.gateway_id}
            yield put(GATEWAY_ORDERS, order_id=event.originator_id, **told)
        case GatewayOrder.Decided():
            state = OrderState.OPEN if event.again else OrderState.GIVEN_UP
            yield put(GATEWAY_ORDERS, order_id=event.originator_id, state=state.value)
        case _:
            return


def _placed(event: GatewayOrder.Placed) -> Change:
    return put(
        GATEWAY_ORDERS,
        order_id=event.originator_id,
        gateway=event.gateway,
        kind=event.kind.value,
        state=OrderState.OPEN.value,
        entity=event.entity,
        amount_minor=event.amount.minor,
        account_id=event.account_id,
        refund_id=event.refund_id,
        placed_by=event.placed_by,
        placed_at=event.timestamp,
    )
