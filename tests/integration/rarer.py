"""Three weeks of what payers seldom do, on a real suite: split, forwarded, crossed over, predetermined, replaced, voided."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from canonical.money import Money
from sandbox.world.desk import ClaimFile
from sandbox.world.encounters import SimulatedCoverage
from sandbox.world.misbehaviour import Fault
from sandbox.world.received_claims import PRIMARY, Frequency
from sandbox.world.scenario import Scenario
from throughline.main import app
from typer.testing import CliRunner

from tests.integration.paid_story import PaidStory
from tests.integration.story import settled, until

SEED = 6100
ENCOUNTERS = 14
NEXT_PAYER_PERCENT = 60
INSURED_THREE_TIMES, REPLACED, VOIDED, STAY, DENTAL = 1, 13, 5, 6, 8
"""Ordinals. The second payer of the first leaves a copay, so that there is something for a third."""
THIRD = SimulatedCoverage("BLUEOAK", "M30303030", "G130")
INTEREST, LEVY, REFUND = Money(2_50), Money(4_75), Money(30_00)


class Rarer(PaidStory):
    """The story and what was paid in it."""

    def tell(self) -> None:
        """Bill, three payments a week apart, and between the first two a replacement and a void."""
        self.bill()
        settled(self.bench)
        for fault, payer, amount in (
            (Fault.SPLIT_CLAIM, "ACME", 1),
            (Fault.PREDETERMINATION, "MEDICARE", 1),
            (Fault.FORWARDED, "MEDICAID", 1),
            (Fault.CROSSOVER, "BLUEOAK", 1),
            (Fault.INTEREST, "MEDICARE", INTEREST.minor),
            (Fault.LEVY, "MEDICARE", LEVY.minor),
            (Fault.REFUND_ACKNOWLEDGED, "ACME", REFUND.minor),
        ):
            self.story.misbehaviour.request(fault, target=payer, measure=amount)
        self.be_paid()
        self.send_again("replace", REPLACED, Frequency.REPLACEMENT)
        self.send_again("void", VOIDED, Frequency.VOID)
        self.story.misbehaviour.request(Fault.RECOUPMENT_DEFERRED, target="ACME")
        self.be_paid()
        self.be_paid()

    def send_again(self, how: str, ordinal: int, frequency: Frequency) -> None:
        """`throughline claim replace` or `void`, until the payer has taken it."""
        number = self.primary(ordinal).claim.patient_control_number
        arguments = ["claim", how, number, "--reason", "told so", "--state", str(self.bench.folder), "--json"]
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        until(lambda: self.primary(ordinal).claim.frequency == frequency, f"the payer has the {how} of {number}")

    def primary(self, ordinal: int) -> ClaimFile:
        """The first payer's file of one encounter's claim."""
        encounter = next(each for each in self.story.scenario.encounters if each.ordinal == ordinal)
        assert encounter.coverage is not None
        wanted = (encounter.coverage.member_id, encounter.total, PRIMARY)
        files = [file for _, _, file in self.story.payers.claim_files()]
        return next(each for each in files if (each.claim.member_id, each.claim.charge, each.claim.sequence) == wanted)


def scenario_of(today: date) -> Scenario:
    """A stay, a visit to the dentist, patients insured twice, and one insured three times."""
    told = Scenario.tell(SEED, ENCOUNTERS, today, next_payer_percent=NEXT_PAYER_PERCENT, has_stays=True)
    encounters = tuple(
        replace(each, next_coverages=(*each.next_coverages, THIRD)) if each.ordinal == INSURED_THREE_TIMES else each
        for each in told.encounters
    )
    return replace(told, encounters=encounters)
