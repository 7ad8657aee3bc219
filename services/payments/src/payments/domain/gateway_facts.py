"""What the payment gateway may tell us, in our words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from canonical.money import Money


@dataclass(frozen=True, slots=True)
class PaymentArrived:
    """A payment intent succeeded. `account_id` is our account's id as the payer's form carried it, if it did."""

    gateway_id: str
    amount: Money
    on: date
    entity: str
    account_id: UUID | None


@dataclass(frozen=True, slots=True)
class PaymentDeclined:
    gateway_id: str
    amount: Money
    entity: str
    reason: str


@dataclass(frozen=True, slots=True)
class PayoutAnnounced:
    gateway_id: str
    net: Money
    arrives_on: date


@dataclass(frozen=True, slots=True)
class NothingNew:
    """A fact that another event type tells us, or one that changes no money of ours."""

    event_type: str


GatewayFact = PaymentArrived | PaymentDeclined | PayoutAnnounced | NothingNew
