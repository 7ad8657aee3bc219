"""What a payer paid too much is owed back within sixty days, and ended by evidence to the cent."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from canonical.events.payments import PayerOverpaymentMoved
from canonical.money import Money
from chassis.domain import Refusal
from chassis.eventstore import transact
from chassis.exceptions import CASES
from chassis.testing.contexts import context
from payments.application.overpayments import PAYER_OVERPAYMENTS, identify_overpayment, move_overpayment
from payments.application.publishing import publish
from payments.domain.payer_overpayment import (
    MoreThanOverpaid,
    NotAnOverpayment,
    OverpaymentChanged,
    OverpaymentReason,
    OverpaymentStep,
)

from .examples import DAY
from .world import World

RETURNED, RECOUPED, WITHDRAWN = OverpaymentStep.RETURNED, OverpaymentStep.RECOUPED, OverpaymentStep.WITHDRAWN


def identify(world: World, minor: int = 8000, evidence: str = "paid by TRACE1 and TRACE2") -> UUID:
    return transact(
        world.store,
        context(actor="ann"),
        lambda work: identify_overpayment(
            work,
            entity="NORTH",
            payer="ACME",
            cause="claim 1",
            reason=OverpaymentReason.DUPLICATE_PAYMENT,
            evidence=evidence,
            amount=Money(minor),
            on=DAY,
        ),
    )


def move(world: World, identity: UUID, step: OverpaymentStep, minor: int, evidence: str) -> Money:
    return transact(
        world.store, context(), lambda work: move_overpayment(work, identity, step, Money(minor), evidence, DAY)
    )


def announced(world: World) -> list[tuple[str, int]]:
    told = [public for logged in world.memory.log(0, 1000) for public in publish(logged.event)]
    return [(each.step, each.amount.minor) for each in told if isinstance(each, PayerOverpaymentMoved)]


def test_an_overpayment_has_sixty_days_and_a_case_that_says_until_when() -> None:
    world = World()
    identify(world)
    assert world.rows(PAYER_OVERPAYMENTS)[0]["due_on"] == date(2026, 5, 1)
    (case,) = world.rows(CASES)
    assert (case["code"], case["state"]) == ("PayerOverpaymentOwedBack", "open")
    assert "by 2026-05-01" in str(case["summary"])
    assert announced(world) == [("identified", 8000)]


def test_it_is_returned_recouped_or_withdrawn_in_parts_and_the_case_ends_with_the_last_cent() -> None:
    world = World()
    identity = identify(world)
    assert move(world, identity, RETURNED, 5000, "check 4711") == Money(3000)
    assert move(world, identity, RECOUPED, 2000, "TRACE9 WO ICN1") == Money(1000)
    assert world.open_cases() == ["PayerOverpaymentOwedBack"]
    assert move(world, identity, WITHDRAWN, 1000, "the payer reversed it") == Money(0)
    assert world.open_cases() == []
    (row,) = world.rows(PAYER_OVERPAYMENTS)
    assert (row["open_minor"], row["recouped_minor"], row["withdrawn_minor"]) == (0, 2000, 1000)
    assert announced(world) == [("identified", 8000), ("returned", 5000), ("recouped", 2000), ("withdrawn", 1000)]


def test_the_same_word_twice_is_once() -> None:
    world = World()
    identity = identify(world)
    assert identify(world) == identity
    for _ in range(2):
        assert move(world, identity, RETURNED, 5000, "check 4711") == Money(3000)
    assert announced(world) == [("identified", 8000), ("returned", 5000)]


@pytest.mark.parametrize(
    ("minor", "evidence", "refusal"),
    [
        (8001, "check 4712", MoreThanOverpaid),
        (0, "check 4712", NotAnOverpayment),
        (100, " ", NotAnOverpayment),
        (100, "check 4711", OverpaymentChanged),
    ],
)
def test_what_cannot_be_is_refused(minor: int, evidence: str, refusal: type[Refusal]) -> None:
    world = World()
    identity = identify(world)
    move(world, identity, RETURNED, 1000, "check 4711")
    with pytest.raises(refusal):
        move(world, identity, RETURNED, minor, evidence)
    assert len(announced(world)) == 2


def test_an_overpayment_known_with_another_amount_is_no_repetition() -> None:
    world = World()
    identify(world)
    with pytest.raises(OverpaymentChanged):
        identify(world, 9000)


def test_the_read_model_is_the_same_when_it_is_rebuilt() -> None:
    world = World()
    move(world, identify(world), RECOUPED, 2000, "TRACE9 WO ICN1")
    before = world.rows(PAYER_OVERPAYMENTS)
    world.memory.rebuild_read_models()
    assert world.rows(PAYER_OVERPAYMENTS) == before
