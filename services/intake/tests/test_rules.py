"""The rules of charges, diagnoses and billing, as tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from canonical.codes import PayerClass
from canonical.money import Money
from intake.domain.billing_rules import billing_terms
from intake.domain.charge_rules import (
    CHARGES_PER_MESSAGE_MAX,
    CREDITS_PER_MESSAGE_MAX,
    MERGES_PER_MESSAGE_MAX,
    broken_rules,
)
from intake.domain.clinical import pointers_to
from intake.domain.encounter_content import BillingTerms
from intake.domain.facts import (
    AdjustmentSeen,
    ChargeSeen,
    ChargeVoided,
    Fact,
    Link,
    PatientPaymentSeen,
    PatientsMerged,
    PatientsUnmerged,
)
from sandbox.world.known_world import sandbox_master_data

from .world import TODAY, captured, charge_id, facts

CHARGE = ChargeSeen(
    "FT1[1]",
    charge_id(1),
    Link(id=charge_id(0)),
    "99213",
    ("25",),
    Decimal(1),
    Money.of("10.00"),
    TODAY,
    "FAMMED",
    Link(code="PRV01"),
    ("J06.9",),
)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"units": Decimal(0)}, "units-above-zero"),
        ({"units": Decimal(-1)}, "units-above-zero"),
        ({"units": Decimal("NaN")}, "units-above-zero"),
        ({"amount": Money(-1)}, "amount-not-negative"),
        ({"amount": Money(1, "EUR")}, "currency"),
        ({"service_date": TODAY + timedelta(days=1)}, "date-in-future"),
        ({"service_date": date(1999, 1, 1)}, "date-too-old"),
        ({"procedure_code": "992"}, "procedure-code"),
        ({"modifiers": ("25", "59", "TC", "26", "LT")}, "modifiers"),
        ({"diagnosis_codes": ("J069",)}, "diagnosis-code"),
        ({"diagnosis_codes": tuple(f"{letter}10.1" for letter in "ABCDEFGHIJKLM")}, "too-many-diagnoses"),
    ],
)
def test_a_charge_that_breaks_a_rule_is_named_by_place_and_rule(changes: dict[str, Any], rule: str) -> None:
    findings = broken_rules([replace(CHARGE, **changes)], TODAY)
    assert [finding.rule for finding in findings] == [rule]
    assert findings[0].field.startswith("FT1[1].")


PAYMENT = PatientPaymentSeen(
    "FT1[1]", charge_id(2), Link(id=charge_id(0)), Link(id=charge_id(0)), Money.of("20.00"), "CASH", TODAY
)
CREDIT = ChargeVoided("FT1[1]", charge_id(1), Link(id=charge_id(0)), Money.of("5.00"))
ADJUSTMENT = AdjustmentSeen("FT1[1]", charge_id(3), Link(id=charge_id(0)), Money.of("-5.00"), "SMALL-BALANCE", TODAY)


@pytest.mark.parametrize(
    ("fact", "rule"),
    [
        (replace(PAYMENT, amount=Money(0)), "amount-above-zero"),
        (replace(PAYMENT, amount=Money(-1)), "amount-not-negative"),
        (replace(PAYMENT, day=TODAY + timedelta(days=1)), "date-in-future"),
        (replace(PAYMENT, day=date(1999, 1, 1)), "date-too-old"),
        (replace(PAYMENT, method="4111 1111 1111 1111"), "source-code"),
        (replace(CREDIT, amount=Money(0)), "amount-above-zero"),
        (replace(ADJUSTMENT, amount=Money(-500, "EUR")), "currency"),
        (replace(ADJUSTMENT, day=TODAY + timedelta(days=1)), "date-in-future"),
        (replace(ADJUSTMENT, code="for Ms Sample, who moved"), "source-code"),
    ],
)
def test_what_a_source_says_of_money_keeps_rules_of_its_own(fact: Fact, rule: str) -> None:
    assert [finding.rule for finding in broken_rules([fact], TODAY)] == [rule]


def test_sound_words_on_money_break_no_rule() -> None:
    assert broken_rules([PAYMENT, CREDIT, replace(CREDIT, amount=None), ADJUSTMENT], TODAY) == []


def test_a_sound_charge_breaks_no_rule() -> None:
    assert broken_rules([CHARGE, replace(CHARGE, charge_id=charge_id(2), amount=Money(0))], TODAY) == []


def test_one_charge_id_twice_in_a_message_is_refused() -> None:
    assert [finding.rule for finding in broken_rules([CHARGE, CHARGE], TODAY)] == ["charge-id-repeated"]


def test_a_message_has_a_bounded_number_of_charges() -> None:
    many = [replace(CHARGE, charge_id=charge_id(number)) for number in range(CHARGES_PER_MESSAGE_MAX + 1)]
    assert [finding.rule for finding in broken_rules(many, TODAY)] == ["too-many-charges"]


MERGE = PatientsMerged("MRG", Link(id=charge_id(0)), Link(id=charge_id(1)))
UNMERGE = PatientsUnmerged("PID", Link(id=charge_id(0)), Link(id=charge_id(1)))


@pytest.mark.parametrize(
    ("facts_told", "most", "rule"),
    [
        ([CREDIT], CREDITS_PER_MESSAGE_MAX, "too-many-credits"),
        ([MERGE, UNMERGE], MERGES_PER_MESSAGE_MAX // 2, "too-many-merges"),
    ],
)
def test_a_message_has_a_bounded_number_of_credits_and_merges(facts_told: list[Fact], most: int, rule: str) -> None:
    assert broken_rules(facts_told * most, TODAY) == []
    (finding,) = broken_rules(facts_told * (most + 1), TODAY)
    assert (finding.rule, finding.field) == (rule, rule.removeprefix("too-many-"))


def test_a_charge_points_to_its_diagnoses_by_number() -> None:
    codes = ("A00.1", "B00.1", "C00.1")
    assert pointers_to(codes, ("C00.1", "A00.1")) == (3, 1)
    assert pointers_to(codes, ()) == (1,)


def test_source_codes_become_ours() -> None:
    terms = billing_terms(facts(), "ACME", [captured()], 1, sandbox_master_data())
    assert isinstance(terms, BillingTerms)
    assert (terms.payer, terms.payer_class, terms.place_of_service) == ("ACME", PayerClass.COMMERCIAL, "11")
    assert terms.departments == {"FAMMED": "N-FM"}


def test_self_pay_needs_no_payer() -> None:
    terms = billing_terms(facts(), "", [captured()], 1, sandbox_master_data())
    assert isinstance(terms, BillingTerms)
    assert (terms.payer, terms.payer_class) == ("", PayerClass.SELF_PAY)


@pytest.mark.parametrize(
    ("changes", "payer", "charge", "rule"),
    [
        ({}, "NOSUCHPAYER", {}, "unknown-payer"),
        ({}, None, {}, "payer-not-stated"),
        ({"entity": "WEST", "location": ""}, "ACME", {"department": ""}, "unknown-entity"),
        ({"location": "MOON"}, "ACME", {}, "unknown-location"),
        ({"location": "S-ER"}, "ACME", {}, "location-of-another-entity"),
        ({}, "ACME", {"department": "N-FM"}, "unknown-department"),
        ({}, "ACME", {"performer": "PRV99"}, "unknown-provider"),
        ({"rendering_provider": ""}, "ACME", {"performer": ""}, "unknown-provider"),
    ],
)
def test_what_master_data_does_not_know_holds_the_encounter(
    changes: dict[str, Any], payer: str | None, charge: dict[str, Any], rule: str
) -> None:
    reasons = billing_terms(facts(**changes), payer, [captured(**charge)], 1, sandbox_master_data())
    assert isinstance(reasons, tuple)
    assert [reason.rule for reason in reasons] == [rule]


def test_every_reason_is_named_at_once() -> None:
    reasons = billing_terms(facts(location="MOON"), "X", [captured(performer="PRV99")], 13, sandbox_master_data())
    assert isinstance(reasons, tuple)
    assert [reason.field for reason in reasons] == ["payer", "rendering-provider", "location", "diagnoses"]


def test_several_rendering_providers_hold_the_encounter() -> None:
    charges = [captured(1, "PRV01"), captured(2, "PRV02")]
    reasons = billing_terms(facts(), "ACME", charges, 1, sandbox_master_data())
    assert isinstance(reasons, tuple)
    assert [reason.rule for reason in reasons] == ["several-providers"]


def test_master_data_is_asked_for_the_day_of_service() -> None:
    known = sandbox_master_data()
    retired = known.payers[0].model_copy(update={"valid_until": date(2026, 1, 31)})
    data = known.model_copy(update={"payers": (retired, *known.payers[1:])})
    late = billing_terms(facts(), "ACME", [captured()], 1, data)
    early = billing_terms(facts(), "ACME", [captured(service_date=date(2026, 1, 31))], 1, data)
    assert (type(late), type(early)) == (tuple, BillingTerms)
