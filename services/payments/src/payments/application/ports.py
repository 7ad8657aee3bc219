"""What payments needs from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from canonical.money import Money
from chassis.domain import Refusal, Unavailable

from payments.domain.gateway_facts import GatewayFact, ObjectKind
from payments.domain.payout import BalanceTransaction


class GatewayRefused(Refusal):
    """The gateway said no, and nothing has happened there; asking again does not help."""


class UnreadableEvent(Refusal):
    """An event of the gateway lacks a field that we need, or says it in an unknown way; a person has to look."""


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """A payment that the gateway shall take. `method` is the gateway's token of a card or bank account, never its number."""

    request_id: UUID
    account_id: UUID
    entity: str
    amount: Money
    kind: str
    method: str
    since: datetime


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """A refund that the gateway shall make of one of its payments."""

    refund_id: UUID
    payment_gateway_id: str
    amount: Money


@dataclass(frozen=True, slots=True)
class GatewayEvent:
    """One event as the gateway keeps it; `refusal` where it cannot be read."""

    event_id: str
    at: datetime
    raw: bytes
    fact: GatewayFact
    refusal: Refusal | None = None


class GatewayReader(Protocol):
    """Questions about payouts. Calls block."""

    def balance_transactions(self, payout_gateway_id: str) -> Sequence[BalanceTransaction]:
        """What one payout is made of, the payout's own transaction left out.

        Raises:
            PayoutUnreadable: the gateway refuses the question.
            Unavailable: the gateway does not answer.
        """
        ...


class PaymentGateway(GatewayReader, Protocol):
    """One payment gateway: what can be asked of it and ordered there. Calls block.

    Every call raises Unavailable where the gateway does not answer; of an order nobody knows then whether it was done.
    The same order again is the same payment or refund: its id is the idempotency key, for as long as `key_seconds` says.
    """

    @property
    def key_seconds(self) -> int: ...

    def object_of(self, kind: ObjectKind, gateway_id: str, on: date) -> GatewayFact:
        """How an object stands; `on` is the day of what has no day of its own.

        Raises:
            GatewayRefused: there is no such object, or it cannot be read.
        """
        ...

    def create_payment(self, order: PaymentOrder, on: date) -> GatewayFact:
        """Takes a payment; a decline is a fact as well.

        Raises:
            GatewayRefused: it will not.
        """
        ...

    def find_payment(self, order: PaymentOrder, on: date) -> GatewayFact | None:
        """The payment of an order whose answer was lost, if there is one."""
        ...

    def create_refund(self, order: RefundOrder, on: date) -> GatewayFact:
        """Makes a refund.

        Raises:
            GatewayRefused: it will not.
        """
        ...

    def find_refund(self, order: RefundOrder, on: date) -> GatewayFact | None:
        """The refund of an order whose answer was lost, if there is one."""
        ...

    def events_between(self, since: datetime, until: datetime) -> Sequence[GatewayEvent]:
        """What happened from then until before then, oldest first."""
        ...


Gateways = Mapping[str, PaymentGateway]
"""By the name that ids are derived from."""


def of_each_gateway(gateways: Gateways, work: Callable[[str], int]) -> int:
    """Does the work for each gateway; one that is away keeps no other from it.

    Raises:
        Unavailable: the last of those that do not answer, once the others are done.
    """
    done, away = 0, None
    for name in sorted(gateways):
        try:
            done += work(name)
        except Unavailable as unavailable:
            away = unavailable
    if away is not None:
        raise away
    return done
