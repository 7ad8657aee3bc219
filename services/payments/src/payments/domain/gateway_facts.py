"""What the payment gateway may tell us, in our words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.money import Money

from payments.domain.disputes import ToldDispute
from payments.domain.refunds import ToldState


@dataclass(frozen=True, slots=True)
class PaymentArrived:
    """A payment intent succeeded. `account_id`, `patient_id` and `encounter_id` are ours, as far as the payer's form
    carried them; `charge_id` is the attempt that brought the money, where the gateway tells its attempts apart.
    """

    gateway_id: str
    amount: Money
    on: date
    entity: str
    account_id: UUID | None
    charge_id: str = ""
    patient_id: UUID | None = None
    encounter_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PaymentDeclined:
    gateway_id: str
    amount: Money
    entity: str
    reason: str


@dataclass(frozen=True, slots=True)
class PayoutAnnounced:
    """The gateway paid out; below zero it took the money from the bank."""

    gateway_id: str
    net: Money
    arrives_on: date


@dataclass(frozen=True, slots=True)
class PayoutCameBack:
    """A payout failed or was called off: its money is in the gateway's balance again."""

    gateway_id: str
    net: Money
    arrives_on: date
    reason: str
    on: date


@dataclass(frozen=True, slots=True)
class PaymentPending:
    """The gateway has taken the order to pay, and no money yet (an ACH debit)."""

    gateway_id: str
    amount: Money
    entity: str


@dataclass(frozen=True, slots=True)
class PaymentCancelled:
    """The order to pay was called off before any money moved."""

    gateway_id: str
    amount: Money
    entity: str
    reason: str


@dataclass(frozen=True, slots=True)
class RefundReported:
    """A refund as it stands at the gateway. `refund_id` is ours where we asked for it, as its metadata carry it."""

    gateway_id: str
    payment_gateway_id: str
    refund_id: UUID | None
    state: ToldState
    amount: Money
    on: date


@dataclass(frozen=True, slots=True)
class DisputeReported:
    """A dispute as it stands at the gateway, with the money that it has moved by now."""

    payment_gateway_id: str
    told: ToldDispute

    @property
    def amount(self) -> Money:
        return self.told.amount


@dataclass(frozen=True, slots=True)
class ReturnReported:
    """The payer's bank took a payment back after it had succeeded; `gateway_id` is the attempt that it undoes."""

    gateway_id: str
    payment_gateway_id: str
    amount: Money
    reason: str
    on: date


class ObjectKind(StrEnum):
    """What the gateway can be asked for by its id."""

    PAYMENT = "payment"
    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    PAYOUT = "payout"


@dataclass(frozen=True, slots=True)
class ObjectChanged:
    """The gateway says that an object changed, and not how: it has to be asked."""

    kind: ObjectKind
    gateway_id: str
    on: date


@dataclass(frozen=True, slots=True)
class NothingNew:
    """A fact that another event type tells us, or one that changes no money of ours."""

    event_type: str


@dataclass(frozen=True, slots=True)
class Several:
    """More than one fact told at once."""

    facts: tuple[OneFact, ...]


OneFact = (
    PaymentArrived
    | PaymentPending
    | PaymentDeclined
    | PaymentCancelled
    | RefundReported
    | DisputeReported
    | ReturnReported
    | PayoutAnnounced
    | PayoutCameBack
    | ObjectChanged
    | NothingNew
)
GatewayFact = OneFact | Several
