"""Whether a payer kept its contract on one claim: each underpayment found, and how it ended."""

from __future__ import annotations

from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Event

from claims.domain.contract import Comparison


class ContractReview(Aggregate):
    """Its id follows from the claim's. `shortfall` is that of the open underpayment, zero where none is open."""

    def start(self) -> None:
        self.found = 0
        self.shortfall = Money.zero()

    class FoundUnderpaid(Event):
        """`number` counts the underpayments of one claim from 1."""

        TOPIC = "claims.contract-review.found-underpaid"
        claim_id: UUID
        number: int
        entity: Public[str]
        payer: Public[str]
        expected: Money
        allowed: Money
        denied: Money
        shortfall: Money

        def apply(self, review: ContractReview) -> None:
            review.found = self.number
            review.shortfall = self.shortfall

    class Resolved(Event):
        """A later decision, or the taking back of one, changed it."""

        TOPIC = "claims.contract-review.resolved"
        claim_id: UUID
        number: int

        def apply(self, review: ContractReview) -> None:
            review.shortfall = Money.zero()

    def review(self, claim_id: UUID, entity: str, payer: str, found: Comparison | None, tolerance: Money) -> bool:
        """Whether anything changed. A shortfall of another amount ends the one before and is a new one."""
        shortfall = found.shortfall if found and found.shortfall > tolerance else Money.zero()
        if shortfall == self.shortfall:
            return False
        if self.shortfall:
            self.trigger_event(self.Resolved, claim_id=claim_id, number=self.found)
        if shortfall and found:
            self.trigger_event(
                self.FoundUnderpaid,
                claim_id=claim_id,
                number=self.found + 1,
                entity=entity,
                payer=payer,
                expected=found.expected,
                allowed=found.allowed,
                denied=found.denied,
                shortfall=shortfall,
            )
        return True


def contract_review_id_of(claim_id: UUID) -> UUID:
    return derive("contract-review", claim_id)
