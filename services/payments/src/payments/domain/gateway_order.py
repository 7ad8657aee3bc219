"""What we order at a gateway: a payment to be taken or a refund to be made, done once however often its answer is lost."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Conflict, Event, Refusal

from payments.domain.card_numbers import refuse_card_numbers
from payments.domain.refunds import NOTHING


class OrderChanged(Conflict):
    """The same order came with other content."""


class OrderOver(Refusal):
    """The order is done, refused or given up; there is nothing to decide."""


class WrongOrder(Refusal):
    """An order must be above zero, by a way to pay that the gateway knows."""


class OrderKind(StrEnum):
    PAYMENT = "payment"
    REFUND = "refund"


class OrderState(StrEnum):
    """An order that is being sent may have been done: only the gateway's word, or a person's, ends that."""

    OPEN = "open"
    SENDING = "sending"
    UNCERTAIN = "uncertain"
    KNOWN = "known"
    REFUSED = "refused"
    GIVEN_UP = "given-up"


PAYMENT_METHODS = ("card", "ach")
WAITING = (OrderState.OPEN, OrderState.SENDING, OrderState.UNCERTAIN)


class GatewayOrder(Aggregate):
    """Intent, attempt, and the gateway's word; its id is the idempotency key there."""

    def start(self) -> None:
        self.state = OrderState.OPEN
        self.kind = OrderKind.PAYMENT
        self.gateway = ""
        self.entity = ""
        self.amount = NOTHING
        self.account_id: UUID | None = None
        self.refund_id: UUID | None = None
        self.of_payment = ""
        self.method_kind = ""
        self.method = ""
        self.attempted_at: datetime | None = None

    class Placed(Event):
        """`method` is the gateway's token of a card or bank account; `of_payment` is the payment that a refund is of."""

        TOPIC = "payments.gateway-order.placed"
        gateway: Public[str]
        kind: OrderKind
        entity: Public[str]
        amount: Money
        account_id: UUID | None
        refund_id: UUID | None
        of_payment: Financial[str]
        method_kind: Public[str]
        method: Financial[str]
        placed_by: Public[str]

        def apply(self, order: GatewayOrder) -> None:
            order.gateway, order.kind, order.entity = self.gateway, self.kind, self.entity
            order.amount, order.account_id, order.of_payment = self.amount, self.account_id, self.of_payment
            order.method_kind, order.method, order.refund_id = self.method_kind, self.method, self.refund_id

    class Attempted(Event):
        """Recorded before the gateway is called; from here on it may have been done."""

        TOPIC = "payments.gateway-order.attempted"
        at: Public[datetime]

        def apply(self, order: GatewayOrder) -> None:
            order.state, order.attempted_at = OrderState.SENDING, self.at

    class AnswerLost(Event):
        TOPIC = "payments.gateway-order.answer-lost"
        reason: Public[str]

        def apply(self, order: GatewayOrder) -> None:
            order.state = OrderState.UNCERTAIN

    class Known(Event):
        """The gateway has it; what becomes of it there its events tell."""

        TOPIC = "payments.gateway-order.known"
        gateway_id: Financial[str]

        def apply(self, order: GatewayOrder) -> None:
            order.state = OrderState.KNOWN

    class Refused(Event):
        TOPIC = "payments.gateway-order.refused"
        reason: Public[str]

        def apply(self, order: GatewayOrder) -> None:
            order.state = OrderState.REFUSED

    class Decided(Event):
        """A person looked at the gateway: the order is sent anew, or given up."""

        TOPIC = "payments.gateway-order.decided"
        decided_by: Public[str]
        again: bool

        def apply(self, order: GatewayOrder) -> None:
            order.state = OrderState.OPEN if self.again else OrderState.GIVEN_UP

    def place(
        self,
        kind: OrderKind,
        *,
        gateway: str,
        entity: str,
        amount: Money,
        by: str,
        account_id: UUID | None = None,
        refund_id: UUID | None = None,
        of_payment: str = "",
        method_kind: str = "",
        method: str = "",
    ) -> None:
        """Orders once.

        Raises:
            OrderChanged: placed before with other content.
            WrongOrder: not above zero, or by no known way to pay.
            CardNumberSeen: the method is a number and no token.
        """
        content = (kind, gateway, entity, amount, account_id, refund_id, of_payment, method_kind, method)
        if self.exists:
            whose = (self.kind, self.gateway, self.entity, self.amount, self.account_id, self.refund_id)
            if content != (*whose, self.of_payment, self.method_kind, self.method):
                raise OrderChanged(f"order {self.id} was placed with other content")
            return
        if amount <= NOTHING or (kind is OrderKind.PAYMENT and (method_kind not in PAYMENT_METHODS or not method)):
            raise WrongOrder(f"order {self.id}: {amount} by {method_kind or 'nothing'}")
        refuse_card_numbers(method=method)
        self.trigger_event(
            self.Placed,
            gateway=gateway,
            kind=kind,
            entity=entity,
            amount=amount,
            account_id=account_id,
            refund_id=refund_id,
            of_payment=of_payment,
            method_kind=method_kind,
            method=method,
            placed_by=by,
        )

    def attempt(self, at: datetime) -> None:
        """Says that it is going to be sent, unless it may have been already."""
        if self.state is OrderState.OPEN:
            self.trigger_event(self.Attempted, at=at)

    def lose_answer(self, reason: str) -> None:
        """Says that nobody knows whether it was done."""
        if self.state is OrderState.SENDING:
            self.trigger_event(self.AnswerLost, reason=reason)

    def be_known(self, gateway_id: str) -> None:
        """Takes the gateway's word that it has it."""
        if self.state in WAITING:
            self.trigger_event(self.Known, gateway_id=gateway_id)

    def be_refused(self, reason: str) -> None:
        """Takes the gateway's word that it will not."""
        if self.state in WAITING:
            self.trigger_event(self.Refused, reason=reason)

    def decide(self, *, again: bool, by: str) -> None:
        """A person says what becomes of it.

        Raises:
            OrderOver: it is not uncertain, nor refused where it shall be sent again.
        """
        if self.state not in (OrderState.UNCERTAIN, OrderState.SENDING, OrderState.REFUSED):
            raise OrderOver(f"order {self.id} is {self.state}")
        self.trigger_event(self.Decided, decided_by=by, again=again)

    @property
    def is_without_effect(self) -> bool:
        """Whether the gateway will not do it, by its own word or a person's."""
        return self.state in (OrderState.REFUSED, OrderState.GIVEN_UP)


def order_id_of(request_id: UUID) -> UUID:
    """The id of the order for one request for a payment or one refund."""
    return derive("gateway-order", request_id)
