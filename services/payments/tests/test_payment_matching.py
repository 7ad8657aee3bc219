"""Payments find their account by rules in order, also when what they name comes after them; nothing is guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import transact
from chassis.exceptions import CASES
from payments.application.balances import entity_balances
from payments.application.gateway_taking import take_gateway_fact
from payments.application.patient_rows import ACCOUNTS, PAYMENTS
from payments.application.payment_matching import candidates_of
from payments.application.sweeps import context_for
from payments.application.use_cases import match_payment
from payments.domain.gateway_facts import GatewayFact, PaymentArrived, RefundReported
from payments.domain.patient_account import account_id_of
from payments.domain.payment import payment_id_of
from payments.domain.payment_matching import RULES, Candidate, Clue, Trail, candidates, certain
from payments.domain.refunds import ToldState

from .examples import DAY, ENCOUNTER, PATIENT
from .world import World, adjudication

ACCOUNT = account_id_of("NORTH", PATIENT)
OTHER = derive("test-patient", 2)
PAYMENT = payment_id_of("pi_1")
NOBODYS = PaymentArrived("pi_1", Money(2500), DAY, "NORTH", None)
NAMED = {
    "account": replace(NOBODYS, account_id=ACCOUNT),
    "patient": replace(NOBODYS, patient_id=PATIENT),
    "visit": replace(NOBODYS, encounter_id=ENCOUNTER),
}
REFUND = RefundReported("re_1", "pi_1", None, ToldState.SUCCEEDED, Money(1000), DAY + timedelta(days=1))


def tell(world: World, fact: GatewayFact) -> None:
    transact(
        world.store,
        context_for(PAYMENT, world.clock()),
        lambda work: take_gateway_fact(work, fact, derive("m", 1), "NORTH"),
    )


def ends(world: World) -> object:
    world.sweep()
    sums = entity_balances(world.store, "NORTH")[1]["NORTH"]
    owner = [(row["account_id"], row["taken_back_minor"]) for row in world.rows(PAYMENTS)]
    return sums, world.state(ACCOUNTS), owner, world.open_cases()


@pytest.mark.parametrize("named", NAMED)
def test_a_payment_finds_what_it_names_in_whatever_order_they_come(named: str) -> None:
    plain = World()
    plain.deliver(adjudication(2500))
    for fact in (NAMED[named], REFUND):
        tell(plain, fact)
    expected = ends(plain)
    assert plain.rows(PAYMENTS)[0]["account_id"] == ACCOUNT
    assert plain.open_cases() == []
    for order in permutations(range(3)):
        for sweeps_between in (False, True):
            world = World()
            for place in order:
                if place == 2:
                    world.deliver(adjudication(2500))
                else:
                    tell(world, (NAMED[named], REFUND)[place])
                if sweeps_between:
                    world.sweep()
            assert ends(world) == expected


@pytest.mark.parametrize("named", ["account", "patient"])
def test_a_payment_finds_an_account_that_owes_nothing_in_whatever_order_they_come(named: str) -> None:
    left_to_the_next_payer = adjudication(2500, next_payer="MEDICARE")
    plain = World()
    plain.deliver(left_to_the_next_payer)
    tell(plain, NAMED[named])
    late = World()
    tell(late, NAMED[named])
    late.deliver(left_to_the_next_payer)
    assert ends(late) == ends(plain)
    assert [row["account_id"] for row in late.rows(PAYMENTS)] == [ACCOUNT]


def test_a_payment_that_names_nothing_known_waits_as_a_case() -> None:
    world = World()
    tell(world, NAMED["account"])
    world.sweep()
    assert world.open_cases() == ["UnmatchedPayment"]
    assert "matched by itself" in str(world.rows(CASES)[0]["summary"])


def test_the_case_says_by_which_rule_it_ended() -> None:
    world = World()
    tell(world, NAMED["visit"])
    world.deliver(adjudication(2500))
    world.sweep()
    (case,) = world.rows(CASES)
    assert (case["state"], case["reason"]) == (
        "corrected",
        f"matched to account {ACCOUNT}: the payer's form named a visit that this account owes",
    )


def test_a_visit_and_a_patient_that_contradict_each_other_are_not_guessed() -> None:
    world = World()
    tell(world, replace(NOBODYS, encounter_id=ENCOUNTER, patient_id=OTHER))
    world.deliver(adjudication(2500), adjudication(700, 1, patient_id=OTHER, encounter_id=derive("e", 2)))
    world.sweep()
    assert world.open_cases() == ["UnmatchedPayment"]
    found = candidates_of(world.store, world.rows(PAYMENTS)[0])
    assert [(each.account_id, each.score) for each in found] == [(ACCOUNT, 90), (account_id_of("NORTH", OTHER), 80)]


def test_an_account_of_another_entity_is_never_matched_by_itself() -> None:
    world = World()
    south = account_id_of("SOUTH", PATIENT)
    tell(world, replace(NOBODYS, account_id=south))
    world.deliver(adjudication(2500, entity="SOUTH"))
    world.sweep()
    assert world.rows(PAYMENTS)[0]["account_id"] is None
    assert [each.account_id for each in candidates_of(world.store, world.rows(PAYMENTS)[0])] == [south]


def test_accounts_that_owe_the_amount_are_shown_and_not_taken() -> None:
    world = World()
    tell(world, NOBODYS)
    second = derive("test-claim", 2)
    world.deliver(adjudication(2500), adjudication(2500, 1, patient_id=OTHER))
    world.deliver(adjudication(900, 2, patient_id=OTHER, claim_id=second))
    world.sweep()
    assert world.open_cases() == ["UnmatchedPayment"]
    found = candidates_of(world.store, world.rows(PAYMENTS)[0])
    assert [(each.account_id, each.score) for each in found] == [(ACCOUNT, 50), (account_id_of("NORTH", OTHER), 40)]
    assert found[0].reasons == ("it owes exactly this amount", "one of its shares is exactly this amount")


def test_a_person_may_still_say_whose_it_is() -> None:
    world = World()
    tell(world, replace(NOBODYS, account_id=derive("nobody", 1)))
    world.deliver(adjudication(2500))
    transact(world.store, context_for(PAYMENT, world.clock()), lambda work: match_payment(work, PAYMENT, ACCOUNT, DAY))
    world.sweep()
    assert world.open_cases() == []
    assert world.rows(PAYMENTS)[0]["account_id"] == ACCOUNT


ONE, TWO = derive("account", 1), derive("account", 2)


def found(*trails: tuple[Clue, UUID]) -> list[Candidate]:
    return candidates(Trail(clue, account, "NORTH") for clue, account in trails)


@pytest.mark.parametrize(
    ("trails", "entity", "expected"),
    [
        ((), "NORTH", None),
        (((Clue.ACCOUNT_NAMED, ONE),), "NORTH", ONE),
        (((Clue.ACCOUNT_NAMED, ONE),), "SOUTH", None),
        (((Clue.ACCOUNT_NAMED, ONE), (Clue.PATIENT_NAMED, ONE)), "NORTH", ONE),
        (((Clue.ACCOUNT_NAMED, ONE), (Clue.PATIENT_NAMED, TWO)), "NORTH", None),
        (((Clue.VISIT_NAMED, ONE), (Clue.VISIT_NAMED, TWO)), "NORTH", None),
        (((Clue.VISIT_NAMED, ONE), (Clue.OWES_THE_AMOUNT, TWO)), "NORTH", ONE),
        (((Clue.OWES_THE_AMOUNT, ONE),), "NORTH", None),
    ],
)
def test_only_one_account_of_the_entity_that_is_named_is_certain(
    trails: tuple[tuple[Clue, UUID], ...], entity: str, expected: UUID | None
) -> None:
    sure = certain(found(*trails), entity)
    assert (sure.account_id if sure else None) == expected


def test_the_rules_stand_in_the_order_of_their_scores_and_each_clue_has_one() -> None:
    scores = [rule.score for rule in RULES]
    assert scores == sorted(scores, reverse=True)
    assert [rule.clue for rule in RULES] == list(Clue)
