"""A payment gateway that does what the test says: it knows orders by their key, and may lose its answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from chassis.domain import Unavailable
from payments.application.ports import GatewayEvent, GatewayRefused, PaymentOrder, RefundOrder
from payments.domain.gateway_facts import GatewayFact, ObjectKind, PaymentPending, RefundReported
from payments.domain.payout import BalanceTransaction, PayoutUnreadable
from payments.domain.refunds import ToldState


@dataclass
class FakeGateway:
    """`down` answers nothing, `loses` does what it is told and loses the answer, `refuses` says no."""

    payouts: dict[str, list[BalanceTransaction]] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    objects: dict[str, GatewayFact] = field(default_factory=dict)
    events: list[GatewayEvent] = field(default_factory=list)
    done: dict[UUID, GatewayFact] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    down: bool = False
    loses: int = 0
    refuses: str = ""
    key_seconds: int = 3600
    read_payout: Callable[[str], list[BalanceTransaction]] | None = None

    def balance_transactions(self, payout_gateway_id: str) -> list[BalanceTransaction]:
        if payout_gateway_id in self.unreadable:
            raise PayoutUnreadable(f"payout {payout_gateway_id}: no")
        if self.read_payout is not None:
            return self.read_payout(payout_gateway_id)
        return self.payouts.get(payout_gateway_id, [])

    def object_of(self, kind: ObjectKind, gateway_id: str, on: date) -> GatewayFact:
        self._answer(f"ask {kind} {gateway_id}")
        if gateway_id not in self.objects:
            raise GatewayRefused("resource_missing")
        return self.objects[gateway_id]

    def create_payment(self, order: PaymentOrder, on: date) -> GatewayFact:
        made = PaymentPending(f"pi_{order.request_id}", order.amount, order.entity)
        return self._once(order.request_id, lambda: made)

    def find_payment(self, order: PaymentOrder, on: date) -> GatewayFact | None:
        self._answer("find payment")
        return self.done.get(order.request_id)

    def create_refund(self, order: RefundOrder, on: date) -> GatewayFact:
        made = RefundReported(
            f"re_{order.refund_id}", order.payment_gateway_id, order.refund_id, ToldState.PENDING, order.amount, on
        )
        return self._once(order.refund_id, lambda: made)

    def find_refund(self, order: RefundOrder, on: date) -> GatewayFact | None:
        self._answer("find refund")
        return self.done.get(order.refund_id)

    def events_between(self, since: datetime, until: datetime) -> list[GatewayEvent]:
        self._answer("events")
        return [event for event in self.events if since <= event.at < until]

    def _once(self, key: UUID, make: Callable[[], GatewayFact]) -> GatewayFact:
        self._answer("create")
        if self.refuses:
            raise GatewayRefused(self.refuses)
        self.done.setdefault(key, make())
        if self.loses:
            self.loses -= 1
            raise Unavailable("the answer was lost")
        return self.done[key]

    def _answer(self, what: str) -> None:
        self.calls.append(what)
        if self.down:
            raise Unavailable("down")
