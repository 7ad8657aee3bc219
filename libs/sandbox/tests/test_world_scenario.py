"""The scenario: deterministic, clean but for what it plants, and its totals are those of its encounters."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from canonical.codes import ClaimType
from canonical.master_data import MasterData
from canonical.money import Money
from hypothesis import given
from hypothesis import strategies as st
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.scenario import Flaw, Scenario, Wire, charges_by_entity_and_payer

TODAY = date(2026, 11, 20)
DEMO = Scenario.demo(TODAY)


def luhn_holds(npi: str) -> bool:
    digits = [int(digit) for digit in "80840" + npi]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return (doubled + sum(digits[-1::-2])) % 10 == 0


def test_every_npi_of_the_master_data_passes_the_luhn_check() -> None:
    data = sandbox_master_data()
    numbers = [entity.npi for entity in data.entities] + [provider.npi for provider in data.providers]
    assert len(set(numbers)) == len(numbers) == 8
    assert [number for number in numbers if not luhn_holds(number)] == []


def test_payers_have_distinct_identifiers_that_fit_a_trace_segment() -> None:
    identifiers = {payer.x12_identifier for payer in sandbox_master_data().payers}
    assert len(identifiers) == 4
    assert {len(identifier) for identifier in identifiers} == {9}
    assert [payer.expected_contractual_percent for payer in sandbox_master_data().payers] == [30, 35, 45, 55]


def test_the_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    assert Scenario.tell(5, 30, TODAY) == Scenario.tell(5, 30, TODAY)
    assert Scenario.tell(5, 30, TODAY).encounters != Scenario.tell(6, 30, TODAY).encounters


def test_a_longer_story_begins_with_the_shorter_one() -> None:
    assert Scenario.tell(5, 30, TODAY).encounters[:10] == Scenario.tell(5, 10, TODAY).encounters


def test_the_demo_has_both_entities_four_payers_both_formats_and_self_pay() -> None:
    groups = DEMO.charges_by_entity_and_payer()
    assert set(groups) == {
        (entity, payer) for entity in ("NORTH", "SOUTH") for payer in ("", "ACME", "BLUEOAK", "MEDICARE", "MEDICAID")
    }
    fhir_count = sum(encounter.wire is Wire.FHIR for encounter in DEMO.encounters)
    assert len(DEMO.encounters) >= 300
    assert 0.5 < fhir_count / len(DEMO.encounters) < 0.7


def test_the_demo_plants_both_flaws_and_everything_else_is_known_to_the_master_data() -> None:
    flaws = [encounter.flaw for encounter in DEMO.flawed]
    assert flaws.count(Flaw.MISSING_MEMBER_ID) == 5
    assert flaws.count(Flaw.UNKNOWN_PAYER) == 5
    for encounter in DEMO.billable:
        assert encounter.coverage is not None
        assert encounter.coverage.member_id
        assert sandbox_master_data().payer(encounter.coverage.payer, encounter.service_from)


@pytest.mark.parametrize("encounter", DEMO.encounters[:50], ids=lambda each: each.visit_number)
def test_an_encounter_refers_to_known_codes_of_its_own_entity(encounter) -> None:  # type: ignore[no-untyped-def]
    data: MasterData = sandbox_master_data()
    day = encounter.service_from
    assert data.location(encounter.location, day).entity == encounter.entity
    assert data.provider(encounter.provider, day)
    for charge in encounter.charges:
        assert data.department(charge.department, day).entity == encounter.entity
        assert data.translate(encounter.source, "department", charge.source_department, day) == charge.department


def test_service_dates_lie_in_the_sixty_days_before_today() -> None:
    days = {charge.service_date for encounter in DEMO.encounters for charge in encounter.charges}
    assert TODAY - timedelta(days=60) <= min(days)
    assert max(days) < TODAY


def test_transaction_ids_are_unique_and_amounts_are_unit_price_times_units() -> None:
    charges = [charge for encounter in DEMO.encounters for charge in encounter.charges]
    assert len({charge.transaction_id for charge in charges}) == len(charges)
    assert all(charge.amount.minor == charge.unit_amount.minor * charge.units for charge in charges)
    assert {len(encounter.charges) for encounter in DEMO.encounters} == {1, 2, 3, 4}


def test_one_record_number_is_always_the_same_person_with_the_same_payer() -> None:
    people = {encounter.patient.mrn: encounter.patient for encounter in DEMO.encounters}
    assert len(people) < len(DEMO.encounters)
    for encounter in DEMO.encounters:
        assert people[encounter.patient.mrn] == encounter.patient


@given(st.integers(0, 10_000), st.integers(1, 80))
def test_charges_by_entity_and_payer_add_up_to_all_encounters(seed: int, count: int) -> None:
    story = Scenario.tell(seed, count, TODAY)
    assert Money.total(charges_by_entity_and_payer(story.encounters).values()) == story.total


def test_the_small_story_has_ten_encounters_one_of_them_not_billable_for_its_flaw() -> None:
    story = Scenario.small(TODAY)
    assert len(story.encounters) == 10
    assert [encounter.flaw for encounter in story.flawed] == [Flaw.MISSING_MEMBER_ID]
    assert {encounter.wire for encounter in story.encounters} == {Wire.FHIR, Wire.HL7}
    assert {encounter.entity for encounter in story.encounters} == {"NORTH", "SOUTH"}


def test_the_demo_has_stays_in_hospital_and_visits_to_the_dentist_on_both_wires() -> None:
    stays = [each for each in DEMO.encounters if each.stay]
    assert len([each for each in stays if each.billable]) >= 5
    assert {each.wire for each in stays} == {Wire.FHIR, Wire.HL7}
    assert {each.claim_type for each in stays} == {ClaimType.INSTITUTIONAL}
    assert {each.charges[0].revenue_code for each in stays} == {"0120"}
    dental = [each for each in DEMO.encounters if each.claim_type is ClaimType.DENTAL]
    assert dental
    assert {each.entity for each in dental} == {"NORTH"}


def test_stays_change_no_other_encounter_of_the_story() -> None:
    without = Scenario.tell(5, 30, TODAY).encounters
    with_stays = Scenario.tell(5, 30, TODAY, has_stays=True).encounters
    changed = [one.ordinal for one, other in zip(without, with_stays, strict=True) if one != other]
    assert changed == [6, 8]


def test_some_patients_are_insured_twice_and_nobody_pays_after_medicaid() -> None:
    twice = [each for each in DEMO.billable if each.next_coverages]
    assert len(DEMO.billable) // 20 < len(twice) < len(DEMO.billable) // 3
    for encounter in twice:
        first, second = encounter.coverages
        assert first.payer not in (second.payer, "MEDICAID")
        assert DEMO.coverages_after[first.payer, first.member_id] == (second.payer, second.member_id)


def test_a_second_insurance_changes_nothing_else_of_the_story() -> None:
    with_one = Scenario.tell(5, 30, TODAY).encounters
    with_two = Scenario.tell(5, 30, TODAY, next_payer_percent=50).encounters
    assert with_one == tuple(replace(each, next_coverages=()) for each in with_two)
