"""Four weeks of payer traffic on a real suite: what was paid is taken back, corrected, forwarded and paid by the next payer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from canonical.money import Money
from sandbox.world.desk import ClaimFile
from sandbox.world.expected_books import expected_books, payer_side
from sandbox.world.file_drop import Exchange
from sandbox.world.remittances import Remittance, in_other_layout, with_other_delimiters
from sandbox.world.revisions import Change, ChangeOrder, Layout
from sandbox.world.scenario import Scenario
from throughline.main import app
from typer.testing import CliRunner

from tests.integration.story import Story, ehr_of, settled, until
from tests.integration.suite import Bench

SEED = 6003
ENCOUNTERS = 24
NEXT_PAYER_PERCENT = 40
CHAIN = ("NORTH", "BLUEOAK")
TAKEN_BACK = 21
SECOND_WEEKS_CLAIMS, LAST_WEEKS_CLAIMS = (7,), (0, 2)
"""Ordinals: the claim whose payment is taken back is worth more than the second week's and less than all together."""


@dataclass
class Traffic:
    """What was sent and handed over, week by week, and what it must come to."""

    bench: Bench
    folder: Path
    scenario: Scenario
    story: Story
    day: date
    handed_over: list[Remittance] = field(default_factory=list)
    answers: list[dict[str, str]] = field(default_factory=list)
    in_three_layouts: Remittance | None = None
    chain: list[Remittance] = field(default_factory=list)

    def tell(self) -> None:
        """All four weeks."""
        self.bill()
        self.pend((*SECOND_WEEKS_CLAIMS, *LAST_WEEKS_CLAIMS), True)
        first = self.decide()
        self.in_three_layouts = max(first, key=lambda each: len(each.claims))
        self.hand_over(first)
        self.hand_over_copies(self.in_three_layouts)
        settled(self.bench)
        self.take_back_and_correct()
        settled(self.bench)
        for ordinals in (SECOND_WEEKS_CLAIMS, LAST_WEEKS_CLAIMS):
            self.pend(ordinals, False)
            self.hand_over(self.decide())
        settled(self.bench)

    def bill(self) -> None:
        """The EHR sends every encounter, and the payers take every claim."""
        self.story.send_all(ehr_of(self.bench))
        wanted = len(self.scenario.billable)
        until(lambda: len(self.story.payers.verdicts) >= wanted, "the payers have every claim")
        settled(self.bench)

    def pend(self, ordinals: Iterable[int], is_pended: bool) -> None:
        """The payer takes its time over these claims, or goes on with them."""
        for ordinal in ordinals:
            self.file_of(ordinal).is_pended = is_pended

    def file_of(self, ordinal: int) -> ClaimFile:
        """The payer's file of one encounter's claim."""
        encounter = next(each for each in self.scenario.encounters if each.ordinal == ordinal)
        assert encounter.coverage is not None
        wanted = (encounter.coverage.member_id, encounter.total)
        files = [file for _, _, file in self.story.payers.claim_files()]
        return next(file for file in files if (file.claim.member_id, file.claim.charge) == wanted)

    def decide(self) -> list[Remittance]:
        """A week passes; the payers decide, and the bank reports what they paid."""
        self.day += timedelta(days=7)
        made = self.story.clearinghouse.decide(self.day)
        self.story.bank.deposit_remittances(made)
        self.story.bank.drop_statement(Exchange(self.bench.exchange), self.day, datetime.now(UTC))
        self.chain += [each for each in made if (each.entity.code, each.payer.code) == CHAIN]
        return made

    def take_back_and_correct(self) -> None:
        """One payment is retracted, one denial overturned, one claim corrected; half of the files come the wrong way round."""
        payers = self.story.payers
        files = payers.claim_files()
        payers.change(self.file_of(TAKEN_BACK).claim.patient_control_number, ChangeOrder(Change.RETRACTED))
        denied = next(file for payer, entity, file in files if file.is_denied and (entity, payer) != CHAIN)
        payers.change(denied.claim.patient_control_number, ChangeOrder(Change.OVERTURNED))
        paid = [file for payer, entity, file in files if file.paid and (entity, payer) != CHAIN]
        for file, layout in zip(paid, (Layout.TWO_FILES, Layout.CORRECTION_FIRST), strict=False):
            payers.change(file.claim.patient_control_number, ChangeOrder(Change.REPRICED, layout))
        made = self.decide()
        self.hand_over(sorted(made, key=lambda each: each.trace_number, reverse=True))

    def hand_over(self, remittances: Sequence[Remittance]) -> None:
        """By `throughline submit`, in this order."""
        self.handed_over += remittances
        self.submit([(f"{each.trace_number}.835", each.content) for each in remittances])

    def hand_over_copies(self, remittance: Remittance) -> None:
        """The same remittance on lines of its own segments, and with other delimiters."""
        copies = (in_other_layout(remittance.content), with_other_delimiters(remittance.content))
        self.submit([(f"copy-{number}.835", content) for number, content in enumerate(copies, 1)])

    def submit(self, files: Sequence[tuple[str, bytes]]) -> None:
        paths = []
        for name, content in files:
            path = self.folder / name
            path.write_bytes(content)
            paths.append(str(path))
        result = CliRunner().invoke(app, ["submit", *paths, "--state", str(self.bench.folder), "--json"])
        assert result.exit_code == 0, result.output
        self.answers += json.loads(result.stdout)["messages"]

    def expected(self) -> dict[tuple[str, str, str], int]:
        """The payers' side of the books, by the oracle."""
        originals = [file.claim for _, _, file in self.story.payers.claim_files()]
        return payer_side(expected_books(self.scenario, self.handed_over, originals))

    def forwarded(self) -> list[Money]:
        """What the chain's remittances carry forward and take, in order."""
        return [each.amount for remittance in self.chain for each in remittance.provider_adjustments]


def traffic_of(bench: Bench, folder: Path, story: Story) -> Traffic:
    """The traffic of the story's scenario, beginning today."""
    return Traffic(bench, folder, story.scenario, story, story.today)


def scenario_of(today: date) -> Scenario:
    """Encounters of patients of whom many are insured twice."""
    return Scenario.tell(SEED, ENCOUNTERS, today, next_payer_percent=NEXT_PAYER_PERCENT)
