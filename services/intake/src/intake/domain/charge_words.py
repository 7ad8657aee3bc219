"""What a source said of one charge, and what holds by it: the same whatever order its words come in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from canonical.classes import CanonicalModel
from canonical.money import Money
from pydantic import AwareDatetime

from intake.domain.encounter_content import CapturedCharge


class ChargeCredit(CanonicalModel):
    """A credit against a charge: `amount` of it, or all of it. One id is one credit, however often it is said.

    Without an id, as those of old are, equal ones of one instant are one.
    """

    amount: Money | None
    message_id: UUID
    said_at: AwareDatetime | None = None
    credit_id: UUID | None = None

    def is_same_as(self, other: ChargeCredit) -> bool:
        if self.amount is None or self.credit_id is None or other.credit_id is None:
            return (self.amount, self.said_at) == (other.amount, other.said_at)
        return self.credit_id == other.credit_id


@dataclass(frozen=True, slots=True)
class ChargeWords:
    """The newest word on a charge, None where only credits have come, and the credits against it.

    `past` are credits of what it said before: said again, they are no credits of what it says now.
    """

    charge: CapturedCharge | None = None
    credits: tuple[ChargeCredit, ...] = ()
    past: tuple[ChargeCredit, ...] = ()

    @property
    def standing(self) -> CapturedCharge | None:
        """The charge less its credits; None where nothing of it is left."""
        if self.charge is None:
            return None
        amounts = [credit.amount for credit in self._counting(self.charge)]
        taken = [amount for amount in amounts if amount is not None]
        if len(taken) < len(amounts):
            return None
        if not taken:
            return self.charge
        left = self.charge.line.amount - Money.total(taken)
        if left.minor <= 0:
            return None
        return self.charge.model_copy(update={"line": self.charge.line.model_copy(update={"amount": left})})

    @property
    def credited_above(self) -> Money:
        """How much more was credited than charged."""
        if self.charge is None:
            return Money.zero()
        taken = Money.total(credit.amount for credit in self._counting(self.charge) if credit.amount is not None)
        return max(taken - self.charge.line.amount, Money.zero())

    def charged(self, charge: CapturedCharge) -> ChargeWords:
        """With a newer word on the charge: credits that are not surely newer still were of what it said before.

        Before its first word they are of the charge itself, whenever they came.
        """
        if self.charge is None:
            return replace(self, charge=charge)
        newer = tuple(credit for credit in self.credits if is_older(charge.said_at, credit.said_at))
        return ChargeWords(charge, newer, (*self.past, *(each for each in self.credits if each not in newer)))

    def credited(self, credit: ChargeCredit) -> ChargeWords:
        return replace(self, credits=(*self.credits, credit))

    def same_credit(self, credit: ChargeCredit) -> ChargeCredit | None:
        """The credit as it came before, if it did."""
        past = (each for each in self.past if credit.credit_id is not None and each.amount is not None)
        return next((each for each in (*self.credits, *past) if credit.is_same_as(each)), None)

    def is_credited_before(self, charge: CapturedCharge) -> bool:
        """Whether the charge is known, and was surely credited before this word on it."""
        return self.charge is not None and any(is_older(credit.said_at, charge.said_at) for credit in self.credits)

    def _counting(self, charge: CapturedCharge) -> list[ChargeCredit]:
        return [credit for credit in self.credits if not is_older(credit.said_at, charge.said_at)]


def is_older(said_at: datetime | None, than: datetime | None) -> bool:
    """Whether a word is surely older than another: where one does not say when, the order of arrival decides."""
    return said_at is not None and than is not None and said_at < than
