"""A payer's receivable at one claim that stands below nothing: the payer has paid twice for the same charges, and no reversal says so."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from canonical.classes import Financial, Public
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Aggregate, Event

NOTHING = Money(0)


class PayerCredit(Aggregate):
    """What the payer's latest decision leaves paid twice. A proposal: it is an overpayment once a person says so."""

    def start(self) -> None:
        self.overpaid = NOTHING
        self.told_at = 0
        self.openings = 0
        self.identified = NOTHING
        self.overpayment_id: UUID | None = None
        self.rounds = 0

    class Told(Event):
        """`decision` counts the claim's announcements; `remittance_id` and `position` are the decision's. With nothing overpaid, what was
        identified is over: the next that is paid twice is another overpayment."""

        TOPIC = "payments.payer-credit.told"
        claim_id: UUID
        entity: Public[str]
        payer: Public[str]
        remittance_id: UUID
        position: int
        overpaid: Money
        decision: int
        effective_date: Financial[date]

        def apply(self, credit: PayerCredit) -> None:
            credit.openings += int(self.overpaid not in (NOTHING, credit.overpaid))
            credit.overpaid = self.overpaid
            credit.told_at = self.decision
            if not self.overpaid and credit.identified:
                credit.identified, credit.overpayment_id = NOTHING, None
                credit.rounds += 1

    class Identified(Event):
        """A person says that it is an overpayment, of so much; the sixty days run."""

        TOPIC = "payments.payer-credit.identified"
        overpayment_id: UUID
        amount: Money

        def apply(self, credit: PayerCredit) -> None:
            credit.identified, credit.overpayment_id = self.amount, self.overpayment_id

    def tell(
        self,
        *,
        claim_id: UUID,
        entity: str,
        payer: str,
        remittance_id: UUID,
        position: int,
        overpaid: Money,
        decision: int,
        on: date,
    ) -> bool:
        """Takes what a decision leaves; whether that changes anything. An older word than the last does not."""
        if decision <= self.told_at:
            return False
        changes = overpaid != self.overpaid
        self.trigger_event(
            self.Told,
            claim_id=claim_id,
            entity=entity,
            payer=payer,
            remittance_id=remittance_id,
            position=position,
            overpaid=overpaid,
            decision=decision,
            effective_date=on,
        )
        return changes


def payer_credit_id_of(claim_id: UUID) -> UUID:
    """The credit of a payer at a claim."""
    return derive("payer-credit", claim_id)
