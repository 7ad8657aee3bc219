"""Refunds, disputes and returns move payment, account and announcements alike, in whatever order they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import permutations
from uuid import UUID

import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import Work, transact
from chassis.exceptions import CASES
from payments.application.balances import entity_balances
from payments.application.gateway_taking import take_gateway_fact
from payments.application.patient_money import approve_refund, cancel_failed_refund, deny_refund
from payments.application.patient_rows import ACCOUNTS, ACTIVITY, GATEWAY_MOVES, PAYMENTS, REFUNDS
from payments.application.publishing import publish
from payments.application.sweeps import context_for
from payments.domain.disputes import DisputeState, ToldDispute
from payments.domain.gateway_facts import (
    DisputeReported,
    GatewayFact,
    PaymentArrived,
    PaymentDeclined,
    PaymentPending,
    RefundReported,
    ReturnReported,
)
from payments.domain.patient_account import account_id_of
from payments.domain.payment import Payment, payment_id_of
from payments.domain.refunds import (
    MoreThanRefundable,
    RefundChanged,
    RefundDecided,
    RefundNotRequested,
    SecondPersonNeeded,
    ToldState,
)

from .examples import DAY, PATIENT
from .world import World, adjudication

ACCOUNT = account_id_of("NORTH", PATIENT)
PAYMENT = payment_id_of("pi_1")


def arrived(amount: int = 2500, account_id: UUID | None = ACCOUNT) -> PaymentArrived:
    return PaymentArrived("pi_1", Money(amount), DAY, "NORTH", account_id)


def refund(state: ToldState, amount: int = 1000, number: int = 1, ours: UUID | None = None) -> RefundReported:
    return RefundReported(f"re_{number}", "pi_1", ours, state, Money(amount), DAY + timedelta(days=1))


def dispute(
    state: DisputeState, *, is_withdrawn: bool = True, is_given_back: bool = False, amount: int = 2500
) -> DisputeReported:
    return DisputeReported(
        "pi_1",
        ToldDispute(
            gateway_id="dp_1",
            amount=Money(amount),
            fee=Money(1500),
            state=state,
            is_withdrawn=is_withdrawn,
            is_given_back=is_given_back,
            respond_by=DAY + timedelta(days=20),
            on=DAY + timedelta(days=2),
        ),
    )


def returned(amount: int = 2500) -> ReturnReported:
    return ReturnReported("ch_1", "pi_1", Money(amount), "R01", DAY + timedelta(days=60))


class Told(World):
    """Payments with a patient who owes 25.00, and what the gateway tells."""

    def __init__(self) -> None:
        super().__init__()
        self.deliver(adjudication(2500))

    def tell(self, *facts: GatewayFact) -> None:
        for number, fact in enumerate(facts):
            self.change(lambda work, fact=fact, n=number: take_gateway_fact(work, fact, derive("m", n), "NORTH"))  # type: ignore[misc]

    def change(self, decide: Callable[[Work], object]) -> None:
        transact(self.store, context_for(PAYMENT, self.clock()), decide)

    def sums(self) -> tuple[int, int, int, int]:
        """Balance, applied, unapplied, and what the gateway still has of it, in cents."""
        found = entity_balances(self.store, "NORTH")[1]["NORTH"]
        names = ("patient_balance", "patient_applied", "patient_unapplied", "payments_not_paid_out")
        balance, applied, unapplied, held = (found.get(name, Money(0)).minor for name in names)
        return balance, applied, unapplied, held

    def announced(self) -> dict[tuple[str, str], int]:
        """By type and step: what was announced, summed."""
        sums: dict[tuple[str, str], int] = {}
        for logged in self.memory.log(0, 10_000):
            for event in publish(logged.event):
                facts = event.model_dump()
                amount = facts.get("amount") or facts.get("applied")
                if isinstance(amount, Money):
                    key = (event.TYPE, str(facts.get("step", "")))
                    sums[key] = sums.get(key, 0) + amount.minor
        return sums

    def ends(self) -> object:
        state = self.state(ACCOUNTS, GATEWAY_MOVES, PAYMENTS, REFUNDS)
        return self.sums(), state[0], state[1], state[3], self.open_cases()


STORIES: dict[str, tuple[Sequence[GatewayFact], tuple[int, int, int, int], list[str]]] = {
    "a refund": ((arrived(), refund(ToldState.PENDING), refund(ToldState.SUCCEEDED)), (1000, 1500, 0, 1500), []),
    "two refunds of one payment": (
        (arrived(), refund(ToldState.SUCCEEDED, 1000, 1), refund(ToldState.SUCCEEDED, 1500, 2)),
        (2500, 0, 0, 0),
        [],
    ),
    "a refund that failed after it had succeeded": (
        (arrived(), refund(ToldState.SUCCEEDED), refund(ToldState.FAILED)),
        (1000, 1500, 0, 2500),
        ["RefundFailed"],
    ),
    "a refund called off": (
        (arrived(), refund(ToldState.PENDING), refund(ToldState.CANCELLED)),
        (0, 2500, 0, 2500),
        [],
    ),
    "a dispute that is open": ((arrived(), dispute(DisputeState.NEEDS_RESPONSE)), (0, 2500, 0, -1500), ["DisputeOpen"]),
    "an inquiry": (
        (
            arrived(),
            dispute(DisputeState.INQUIRY, is_withdrawn=False),
            dispute(DisputeState.CLOSED, is_withdrawn=False),
        ),
        (0, 2500, 0, 2500),
        [],
    ),
    "a dispute won": (
        (
            arrived(),
            dispute(DisputeState.NEEDS_RESPONSE),
            dispute(DisputeState.UNDER_REVIEW),
            dispute(DisputeState.WON, is_given_back=True),
        ),
        (0, 2500, 0, 1000),
        [],
    ),
    "a dispute lost": (
        (arrived(), dispute(DisputeState.NEEDS_RESPONSE), dispute(DisputeState.LOST)),
        (2500, 0, 0, -1500),
        [],
    ),
    "a dispute lost after a part was refunded": (
        (arrived(), refund(ToldState.SUCCEEDED), dispute(DisputeState.LOST)),
        (2500, 0, -1000, -2500),
        ["PaymentOverdrawn"],
    ),
    "an ACH debit returned": ((arrived(), returned()), (2500, 0, 0, 0), []),
    "a decline before the payment": (
        (PaymentDeclined("pi_1", Money(2500), "NORTH", "card_declined"), arrived()),
        (0, 2500, 0, 2500),
        [],
    ),
    "processing before the payment": (
        (PaymentPending("pi_1", Money(2500), "NORTH"), arrived()),
        (0, 2500, 0, 2500),
        [],
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_each_story_ends_the_same_in_whatever_order_it_is_told(name: str) -> None:
    facts, sums, cases = STORIES[name]
    plain = Told()
    plain.tell(*facts)
    assert (plain.sums(), plain.open_cases()) == (sums, cases)
    for order in permutations(facts):
        told = Told()
        told.tell(*order, *order)
        assert told.ends() == plain.ends()


def test_each_step_is_announced_once_with_its_amount() -> None:
    world = Told()
    facts = (arrived(), refund(ToldState.PENDING), refund(ToldState.SUCCEEDED), refund(ToldState.FAILED))
    world.tell(*facts, *facts)
    announced = world.announced()
    assert {key: amount for key, amount in announced.items() if key[0] == "patient-refund-moved"} == {
        ("patient-refund-moved", "approved"): 1000,
        ("patient-refund-moved", "paid"): 1000,
        ("patient-refund-moved", "failed"): 1000,
    }
    assert announced["payment-applied", ""] == -1000


def test_cash_that_nobody_claimed_is_refunded_from_itself() -> None:
    world = Told()
    world.tell(arrived(account_id=None), refund(ToldState.SUCCEEDED))
    assert world.sums() == (2500, 0, 1500, 1500)


def test_the_lines_of_an_account_tell_what_was_taken_back() -> None:
    world = Told()
    world.tell(arrived(), refund(ToldState.SUCCEEDED))
    lines = [(row["kind"], row["amount_minor"]) for row in world.rows(ACTIVITY)]
    assert lines == [("responsibility", 2500), ("payment", -2500), ("refund", 1000), ("application", 1000)]


def request(world: Told, refund_id: UUID, amount: int, by: str = "clerk") -> None:
    world.change(lambda work: work.require(Payment, PAYMENT).request_refund(refund_id, Money(amount), "overpaid", by))


def approve(world: Told, refund_id: UUID, by: str, limit: int = 500) -> None:
    world.change(
        lambda work: approve_refund(work, work.require(Payment, PAYMENT), refund_id, by=by, limit=Money(limit), on=DAY)
    )


def test_a_refund_is_asked_for_by_one_person_and_approved_by_another() -> None:
    world = Told()
    world.tell(arrived())
    one = derive("test-refund", "ours")
    request(world, one, 1000)
    assert world.sums() == (0, 2500, 0, 2500)
    with pytest.raises(SecondPersonNeeded):
        approve(world, one, "clerk")
    approve(world, one, "lead")
    assert world.sums() == (1000, 1500, 0, 2500)
    with pytest.raises(RefundDecided):
        approve(world, one, "lead")
    world.tell(refund(ToldState.SUCCEEDED, ours=one))
    assert world.sums() == (1000, 1500, 0, 1500)


def test_no_second_person_is_needed_below_the_limit() -> None:
    world = Told()
    world.tell(arrived())
    one = derive("test-refund", "ours")
    request(world, one, 500)
    approve(world, one, "clerk")
    assert world.rows(REFUNDS)[0]["state"] == "approved"


def test_refunds_that_were_only_asked_for_count_against_what_can_be_refunded() -> None:
    world = Told()
    world.tell(arrived())
    one, other = derive("test-refund", 1), derive("test-refund", 2)
    request(world, one, 2000)
    request(world, one, 2000)
    with pytest.raises(RefundChanged):
        request(world, one, 1999)
    for amount in (501, 0, -1):
        with pytest.raises(MoreThanRefundable):
            request(world, other, amount)
    world.change(lambda work: deny_refund(work.require(Payment, PAYMENT), one, by="lead"))
    request(world, other, 2500)
    with pytest.raises(RefundNotRequested):
        approve(world, derive("test-refund", 3), "lead")


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_the_case_of_a_dispute_is_its_entitys_also_where_it_is_told_of_before_its_payment(order: Sequence[int]) -> None:
    world, facts = Told(), (arrived(), dispute(DisputeState.NEEDS_RESPONSE))
    world.tell(*(facts[place] for place in order))
    (case,) = world.rows(CASES, code="DisputeOpen")
    assert case["entity"] == "NORTH"


def test_what_is_in_dispute_cannot_be_refunded() -> None:
    world = Told()
    world.tell(arrived(), dispute(DisputeState.NEEDS_RESPONSE, amount=2000))
    with pytest.raises(MoreThanRefundable):
        request(world, derive("test-refund", 1), 501)
    request(world, derive("test-refund", 1), 500)


def test_a_failed_refund_is_cancelled_by_a_person_and_its_cash_is_on_the_account_again() -> None:
    world = Told()
    world.tell(arrived(), refund(ToldState.SUCCEEDED), refund(ToldState.FAILED))
    (row,) = world.rows(REFUNDS)
    refund_id = row["refund_id"]
    assert isinstance(refund_id, UUID)
    world.change(lambda work: cancel_failed_refund(work, work.require(Payment, PAYMENT), refund_id, on=DAY))
    assert (world.sums(), world.open_cases()) == ((0, 2500, 0, 2500), [])
    assert [case["state"] for case in world.store.rows(CASES, {})] == ["corrected"]
    with pytest.raises(RefundDecided):
        world.change(lambda work: cancel_failed_refund(work, work.require(Payment, PAYMENT), refund_id, on=DAY))
