"""Payers' overpayments book what the accountant says, to the account, the party and the cent, in every order."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest
from canonical.events.payments import PayerOverpaymentMoved
from canonical.ids import derive

from .examples import money
from .world import World


def overpaid(step: str, amount: str = "80.00") -> PayerOverpaymentMoved:
    return PayerOverpaymentMoved(
        overpayment_id=derive("test-overpayment", 1),
        move_id=derive("test-overpayment", 1, step),
        step=step,
        entity="NORTH",
        payer="ACME",
        amount=money(amount),
        effective_date=date(2026, 3, 22),
    )


STORIES = {
    "owed back": ((overpaid("identified"),), {"NORTH ar-payer ACME": 8000, "NORTH refunds-payable-payer": -8000}),
    "returned by check": (
        (overpaid("identified"), overpaid("returned")),
        {"NORTH ar-payer ACME": 8000, "NORTH cash": -8000},
    ),
    "recouped in part": (
        (overpaid("identified"), overpaid("recouped", "30.00")),
        {"NORTH ar-payer ACME": 8000, "NORTH refunds-payable-payer": -5000, "NORTH due-to-payer": -3000},
    ),
    "none after all": ((overpaid("identified"), overpaid("withdrawn")), {}),
}


@pytest.mark.parametrize("name", STORIES)
def test_each_story_ends_with_its_balances_in_whatever_order_it_comes(name: str) -> None:
    facts, balances = STORIES[name]
    for order in permutations(facts):
        world = World()
        world.deliver(*order, *order)
        assert (world.balances(), world.cases()) == (balances, [])


def test_a_step_that_no_rule_covers_waits_for_a_person() -> None:
    world = World()
    world.deliver(overpaid("forgotten"))
    assert (world.balances(), world.cases()) == ({}, ["UnknownStep"])
