"""The payouts in which the gateway hands money on, and what they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import CanonicalModel, Financial, Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Event, Refusal

from payments.domain.payment import STRIPE
from payments.domain.refunds import NOTHING


class PayoutDiffers(Refusal):
    """The balance transactions of a payout do not add up to it."""


class PayoutUnreadable(Refusal):
    """The gateway does not tell what a payout is made of; a person has to look there."""


class LineKind(StrEnum):
    """What a line of the gateway's balance is about."""

    PAYMENT = "payment"
    REFUND = "refund"
    REFUND_FAILED = "refund-failed"
    DISPUTE_WITHDRAWN = "dispute-withdrawn"
    DISPUTE_GIVEN_BACK = "dispute-given-back"
    RETURN = "return"
    PAYOUT_CAME_BACK = "payout-came-back"
    FEE = "fee"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One line of the gateway's balance: `net == amount - fee`.

    `payment_gateway_id` is the payment intent behind it, `source_gateway_id` the refund, dispute, attempt or payout.
    """

    gateway_id: str
    amount: Money
    fee: Money
    net: Money
    payment_gateway_id: str
    kind: LineKind = LineKind.PAYMENT
    source_gateway_id: str = ""


class PayoutShare(CanonicalModel):
    """What of one payout belongs to one entity."""

    entity: Public[str]
    gross: Money
    fees: Money
    net: Money


class Payout(Aggregate):
    """Announced by the gateway, composed from its balance transactions, deposited at the bank."""

    def start(self) -> None:
        self.net = NOTHING
        self.arrives_on = date.min
        self.gateway = STRIPE
        self.gateway_id = ""
        self.shares: tuple[PayoutShare, ...] = ()
        self.came_back_on: date | None = None
        self.is_returned = False
        self.is_composed = False
        self.deposit_id: UUID | None = None

    class Announced(Event):
        TOPIC = "payments.payout.announced"
        gateway_id: Financial[str]
        net: Money
        arrives_on: Financial[date]
        message_id: UUID
        gateway: Public[str] = STRIPE

        def apply(self, payout: Payout) -> None:
            payout.net = self.net
            payout.arrives_on = self.arrives_on
            payout.gateway = self.gateway
            payout.gateway_id = self.gateway_id

    class Composed(Event):
        TOPIC = "payments.payout.composed"
        effective_date: Financial[date]
        shares: tuple[PayoutShare, ...]
        payment_ids: tuple[UUID, ...] = ()
        move_ids: tuple[UUID, ...] = ()

        def apply(self, payout: Payout) -> None:
            payout.shares = self.shares
            payout.is_composed = True

    class CameBack(Event):
        """The bank did not take it, or it was called off; the books move once it is known what it was made of."""

        TOPIC = "payments.payout.came-back"
        reason: Public[str]
        effective_date: Financial[date]
        message_id: UUID

        def apply(self, payout: Payout) -> None:
            payout.came_back_on = self.effective_date

    class Returned(Event):
        """What came back, by entity: the mirror of what each share was; fees stay with the gateway."""

        TOPIC = "payments.payout.returned"
        effective_date: Financial[date]
        shares: tuple[PayoutShare, ...]

        def apply(self, payout: Payout) -> None:
            payout.is_returned = True

    class DepositMatched(Event):
        TOPIC = "payments.payout.deposit-matched"
        deposit_id: UUID

        def apply(self, payout: Payout) -> None:
            payout.deposit_id = self.deposit_id

    def announce(self, gateway_id: str, net: Money, arrives_on: date, message_id: UUID, gateway: str = STRIPE) -> None:
        """Takes the gateway's word that it pays out.

        Raises:
            PayoutDiffers: announced before with another amount.
        """
        if self.exists:
            if self.net != net:
                raise PayoutDiffers(f"payout {gateway_id}: {self.net}, now {net}")
            return
        self.trigger_event(
            self.Announced,
            gateway=gateway,
            gateway_id=gateway_id,
            net=net,
            arrives_on=arrives_on,
            message_id=message_id,
        )

    def come_back(self, reason: str, on: date, message_id: UUID) -> None:
        """Takes the gateway's word that the money is in its balance again; once."""
        if self.came_back_on is None:
            self.trigger_event(self.CameBack, reason=reason, effective_date=on, message_id=message_id)
            self._follow()

    def compose(
        self, shares: Sequence[PayoutShare], payment_ids: Sequence[UUID], move_ids: Sequence[UUID] = ()
    ) -> None:
        """Says what the payout is made of, and which payments and moves of the gateway's balance it settles.

        Raises:
            PayoutDiffers: the shares do not add up to the payout, or one does not add up in itself.
        """
        if self.is_composed:
            return
        total = Money.total(share.net for share in shares)
        if total != self.net or any(share.gross - share.fees != share.net for share in shares):
            raise PayoutDiffers(
                f"payout {self.gateway_id}: parts {total}, payout {self.net}, residual {self.net - total}"
            )
        self.trigger_event(
            self.Composed,
            effective_date=self.arrives_on,
            shares=tuple(shares),
            payment_ids=tuple(payment_ids),
            move_ids=tuple(move_ids),
        )
        self._follow()

    def _follow(self) -> None:
        if self.is_composed and self.came_back_on is not None and not self.is_returned:
            back = [share for share in self.shares if share.net]
            mirrored = (PayoutShare(entity=s.entity, gross=-s.net, fees=NOTHING, net=-s.net) for s in back)
            self.trigger_event(self.Returned, effective_date=self.came_back_on, shares=tuple(mirrored))

    def match_deposit(self, deposit_id: UUID, amount: Money) -> None:
        """Says that a bank deposit is this payout; where it came back, the bank's debit of it is explained by that.

        Raises:
            PayoutDiffers: another amount.
        """
        if self.deposit_id == deposit_id or (self.came_back_on is not None and amount == -self.net):
            return
        if amount != self.net:
            raise PayoutDiffers(f"payout {self.gateway_id}: deposit {amount}, payout {self.net}")
        self.trigger_event(self.DepositMatched, deposit_id=deposit_id)


def payout_id_of(gateway_id: str, gateway: str = STRIPE) -> UUID:
    """The id of a payout."""
    return derive("payout", gateway, gateway_id)


def returned_share_id_of(payout_id: UUID, entity: str) -> UUID:
    """The id of what came back of one entity's share of a payout."""
    return derive("payout-share-returned", payout_id, entity)
