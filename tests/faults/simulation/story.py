"""What happens outside, act by act: encounters, settlements, payments and payouts, with what is deliberately wrong.

An act begins when the one before has come to rest, so that what it decides does not depend on the order of events.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from canonical.money import Money
from chassis.eventstore import EventStore, Row
from payments.application.patient_rows import ACCOUNTS
from payments.domain.payment import payment_id_of
from sandbox.world.expected_books import expected_books, payer_side
from sandbox.world.gateway_book import DECLINED_PAYMENT_METHOD, NothingToPayOut
from sandbox.world.misbehaviour import Fault
from sandbox.world.payer import Answer, AnswerKind, remittance_answer
from sandbox.world.received_claims import Frequency
from sandbox.world.remittances import Remittance, in_other_layout
from sandbox.world.scenario import Scenario, SimulatedEncounter

from .outside import Outside
from .person import Cashier
from .revisions import as_revised

TODAY = date(2026, 3, 2)
ENCOUNTERS = 10
FIRST_WAVE = 7
STORIES = 6
UNRELATED_DEPOSIT = Money(77_00)
UNMATCHED_PAYMENT = Money(41_50)
OVERPAID = Money(25_00)
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
        self._unmatched: UUID | None = None

    @property
    def acts(self) -> Sequence[tuple[str, Callable[[], None]]]:
        return (
            ("charges come in", self._first_charges),
            ("payers pay, more charges come in", self._first_settlement),
            ("payers pay the rest, patients pay, the gateway pays out", self._second_settlement),
            ("the bank reports the payouts, somebody finds whose payment it was", self._payout_deposits),
            ("payers take back, correct and give in, the EHR says some charges otherwise", self._third_settlement),
            ("payers pay the rest and take what is still theirs", self._last_settlement),
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
        self._patients_pay()
        for entity in ("NORTH", "SOUTH"):
            self._pay_out(entity)

    def _patients_pay(self) -> None:
        """Every second patient pays all, the first too much, the others half; one payer is unknown, one card declined."""
        for place, row in enumerate(self._owing()):
            owed = Money(_balance(row))
            amount = owed + OVERPAID if place == 0 else owed if place % 2 else Money(max(owed.minor // 2, 1))
            self._pay(amount, str(row["account_id"]), str(row["entity"]))
        self._unmatched = self._pay(UNMATCHED_PAYMENT, "", "NORTH")
        self._pay(UNMATCHED_PAYMENT, "", "SOUTH", DECLINED_PAYMENT_METHOD)

    def _owing(self) -> list[Row]:
        rows = self.payments.rows(ACCOUNTS, {}, order=("account_id",))
        return [row for row in rows if _balance(row) > 0]

    def _pay(self, amount: Money, account: str, entity: str, method: str = "pm_card_visa") -> UUID:
        fields = {"amount": str(amount.minor), "confirm": "true", "payment_method": method}
        fields |= {"metadata[patient_account]": account, "metadata[entity]": entity}
        intent, events = self.outside.gateway.create_intent(fields)
        self.outside.tell(events)
        self.outside.tell(events[:1])
        return payment_id_of(intent.id)

    def _pay_out(self, entity: str) -> None:
        try:
            payout, events = self.outside.gateway.pay_out(entity)
        except NothingToPayOut:
            return
        self.outside.tell(events)
        self.outside.bank.deposit_payout(entity, payout.id, Money(payout.amount), TODAY)

    def _payout_deposits(self) -> None:
        self.outside.deposit_statement(date(2026, 3, 14))
        found = [row["account_id"] for row in self._owing() if row["entity"] == "NORTH"]
        if self._unmatched and found and isinstance(found[0], UUID):
            self.cashier.orders.append((self._unmatched, found[0]))

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

    def _last_settlement(self) -> None:
        self._settle_again(date(2026, 3, 25))

    def _settle_again(self, day: date) -> None:
        made = self.outside.payers.settle(day)
        self.outside.drop(_answers(made))
        self.outside.bank.deposit_remittances(made)
        self.outside.deposit_statement(day + timedelta(days=1))

    def books(self) -> dict[tuple[str, str, str], int]:
        """What the ledger must show of payers' money at the end, by what was charged and decided."""
        payers = self.outside.payers
        claims = [file.claim for _, _, file in payers.claim_files()]
        standing = [claim for claim in claims if claim.frequency != Frequency.VOID]
        return payer_side(expected_books(as_revised(self.scenario), payers.remittances, standing))


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


def _balance(row: Row) -> int:
    owed, paid = row["responsibility_minor"], row["applied_minor"]
    assert isinstance(owed, int)
    assert isinstance(paid, int)
    return owed - paid
