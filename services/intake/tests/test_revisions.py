"""Charges that are corrected, voided or late: postings follow, holds say why, and the sum is what the source says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from canonical.events.intake import ChargesRevised, EncounterCharged, PatientPaymentReported, PostedCharges
from canonical.ids import derive
from canonical.master_data import ChargeMasterRow
from canonical.money import Money
from canonical.party import CoverageDetails, PatientDetails
from chassis.testing import context
from hypothesis import given, settings
from hypothesis import strategies as st
from intake.application.deliveries import InboundDelivery, Outcome
from intake.application.queries import ENCOUNTERS
from intake.application.releasing import release_encounter
from intake.domain.facts import (
    AdjustmentSeen,
    ChargeSeen,
    ChargeVoided,
    CoverageSeen,
    EncounterCancelled,
    EncounterReopened,
    EncounterSeen,
    Fact,
    Link,
    PatientPaymentSeen,
    PatientSeen,
)

from .world import PATIENT, IntakeUnderTest, charge_id

ENCOUNTER = derive("test-encounter", "revised")
VISIT = Link(id=ENCOUNTER)
DAY = date(2026, 2, 6)
START = datetime(2026, 2, 6, 9, tzinfo=UTC)
DETAILS = PatientDetails(family_name="Sample", given_name="Robin", birth_date=date(1980, 1, 2), sex="F")


def visit(*, finished: bool = True, **changes: Any) -> EncounterSeen:
    seen = EncounterSeen(
        "visit", ENCOUNTER, Link(id=PATIENT), Link(code="NORTH"), "N-MAIN", Link(code="PRV01"), finished, ("I10",)
    )
    return replace(seen, **changes)


def charge(number: int = 1, amount: str | None = "100.00", hour: int | None = None, **changes: Any) -> ChargeSeen:
    seen = ChargeSeen(
        f"charge[{number}]",
        charge_id(number),
        VISIT,
        "99213",
        (),
        Decimal(1),
        None if amount is None else Money.of(amount),
        DAY,
        "FAMMED",
        Link(code="PRV01"),
        said_at=None if hour is None else START + timedelta(hours=hour),
    )
    return replace(seen, **changes)


def credit(number: int = 1, amount: str | None = None, hour: int | None = None) -> ChargeVoided:
    said_at = None if hour is None else START + timedelta(hours=hour)
    money = None if amount is None else Money.of(amount)
    credit_id = derive("test-credit", number, str(amount), str(hour))
    return ChargeVoided("credit", charge_id(number), VISIT, money, said_at, credit_id)


class Source:
    """A source that tells facts, a message each time, of one encounter that ACME pays."""

    def __init__(self, *, finished: bool = True) -> None:
        self.service = IntakeUnderTest()
        self.told = 0
        coverage = CoverageSeen("coverage", Link(id=PATIENT), VISIT, Link(code="ACME"), CoverageDetails(member_id="M1"))
        self.tell(PatientSeen("patient", PATIENT, DETAILS), visit(finished=finished), coverage)

    def tell(self, *facts: Fact) -> Outcome:
        self.told += 1
        raw = str(self.told).encode()
        key = f"message {self.told}"
        delivery = InboundDelivery(
            "ehr-north", key, "test", raw, "test", facts, patient=Link(id=PATIENT), entity="NORTH"
        )
        return self.service.receive(delivery)[0]

    @property
    def said(self) -> list[PostedCharges]:
        return [event for event in self.service.events() if isinstance(event, PostedCharges)]

    @property
    def revisions(self) -> list[ChargesRevised]:
        return [event for event in self.said if isinstance(event, ChargesRevised)]

    def billed(self) -> dict[int, str]:
        """What each posting comes to, by the newest word on it."""
        return {event.posting: event.total.decimal_text for event in self.said}

    @property
    def row(self) -> dict[str, Any]:
        return dict(self.service.store.rows(ENCOUNTERS, {"encounter_id": ENCOUNTER})[0])

    def open_cases(self) -> list[str]:
        return [str(row["code"]) for row in self.service.cases() if row["state"] == "open"]


def test_a_correction_of_a_posted_charge_says_the_posting_again() -> None:
    source = Source()
    source.tell(charge(1), charge(2, "40.00"))
    source.tell(charge(1, "70.00", corrects=True))
    (revision,) = source.revisions
    assert (revision.posting, revision.revision, revision.reason.value) == (1, 1, "correction")
    assert (revision.previous_total, revision.total) == (Money.of("140.00"), Money.of("110.00"))
    assert (source.row["charged_minor"], source.row["posted_minor"]) == (11000, 11000)


def test_a_void_of_a_posted_charge_takes_it_out_of_its_posting() -> None:
    source = Source()
    source.tell(charge(1), charge(2, "40.00"))
    source.tell(credit(1))
    assert source.billed() == {1: "40.00"}
    source.tell(credit(2))
    assert [(each.reason.value, each.charges) for each in source.revisions][-1] == ("void", ())
    assert (source.row["charge_count"], source.row["posted_minor"]) == (0, 0)


def test_a_charge_after_everything_was_voided_is_a_posting_of_its_own() -> None:
    source = Source()
    source.tell(charge(1))
    source.tell(credit(1))
    source.tell(charge(2, "40.00"))
    assert source.billed() == {1: "0.00", 2: "40.00"}


def test_corrections_before_posting_only_change_what_waits() -> None:
    source = Source(finished=False)
    source.tell(charge(1), charge(2, "40.00"))
    source.tell(charge(1, "70.00", corrects=True), credit(2))
    assert source.said == []
    source.tell(visit())
    assert [type(event) for event in source.said] == [EncounterCharged]
    assert source.billed() == {1: "70.00"}


def test_the_same_correction_again_says_nothing_again() -> None:
    source = Source()
    source.tell(charge(1))
    for _ in range(2):
        source.tell(charge(1, "70.00", corrects=True))
    assert len(source.revisions) == 1


def test_a_late_charge_of_another_provider_is_a_posting_of_its_own() -> None:
    source = Source()
    source.tell(charge(1))
    source.tell(charge(2, "40.00", performer=Link(code="PRV02")))
    assert source.billed() == {1: "100.00", 2: "40.00"}


def test_late_charges_fill_the_newest_posting_and_begin_another() -> None:
    source = Source()
    source.tell(*(charge(number, "1.00") for number in range(49)))
    source.tell(*(charge(number, "1.00") for number in range(49, 52)))
    assert source.billed() == {1: "50.00", 2: "2.00"}


def test_postings_that_swap_charges_bill_each_of_them_once() -> None:
    source = Source()
    source.tell(charge(1), charge(2, "40.00", procedure_code="D1110"))
    source.tell(charge(3, "5.00"), charge(4, "6.00", procedure_code="D1110"))
    swapped = charge(1, procedure_code="D1110", corrects=True), charge(2, "40.00", corrects=True)
    source.tell(*swapped)
    assert source.billed() == {1: "45.00", 2: "106.00"}
    source.tell(charge(5, "1.00"))
    assert source.billed() == {1: "46.00", 2: "106.00"}


def test_a_credit_before_its_charge_is_told_and_takes_it_back_when_it_comes() -> None:
    source = Source()
    source.tell(credit(1))
    assert source.open_cases() == ["CreditWithoutCharge"]
    source.tell(charge(1))
    assert (source.open_cases(), source.said) == ([], [])


def test_a_credit_above_the_charge_voids_it_and_is_a_persons() -> None:
    source = Source()
    source.tell(charge(1))
    source.tell(credit(1, "101.00"))
    assert (source.billed(), source.open_cases()) == ({1: "0.00"}, ["CreditAboveCharge"])


def test_an_older_word_is_noted_and_not_taken() -> None:
    source = Source()
    source.tell(charge(1, "70.00", 2))
    outcome = source.tell(charge(1, "100.00", 1))
    assert outcome.accepted
    assert "older-word" in outcome.notes[0]
    assert source.billed() == {1: "70.00"}


def test_a_cancelled_encounter_voids_what_was_billed_and_a_reopened_one_bills_it_anew() -> None:
    source = Source()
    source.tell(charge(1))
    source.tell(EncounterCancelled("cancel", VISIT))
    assert (source.billed(), source.row["state"]) == ({1: "0.00"}, "cancelled")
    source.tell(charge(2, "40.00"))
    assert source.open_cases() == ["ChargesOfCancelledEncounter"]
    source.tell(EncounterReopened("reopen", VISIT))
    source.tell(visit())
    assert source.billed() == {1: "0.00", 2: "140.00"}


def test_a_cancelled_encounter_that_its_source_speaks_of_again_is_told_to_a_person() -> None:
    source = Source()
    source.tell(charge(1))
    source.tell(EncounterCancelled("status", VISIT))
    assert source.open_cases() == []
    source.tell(visit())
    assert (source.billed(), source.open_cases()) == ({1: "0.00"}, ["ChargesOfCancelledEncounter"])
    source.tell(EncounterReopened("status", VISIT))
    source.tell(visit())
    assert (source.billed(), source.open_cases()) == ({1: "0.00", 2: "100.00"}, [])


def test_an_encounter_of_which_one_word_is_kept_takes_its_cancellation_back() -> None:
    source = Source()
    source.tell(charge(1))
    source.tell(EncounterCancelled("status", VISIT))
    source.tell(visit(stands=True))
    assert (source.billed(), source.open_cases()) == ({1: "0.00", 2: "100.00"}, [])


def test_a_charge_that_comes_again_after_its_credit_is_a_persons_or_a_correction() -> None:
    source = Source()
    source.tell(charge(1, hour=0))
    source.tell(credit(1, hour=1))
    source.tell(charge(1, hour=0, corrects=True))
    assert (source.billed(), source.open_cases()) == ({1: "0.00"}, [])
    source.tell(charge(1, hour=2))
    assert (source.billed(), source.open_cases()) == ({1: "0.00"}, ["ChargedAgainAfterCredit"])
    source.tell(charge(1, hour=3, corrects=True))
    assert sum(each.total.minor for each in {event.posting: event for event in source.said}.values()) == 10000


def test_a_coverage_that_changes_after_billing_is_told_to_a_person_once() -> None:
    source = Source()
    other = CoverageSeen("coverage", Link(id=PATIENT), VISIT, Link(code="BETA"), CoverageDetails(member_id="M2"))
    source.tell(replace(other, payer=Link(code="ACME")))
    assert source.open_cases() == []
    source.tell(charge(1))
    source.tell(other)
    source.tell(other)
    assert (source.billed(), source.open_cases()) == ({1: "100.00"}, ["CoverageChangedAfterBilling"])


def test_a_reopened_stay_waits_for_its_end_again() -> None:
    source = Source()
    source.tell(charge(1))
    source.tell(EncounterReopened("reopen", VISIT))
    source.tell(charge(2, "40.00"))
    assert source.billed() == {1: "100.00"}
    source.tell(visit())
    assert source.billed() == {1: "140.00"}


MASTER = (ChargeMasterRow(code="99213", price=Money.of("100.00"), tolerance_percent=10, units_max=4),)

HELD: tuple[tuple[str, ChargeSeen, str], ...] = (
    ("a price beyond the tolerance", charge(1, "110.01"), "price-differs"),
    ("more units than can be", charge(1, "500.00", units=Decimal(5)), "units-above-maximum"),
    ("a modifier twice", charge(1, modifiers=("25", "25")), "modifier-repeated"),
    ("modifiers that contradict", charge(1, modifiers=("26", "TC")), "modifiers-contradict"),
    ("a day after the visit", charge(1, service_date=DAY + timedelta(days=3)), "service-outside-visit"),
    ("a day long before the visit", charge(1, service_date=DAY - timedelta(days=4)), "service-outside-visit"),
    ("no price at all", charge(1, None, procedure_code="99999"), "price-unknown"),
)


@pytest.mark.parametrize(("seen", "rule"), [case[1:] for case in HELD], ids=[case[0] for case in HELD])
def test_a_charge_that_cannot_be_right_is_held_with_a_reason(seen: ChargeSeen, rule: str) -> None:
    source = Source()
    source.service.master_data = source.service.master_data.model_copy(update={"charge_master": MASTER})
    source.tell(visit(starts_on=DAY, ends_on=DAY + timedelta(days=2)))
    outcome = source.tell(seen)
    assert [note for note in outcome.notes if rule in note]
    assert (source.row["state"], source.said) == ("held", [])


@pytest.mark.parametrize(
    ("amount", "units", "billed"), [("110.00", 1, "110.00"), (None, 1, "100.00"), (None, 3, "300.00")]
)
def test_a_charge_without_a_price_takes_the_charge_masters(amount: str | None, units: int, billed: str) -> None:
    source = Source()
    source.service.master_data = source.service.master_data.model_copy(update={"charge_master": MASTER})
    source.tell(charge(1, amount, units=Decimal(units)))
    assert source.billed() == {1: billed}


def test_a_corrected_price_takes_the_hold_off() -> None:
    source = Source()
    source.service.master_data = source.service.master_data.model_copy(update={"charge_master": MASTER})
    source.tell(charge(1, "500.00"))
    assert source.open_cases() == ["PriceDiffers"]
    source.tell(charge(1, "105.00", corrects=True))
    assert (source.open_cases(), source.billed()) == ([], {1: "105.00"})


def test_a_held_charge_that_is_voided_holds_nothing_any_more() -> None:
    source = Source()
    source.tell(charge(1, None))
    source.tell(credit(1))
    source.service.sweep()
    assert (source.open_cases(), source.row["state"]) == ([], "finished")


def test_a_correction_that_is_held_changes_the_posting_when_it_is_released() -> None:
    source = Source()
    source.tell(charge(1))
    source.tell(charge(1, "70.00", department="NOWHERE", corrects=True))
    assert (source.billed(), source.row["state"]) == ({1: "100.00"}, "held")
    rows = source.service.master_data
    known = next(row for row in rows.crosswalks if row.code == "FAMMED")
    more = known.model_copy(update={"code": "NOWHERE"})
    mended = rows.model_copy(update={"crosswalks": (*rows.crosswalks, more)})
    release_encounter(source.service.store, context(), source.service.sealer, mended, ENCOUNTER, reason="mapped")
    assert source.billed() == {1: "70.00"}


def test_a_payment_that_the_source_took_is_told_once() -> None:
    source = Source()
    payment = PatientPaymentSeen("payment", derive("test-payment", 1), Link(), VISIT, Money.of("30.00"), "CASH", DAY)
    source.tell(payment)
    source.tell(payment)
    (told,) = [event for event in source.service.events() if isinstance(event, PatientPaymentReported)]
    assert (told.entity, told.patient_id, told.amount, told.method) == ("NORTH", PATIENT, Money.of("30.00"), "CASH")
    assert not source.tell(replace(payment, amount=Money.of("31.00"))).accepted
    assert source.open_cases() == ["ReportedOtherwise"]


def test_an_adjustment_of_the_source_is_kept_for_a_person() -> None:
    source = Source()
    adjustment = AdjustmentSeen("adjustment", derive("test-adjustment", 1), VISIT, Money.of("-5.00"), "SMALL", DAY)
    source.tell(adjustment)
    source.tell(adjustment)
    assert (source.open_cases(), source.said) == (["ReportedAdjustment"], [])


def test_an_adjustment_of_nothing_is_left_out_and_told_and_takes_no_charge_along() -> None:
    source = Source()
    nothing = AdjustmentSeen("adjustment", derive("test-adjustment", 2), VISIT, Money(0), "SMALL", DAY)
    outcome = source.tell(charge(1), nothing)
    assert (outcome.accepted, [note.split(": ")[1] for note in outcome.notes]) == (True, ["nothing-adjusted"])
    assert (source.open_cases(), source.billed()) == ([], {1: "100.00"})


def as_the_source_says(words: Iterable[ChargeSeen | ChargeVoided]) -> int:
    """Cents of what stands, by the words in the order in which they were said."""
    amounts: dict[object, int] = {}
    for word in words:
        if isinstance(word, ChargeSeen):
            assert word.amount is not None
            amounts[word.charge_id] = word.amount.minor
        elif word.amount is None:
            amounts.pop(word.charge_id, None)
        elif word.charge_id in amounts:
            amounts[word.charge_id] = max(0, amounts[word.charge_id] - word.amount.minor)
    return sum(amounts.values())


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[ChargeSeen | ChargeVoided], list[ChargeSeen | ChargeVoided]]:
    """Words on three charges, each first charged, and the same words in any order with repeats."""
    words: list[ChargeSeen | ChargeVoided] = [charge(number, "100.00", number, corrects=True) for number in range(3)]
    for hour in range(3, 3 + draw(st.integers(0, 4))):
        number, amount = draw(st.integers(0, 2)), f"{draw(st.integers(1, 99))}.00"
        kind = draw(st.sampled_from(["correct", "credit", "void"]))
        is_charge = kind == "correct"
        words.append(
            charge(number, amount, hour, corrects=True)
            if is_charge
            else credit(number, amount if kind == "credit" else None, hour)
        )
    repeats = draw(st.lists(st.sampled_from(words), max_size=3))
    return words, draw(st.permutations([*words, *repeats]))


@settings(deadline=None, max_examples=60)
@given(stories())
def test_in_any_order_with_repeats_the_postings_come_to_what_the_source_says(
    story: tuple[list[ChargeSeen | ChargeVoided], list[ChargeSeen | ChargeVoided]],
) -> None:
    words, told = story
    source = Source()
    for word in told:
        assert source.tell(word).accepted
    billed = sum(Money.of(total).minor for total in source.billed().values())
    assert billed == as_the_source_says(words) == source.row["charged_minor"] == source.row["posted_minor"]
    for before, after in zip(source.said, source.said[1:], strict=False):
        assert (
            isinstance(after, EncounterCharged)
            or after.posting != before.posting
            or (isinstance(after, ChargesRevised) and after.previous_total == before.total)
        )


def test_two_credits_of_one_message_are_two_and_one_said_again_is_one() -> None:
    source = Source()
    source.tell(charge())
    source.tell(*(replace(credit(amount="10.00", hour=1), place=f"FT1[{number}]", credit_id=None) for number in (1, 2)))
    assert source.billed() == {1: "80.00"}
    one = derive("test-credit", "one")
    for hour in (2, 3):
        source.tell(replace(credit(amount="40.00", hour=hour), credit_id=one))
    assert source.billed() == {1: "40.00"}
