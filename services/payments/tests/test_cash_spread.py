"""A patient's cash is spread by one rule, so the order in which anything came changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import ContextSource
from chassis.testing.contexts import context
from hypothesis import given
from hypothesis import strategies as st
from payments.domain.account_refusals import AllocationChanged, CashChanged, MoreThanOwed, MoreThanTheCash
from payments.domain.patient_account import PatientAccount, TakenBack, WriteOffKind

from .examples import DAY, ENCOUNTER, PATIENT

OLD, NEW = derive("test-claim", "old"), derive("test-claim", "new")
FIRST, SECOND = derive("test-payment", 1), derive("test-payment", 2)
Fact = Callable[[PatientAccount], object]


def account() -> PatientAccount:
    return PatientAccount(derive("a", 1), ContextSource(context()))


def owed(claim: int, amount: int, source: int = 0) -> Fact:
    """An amount left to the patient by one claim, of the day of its number."""
    identity = derive("test-claim", claim)
    return lambda target: target.assign(
        entity="NORTH",
        patient_id=PATIENT,
        source_id=derive("test-source", claim, source),
        claim_id=identity,
        encounter_id=ENCOUNTER,
        amount=Money(amount),
        on=DAY + timedelta(days=claim),
    )


def paid(number: int, amount: int, on: date = DAY) -> Fact:
    return lambda target: target.receive(
        entity="NORTH", patient_id=PATIENT, payment_id=derive("test-payment", number), amount=Money(amount), on=on
    )


def taken_back(number: int, amount: int, cause: int = 0) -> Fact:
    return lambda target: target.take_back(
        derive("test-payment", number),
        derive("test-refund", number, cause),
        reason=TakenBack.REFUND,
        amount=Money(amount),
        on=DAY,
    )


def set_aside(number: int, claim: int, amount: int) -> Fact:
    return lambda target: target.allocate(
        derive("test-allocation", number, claim),
        derive("test-payment", number),
        target=derive("test-claim", claim),
        amount=Money(amount),
        on=DAY,
    )


def after(*facts: Fact) -> PatientAccount:
    target = account()
    for fact in facts:
        fact(target)
    return target


def ends(target: PatientAccount) -> tuple[object, ...]:
    """All that a reader of the account sees."""
    return target.balance, target.applied, target.unapplied, sorted(map(str, target.parts))


@given(st.data())
def test_the_same_facts_in_any_order_end_the_same(data: st.DataObject) -> None:
    claims = data.draw(st.lists(st.tuples(st.integers(1, 4), st.integers(-3000, 5000)), max_size=6))
    payments = data.draw(st.lists(st.integers(1, 4000), max_size=4))
    facts = [owed(claim, amount, source) for source, (claim, amount) in enumerate(claims)]
    for number, amount in enumerate(payments):
        day = DAY + timedelta(days=data.draw(st.integers(0, 3)))
        back = data.draw(st.integers(0, amount))
        set_by = data.draw(st.integers(0, amount - back))
        steps = [paid(number, amount, day), taken_back(number, back), set_aside(number, 2, set_by)]
        facts.append(lambda target, steps=steps: [step(target) for step in steps])  # type: ignore[misc]
    shuffled = data.draw(st.permutations(facts))
    target = after(*shuffled)
    assert ends(target) == ends(after(*facts))
    assert target.applied == Money.total(part.amount for part in target.parts)
    assert all(amount >= Money(0) for amount in target.unapplied.values())


def test_the_oldest_payment_pays_the_oldest_claim() -> None:
    target = after(owed(2, 500), paid(2, 700, DAY + timedelta(days=5)), owed(1, 400), paid(1, 300))
    assert [(part.payment_id, part.place, part.amount) for part in target.parts] == [
        (FIRST, derive("test-claim", 1), Money(300)),
        (SECOND, derive("test-claim", 1), Money(100)),
        (SECOND, derive("test-claim", 2), Money(500)),
    ]
    assert target.unapplied == {SECOND: Money(100)}


def test_what_one_claim_has_too_little_pays_another() -> None:
    target = after(owed(1, 1000), owed(2, 800), owed(1, -1300, 1))
    assert target.balance == Money(500)
    paid(1, 600)(target)
    assert (target.balance, target.unapplied) == (Money(0), {FIRST: Money(100)})


def test_cash_set_aside_waits_for_its_claim_and_pays_no_other() -> None:
    target = after(paid(1, 1000), set_aside(1, 2, 600), owed(1, 900))
    assert (target.balance, target.unapplied) == (Money(500), {FIRST: Money(600)})
    owed(2, 700)(target)
    assert (target.open_at(derive("test-claim", 2)), target.unapplied) == (Money(100), {})
    set_aside(1, 2, 0)(target)
    assert (target.open_at(derive("test-claim", 1)), target.open_at(derive("test-claim", 2))) == (Money(0), Money(600))


def test_more_than_the_free_cash_cannot_be_set_aside() -> None:
    target = after(paid(1, 1000), set_aside(1, 2, 600))
    with pytest.raises(MoreThanTheCash):
        set_aside(1, 3, 401)(target)
    with pytest.raises(AllocationChanged):
        target.allocate(derive("test-allocation", 1, 2), SECOND, target=NEW, amount=Money(1), on=DAY)


def test_cash_taken_back_is_owed_again() -> None:
    target = after(owed(1, 1000), paid(1, 1200), taken_back(1, 500))
    assert (target.balance, target.unapplied) == (Money(300), {})
    taken_back(1, 500)(target)
    assert target.balance == Money(300)
    with pytest.raises(CashChanged):
        taken_back(1, 501)(target)
    taken_back(1, 800, 1)(target)
    assert (target.balance, target.unapplied) == (Money(1000), {FIRST: Money(-100)})


def test_a_write_off_frees_the_cash_that_had_paid_and_never_exceeds_what_is_owed() -> None:
    target = after(owed(1, 1000), paid(1, 400))
    place = derive("test-claim", 1)
    write_off = derive("test-write-off", 1)
    target.write_off(write_off, kind=WriteOffKind.CHARITY, place=place, amount=Money(600), on=DAY)
    assert (target.balance, target.unapplied) == (Money(0), {})
    with pytest.raises(MoreThanOwed):
        target.write_off(derive("test-write-off", 2), kind=WriteOffKind.BAD_DEBT, place=place, amount=Money(1), on=DAY)
    owed(1, -700, 1)(target)
    assert (target.balance, target.unapplied) == (Money(0), {FIRST: Money(400)})
