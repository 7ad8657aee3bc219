"""Whether a reversal is proved, and how each way of getting it wrong is told apart."""

from __future__ import annotations

from datetime import date

import pytest
from canonical.codes import AdjustmentGroup
from canonical.ids import derive
from canonical.money import Money
from canonical.remittance import ClaimAdjustment
from claims.domain.adjudication import PayerDecision, together
from claims.domain.reversals import (
    ReversalProof,
    ReversalVerdict,
    originals_for_person,
    parts_taken_of,
    prove_reversal,
)
from hypothesis import given
from hypothesis import strategies as st

from .world import adjustment

CO, PR, OA, CR = (
    AdjustmentGroup.CONTRACTUAL,
    AdjustmentGroup.PATIENT,
    AdjustmentGroup.OTHER,
    AdjustmentGroup.CORRECTION,
)
Taken = list[tuple[AdjustmentGroup, str, str]]
TAKEN: Taken = [(CO, "45", "70.00"), (PR, "3", "30.00")]


def decision(
    charge: str, paid: str, taken: Taken, *, number: str = "ICN1", remittance: object = 1, day: int = 20
) -> PayerDecision:
    return PayerDecision(
        remittance_id=derive("test-remittance", remittance),
        position=0,
        effective_date=date(2026, 3, day),
        payer_status="22" if charge.startswith("-") else "1",
        charge=Money.of(charge),
        paid=Money.of(paid),
        patient_responsibility=Money.of("0.00"),
        adjustments=tuple(adjustment(*each) for each in taken),
        payer_control_number=number,
    )


ORIGINAL = decision("250.00", "150.00", TAKEN)


@pytest.mark.parametrize(
    ("case", "charge", "paid", "taken", "verdict"),
    [
        ("every amount negated", "-250.00", "-150.00", [(CO, "45", "-70.00"), (PR, "3", "-30.00")], "proved"),
        ("in another order", "-250.00", "-150.00", [(PR, "3", "-30.00"), (CO, "45", "-70.00")], "proved"),
        (
            "an adjustment of zero is none",
            "-250.00",
            "-150.00",
            [(CO, "45", "-70.00"), (PR, "3", "-30.00"), (OA, "94", "0.00")],
            "proved",
        ),
        ("nothing negated", "250.00", "150.00", TAKEN, "reversal-wrong-sign"),
        ("totals negated, adjustments not", "-250.00", "-150.00", TAKEN, "reversal-wrong-sign"),
        (
            "one adjustment left positive",
            "-250.00",
            "-150.00",
            [(CO, "45", "-70.00"), (PR, "3", "30.00")],
            "reversal-wrong-sign",
        ),
        (
            "another group",
            "-250.00",
            "-150.00",
            [(OA, "45", "-70.00"), (PR, "3", "-30.00")],
            "reversal-wrong-group",
        ),
        ("all under CR", "-250.00", "-150.00", [(CR, "45", "-70.00"), (CR, "3", "-30.00")], "reversal-4010-style"),
        ("one sum under CR", "-250.00", "-150.00", [(CR, "129", "-100.00")], "reversal-4010-style"),
        ("no adjustments", "-250.00", "-150.00", [], "reversal-missing-adjustments"),
        ("no adjustments, charge cut to fit", "-150.00", "-150.00", [], "reversal-missing-adjustments"),
        ("one adjustment missing", "-250.00", "-150.00", [(CO, "45", "-70.00")], "reversal-missing-adjustments"),
        (
            "other reasons",
            "-250.00",
            "-150.00",
            [(CO, "97", "-70.00"), (PR, "3", "-30.00")],
            "reversal-differs",
        ),
        (
            "a cent between two reasons",
            "-250.00",
            "-150.00",
            [(CO, "45", "-70.01"), (PR, "3", "-29.99")],
            "reversal-differs",
        ),
        (
            "one sum for two",
            "-250.00",
            "-150.00",
            [(CO, "45", "-70.00"), (PR, "3", "-10.00"), (PR, "3", "-20.00")],
            "proved",
        ),
        ("half of it", "-125.00", "-75.00", [(CO, "45", "-35.00"), (PR, "3", "-15.00")], "reversal-partial"),
        ("half of the payment alone", "-250.00", "-75.00", [(CO, "45", "-175.00")], "reversal-differs"),
        ("a part that does not add up", "-125.00", "-75.00", [(CO, "45", "-35.00")], "reversal-differs"),
    ],
)
def test_a_reversal_is_proved_to_the_cent_and_each_fault_has_its_name(
    case: str, charge: str, paid: str, taken: Taken, verdict: str
) -> None:
    proof = prove_reversal(decision(charge, paid, taken, remittance=2), [ORIGINAL])

    assert proof.verdict.value == verdict, case
    assert proof.original == ORIGINAL


def test_without_a_decision_that_looks_like_it_the_original_is_unknown() -> None:
    reversal = decision("-99.00", "-40.00", [(CO, "45", "-59.00")], number="ICN9", remittance=2)

    assert prove_reversal(reversal, []).verdict is ReversalVerdict.UNKNOWN_ORIGINAL
    assert prove_reversal(reversal, [ORIGINAL]).verdict is ReversalVerdict.UNKNOWN_ORIGINAL


def test_of_two_equal_decisions_the_older_is_taken_back() -> None:
    later = decision("250.00", "150.00", TAKEN, remittance=3, day=25)
    reversal = decision("-250.00", "-150.00", [(CO, "45", "-70.00"), (PR, "3", "-30.00")], remittance=4)

    assert prove_reversal(reversal, [later, ORIGINAL]).original == ORIGINAL


def test_an_exact_match_goes_before_a_resemblance_of_an_older_one() -> None:
    older = decision("250.00", "150.00", [(CO, "97", "70.00"), (PR, "3", "30.00")], remittance=5, day=1)
    reversal = decision("-250.00", "-150.00", [(CO, "45", "-70.00"), (PR, "3", "-30.00")], remittance=4)

    proof = prove_reversal(reversal, [older, ORIGINAL])

    assert (proof.verdict, proof.original) == (ReversalVerdict.PROVED, ORIGINAL)


SPLIT = (
    decision("150.00", "90.00", [(CO, "45", "30.00"), (PR, "3", "30.00")], number="ICN1-1", remittance=5),
    decision("100.00", "60.00", [(CO, "45", "40.00")], number="ICN1-2", remittance=6, day=21),
)
BOTH = decision("-250.00", "-150.00", [(CO, "45", "-70.00"), (PR, "3", "-30.00")], number="ICN1-2", remittance=7)


def test_one_reversal_of_both_parts_of_a_split_claim_is_proved_by_them_together() -> None:
    assert prove_reversal(BOTH, SPLIT) == ReversalProof(ReversalVerdict.PROVED, SPLIT)
    assert not prove_reversal(BOTH, SPLIT[:1]).is_proved


def test_parts_are_taken_back_together_under_the_number_that_they_were_split_from_or_under_none() -> None:
    split = [each.model_copy(update={"earlier_control_number": "ICN1"}) for each in SPLIT]

    assert prove_reversal(BOTH.model_copy(update={"payer_control_number": "ICN1"}), split).originals == tuple(split)
    assert prove_reversal(BOTH.model_copy(update={"payer_control_number": ""}), SPLIT).originals == SPLIT


def test_under_a_number_of_neither_part_the_original_may_still_come_and_a_person_may_say_otherwise() -> None:
    stranger = BOTH.model_copy(update={"payer_control_number": "ICN9"})

    assert not prove_reversal(stranger, SPLIT).is_proved
    assert prove_reversal(stranger, (*SPLIT, ORIGINAL)).original == ORIGINAL
    assert originals_for_person(stranger, SPLIT) == SPLIT


def test_a_reversal_takes_back_no_more_decisions_than_it_negates() -> None:
    third = decision("40.00", "40.00", [], number="ICN1-3", remittance=8, day=1)

    assert prove_reversal(BOTH, (third, *SPLIT)).originals == SPLIT


def test_of_very_many_decisions_only_all_together_are_looked_at() -> None:
    many = [decision("1.00", "1.00", [], remittance=f"many-{number}") for number in range(40)]
    everything = decision("-40.00", "-40.00", [], remittance="all")
    some = decision("-20.00", "-20.00", [], remittance="some")

    assert len(prove_reversal(everything, many).originals) == 40
    assert not prove_reversal(some, many).is_proved


def test_a_part_is_taken_of_the_decision_with_the_same_number_before_an_older_one() -> None:
    older = decision("250.00", "150.00", TAKEN, number="ICN0", remittance=5, day=1)
    part = decision("-125.00", "-75.00", [(CO, "45", "-35.00"), (PR, "3", "-15.00")], remittance=2)

    assert parts_taken_of(part, [older, ORIGINAL]) == (ORIGINAL,)
    assert parts_taken_of(part.model_copy(update={"payer_control_number": "ICN7"}), [ORIGINAL, older]) == (older,)
    assert parts_taken_of(part, SPLIT[1:]) == ()


cents = st.integers(-9_999, 9_999).filter(bool)
taken_off = st.lists(st.tuples(st.sampled_from([CO, PR, OA]), st.sampled_from(["45", "3", "23"]), cents), max_size=6)


@given(taken_off, st.integers(1, 99_999), st.data())
def test_the_negation_of_a_decision_proves_it_and_one_cent_more_does_not(
    taken: list[tuple[AdjustmentGroup, str, int]], charge: int, data: st.DataObject
) -> None:
    adjustments = tuple(
        ClaimAdjustment(group=group, reason=reason, amount=Money(minor)) for group, reason, minor in taken
    )
    paid = Money(charge - sum(minor for _, _, minor in taken))
    changes = {"charge": Money(charge), "paid": paid, "adjustments": adjustments}
    original = ORIGINAL.model_copy(update=changes)
    reversal = original.negated().model_copy(update={"payer_status": "22"})

    assert prove_reversal(reversal, [original]).is_proved
    name = data.draw(st.sampled_from(["charge", "paid"]))
    off_by_a_cent = reversal.model_copy(update={name: getattr(reversal, name) + Money(1)})
    assert not prove_reversal(off_by_a_cent, [original]).is_proved


@given(st.lists(st.tuples(taken_off, st.integers(1, 99_999)), min_size=2, max_size=4), st.data())
def test_the_negation_of_several_decisions_proves_them_and_one_cent_more_does_not(
    parts: list[tuple[list[tuple[AdjustmentGroup, str, int]], int]], data: st.DataObject
) -> None:
    originals = []
    for number, (taken, charge) in enumerate(parts):
        paid = Money(charge - sum(minor for _, _, minor in taken))
        texts = [(group, reason, Money(minor).decimal_text) for group, reason, minor in taken]
        text = Money(charge).decimal_text
        originals.append(decision(text, paid.decimal_text, texts, remittance=f"part-{number}"))
    reversal = together(originals).negated().model_copy(update={"payer_status": "22", "remittance_id": derive("back")})

    proof = prove_reversal(reversal, originals)
    assert proof.is_proved
    assert Money.total(each.paid for each in proof.originals) == -reversal.paid
    name = data.draw(st.sampled_from(["charge", "paid"]))
    off_by_a_cent = reversal.model_copy(update={name: getattr(reversal, name) - Money(1)})
    assert prove_reversal(off_by_a_cent, originals).originals != tuple(originals)
