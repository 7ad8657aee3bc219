"""Refunds of a patient's payment: what we decided, what the gateway tells, and what of it moves the books."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Conflict, Refusal

NOTHING = Money(0)


class RefundChanged(Conflict):
    """The same refund came with another amount."""


class MoreThanRefundable(Refusal):
    """That much of the payment is not left, less what was refunded, returned or is in dispute."""


class RefundDecided(Refusal):
    """The refund was approved, or is over; there is nothing to decide."""


class RefundNotRequested(Refusal):
    """Nobody asked for this refund."""


class SecondPersonNeeded(Refusal):
    """Who asked for it cannot approve it."""


class RefundStep(StrEnum):
    """What moves the books: owed to the patient, paid by the gateway, come back from there, no longer owed."""

    APPROVED = "approved"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ToldState(StrEnum):
    """A refund as the gateway tells it; a later word never takes back a final one."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "canceled"


_RANK = {ToldState.PENDING: 1, ToldState.SUCCEEDED: 2, ToldState.FAILED: 3, ToldState.CANCELLED: 3}


@dataclass(slots=True)
class Refund:
    """One refund of one payment."""

    amount: Money
    requested_by: str = ""
    gateway_id: str = ""
    told: ToldState | None = None
    on: date = date.min
    steps: list[RefundStep] = field(default_factory=list)

    @property
    def is_approved(self) -> bool:
        return RefundStep.APPROVED in self.steps

    @property
    def is_over(self) -> bool:
        """No money of the payment goes to the patient by it any more, or none ever will."""
        return RefundStep.CANCELLED in self.steps

    @property
    def holds(self) -> Money:
        """What of the payment it takes, or would take once approved."""
        return NOTHING if self.is_over else self.amount

    @property
    def taken(self) -> Money:
        """What of the payment's cash it has taken."""
        return self.amount if self.is_approved and not self.is_over else NOTHING

    def is_news(self, state: ToldState) -> bool:
        """Whether the gateway's word goes beyond what it said before."""
        return self.told is None or _RANK[state] > _RANK[self.told]

    def steps_due(self) -> list[RefundStep]:
        """What the gateway's last word adds to the books, in order.

        A refund that failed was taken from the gateway's balance and came back; it stays owed to the patient until a
        person decides. One that the gateway called off is not owed.
        """
        wanted = [RefundStep.APPROVED]
        if self.told in (ToldState.SUCCEEDED, ToldState.FAILED):
            wanted.append(RefundStep.PAID)
        if self.told is ToldState.FAILED:
            wanted.append(RefundStep.FAILED)
        elif self.told is ToldState.CANCELLED:
            wanted.append(RefundStep.CANCELLED)
        return [step for step in wanted if step not in self.steps]


def refund_id_of(gateway: str, gateway_id: str) -> UUID:
    """The id of a refund that somebody made at the gateway; ours carry the id that we gave them."""
    return derive("refund", gateway, gateway_id)
