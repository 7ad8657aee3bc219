"""What happens outside, act by act: encounters, settlements, payments and payouts, with what is deliberately wrong.

An act begins when the one before has come to rest, so that what it decides does not depend on the order of events.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from canonical.money import Money
from chassis.eventstore import EventStore
from sandbox.world.expected_books import expected_books, payer_side
from sandbox.world.misbehaviour import Fault
from sandbox.world.payer import Answer, AnswerKind, remittance_answer
from sandbox.world.received_claims import Frequency
from sandbox.world.remittances import Remittance, in_other_layout
from sandbox.world.scenario import Scenario, SimulatedEncounter

from .outside import TODAY, Outside
from .patient_oracle import ExpectedPatients, expected_patients
from .patients import PatientsStory
from .person import Cashier
from .revisions import as_revised

ENCOUNTERS = 10
FIRST_WAVE = 7
STORIES = 6
UNRELATED_DEPOSIT = Money(77_00)
NEXT_PAYER_PERCENT = 60
ODD_DECISIONS = (Fault.SPLIT_CLAIM, Fault.CROSSOVER, Fault.PREDETERMINATION, Fault.FORWARDED)
CHANGES = (
    Fault.CORRECTION,
    Fault.CORRECTION_IN_TWO_FILES,
    Fault.CORRECTION_FIRST,
    Fault.PAYMENT_RETRACTED,
    Fault.RECOUPMENT_DEFERRED,
)


@dataclass
class Story:
    """One of a few stories of ten encounters; `number` chooses which."""

    number: int
    outside: Outside
    payments: EventStore
    cashier: Cashier

    def __post_init__(self) -> None:
        self.scenario = scenario_of(self.number)
        self._corrupted: list[Remittance] = []
        self.patients = PatientsStory(self.number, self.scenario, self.outside, self.payments, self.cashier)

    @property
    def acts(self) -> Sequence[tuple[str, Callable[[], None]]]:
        return (
            ("charges come in", self._first_charges),
            ("payers pay, more charges come in", self._first_settlement),
            ("payers pay the rest, patients pay, the gateway pays out", self._second_settlement),
            ("the bank reports the payouts, people ask for refunds", self.patients.ask),
            ("payers take back, correct and give in, the EHR says some charges otherwise", self._third_settlement),
            ("payers pay the rest and take what is still theirs", self._last_settlement),
            ("people give up what is left", self.patients.give_up),
            ("some is paid after all, some is moved", self.patients.pay_after_all),
        )

    def _first_charges(self) -> None:
        self.outside.visit(self.scenario.encounters[:FIRST_WAVE])
        self.outside.register_twice(self.scenario.encounters)

    def _first_settlement(self) -> None:
        """One remittance pays a claim nobody sent, one is a cent out, one comes twice."""
        payers = _payers_of(self.scenario.encounters[:FIRST_WAVE])
        self.outside.payers.misbehaviour.request(Fault.UNKNOWN_CLAIM, target=payers[0])
        self.outside.payers.misbehaviour.request(Fault.CORRUPT_ONE_CENT, target=payers[-1])
        self.outside.payers.misbehaviour.request(ODD_DECISIONS[self.number % len(ODD_DECISIONS)])
        made = self.outside.payers.settle(date(2026, 3, 4))
        self._corrupted = [each for each in made if each.content != each.faithful_content]
        sound = [each for each in made if each not in self._corrupted]
        assert sound, "a story has a remittance that is right"
        self.outside.drop(_answers(made))
        self.outside.drop([_copy_of(sound[0])])
        self.outside.bank.deposit_remittances(made)
        self.outside.bank.deposit_unrelated("NORTH", UNRELATED_DEPOSIT, TODAY)
        self.outside.deposit_statement(date(2026, 3, 5))
        self.outside.visit(self.scenario.encounters[FIRST_WAVE:])

    def _second_settlement(self) -> None:
        made = self.outside.payers.settle(date(2026, 3, 11))
        self.outside.drop(_answers(made))
        self.outside.drop([self.outside.payers.corrected(each) for each in self._corrupted])
        self.outside.bank.deposit_remittances(made)
        self.outside.deposit_statement(date(2026, 3, 12))
        self.patients.pay()

    def _third_settlement(self) -> None:
        """One payer denies no longer, one changes its mind; interest is paid, something is levied, a refund acknowledged.

        Meanwhile charges that were decided on, or refused, are corrected, credited in part, voided, or come late.
        """
        faults = self.outside.payers.misbehaviour
        faults.request(Fault.DENIAL_OVERTURNED)
        faults.request(CHANGES[self.number % len(CHANGES)])
        faults.request(Fault.INTEREST, measure=2_50)
        faults.request(Fault.LEVY, measure=4_75)
        faults.request(Fault.REFUND_ACKNOWLEDGED, measure=30_00)
        self._settle_again(date(2026, 3, 18))
        self.outside.revise(self.scenario.encounters)
        self.patients.pay_out_in_vain()

    def _last_settlement(self) -> None:
        self.patients.pay_out_again()
        self._settle_again(date(2026, 3, 25))

    def _settle_again(self, day: date) -> None:
        made = self.outside.payers.settle(day)
        self.outside.drop(_answers(made))
        self.outside.bank.deposit_remittances(made)
        self.outside.deposit_statement(day + timedelta(days=1))
        self.outside.tell_electronic_entries(made, day + timedelta(days=1))

    def books(self) -> dict[tuple[str, str, str], int]:
        """What the ledger must show of payers' money at the end, by what was charged and decided."""
        payers = self.outside.payers
        claims = [file.claim for _, _, file in payers.claim_files()]
        standing = [claim for claim in claims if claim.frequency != Frequency.VOID]
        return payer_side(expected_books(as_revised(self.scenario), payers.remittances, standing))

    def patients_end(self) -> ExpectedPatients:
        """What patients owe and have at the end, and what the books must show of their money."""
        revised, unidentified = as_revised(self.scenario), {"NORTH": UNRELATED_DEPOSIT.minor}
        return expected_patients(self.patients, revised, self.outside.payers.remittances, unidentified, TODAY)


def scenario_of(number: int) -> Scenario:
    """The encounters of a story: one is a stay, one a visit to the dentist, and some patients are insured twice."""
    return Scenario.tell(story_seed(number), ENCOUNTERS, TODAY, next_payer_percent=NEXT_PAYER_PERCENT, has_stays=True)


def story_seed(number: int) -> int:
    """The scenario behind a story."""
    return 100 + number


def _payers_of(encounters: Sequence[SimulatedEncounter]) -> list[str]:
    return sorted({each.coverage.payer for each in encounters if each.billable and each.coverage})


def _answers(remittances: Sequence[Remittance]) -> list[Answer]:
    return [remittance_answer(remittance) for remittance in remittances]


def _copy_of(remittance: Remittance) -> Answer:
    """The same remittance in another layout, under another name: a duplicate that no hash of bytes finds."""
    again = remittance_answer(remittance)
    return Answer(AnswerKind.REMITTANCE, again.name.replace(".835", "-again.835"), in_other_layout(again.content))
