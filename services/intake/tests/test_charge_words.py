"""What a source says of one charge ends the same, whatever order its words come in and however often."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.testing import given, happened
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from intake.domain.charge_words import ChargeCredit
from intake.domain.encounter import Encounter
from intake.domain.encounter_content import CapturedCharge
from intake.domain.refusals import ChargeChanged

from .world import MESSAGE, captured

START = datetime(2026, 2, 6, 9, 0, tzinfo=UTC)
CHARGE_ID = captured().line.charge_id


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def charge(amount: str = "124.00", hour: int | None = None) -> CapturedCharge:
    return captured(amount=Money.of(amount)).model_copy(update={"said_at": None if hour is None else at(hour)})


def credit(amount: str | None = None, hour: int | None = None) -> ChargeCredit:
    money = None if amount is None else Money.of(amount)
    return ChargeCredit(amount=money, message_id=MESSAGE, said_at=None if hour is None else at(hour))


def numbered(number: int, amount: str, hour: int | None = None) -> ChargeCredit:
    return credit(amount, hour).model_copy(update={"credit_id": derive("test-credit", number)})


def after(*words: CapturedCharge | ChargeCredit) -> Encounter:
    encounter = given(Encounter).aggregate
    for word in words:
        if isinstance(word, CapturedCharge):
            encounter.capture(word, corrects=word is not words[0])
        else:
            encounter.credit(CHARGE_ID, word)
    return encounter


def standing(encounter: Encounter) -> str:
    found = encounter.charges.get(CHARGE_ID)
    return found.line.amount.decimal_text if found else "nothing"


STORIES: tuple[tuple[str, Sequence[CapturedCharge | ChargeCredit], str], ...] = (
    ("a charge", [charge("124.00")], "124.00"),
    ("a charge and its credit", [charge("124.00"), credit()], "nothing"),
    ("a credit of its amount", [charge("124.00"), credit("124.00")], "nothing"),
    ("a smaller credit", [charge("124.00"), credit("24.00")], "100.00"),
    ("the same credit twice", [charge("124.00"), credit("24.00"), credit("24.00")], "100.00"),
    ("two credits of two hours", [charge("124.00", 1), credit("24.00", 2), credit("24.00", 3)], "76.00"),
    ("two credits of one amount", [charge("124.00"), numbered(1, "10.00"), numbered(2, "10.00")], "104.00"),
    (
        "one credit said again an hour later",
        [charge("124.00", 1), numbered(1, "40.00", 2), numbered(1, "40.00", 3)],
        "84.00",
    ),
    (
        "a credit said again after a correction",
        [charge("124.00"), numbered(1, "40.00"), charge("110.00"), numbered(1, "40.00")],
        "110.00",
    ),
    ("a credit of more than the charge", [charge("124.00"), credit("125.00")], "nothing"),
    ("a credit before its charge", [credit(), charge("124.00")], "nothing"),
    ("a correction", [charge("124.00", 1), charge("99.00", 2)], "99.00"),
    ("an older word after a newer one", [charge("99.00", 2), charge("124.00", 1)], "99.00"),
    ("a correction after a credit", [charge("124.00", 1), credit("24.00", 2), charge("110.00", 3)], "110.00"),
    (
        "a charge that is said again after its void",
        [charge("124.00", 1), credit(None, 2), charge("124.00", 3)],
        "124.00",
    ),
    ("words without an hour, in their order", [charge("124.00"), credit("24.00"), charge("110.00")], "110.00"),
)


@pytest.mark.parametrize(("words", "left"), [story[1:] for story in STORIES], ids=[story[0] for story in STORIES])
def test_what_stands_of_a_charge(words: Sequence[CapturedCharge | ChargeCredit], left: str) -> None:
    assert standing(after(*words)) == left


def test_other_content_that_is_no_correction_is_a_conflict() -> None:
    with pytest.raises(ChargeChanged, match="amount"):
        after(charge("124.00")).capture(charge("99.00"))


def test_one_credit_of_two_amounts_is_a_conflict() -> None:
    with pytest.raises(ChargeChanged, match="another amount"):
        after(charge("124.00"), numbered(1, "10.00")).credit(CHARGE_ID, numbered(1, "11.00"))


def test_an_older_word_that_is_no_correction_is_no_conflict_either() -> None:
    encounter = after(charge("99.00", 2))
    assert not encounter.capture(charge("124.00", 1))
    assert not encounter.credit(CHARGE_ID, credit(None, 1))
    assert standing(encounter) == "99.00"


def test_a_charge_that_is_repeated_after_its_void_stays_void() -> None:
    encounter = after(charge("124.00"), credit())
    assert encounter.capture(charge("124.00"))
    assert standing(encounter) == "nothing"


def test_what_was_credited_above_the_charge_is_told() -> None:
    assert after(charge("124.00"), credit("125.00")).words[CHARGE_ID].credited_above == Money.of("1.00")


def test_a_void_takes_the_charge_out_of_what_waits() -> None:
    outcome = given(Encounter, [happened(Encounter.ChargeCaptured, charge=charge())]).when(
        lambda e: e.credit(CHARGE_ID, credit())
    )
    (voided,) = outcome.events
    assert isinstance(voided, Encounter.ChargeVoided)
    assert (voided.change, voided.count_change) == (Money.of("-124.00"), -1)


@st.composite
def words_in_any_order(draw: st.DrawFn) -> tuple[list[Any], list[Any]]:
    """Words of as many hours, and the same words shuffled with repeats."""
    kinds = draw(st.lists(st.sampled_from(["charge", "credit", "void"]), min_size=1, max_size=6))
    words: list[Any] = []
    for hour, kind in enumerate(kinds):
        amount = f"{draw(st.integers(1, 300))}.00"
        words.append(charge(amount, hour) if kind == "charge" else credit(amount if kind == "credit" else None, hour))
    repeats = draw(st.lists(st.sampled_from(words), max_size=4))
    return words, draw(st.permutations([*words, *repeats]))


@settings(deadline=None, max_examples=300)
@for_all(words_in_any_order())
def test_any_order_with_repeats_ends_the_same(story: tuple[list[Any], list[Any]]) -> None:
    straight, shuffled = (after_all_corrections(words) for words in story)
    assert standing(straight) == standing(shuffled)
    assert sum(change_of(event) for event in shuffled.pending) == sum(
        each.line.amount.minor for each in shuffled.charges.values()
    )


def after_all_corrections(words: Sequence[CapturedCharge | ChargeCredit]) -> Encounter:
    encounter = given(Encounter).aggregate
    for word in words:
        if isinstance(word, CapturedCharge):
            encounter.capture(word, corrects=True)
        else:
            encounter.credit(CHARGE_ID, word)
    return encounter


def change_of(event: Any) -> int:
    if isinstance(event, Encounter.ChargeCaptured) and event.change is None:
        return event.charge.line.amount.minor
    change: Money = event.change
    return change.minor
