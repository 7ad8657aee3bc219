"""What the EHR says of charges after payers paid for them: one is corrected, a visit is taken back, one comes late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sandbox.world.desk import ClaimFile
from sandbox.world.ehr import Delivery
from sandbox.world.encounters import SimulatedEncounter, Wire
from sandbox.world.later_words import LaterWord, as_said, word_between
from sandbox.world.payer import Payers
from sandbox.world.received_claims import Frequency
from sandbox.world.scenario import Scenario

from throughline.demo.platform import ENTITY_OF_THE_PLATFORM
from throughline.demo.traffic import Traffic

WORDS: Mapping[LaterWord, Wire] = {
    LaterWord.CORRECTED: Wire.FHIR,
    LaterWord.VOIDED: Wire.HL7,
    LaterWord.LATE: Wire.HL7,
}


@dataclass(frozen=True, slots=True)
class RevisedVisit:
    """One visit before and after the later word on it, and the biller's number of its claim."""

    word: LaterWord
    claim: str
    before: SimulatedEncounter
    after: SimulatedEncounter


class LaterCharges:
    """Chooses one paid claim for each word, away from those that payers will change of their own accord."""

    def __init__(self, payers: Payers, scenario: Scenario, traffic: Traffic) -> None:
        self._payers = payers
        self._scenario = scenario
        self._traffic = traffic
        self.visits: tuple[RevisedVisit, ...] = ()

    def say(self) -> list[Delivery]:
        """The EHR's messages, one for each word that a paid claim is found for."""
        candidates = list(self._candidates())
        visits = []
        for word, wire in WORDS.items():
            fitting = [each for each in candidates if each[1].wire is wire]
            if fitting:
                chosen = max(fitting, key=lambda each: (each[1].total, each[1].visit_number))
                candidates.remove(chosen)
                file, visit = chosen
                number = file.claim.patient_control_number
                visits.append(RevisedVisit(word, number, visit, as_said(visit, word)))
        self.visits = tuple(visits)
        return [word_between(each.before, each.after) for each in self.visits]

    @property
    def as_revised(self) -> Scenario:
        """The story with its visits as they are after what was said."""
        now = {each.before.ordinal: each.after for each in self.visits}
        encounters = tuple(now.get(each.ordinal, each) for each in self._scenario.encounters)
        return replace(self._scenario, encounters=encounters)

    def sent_as(self) -> dict[str, Frequency]:
        """The version of each of these claims that its payer has now, by the biller's number."""
        numbers = {each.claim for each in self.visits}
        files = (file for _, _, file in self._payers.claim_files())
        return {
            file.claim.patient_control_number: Frequency(file.claim.frequency)
            for file in files
            if file.claim.patient_control_number in numbers
        }

    def _candidates(self) -> Iterator[tuple[ClaimFile, SimulatedEncounter]]:
        """Paid claims of people with one visit, each with that visit; stays apart, for they are billed by the room."""
        visits = self._scenario.billable
        times = Counter(each.coverages[0].member_id for each in visits)
        alone = {each.coverages[0].member_id: each for each in visits if times[each.coverages[0].member_id] == 1}
        for payer, entity, file in self._payers.claim_files():
            visit = alone.get(file.claim.member_id)
            if visit is None or visit.stay or entity == ENTITY_OF_THE_PLATFORM or not file.paid:
                continue
            if self._traffic.may_change_otherwise(payer, entity, file):
                yield file, visit
