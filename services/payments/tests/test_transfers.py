"""Cash and shares move between two patients' accounts once, whole, and without changing what the entity has or is owed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from canonical.events.payments import PatientMoneyTransferred, PaymentApplied
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import Work, transact
from chassis.testing.clock import START
from chassis.testing.contexts import context
from payments.application.balances import entity_balances
from payments.application.patient_rows import ACCOUNTS
from payments.application.publishing import publish
from payments.application.statements import statement
from payments.application.sweeps import context_for
from payments.application.transfer_rows import ACCOUNT_TRANSFERS
from payments.application.transfers import approve_transfer, make_transfer, request_transfer, turn_transfer_down
from payments.domain.account_transfer import (
    Moved,
    NoTransfer,
    OtherAmountMoved,
    OwnTransfer,
    TransferChanged,
    TransferDecided,
    TransferOf,
    cash_transfer_id,
)
from payments.domain.patient_account import PatientAccount, account_id_of
from payments.domain.payment import Payment
from payments.domain.refunds import MoreThanRefundable

from .examples import CLAIM, DAY, PATIENT
from .test_front_desk import paid
from .world import World, adjudication

CHILD = derive("test-patient", 2)
PARENT_ACCOUNT, CHILD_ACCOUNT = account_id_of("NORTH", PATIENT), account_id_of("NORTH", CHILD)
CHILDS_CLAIM = derive("test-claim", 2)
ONE = derive("test-transfer", 1)
PAYMENT = derive("test-payment", 1)


class Family(World):
    """A parent who owes 25.00 and a child who owes 7.00; the parent paid 30.00."""

    def __init__(self) -> None:
        super().__init__()
        visit = derive("test-encounter", 2)
        childs = {"patient_id": CHILD, "claim_id": CHILDS_CLAIM, "encounter_id": visit}
        self.deliver(adjudication(2500), adjudication(700, 1, **childs))
        self.change(
            lambda work: work.require(PatientAccount, PARENT_ACCOUNT).receive(
                entity="NORTH", patient_id=PATIENT, payment_id=PAYMENT, amount=Money(3000), on=DAY
            )
        )

    def change(self, decide: Callable[[Work], object]) -> None:
        transact(self.store, context_for(PARENT_ACCOUNT, self.clock()), decide)

    def move_cash(self, amount: int, to: UUID = CHILD_ACCOUNT) -> None:
        self.change(
            lambda work: make_transfer(
                work, ONE, TransferOf(Moved.CASH, PAYMENT, PARENT_ACCOUNT, to, Money(amount)), "paid for the child", DAY
            )
        )

    def move_share(self, amount: int, place: UUID = CHILDS_CLAIM) -> None:
        self.change(
            lambda work: make_transfer(
                work,
                ONE,
                TransferOf(Moved.SHARE, place, CHILD_ACCOUNT, PARENT_ACCOUNT, Money(amount)),
                "the parent answers for it",
                DAY,
            )
        )

    def sums(self) -> list[tuple[int, ...]]:
        """Of parent and child: owed, applied, unapplied."""
        rows = {row["account_id"]: row for row in self.rows(ACCOUNTS)}
        names = ("responsibility_minor", "applied_minor", "unapplied_minor")
        return [tuple(int(str(rows[i][name] or 0)) for name in names) for i in (PARENT_ACCOUNT, CHILD_ACCOUNT)]


def whole(world: World) -> tuple[Money, Money]:
    sums = entity_balances(world.store, "NORTH")[1]["NORTH"]
    return sums["patient_balance"], sums["patient_unapplied"]


def test_cash_that_waits_pays_what_another_patient_owes() -> None:
    world = Family()
    world.move_cash(500)
    world.move_cash(500)
    assert world.sums() == [(2500, 2500, 0), (700, 500, 0)]
    announced = [event for logged in world.memory.log(0, 1000) for event in publish(logged.event)]
    moved = [event for event in announced if isinstance(event, PatientMoneyTransferred)]
    assert [(event.moved, event.from_patient_id, event.to_patient_id, event.amount) for event in moved] == [
        ("cash", PATIENT, CHILD, Money(500))
    ]
    assert [event.amount for event in announced if isinstance(event, PaymentApplied)] == [Money(500)]


def test_cash_that_had_paid_leaves_what_it_paid_owed_again() -> None:
    world = Family()
    world.move_cash(1000)
    assert world.sums() == [(2500, 2000, 0), (700, 700, 300)]
    assert whole(world) == (Money(500), Money(300))


def test_a_share_moves_to_who_answers_for_it_and_the_entity_is_owed_the_same() -> None:
    world = Family()
    before = whole(world)
    world.move_share(700)
    world.move_share(700)
    assert world.sums() == [(3200, 3000, 0), (0, 0, 0)]
    assert (before, whole(world)) == ((Money(700), Money(500)), (Money(200), Money(0)))


@pytest.mark.parametrize(("amount", "to"), [(0, CHILD_ACCOUNT), (3001, CHILD_ACCOUNT), (100, PARENT_ACCOUNT)])
def test_no_more_cash_moves_than_there_is_nor_to_the_same_account(amount: int, to: UUID) -> None:
    with pytest.raises(NoTransfer):
        Family().move_cash(amount, to)


@pytest.mark.parametrize(("amount", "place"), [(0, CHILDS_CLAIM), (701, CHILDS_CLAIM), (100, CLAIM)])
def test_no_more_of_a_share_moves_than_is_open_there(amount: int, place: UUID) -> None:
    with pytest.raises(NoTransfer):
        Family().move_share(amount, place)


def test_nothing_moves_between_entities() -> None:
    world = Family()
    world.deliver(adjudication(900, 3, entity="SOUTH", patient_id=CHILD))
    with pytest.raises(NoTransfer):
        world.move_cash(100, account_id_of("SOUTH", CHILD))


def test_the_same_transfer_of_another_amount_is_a_conflict() -> None:
    world = Family()
    world.move_cash(500)
    with pytest.raises(TransferChanged):
        world.move_cash(400)


def test_statements_tell_what_was_moved() -> None:
    world = Family()
    world.move_share(700)
    for account, amount, words in (
        (PARENT_ACCOUNT, Money(700), "Moved here from another account."),
        (CHILD_ACCOUNT, Money(-700), "Moved to another account."),
    ):
        found = statement(world.store, account, date(2026, 3, 31), START + timedelta(days=60))
        assert found is not None
        assert found.adds_up
        assert (amount, words) in [(line.amount, line.explanation) for line in found.lines]


PAID = derive("test-front-desk-payment", 1)
SECOND = derive("test-transfer", 2)


class Paid(Family):
    """The parent paid another 30.00 at the front desk, so that a payment is behind the cash."""

    def __init__(self) -> None:
        super().__init__()
        self.deliver(paid(3000, PAID))

    def as_(self, actor: str, decide: Callable[[Work], object]) -> None:
        transact(self.store, context(actor=actor), decide)

    def refundable(self) -> int:
        return Work(self.store, context()).require(Payment, PAID).refundable.minor


def of_cash(source: UUID, amount: int, giver: UUID = PARENT_ACCOUNT, taker: UUID = CHILD_ACCOUNT) -> TransferOf:
    return TransferOf(Moved.CASH, source, giver, taker, Money(amount))


def test_what_was_moved_away_cannot_be_refunded_until_it_is_moved_back() -> None:
    world = Paid()
    world.change(lambda work: make_transfer(work, ONE, of_cash(PAID, 1000), "paid for the child", DAY))
    assert world.refundable() == 2000
    with pytest.raises(MoreThanRefundable):
        world.change(lambda work: work.require(Payment, PAID).request_refund(SECOND, Money(2001), "overpaid", "clerk"))
    back = of_cash(cash_transfer_id(ONE), 400, CHILD_ACCOUNT, PARENT_ACCOUNT)
    world.change(lambda work: make_transfer(work, SECOND, back, "moved too much", DAY))
    assert world.refundable() == 2400


def test_a_transfer_above_the_limit_is_made_once_by_a_second_person() -> None:
    world = Paid()
    limit = {"amount": Money(1000), "limit": Money(999), "on": DAY}
    world.as_("ann", lambda work: request_transfer(work, ONE, of_cash(PAID, 1000), "paid for the child"))
    world.as_("ann", lambda work: request_transfer(work, ONE, of_cash(PAID, 1000), "paid for the child"))
    with pytest.raises(OwnTransfer):
        world.as_("ann", lambda work: approve_transfer(work, ONE, **limit))  # type: ignore[arg-type]
    with pytest.raises(OtherAmountMoved):
        world.as_("bea", lambda work: approve_transfer(work, ONE, **(limit | {"amount": Money(900)})))  # type: ignore[arg-type]
    assert world.refundable() == 3000
    world.as_("bea", lambda work: approve_transfer(work, ONE, **limit))  # type: ignore[arg-type]
    with pytest.raises(TransferDecided):
        world.as_("bea", lambda work: approve_transfer(work, ONE, **limit))  # type: ignore[arg-type]
    (row,) = world.rows(ACCOUNT_TRANSFERS)
    assert (row["state"], row["requested_by"], row["decided_by"], row["origin"]) == ("made", "ann", "bea", PAID)
    assert world.refundable() == 2000


def test_a_transfer_that_is_turned_down_moves_nothing() -> None:
    world = Paid()
    before = world.sums()
    world.as_("ann", lambda work: request_transfer(work, ONE, of_cash(PAID, 1000), "paid for the child"))
    world.as_("bea", lambda work: turn_transfer_down(work, ONE, "the wrong child"))
    with pytest.raises(TransferDecided):
        world.as_("bea", lambda work: make_transfer(work, ONE, of_cash(PAID, 1000), "again", DAY))
    assert (world.sums(), world.rows(ACCOUNT_TRANSFERS)[0]["state"]) == (before, "turned-down")
