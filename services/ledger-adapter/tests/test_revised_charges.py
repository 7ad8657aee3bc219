"""J02: what was corrected or voided is booked back to the cent, and what holds now is booked instead."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest
from canonical.codes import PayerClass
from canonical.envelope import PublicEvent
from canonical.master_data import MasterData
from ledger_adapter.application.queries import LINES, POSTINGS
from ledger_adapter.domain import fact_lines as lines_of

from .examples import MASTER, adjudicated, charged, negated, patient_paid
from .revision_examples import REVISED_ON, claim_revised, revised
from .world import World

FIRST = charged(1, ("100.00",))
CORRECTED = revised(FIRST, ("60.00",))
VOIDED = revised(CORRECTED, (), 2)
SAME = revised(FIRST, ("100.00",))
VOIDED_LAST = revised(CORRECTED, (), 3)


@pytest.fixture
def world() -> World:
    return World()


def test_a_corrected_charge_is_mirrored_and_booked_again(world: World) -> None:
    world.deliver(FIRST, CORRECTED)
    assert world.balances() == {
        "NORTH ar-payer ACME": 6000,
        "NORTH gross-revenue": -6000,
        "NORTH contractual-allowance": 1800,
        "NORTH ar-allowance": -1800,
    }


def test_a_voided_posting_leaves_nothing(world: World) -> None:
    world.deliver(FIRST, CORRECTED, VOIDED)
    world.settle()
    assert world.balances() == {}
    assert world.at_the_erp() == {}
    assert world.cases() == []


def test_the_mirror_is_dated_on_the_day_of_the_revision_and_names_its_rule(world: World) -> None:
    world.deliver(FIRST, VOIDED.model_copy(update={"revision": 1, "previous_total": FIRST.total}))
    days = {(row["effective_date"], row["batch"]) for row in world.rows(POSTINGS)}
    assert days == {(FIRST.service_to, 0), (REVISED_ON, 0)}
    assert {str(row["rules"]) for row in world.rows(LINES, effective_date=REVISED_ON)} == {"J02"}


def test_a_correction_to_another_department_moves_the_revenue(world: World) -> None:
    world.deliver(FIRST, revised(FIRST, ("100.00",), departments=("N-LAB",)))
    booked = {(str(row["department"]), row["amount_minor"]) for row in world.rows(LINES, account="gross-revenue")}
    assert booked >= {("N-FM", -10000)}
    assert world.balances()["NORTH gross-revenue"] == -10000


def test_a_revision_that_changes_no_amount_books_nothing(world: World) -> None:
    world.deliver(FIRST)
    world.settle()
    before = world.at_the_erp()
    world.deliver(SAME)
    world.settle()
    assert (world.rows(LINES, effective_date=REVISED_ON), world.at_the_erp()) == ([], before)
    assert {row["batch"] for row in world.rows(POSTINGS)} == {1}
    assert world.cases() == []


@pytest.mark.parametrize("order", list(permutations((FIRST, SAME, revised(SAME, ("60.00",), 2), VOIDED_LAST))))
def test_what_stands_after_it_is_what_the_next_revision_mirrors(world: World, order: tuple[PublicEvent, ...]) -> None:
    world.deliver(*order)
    world.settle()
    assert (world.balances(), world.at_the_erp()) == ({}, {})


def test_the_first_decision_after_it_releases_the_whole_estimate(world: World) -> None:
    decision = adjudicated(1).model_copy(update={"charges_revision": 1})
    world.deliver(FIRST, SAME, decision)
    world.settle()
    assert world.balances().get("NORTH ar-allowance", 0) == 0


@pytest.mark.parametrize("order", list(permutations((FIRST, CORRECTED, VOIDED))))
def test_revisions_end_the_same_in_whatever_order_they_come(world: World, order: tuple[PublicEvent, ...]) -> None:
    world.deliver(*order)
    assert world.balances() == {}


@pytest.mark.parametrize("order", list(permutations((FIRST, CORRECTED, adjudicated(1), claim_revised(decided=True)))))
def test_a_revision_after_the_first_decision_leaves_no_estimate(world: World, order: tuple[PublicEvent, ...]) -> None:
    world.deliver(*order)
    world.settle()
    assert world.balances() == {
        "NORTH eft-clearing": 6000,
        "NORTH ar-payer ACME": 6000 - 10000,
        "NORTH ar-patient PATIENTS-NORTH": 1000,
        "NORTH contractual-allowance": 3000,
        "NORTH gross-revenue": -6000,
    }


def test_a_decision_on_the_revised_claim_releases_the_estimate_of_the_revision(world: World) -> None:
    decision = adjudicated(1, "60.00", "42.00", (("CO", "45", "18.00"),)).model_copy(update={"charges_revision": 1})
    world.deliver(FIRST, decision, claim_revised(decided=False), CORRECTED)
    assert world.balances() == {
        "NORTH eft-clearing": 4200,
        "NORTH contractual-allowance": 1800,
        "NORTH gross-revenue": -6000,
    }


def test_a_replacement_that_the_payer_answers_ends_with_nothing_open(world: World) -> None:
    old = adjudicated(1, "100.00", "70.00", (("CO", "45", "30.00"),))
    new = adjudicated(1, "60.00", "42.00", (("CO", "45", "18.00"),), first=False, position=2)
    replaced = new.model_copy(update={"charges_revision": 1, "kind": "correction"})
    world.deliver(FIRST, old, CORRECTED, claim_revised(decided=True), negated(old, position=1), replaced)
    assert world.balances() == {
        "NORTH eft-clearing": 4200,
        "NORTH contractual-allowance": 1800,
        "NORTH gross-revenue": -6000,
    }


def test_a_revision_of_something_else_than_was_booked_is_a_persons(world: World) -> None:
    world.deliver(FIRST, CORRECTED.model_copy(update={"previous_total": CORRECTED.total}))
    assert world.cases() == ["FactDoesNotAddUp"]


def by_class(world: World, account: str = "gross-revenue") -> dict[str, int]:
    """What an account holds by payer class, in cents."""
    sums: dict[str, int] = {}
    for row in world.rows(LINES, account=account):
        payer_class, amount = str(row["payer_class"]), row["amount_minor"]
        assert isinstance(amount, int)
        sums[payer_class] = sums.get(payer_class, 0) + amount
    return {payer_class: amount for payer_class, amount in sums.items() if amount}


@pytest.mark.parametrize("amount", ["60.00", "100.00"])
def test_a_revision_takes_the_revenue_from_the_payer_class_that_it_was_booked_under(world: World, amount: str) -> None:
    world.deliver(FIRST, revised(FIRST, (amount,)).model_copy(update={"payer_class": PayerClass.MEDICARE}))
    assert by_class(world) == {"medicare": -int(amount.replace(".", ""))}


def test_a_revision_mirrors_the_class_of_what_an_empty_revision_before_it_left_standing(world: World) -> None:
    last = revised(SAME, ("60.00",), 2).model_copy(update={"payer_class": PayerClass.MEDICARE})
    world.deliver(FIRST, SAME, last)
    assert by_class(world) == {"medicare": -6000}


def test_a_reversal_takes_a_decision_back_from_the_payer_class_that_it_was_booked_under(world: World) -> None:
    decision = adjudicated(1)
    back = negated(decision, position=1).model_copy(update={"payer_class": PayerClass.MEDICARE})
    world.deliver(FIRST, decision, back)
    assert (by_class(world, "eft-clearing"), by_class(world, "ar-patient")) == ({}, {})


def test_a_self_pay_revision_moves_what_the_patient_owes(world: World) -> None:
    first = charged(1, ("80.00",), payer="")
    world.deliver(first, revised(first, ("50.00",)))
    assert world.balances() == {"NORTH ar-patient PATIENTS-NORTH": 5000, "NORTH gross-revenue": -5000}


def test_charges_of_a_closed_period_are_booked_on_the_first_open_day() -> None:
    opened = date(2026, 4, 1)
    entity = {
        "code": "NORTH",
        "name": "North",
        "npi": "1999999984",
        "tax_id": "999999999",
        "address": {"line": "1 Road", "city": "Town", "state": "NY", "postal_code": "10001"},
        "submitter_id": "N",
        "bank_account": "1",
        "books_open_from": opened.isoformat(),
    }
    master = MasterData.model_validate({**MASTER.model_dump(mode="json"), "entities": [entity]})
    world = World(master=master)
    world.deliver(FIRST, CORRECTED)
    assert {row["effective_date"] for row in world.rows(POSTINGS)} == {opened}


def test_money_of_the_front_desk_waits_on_an_account_of_its_own() -> None:
    paid = patient_paid("10.00", "2.50").model_copy(update={"channel": "front-desk"})
    lines = lines_of.lines_for_patient_payment(paid)
    assert [(line.rule, line.account.value, str(line.amount)) for line in lines] == [
        ("J15", "front-desk-clearing", "10.00 USD"),
        ("J15", "ar-patient", "-10.00 USD"),
        ("J15", "front-desk-clearing", "2.50 USD"),
        ("J15", "unapplied-patient", "-2.50 USD"),
    ]
