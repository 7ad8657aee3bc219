"""A story on a real suite, what its payers paid in it, and what the books must show of that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sandbox.world.expected_books import expected_books, payer_side
from sandbox.world.file_drop import Exchange
from sandbox.world.received_claims import ReceivedClaim
from sandbox.world.remittances import PaidClaim, Remittance
from sandbox.world.scenario import Scenario

from tests.integration.story import Story, ehr_of, settled, until
from tests.integration.suite import Bench


@dataclass
class PaidStory:
    """`remittances` are in the order in which they were told."""

    bench: Bench
    story: Story
    remittances: list[Remittance] = field(default_factory=list)

    def bill(self) -> None:
        """Everything is charged, and the payers have every claim that can be sent."""
        self.story.send_all(ehr_of(self.bench))
        wanted = len(self.story.scenario.billable)
        until(lambda: len(self.story.payers.verdicts) >= wanted, "the payers have every claim")

    def be_paid(self) -> None:
        """The payers decide, their files and the bank's come in, and everything comes to rest."""
        day = self.story.today + timedelta(days=7 * (1 + len({each.payment_date for each in self.remittances})))
        made = self.story.clearinghouse.settle(day)
        self.remittances += made
        self.story.bank.deposit_remittances(made)
        self.story.bank.drop_statement(Exchange(self.bench.exchange), day, datetime.now(UTC))
        settled(self.bench)

    def paid(self) -> Iterator[tuple[Remittance, PaidClaim]]:
        """Every claim payment in the order in which it was told."""
        return ((remittance, paid) for remittance in self.remittances for paid in remittance.claims)

    def statuses_of(self, claim: ReceivedClaim) -> list[str]:
        """CLP02 of everything that was told of a claim."""
        number = claim.patient_control_number
        told = (paid.decision for _, paid in self.paid())
        return [each.status for each in told if each.claim.patient_control_number == number]

    def expected(self) -> dict[tuple[str, str, str], int]:
        """The payers' side of the books, by the oracle."""
        return payer_side(expected_books(self.at_the_end, self.remittances, self.charged))

    @property
    def at_the_end(self) -> Scenario:
        """The encounters with the charges that hold in the end."""
        return self.story.scenario

    @property
    def charged(self) -> list[ReceivedClaim]:
        """The claims, as payers have them, for which something is charged in the end."""
        return [file.claim for _, _, file in self.story.payers.claim_files()]
