"""Disputes of a patient's payment: the gateway takes the money first, and who bears it is decided later."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money

NOTHING = Money(0)


class DisputeStep(StrEnum):
    """What moves the books: the gateway took the money, gave it back, keeps it; or what it kept came back after all."""

    WITHDRAWN = "withdrawn"
    WON = "won"
    LOST = "lost"
    RECOVERED = "recovered"


class DisputeState(StrEnum):
    """A dispute as the gateway tells it. An inquiry moves no money."""

    INQUIRY = "inquiry"
    NEEDS_RESPONSE = "needs-response"
    UNDER_REVIEW = "under-review"
    CLOSED = "closed"
    WON = "won"
    LOST = "lost"


_RANK = {
    DisputeState.INQUIRY: 0,
    DisputeState.NEEDS_RESPONSE: 1,
    DisputeState.UNDER_REVIEW: 2,
    DisputeState.CLOSED: 3,
    DisputeState.WON: 3,
    DisputeState.LOST: 3,
}


@dataclass(frozen=True, slots=True)
class ToldDispute:
    """All that the gateway says of a dispute at one time: each word repeats what came before."""

    gateway_id: str
    amount: Money
    fee: Money
    state: DisputeState
    is_withdrawn: bool
    is_given_back: bool
    respond_by: date | None
    on: date


@dataclass(slots=True)
class Dispute:
    """One dispute of one payment."""

    amount: Money = NOTHING
    fee: Money = NOTHING
    state: DisputeState | None = None
    is_withdrawn: bool = False
    is_given_back: bool = False
    on: date = date.min
    steps: list[DisputeStep] = field(default_factory=list)

    @property
    def holds(self) -> Money:
        """What of the payment the gateway keeps while nothing is decided."""
        return self.amount if self.steps == [DisputeStep.WITHDRAWN] else NOTHING

    def is_news(self, told: ToldDispute) -> bool:
        """Whether it goes beyond what was said before, in its state or in the money it moved."""
        if self.state is None or _RANK[told.state] > _RANK[self.state]:
            return True
        return told.is_withdrawn > self.is_withdrawn or told.is_given_back > self.is_given_back

    def take(self, told: ToldDispute) -> None:
        """Adds a word of the gateway; an older one takes nothing back."""
        self.amount, self.fee, self.on = told.amount, max(self.fee, told.fee), max(self.on, told.on)
        if self.state is None or _RANK[told.state] > _RANK[self.state]:
            self.state = told.state
        self.is_withdrawn |= told.is_withdrawn or told.is_given_back
        self.is_given_back |= told.is_given_back

    def steps_due(self) -> list[DisputeStep]:
        """What the gateway's words add to the books, in order; a dispute is won once its money is back."""
        due = []
        if self.is_withdrawn and DisputeStep.WITHDRAWN not in self.steps:
            due.append(DisputeStep.WITHDRAWN)
        if self.is_given_back and DisputeStep.WON not in self.steps:
            due += [DisputeStep.RECOVERED] if DisputeStep.LOST in self.steps else []
            due.append(DisputeStep.WON)
        elif (
            self.is_withdrawn
            and not self.is_given_back
            and self.state is DisputeState.LOST
            and DisputeStep.LOST not in self.steps
        ):
            due.append(DisputeStep.LOST)
        return due

    @property
    def taken(self) -> Money:
        """What of the payment's cash it has taken for good."""
        is_lost = DisputeStep.LOST in self.steps and DisputeStep.RECOVERED not in self.steps
        return self.amount if is_lost else NOTHING

    @property
    def is_decided(self) -> bool:
        return self.state in (DisputeState.CLOSED, DisputeState.WON, DisputeState.LOST)


def dispute_id_of(gateway: str, gateway_id: str) -> UUID:
    """The id of a dispute."""
    return derive("dispute", gateway, gateway_id)
