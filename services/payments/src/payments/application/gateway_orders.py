"""Orders to gateways: placed by people and by approved refunds, sent by a sweep, probed while their answer is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from canonical.money import Money
from chassis.domain import Unavailable
from chassis.eventstore import EventStore, Row, Work, transact
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.exceptions import end_case, raise_case

from payments.application.gateway_rows import GATEWAY_ORDERS
from payments.application.ports import GatewayRefused, Gateways, PaymentOrder, RefundOrder, of_each_gateway
from payments.application.row_values import uuid_of
from payments.application.sweeps import context_for
from payments.domain.gateway_facts import (
    GatewayFact,
    PaymentArrived,
    PaymentCancelled,
    PaymentDeclined,
    PaymentPending,
    RefundReported,
)
from payments.domain.gateway_order import WAITING, GatewayOrder, OrderKind, OrderState, order_id_of
from payments.domain.patient_account import PatientAccount
from payments.domain.payment import STRIPE

PORTION_MAX = 100
PROBE_EVERY = timedelta(minutes=10)
UNCERTAIN = "UncertainPayment"
REFUSED = "GatewayRefusedOrder"


def request_payment(
    work: Work,
    request_id: UUID,
    *,
    account_id: UUID,
    amount: Money,
    method_kind: str,
    method: str,
    by: str,
    gateway: str = STRIPE,
) -> UUID:
    """Orders a payment of an account by a card or bank account that the gateway keeps; the order's id.

    Raises:
        UnknownAggregate: no such account.
        OrderChanged, WrongOrder, CardNumberSeen: it cannot be.
    """
    account = work.require(PatientAccount, account_id)
    order = work.get_or_new(GatewayOrder, order_id_of(request_id))
    order.place(
        OrderKind.PAYMENT,
        gateway=gateway,
        entity=account.entity,
        amount=amount,
        account_id=account_id,
        method_kind=method_kind,
        method=method,
        by=by,
    )
    return order.id


def decide_order(work: Work, order_id: UUID, *, again: bool, by: str) -> None:
    """A person, who looked at the gateway, says that an order is sent anew or given up.

    Raises:
        UnknownAggregate: no such order.
        OrderOver: there is nothing to decide.
    """
    work.require(GatewayOrder, order_id).decide(again=again, by=by)
    for code in (UNCERTAIN, REFUSED):
        end_case(work, order_id, code, f"decided by {by}: {'sent again' if again else 'given up'}")


class GatewayOrdering:
    """Sends what was ordered: intent, attempt, call, and what the gateway said; a lost answer is probed and never guessed."""

    def __init__(
        self,
        store: EventStore,
        clock: Callable[[], datetime],
        gateways: Gateways,
        *,
        crash_point: CrashPoint = no_crash,
    ) -> None:
        self._store = store
        self._crash_point = crash_point
        self._clock = clock
        self._gateways = gateways
        self._rests_until: dict[UUID, datetime] = {}

    def send(self) -> int:
        """Sends and probes what waits, the oldest first; the number of orders that are known now.

        Raises:
            Unavailable: one of the gateways does not answer; the others did their part.
        """
        return of_each_gateway(self._gateways, self._send_to)

    def _send_to(self, name: str) -> int:
        where = {"gateway": name, "state": [state.value for state in WAITING]}
        rows = self._store.rows(GATEWAY_ORDERS, where, order=("placed_at",), limit=PORTION_MAX)
        return sum(self._send_one(row) for row in rows if self._is_due(row))

    def _is_due(self, row: Row) -> bool:
        """What waits for a person is probed now and then only."""
        rests_until = self._rests_until.get(uuid_of(row["order_id"]))
        return row["state"] == OrderState.OPEN.value or rests_until is None or rests_until <= self._clock()

    def _send_one(self, row: Row) -> int:
        order_id = uuid_of(row["order_id"])
        was_open = row["state"] == OrderState.OPEN.value
        order = self._change(order_id, lambda order: order.attempt(self._clock()))
        assert order.attempted_at is not None
        try:
            told = None if was_open else self._find(order)
            if told is None:
                if not was_open and self._key_is_old(order):
                    return self._leave_to_a_person(order)
                told = self._create(order)
        except GatewayRefused as refused:
            return self._end(order_id, refused=str(refused))
        except Unavailable as unavailable:
            reason = str(unavailable)
            self._change(order_id, lambda order: order.lose_answer(reason))
            raise
        return self._end(order_id, told)

    def _key_is_old(self, order: GatewayOrder) -> bool:
        """Whether the gateway may have forgotten our key, so that sending again might do it twice."""
        assert order.attempted_at is not None
        kept = timedelta(seconds=self._gateways[order.gateway].key_seconds)
        return self._clock() >= order.attempted_at + kept

    def _find(self, order: GatewayOrder) -> GatewayFact | None:
        gateway, today = self._gateways[order.gateway], self._clock().date()
        if order.kind is OrderKind.REFUND:
            return gateway.find_refund(_refund_of(order), today)
        return gateway.find_payment(_payment_of(order), today)

    def _create(self, order: GatewayOrder) -> GatewayFact:
        gateway, today = self._gateways[order.gateway], self._clock().date()
        self._crash_point("before-send")
        if order.kind is OrderKind.REFUND:
            told = gateway.create_refund(_refund_of(order), today)
        else:
            told = gateway.create_payment(_payment_of(order), today)
        self._crash_point("after-send")
        return told

    def _end(self, order_id: UUID, told: GatewayFact | None = None, refused: str = "") -> int:
        def decide(work: Work) -> int:
            order = work.require(GatewayOrder, order_id)
            if told is not None:
                order.be_known(_gateway_id_of(told))
                end_case(work, order_id, UNCERTAIN, "the gateway says what became of it")
                return 1
            order.be_refused(refused)
            _raise(work, order, REFUSED, f"the gateway refuses the {order.kind} of {order.amount}: {refused}")
            return 1

        return transact(self._store, context_for(order_id, self._clock()), decide, crash_point=self._crash_point)

    def _leave_to_a_person(self, order: GatewayOrder) -> int:
        summary = (
            f"whether the {order.kind} of {order.amount} was done at {order.gateway} is not known, and it is too late "
            "to send it again safely: look there, then send it again or give it up"
        )

        def decide(work: Work) -> int:
            _raise(work, order, UNCERTAIN, summary)
            return 0

        self._rests_until[order.id] = self._clock() + PROBE_EVERY
        return transact(self._store, context_for(order.id, self._clock()), decide, crash_point=self._crash_point)

    def _change(self, order_id: UUID, act: Callable[[GatewayOrder], None]) -> GatewayOrder:
        def decide(work: Work) -> GatewayOrder:
            order = work.require(GatewayOrder, order_id)
            act(order)
            return order

        return transact(self._store, context_for(order_id, self._clock()), decide, crash_point=self._crash_point)


def _raise(work: Work, order: GatewayOrder, code: str, summary: str) -> None:
    raise_case(
        work,
        order.id,
        code=code,
        summary=summary[:500],
        subject="gateway-order",
        subject_id=order.id,
        entity=order.entity,
        amount=order.amount,
    )


def _refund_of(order: GatewayOrder) -> RefundOrder:
    assert order.refund_id is not None
    return RefundOrder(order.refund_id, order.of_payment, order.amount)


def _payment_of(order: GatewayOrder) -> PaymentOrder:
    assert order.account_id is not None
    assert order.attempted_at is not None
    return PaymentOrder(
        order.id, order.account_id, order.entity, order.amount, order.method_kind, order.method, order.attempted_at
    )


def _gateway_id_of(told: GatewayFact) -> str:
    known = PaymentArrived | PaymentPending | PaymentDeclined | PaymentCancelled | RefundReported
    return told.gateway_id if isinstance(told, known) else ""
