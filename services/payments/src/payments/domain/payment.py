"""A patient's payment, at the gateway or the front desk, and the payouts in which the gateway hands money on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Conflict, Event, Refusal


class PaymentChanged(Conflict):
    """This payment was reported before, with another amount."""


class PaymentAlreadyMatched(Refusal):
    """The payment belongs to another account."""


class PaymentNotSucceeded(Refusal):
    """The payment has brought no cash, so there is nothing to match."""


class PaymentOfOtherEntity(Refusal):
    """The payment's cash is booked at another legal entity than the account's."""


class PayoutDiffers(Refusal):
    """The balance transactions of a payout do not add up to it."""


class PayoutUnreadable(Refusal):
    """The gateway does not tell what a payout is made of; a person has to look there."""


class OtherCurrency(Refusal):
    """The books are kept in another currency than the gateway reports."""


class PaymentState(StrEnum):
    NEW = "new"
    FAILED = "failed"
    SUCCEEDED = "succeeded"


class Channel(StrEnum):
    """Where a patient paid: what a gateway took comes in its payouts, what a front desk took is banked by hand."""

    GATEWAY = "gateway"
    FRONT_DESK = "front-desk"


class Payment(Aggregate):
    """One payment of a patient: it succeeds or fails; it pays an account, or waits for a person to say whose it is."""

    def start(self) -> None:
        self.state = PaymentState.NEW
        self.entity = ""
        self.amount = Money(0)
        self.on = date.min
        self.account_id: UUID | None = None

    class Succeeded(Event):
        """`account_id` is empty where nobody could be matched: all of it is unapplied then.

        `gateway_id` is the gateway's payment intent, empty for the front desk; `method` is that one's own word.
        """

        TOPIC = "payments.payment.succeeded"
        entity: Public[str]
        gateway_id: Financial[str]
        amount: Money
        effective_date: Financial[date]
        account_id: UUID | None
        patient_id: UUID | None
        applied: Money
        unapplied: Money
        message_id: UUID
        channel: Channel = Channel.GATEWAY
        method: Public[str] = ""

        def apply(self, payment: Payment) -> None:
            payment.state = PaymentState.SUCCEEDED
            payment.entity = self.entity
            payment.amount = self.amount
            payment.on = self.effective_date
            payment.account_id = self.account_id

    class Failed(Event):
        TOPIC = "payments.payment.failed"
        entity: Public[str]
        gateway_id: Financial[str]
        amount: Money
        reason: Public[str]
        message_id: UUID

        def apply(self, payment: Payment) -> None:
            payment.state = PaymentState.FAILED

    class Matched(Event):
        """A person said whose payment it is; the account says what of it is applied."""

        TOPIC = "payments.payment.matched"
        account_id: UUID
        entity: Public[str]
        patient_id: UUID
        applied: Money
        effective_date: Financial[date]

        def apply(self, payment: Payment) -> None:
            payment.account_id = self.account_id

    def refuse_change(self, amount: Money) -> None:
        """Raises PaymentChanged where a known payment is reported with another amount."""
        if self.state is PaymentState.SUCCEEDED and self.amount != amount:
            raise PaymentChanged(f"payment {self.id}: {self.amount}, now {amount}")

    def refuse_no_cash(self) -> None:
        """Raises PaymentNotSucceeded unless the gateway has the money; a declined payment may still succeed later."""
        if self.state is not PaymentState.SUCCEEDED:
            raise PaymentNotSucceeded(f"payment {self.id} is {self.state}; only one that succeeded can be matched")


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One line of the gateway's balance: `net == amount - fee`. `payment_gateway_id` is the payment intent behind it."""

    gateway_id: str
    amount: Money
    fee: Money
    net: Money
    payment_gateway_id: str


class PayoutShare(CanonicalModel):
    """What of one payout belongs to one entity."""

    entity: Public[str]
    gross: Money
    fees: Money
    net: Money


class Payout(Aggregate):
    """Announced by the gateway, composed from its balance transactions, deposited at the bank."""

    def start(self) -> None:
        self.net = Money(0)
        self.arrives_on = date.min
        self.gateway_id = ""
        self.shares: tuple[PayoutShare, ...] = ()
        self.deposit_id: UUID | None = None

    class Announced(Event):
        TOPIC = "payments.payout.announced"
        gateway_id: Financial[str]
        net: Money
        arrives_on: Financial[date]
        message_id: UUID

        def apply(self, payout: Payout) -> None:
            payout.net = self.net
            payout.arrives_on = self.arrives_on
            payout.gateway_id = self.gateway_id

    class Composed(Event):
        TOPIC = "payments.payout.composed"
        effective_date: Financial[date]
        shares: tuple[PayoutShare, ...]
        payment_ids: tuple[UUID, ...] = ()

        def apply(self, payout: Payout) -> None:
            payout.shares = self.shares

    class DepositMatched(Event):
        TOPIC = "payments.payout.deposit-matched"
        deposit_id: UUID

        def apply(self, payout: Payout) -> None:
            payout.deposit_id = self.deposit_id

    def announce(self, gateway_id: str, net: Money, arrives_on: date, message_id: UUID) -> None:
        """Takes the gateway's word that it pays out.

        Raises:
            PayoutDiffers: announced before with another amount.
        """
        if self.exists:
            if self.net != net:
                raise PayoutDiffers(f"payout {gateway_id}: {self.net}, now {net}")
            return
        self.trigger_event(self.Announced, gateway_id=gateway_id, net=net, arrives_on=arrives_on, message_id=message_id)

    def compose(self, shares: Sequence[PayoutShare], payment_ids: Sequence[UUID]) -> None:
        """Says what the payout is made of, and which payments it settles.

        Raises:
            PayoutDiffers: the shares do not add up to the payout, or one does not add up in itself.
        """
        if self.shares:
            return
        total = Money.total(share.net for share in shares)
        if total != self.net or any(share.gross - share.fees != share.net for share in shares):
            raise PayoutDiffers(
                f"payout {self.gateway_id}: parts {total}, payout {self.net}, residual {self.net - total}"
            )
        self.trigger_event(
            self.Composed, effective_date=self.arrives_on, shares=tuple(shares), payment_ids=tuple(payment_ids)
        )

    def match_deposit(self, deposit_id: UUID, amount: Money) -> None:
        """Says that a bank deposit is this payout.

        Raises:
            PayoutDiffers: another amount.
        """
        if self.deposit_id == deposit_id:
            return
        if amount != self.net:
            raise PayoutDiffers(f"payout {self.gateway_id}: deposit {amount}, payout {self.net}")
        self.trigger_event(self.DepositMatched, deposit_id=deposit_id)


def payment_id_of(gateway_id: str) -> UUID:
    """The id of the payment behind a payment intent of the gateway."""
    return derive("payment", "stripe", gateway_id)


def payout_id_of(gateway_id: str) -> UUID:
    return derive("payout", "stripe", gateway_id)


def shares_by_entity(
    transactions: Sequence[BalanceTransaction], entity_by_payment: dict[str, str]
) -> tuple[PayoutShare, ...]:
    """The payout's parts per entity, in the order of their codes.

    Raises:
        PayoutDiffers: a transaction of a payment that we do not know.
    """
    sums: dict[str, list[Money]] = {}
    for transaction in transactions:
        entity = entity_by_payment.get(transaction.payment_gateway_id)
        if entity is None:
            raise PayoutDiffers(f"balance transaction {transaction.gateway_id} is of no payment we know")
        parts = sums.setdefault(entity, [Money(0), Money(0), Money(0)])
        for index, amount in enumerate((transaction.amount, transaction.fee, transaction.net)):
            parts[index] += amount
    return tuple(
        PayoutShare(entity=entity, gross=gross, fees=fees, net=net)
        for entity, (gross, fees, net) in sorted(sums.items())
    )
