"""Cash that has paid nothing for long is proposed for a refund, and never more than can be given back."""

from __future__ import annotations

from datetime import timedelta

from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import transact
from payments.application.refund_proposals import propose_refunds
from payments.application.sweeps import context_for
from payments.domain.patient_account import PatientAccount, account_id_of
from payments.domain.payment import Payment

from .examples import DAY, PATIENT
from .test_front_desk import PAYMENT, paid
from .world import World, adjudication

ACCOUNT = account_id_of("NORTH", PATIENT)


def proposed(world: World, days: int = 40, older_than: int = 30) -> list[tuple[int, int]]:
    now = world.clock() + timedelta(days=days - (world.clock().date() - DAY).days)
    found = propose_refunds(world.store, "NORTH", now, older_than_days=older_than)
    assert all(each.account_id == ACCOUNT and each.payment_id == PAYMENT for each in found)
    return [(each.amount.minor, each.age_days) for each in found]


def test_cash_beyond_what_is_owed_is_proposed_once_it_is_old_enough() -> None:
    world = World()
    world.deliver(adjudication(2500), paid(3000))
    assert proposed(world) == [(500, 40)]
    assert proposed(world, days=29) == []


def test_cash_beside_a_debt_is_set_aside_and_not_proposed() -> None:
    world = World()
    world.deliver(adjudication(2500), paid(1000))

    def set_aside(account: PatientAccount) -> None:
        account.allocate(derive("a", 1), PAYMENT, target=derive("visit", 9), amount=Money(400), on=DAY)

    transact(
        world.store, context_for(ACCOUNT, world.clock()), lambda work: set_aside(work.require(PatientAccount, ACCOUNT))
    )
    assert proposed(world) == []


def test_nothing_is_proposed_while_another_insurance_has_not_answered() -> None:
    world = World()
    world.deliver(adjudication(2500, next_payer="BETA"), paid(3000))
    assert proposed(world) == []
    world.deliver(adjudication(0, 1, sequence=2, payer="BETA", paid=Money(2500)))
    assert proposed(world) == [(3000, 40)]


def test_what_is_asked_for_already_is_not_proposed_again() -> None:
    world = World()
    world.deliver(adjudication(2500), paid(3000))
    transact(
        world.store,
        context_for(PAYMENT, world.clock()),
        lambda work: work.require(Payment, PAYMENT).request_refund(derive("r", 1), Money(2900), "overpaid", "clerk"),
    )
    assert proposed(world) == [(100, 40)]
