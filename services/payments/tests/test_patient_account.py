"""A patient's balance is what was left to them minus what was applied, in whatever order it comes."""

from itertools import permutations

import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import ContextSource
from chassis.testing.contexts import context
from chassis.testing.given import given, happened
from hypothesis import given as for_all
from hypothesis import strategies as st
from payments.domain.account_refusals import ResponsibilityChanged
from payments.domain.patient_account import PatientAccount

from .examples import CLAIM, DAY, ENCOUNTER, PATIENT


def account() -> PatientAccount:
    return PatientAccount(derive("a", 1), ContextSource(context()))


def assign(target: PatientAccount, source: int, minor: int) -> None:
    target.assign(
        entity="NORTH",
        patient_id=PATIENT,
        source_id=derive("s", source),
        claim_id=CLAIM,
        encounter_id=ENCOUNTER,
        amount=Money(minor),
        on=DAY,
    )


def pay(target: PatientAccount, payment: int, minor: int) -> None:
    target.receive(entity="NORTH", patient_id=PATIENT, payment_id=derive("p", payment), amount=Money(minor), on=DAY)


def test_a_payment_above_the_balance_stays_visible_as_unapplied() -> None:
    target = account()
    assign(target, 1, 2000)
    pay(target, 1, 2500)
    assert (target.balance, target.unapplied_total) == (Money(0), Money(500))


def test_waiting_cash_pays_what_comes_later() -> None:
    target = account()
    pay(target, 1, 2500)
    assign(target, 1, 2000)
    assert (target.balance, target.unapplied_total) == (Money(0), Money(500))


def test_the_same_adjudication_with_another_amount_is_a_break() -> None:
    assigned = happened(
        PatientAccount.ResponsibilityAssigned,
        entity="NORTH",
        patient_id=PATIENT,
        source_id=derive("s", 1),
        claim_id=CLAIM,
        encounter_id=ENCOUNTER,
        amount=Money(2000),
        effective_date=DAY,
    )
    given(PatientAccount, [assigned]).when(lambda a: assign(a, 1, 2001)).then_refused(ResponsibilityChanged)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_order_of_bills_and_payments_does_not_matter(order: tuple[int, ...]) -> None:
    target = account()
    steps = [
        lambda: assign(target, 1, 1500),
        lambda: assign(target, 2, 700),
        lambda: pay(target, 1, 1000),
        lambda: pay(target, 2, 1500),
    ]
    for index in order:
        steps[index]()
    assert (target.balance, target.unapplied_total, target.applied) == (Money(0), Money(300), Money(2200))


@for_all(st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.integers(1, 5000)), max_size=25))
def test_no_cent_of_a_payment_is_lost(steps: list[tuple[bool, int, int]]) -> None:
    target = account()
    bills: dict[int, int] = {}
    payments: dict[int, int] = {}
    for is_bill, number, minor in steps:
        if is_bill:
            assign(target, number, bills.setdefault(number, minor))
        else:
            pay(target, number, payments.setdefault(number, minor))
    owed, paid = sum(bills.values()), sum(payments.values())
    assert target.applied + target.unapplied_total == Money(paid)
    assert target.balance == Money(max(0, owed - paid))


def test_a_reversal_of_what_was_paid_leaves_the_cash_unapplied() -> None:
    target = account()
    assign(target, 1, 2000)
    pay(target, 1, 2000)
    assign(target, 2, -2000)
    assert (target.balance, target.applied, target.unapplied_total) == (Money(0), Money(0), Money(2000))


def test_cash_is_never_applied_to_a_credit_balance() -> None:
    target = account()
    assign(target, 1, -2000)
    pay(target, 1, 500)
    assign(target, 2, 1500)
    assert (target.balance, target.applied, target.unapplied_total) == (Money(-500), Money(0), Money(500))
    assign(target, 3, 700)
    assert (target.balance, target.applied, target.unapplied_total) == (Money(0), Money(200), Money(300))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_reversal_and_correction_end_at_what_the_correction_leaves(order: tuple[int, ...]) -> None:
    target = account()
    for index in order:
        assign(target, index, (2000, -2000, 500)[index])
    assert target.balance == Money(500)


@for_all(st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(1, 5000)), max_size=25))
def test_with_reversals_the_balance_less_waiting_cash_is_what_is_owed_less_what_was_paid(
    steps: list[tuple[bool, int, int]],
) -> None:
    target = account()
    bills: dict[int, int] = {}
    payments: dict[int, int] = {}
    for is_bill, number, minor in steps:
        if is_bill:
            assign(target, number, bills.setdefault(number, -minor if number % 2 else minor))
        else:
            pay(target, number, payments.setdefault(number, minor))
        assert not (target.balance > Money(0) and target.unapplied_total)
    owed, paid = sum(bills.values()), sum(payments.values())
    assert target.applied + target.unapplied_total == Money(paid)
    assert target.balance - target.unapplied_total == Money(owed - paid)
