"""What a payer still wants back from a provider, and how its remittances say so (PLB), down to zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from canonical.money import Money

from sandbox.world.remittances import ProviderAdjustment

FORWARDED_BALANCE = "FB"
OVERPAYMENT_RECOVERY = "WO"
AUTHORIZED_RETURN = "72"
INTEREST = "L6"
LEVY = "LE"


@dataclass(slots=True)
class OpenItems:
    """One payer's demands on one provider: a balance carried forward, and recoveries that were put off."""

    forwarded: Money = field(default_factory=Money.zero)
    put_off: list[ProviderAdjustment] = field(default_factory=list)

    def adjustments(self, paid: Money, own: Sequence[ProviderAdjustment] = ()) -> list[ProviderAdjustment]:
        """The PLB pairs of a remittance whose claims pay this much, `own` among them; the payment is never negative.

        A balance carried forward is applied whole, recoveries that were put off as far as there is money for them; what is
        missing then is carried forward (FB below zero).
        """
        pairs: list[ProviderAdjustment] = []
        if self.forwarded:
            pairs.append(ProviderAdjustment(FORWARDED_BALANCE, "", self.forwarded))
        left = paid - self.forwarded - Money.total(each.amount for each in own)
        for demand in self.put_off.copy():
            if demand.amount <= left:
                pairs.append(demand)
                self.put_off.remove(demand)
                left -= demand.amount
        pairs += own
        self.forwarded = max(-left, Money(0))
        if self.forwarded:
            pairs.append(ProviderAdjustment(FORWARDED_BALANCE, "", -self.forwarded))
        self.put_off += [
            ProviderAdjustment(each.code, each.reference, -each.amount)
            for each in own
            if each.code == OVERPAYMENT_RECOVERY and each.amount < Money(0)
        ]
        return pairs


def refund_acknowledged(reference: str, amount: Money) -> list[ProviderAdjustment]:
    """The provider sent a refund of its own: the recovery, and the return that offsets it to nothing."""
    return [
        ProviderAdjustment(OVERPAYMENT_RECOVERY, reference, amount),
        ProviderAdjustment(AUTHORIZED_RETURN, reference, -amount),
    ]
