"""Credits are bounded: those of one charge, and those of charges that have not come."""

from __future__ import annotations

from dataclasses import replace

from canonical.ids import derive
from intake.domain.charge_rules import CREDITS_PER_CHARGE_MAX, CREDITS_WITHOUT_CHARGE_MAX
from intake.domain.facts import ChargeVoided

from .test_revisions import ENCOUNTER, Source, charge, credit


def cents(number: int) -> ChargeVoided:
    return replace(credit(amount="0.01"), credit_id=derive("test-credit", number))


def test_one_charge_is_credited_a_bounded_number_of_times() -> None:
    source = Source()
    source.tell(charge())
    assert source.tell(*(cents(number) for number in range(CREDITS_PER_CHARGE_MAX))).accepted
    outcome = source.tell(cents(CREDITS_PER_CHARGE_MAX))
    assert (outcome.accepted, outcome.findings[0].split(": ")[:2]) == (False, ["credit", "too-many-credits"])
    assert source.tell(cents(0)).accepted
    assert source.billed() == {1: "99.00"}


def test_a_bounded_number_of_credits_waits_for_charges_that_have_not_come() -> None:
    source = Source()
    assert source.tell(*(credit(number) for number in range(CREDITS_WITHOUT_CHARGE_MAX))).accepted
    before = len(source.service.store.story(ENCOUNTER))
    outcome = source.tell(credit(CREDITS_WITHOUT_CHARGE_MAX))
    assert (outcome.accepted, outcome.rule) == (False, "credits-without-charge")
    assert len(source.service.store.story(ENCOUNTER)) == before
    assert source.tell(charge(0)).accepted
    assert source.tell(credit(CREDITS_WITHOUT_CHARGE_MAX)).accepted
