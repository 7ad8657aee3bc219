"""The payouts in which the gateway hands money on, and what they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Event, Refusal


class PayoutDiffers(Refusal):
    """The balance transactions of a payout do not add up to it."""


class PayoutUnreadable(Refusal):
    """The gateway does not tell what a payout is made of; a person has to look there."""


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
        move_ids: tuple[UUID, ...] = ()

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
