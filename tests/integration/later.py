"""What the EHR says of charges after they were billed, on a real suite: each kind of word, over each of its wires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from canonical.money import Money
from sandbox.world.desk import ClaimFile
from sandbox.world.later_words import LaterWord, as_said, front_desk_payment, word_between
from sandbox.world.received_claims import Frequency, ReceivedClaim
from sandbox.world.scenario import Scenario, SimulatedEncounter

from tests.integration.paid_story import PaidStory
from tests.integration.story import ehr_of, settled, until

SEED = 6215
ENCOUNTERS = 14
HELD, PAID_AT_THE_DESK, SELF_PAY_CORRECTED, SELF_PAY_VOIDED = 4, 11, 9, 0
REPLACED: Mapping[int, LaterWord] = {
    2: LaterWord.CORRECTED,
    3: LaterWord.CORRECTED,
    5: LaterWord.TAKEN_BACK,
    13: LaterWord.LATE,
    1: LaterWord.LATE,
}
VOIDED: Mapping[int, LaterWord] = {8: LaterWord.VOIDED, 12: LaterWord.VOIDED}
SELF_PAY: Mapping[int, LaterWord] = {SELF_PAY_CORRECTED: LaterWord.CORRECTED, SELF_PAY_VOIDED: LaterWord.VOIDED}
WORDS = {**REPLACED, **VOIDED, **SELF_PAY}
"""By ordinal; each word is said once over FHIR and once over HL7, what is taken back and self-pay over FHIR alone."""
PROFILE = """
[[profile]]
name = "sandbox"
senders = ["*|*"]
same_charge_other_content = "correction"
"""
"""The sandbox's EHR says a charge again under its number to correct it."""


class Later(PaidStory):
    """The story, what was paid in it, and the encounters as they are at its end."""

    def tell(self) -> None:
        """Bill, correct what is held, be paid, say every other word, and be paid again."""
        self.bill()
        self.say({HELD: LaterWord.CORRECTED})
        self.be_paid()
        self.say(WORDS)
        self.pay_at_the_desk()
        until(self._is_said_again, "the payers have every replacement and void")
        self.be_paid()

    def say(self, words: Mapping[int, LaterWord]) -> None:
        """What changes these encounters, each over its own wire."""
        told = [word_between(self.encounter(ordinal), self.after(ordinal, word)) for ordinal, word in words.items()]
        self.story.deliver(ehr_of(self.bench), told)

    def pay_at_the_desk(self) -> None:
        """A patient leaves all of a visit in cash."""
        visit = self.encounter(PAID_AT_THE_DESK)
        self.story.deliver(ehr_of(self.bench), [front_desk_payment(visit, visit.total)])

    def be_paid(self) -> None:
        """As soon as what was said has come to rest."""
        settled(self.bench)
        super().be_paid()

    def encounter(self, ordinal: int) -> SimulatedEncounter:
        return self.story.scenario.encounters[ordinal]

    def after(self, ordinal: int, word: LaterWord) -> SimulatedEncounter:
        return as_said(self.encounter(ordinal), word)

    def file(self, ordinal: int) -> ClaimFile:
        """The payer's file of one encounter's claim, by the member and what was charged before or after."""
        encounter = self.encounter(ordinal)
        assert encounter.coverage is not None
        totals = (encounter.total, self.after(ordinal, WORDS[ordinal]).total)
        found = [
            file
            for _, _, file in self.story.payers.claim_files()
            if file.claim.member_id == encounter.coverage.member_id and file.claim.charge in totals
        ]
        assert len(found) == 1, f"{ordinal}: {len(found)} claims"
        return found[0]

    @property
    def at_the_end(self) -> Scenario:
        """The story as it is once everything was said."""
        words = {**WORDS, HELD: LaterWord.CORRECTED}
        told = tuple(
            as_said(each, words[each.ordinal]) if each.ordinal in words else each
            for each in self.story.scenario.encounters
        )
        return replace(self.story.scenario, encounters=told)

    @property
    def charged(self) -> list[ReceivedClaim]:
        """Of a voided claim nothing was charged, so nothing is released."""
        return [claim for claim in super().charged if claim.frequency != Frequency.VOID]

    def owed(self) -> Money:
        """What patients owe in the end: who pays for himself all of it, the others by what stands."""
        files = [file for _, _, file in self.story.payers.claim_files()]
        shares = [paid.decision.patient_responsibility for file in files for paid in file.standing]
        return Money.total([*shares, *(each.total for each in self.at_the_end.self_pay)])

    def _is_said_again(self) -> bool:
        replaced = all(self.file(ordinal).claim.frequency == Frequency.REPLACEMENT for ordinal in REPLACED)
        return replaced and all(self.file(ordinal).claim.frequency == Frequency.VOID for ordinal in VOIDED)


def scenario_of(today: date) -> Scenario:
    """Visits over both wires, some of patients who pay for themselves, and one without a member id."""
    return Scenario.tell(SEED, ENCOUNTERS, today)


def profiles_in(folder: Path) -> Mapping[str, Mapping[str, str]]:
    """The settings by which intake reads the sandbox's corrections."""
    path = folder / "hl7-profiles.toml"
    path.write_text(PROFILE)
    return {"intake": {"THROUGHLINE_HL7_PROFILES_PATH": str(path)}}
