"""What payers take back, correct, forward and pay after others: every file balances for a reader that shares nothing with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from canonical.codes import AdjustmentGroup
from canonical.money import Money
from sandbox.world.adjudication import PayerRules
from sandbox.world.desk import ClaimFile
from sandbox.world.expected_books import expected_books, payer_side
from sandbox.world.misbehaviour import Fault, Misbehaviour
from sandbox.world.next_payer import adjudicate_next, does_not_balance, forwarded_claim
from sandbox.world.oracle import claim_of
from sandbox.world.payer import PAYER_SEED, Answer, AnswerKind, Payers
from sandbox.world.received_claims import ReceivedClaim
from sandbox.world.remittances import NegativePayment, Remittance, write_remittance
from sandbox.world.revisions import Change, ChangeOrder, Layout
from sandbox.world.scenario import Scenario
from x12.inspection import inspect

from .claim_files import NOW, claim_file, is_valid, rows

TODAY = date(2026, 11, 20)
STORY = Scenario.demo(TODAY)
CLAIMS = [claim_of(encounter) for encounter in STORY.billable]
OF_ACME = [each for each in CLAIMS if each.payer_identifier == "900100001" and each.billing_npi == "1900100003"]
RULES = PayerRules(rejected_percent=0, sequestration_percent=2)


class World:
    """Payers that take claims and settle week after week; every remittance must be read as balanced."""

    def __init__(self, claims: list[ReceivedClaim] = OF_ACME[:6], *, clearinghouse_reports: bool = False) -> None:
        self.faults = Misbehaviour()
        self.payers = Payers(
            PAYER_SEED,
            misbehaviour=self.faults,
            rules=RULES,
            next_coverages=STORY.coverages_after,
            clearinghouse_reports=clearinghouse_reports,
        )
        self.day = TODAY
        self._files = 0
        self.answers = self.bill(claims)

    def bill(self, claims: list[ReceivedClaim]) -> list[Answer]:
        self._files += 1
        return self.payers.receive(claim_file(claims, self._files), NOW)

    def settle(self) -> list[Remittance]:
        self.day += timedelta(days=7)
        made = self.payers.settle(self.day)
        for remittance in made:
            assert is_valid(remittance.content), remittance.content
            report = inspect([remittance.content])
            assert report.verdict == "accepted", report
        return made

    def file(self, *, denied: bool = False, lines: int = 1) -> ClaimFile:
        """A claim that was paid, or denied."""
        return next(
            file
            for _, _, file in self.payers.claim_files()
            if file.is_denied is denied and (denied or file.paid) and len(file.claim.lines) >= lines
        )


def statuses(remittance: Remittance) -> list[str]:
    return [row[2] for row in rows(remittance.content, "CLP")]


def pairs(remittance: Remittance) -> list[tuple[str, str]]:
    """PLB pairs as code with reference, and amount."""
    return [pair for row in rows(remittance.content, "PLB") for pair in zip(row[3::2], row[4::2], strict=True)]


def test_a_reversal_negates_every_amount_of_its_original_under_the_same_groups() -> None:
    world = World()
    (first,) = world.settle()
    file = world.file()
    number = file.claim.patient_control_number
    world.payers.change(number, ChangeOrder(Change.REPRICED))
    (second,) = world.settle()
    original = next(row for row in rows(first.content, "CLP") if row[1] == number)
    reversal, correction = rows(second.content, "CLP")
    assert [reversal[1], reversal[2], reversal[7]] == [number, "22", original[7]]
    assert [reversal[3], reversal[4]] == [f"-{original[3]}", f"-{original[4]}"]
    assert correction[2] == original[2]
    assert second.amount == Money(0)
    assert pairs(second) == [("FB", f"-{world.payers.still_to_take().decimal_text}".rstrip("0").rstrip("."))]


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        (Layout.ONE_FILE, [["22", "1"]]),
        (Layout.TWO_FILES, [["22"], ["1"]]),
        (Layout.CORRECTION_FIRST, [["1"], ["22"]]),
    ],
)
def test_reversal_and_correction_stand_where_they_are_asked_to(layout: Layout, expected: list[list[str]]) -> None:
    world = World()
    world.settle()
    world.payers.change(world.file().claim.patient_control_number, ChangeOrder(Change.REPRICED, layout))
    assert [statuses(each) for each in world.settle()] == expected


def test_a_denial_is_overturned_by_reversal_and_payment() -> None:
    world = World(CLAIMS[:60])
    world.settle()
    denied = world.file(denied=True)
    world.payers.change(denied.claim.patient_control_number, ChangeOrder(Change.OVERTURNED))
    (made,) = world.settle()
    assert statuses(made)[0] == "22"
    assert made.amount == denied.paid > Money(0)
    assert not denied.is_denied


def test_a_balance_is_forwarded_over_remittances_until_it_is_zero() -> None:
    small = sorted(OF_ACME, key=lambda claim: claim.charge)
    world = World([small[-1]])
    (paid,) = world.settle()
    world.payers.change(small[-1].patient_control_number, ChangeOrder(Change.RETRACTED))
    chain = world.settle()
    for claim in small[:-1]:
        world.bill([claim])
        chain += world.settle()
        if not world.payers.still_to_take():
            break
    assert len(chain) >= 3
    assert world.payers.still_to_take() == Money(0)
    moved = [each.amount for remittance in chain for each in remittance.provider_adjustments]
    assert Money.total(moved) == Money(0)
    decided = Money.total(each.paid for _, _, each in world.payers.claim_files())
    assert paid.amount + Money.total(each.amount for each in chain) == decided


def test_a_recovery_is_put_off_and_taken_when_there_is_money() -> None:
    world = World(OF_ACME[:1])
    (first,) = world.settle()
    world.faults.request(Fault.RECOUPMENT_DEFERRED, target="ACME")
    (deferred,) = world.settle()
    reference = first.claims[0].payer_control_number
    assert pairs(deferred)[0][0] == f"WO:{reference}"
    assert deferred.provider_adjustments[0].amount == -first.amount
    world.bill(OF_ACME[1:])
    (taking,) = world.settle()
    assert [(each.code, each.reference, each.amount) for each in taking.provider_adjustments] == [
        ("WO", reference, first.amount)
    ]
    assert world.payers.still_to_take() == Money(0)


def test_interest_a_levy_and_an_acknowledged_refund_are_pairs_of_one_remittance() -> None:
    world = World()
    world.faults.request(Fault.INTEREST, target="ACME", measure=3_21)
    world.faults.request(Fault.LEVY, target="ACME", measure=5_00)
    world.faults.request(Fault.REFUND_ACKNOWLEDGED, target="ACME", measure=40_00)
    (made,) = world.settle()
    codes = [(code.split(":")[0], amount) for code, amount in pairs(made)]
    assert codes == [("L6", "-3.21"), ("LE", "5"), ("WO", "40"), ("72", "-40")]
    assert made.amount == Money.total(each.decision.paid for each in made.claims) + Money(3_21) - Money(5_00)


def test_a_claim_crosses_over_and_the_next_payer_answers_under_the_same_number() -> None:
    world = World([each for each in CLAIMS if (code_of(each), each.member_id) in STORY.coverages_after])
    for code in ("ACME", "BLUEOAK", "MEDICARE"):
        world.faults.request(Fault.CROSSOVER, target=code)
    first = world.settle()
    crossed = [each for remittance in first for each in remittance.claims if each.forwarded_to]
    assert len(crossed) == 3
    assert {each.decision.status for each in crossed} == {"19"}
    named = [row for remittance in first for row in rows(remittance.content, "NM1") if row[1] == "TT"]
    assert sorted(row[9] for row in named) == sorted(
        each.forwarded_to.x12_identifier for each in crossed if each.forwarded_to
    )
    second = [each for remittance in world.settle() for each in remittance.claims]
    assert {each.decision.status for each in second} == {"2"}
    numbers = [each.decision.claim.patient_control_number for each in crossed]
    assert sorted(each.decision.claim.patient_control_number for each in second) == sorted(numbers)


def code_of(claim: ReceivedClaim) -> str:
    return {"900100001": "ACME", "900100002": "BLUEOAK", "900100003": "MEDICARE", "900100004": "MEDICAID"}[
        claim.payer_identifier
    ]


def test_the_next_payer_pays_what_was_left_to_the_patient_and_no_more() -> None:
    world = World(CLAIMS[:120])
    world.settle()
    seen = 0
    for _, _, file in world.payers.claim_files():
        decision = file.standing[0].decision
        claim = forwarded_claim(decision, "900100004", "M1", "20261127")
        assert not does_not_balance(claim)
        following = adjudicate_next(claim, PAYER_SEED)
        assert following.paid + following.patient_responsibility == decision.patient_responsibility
        assert following.taken_off(AdjustmentGroup.OTHER) == claim.charge - decision.patient_responsibility
        assert all(
            line.line.charge == line.paid + Money.total(each.amount for each in line.adjustments)
            for line in following.lines
        )
        seen += bool(following.paid)
    assert seen > 10


def test_a_secondary_claim_is_read_from_its_bytes_and_decided() -> None:
    world = World(OF_ACME[:6])
    world.settle()
    decision = next(
        file.standing[0].decision
        for _, _, file in world.payers.claim_files()
        if file.standing[0].decision.patient_responsibility
    )
    claim = replace(
        forwarded_claim(decision, "900100002", "M55555555", "20261127"), patient_control_number="TSECONDARY1"
    )
    answers = world.bill([claim])
    assert rows(answers[-1].content, "STC")[-1][1] == "A2:20:PR"
    (made,) = world.settle()
    assert statuses(made) == ["2"]
    assert {row[1] for row in rows(made.content, "CAS")} <= {"OA", "PR"}


def test_a_secondary_claim_whose_lines_do_not_add_up_is_rejected() -> None:
    world = World(OF_ACME[:6])
    world.settle()
    claim = forwarded_claim(world.file().standing[0].decision, "900100002", "M55555555", "20261127")
    first, *rest = claim.lines
    wrong = replace(first.prior[0], paid=first.prior[0].paid + Money(1))
    claim = replace(claim, patient_control_number="TSECONDARY1", lines=(replace(first, prior=(wrong,)), *rest))
    answers = world.bill([claim])
    assert rows(answers[-1].content, "STC")[-1][1] == "A7:400"


def test_a_predetermination_and_a_forwarded_claim_pay_nothing() -> None:
    world = World(OF_ACME[:2])
    world.faults.request(Fault.PREDETERMINATION, target="ACME")
    (made,) = world.settle()
    assert statuses(made)[:2] == ["25", "1"]
    assert rows(made.content, "CLP")[0][4] == "0"
    world.faults.request(Fault.FORWARDED, target="ACME")
    world.bill(OF_ACME[2:3])
    (made,) = world.settle()
    assert (statuses(made), made.amount) == (["23"], Money(0))


def test_a_pended_claim_is_decided_when_the_payer_goes_on_with_it() -> None:
    world = World(OF_ACME[:2])
    _, _, file = world.payers.claim_files()[0]
    file.is_pended = True
    (first,) = world.settle()
    file.is_pended = False
    (second,) = world.settle()
    assert [len(first.claims), len(second.claims)] == [1, 1]
    assert second.claims[0].decision.claim == file.claim


def test_the_parts_of_a_split_claim_add_up_to_it() -> None:
    claim = next(each for each in OF_ACME if len(each.lines) > 2)
    world = World([claim])
    world.faults.request(Fault.SPLIT_CLAIM, target="ACME")
    (made,) = world.settle()
    first, rest = (each.decision.claim for each in made.claims)
    assert first.charge + rest.charge == claim.charge
    assert first.lines + rest.lines == claim.lines
    numbers = [row[7] for row in rows(made.content, "CLP")]
    assert numbers[1] == f"{numbers[0]}S"
    assert ["REF", "F8", numbers[0]] in rows(made.content, "REF")


def test_a_replacement_reverses_what_stood_and_a_void_only_reverses() -> None:
    world = World(OF_ACME[:1])
    (first,) = world.settle()
    number = first.claims[0].payer_control_number
    world.bill([replace(OF_ACME[0], frequency="7", payer_reference=number)])
    (replaced,) = world.settle()
    assert statuses(replaced) == ["22", statuses(first)[0]]
    latest = replaced.claims[-1].payer_control_number
    world.bill([replace(OF_ACME[0], frequency="8", payer_reference=latest)])
    (void,) = world.settle()
    assert statuses(void) == ["22"]
    refused = world.bill([replace(OF_ACME[1], frequency="7", payer_reference="NOSUCHNUMBER")])
    assert rows(refused[-1].content, "STC")[-1][1] == "A7:464"


def test_medicare_keeps_back_its_sequestration_from_every_payment() -> None:
    world = World([each for each in CLAIMS if each.payer_identifier == "900100003"])
    for remittance in world.settle():
        for paid in remittance.claims:
            kept, before = paid.decision.sequestered, paid.decision.paid + paid.decision.sequestered
            assert abs(kept.minor * 50 - before.minor) <= 25 * max(1, len(paid.decision.lines))


def test_the_clearinghouse_and_the_payer_report_apart_and_name_our_submission() -> None:
    world = World(clearinghouse_reports=True)
    reports = [each.content for each in world.answers if each.kind is AnswerKind.CLAIM_STATUS]
    assert [rows(report, "NM1")[0][1] for report in reports] == ["AY", "PR"]
    for report in reports:
        assert is_valid(report)
        assert next(row[2] for row in rows(report, "TRN") if row[1] == "2") == "B1"


def test_what_the_clearinghouse_stops_never_reaches_the_payer() -> None:
    faults = Misbehaviour()
    faults.request(Fault.REJECT, target="clearinghouse")
    payers = Payers(PAYER_SEED, misbehaviour=faults, clearinghouse_reports=True)
    answers = payers.receive(claim_file(OF_ACME[:2]), NOW)
    assert [each.kind.value for each in answers] == ["ta1", "999", "277ca"]
    assert payers.settle(TODAY) == []


def test_the_same_faults_and_seed_give_the_same_bytes() -> None:
    def told() -> list[bytes]:
        world = World(CLAIMS[:80])
        made = world.settle()
        for fault in (Fault.CORRECTION, Fault.CORRECTION_FIRST, Fault.DENIAL_OVERTURNED, Fault.PAYMENT_RETRACTED):
            world.faults.request(fault)
        return [each.content for each in made + world.settle() + world.settle()]

    assert told() == told()


def test_faults_strike_the_same_claims_in_whatever_order_they_came() -> None:
    def told(claims: list[ReceivedClaim]) -> list[tuple[str, str]]:
        world = World([])
        for fault in (Fault.SPLIT_CLAIM, Fault.PREDETERMINATION, Fault.FORWARDED):
            world.faults.request(fault)
        world.bill(claims)
        first = world.settle()
        world.faults.request(Fault.PAYMENT_RETRACTED)
        made = [*first, *world.settle()]
        return [(row[1], row[2]) for each in made for row in rows(each.content, "CLP")]

    assert told(CLAIMS[:40]) == told(CLAIMS[:40][::-1])


def test_the_expected_books_balance_and_end_with_nothing_due_to_a_payer() -> None:
    world = World(CLAIMS)
    posted = world.settle()
    for fault in (Fault.CORRECTION, Fault.DENIAL_OVERTURNED, Fault.RECOUPMENT_DEFERRED, Fault.INTEREST):
        world.faults.request(fault, target="ACME")
    posted += world.settle()
    originals = [file.claim for _, _, file in world.payers.claim_files()]
    books = expected_books(STORY, posted, originals)
    assert sum(books.values()) == 0
    due = sum(minor for (_, account, _), minor in payer_side(books).items() if account == "due-to-payer")
    assert due == -world.payers.still_to_take().minor
    assert not [place for place in payer_side(books) if place[1] == "eft-clearing"]


def test_a_remittance_that_would_pay_less_than_nothing_is_refused() -> None:
    world = World(OF_ACME[:1])
    (first,) = world.settle()
    world.payers.change(OF_ACME[0].patient_control_number, ChangeOrder(Change.RETRACTED))
    (second,) = world.settle()
    with pytest.raises(NegativePayment):
        write_remittance(first.payer, first.entity, "T1", TODAY, second.claims, 1)
