"""What the card gateway does after a payment tells itself by events, and its balance holds every cent of it."""

from __future__ import annotations

import pytest
from sandbox.world.gateway_book import GatewayBook, NothingToPayOut
from sandbox.world.gateway_later import LaterMoney, NotPossible
from sandbox.world.gateway_later_objects import DISPUTE_FEE_MINOR, DisputeStatus, RefundStatus
from sandbox.world.gateway_objects import Json, PaymentIntent, processing_fee
from sandbox.world.misbehaviour import Misbehaviour

FEE = processing_fee(10_000)


@pytest.fixture
def book() -> GatewayBook:
    return GatewayBook(3, lambda: 1_700_000_000.0, Misbehaviour())


@pytest.fixture
def later(book: GatewayBook) -> LaterMoney:
    return LaterMoney(book)


def pay(book: GatewayBook, method: str = "pm_card_visa") -> PaymentIntent:
    fields = {"amount": "10000", "confirm": "true", "payment_method": method, "metadata[entity]": "NORTH"}
    intent, _ = book.create_intent(fields)
    return intent


def balance(book: GatewayBook) -> int:
    return sum(each.net for each in book.transactions.values())


def kinds(events: list[Json]) -> list[object]:
    return [event["type"] for event in events]


def test_refunds_take_what_is_left_and_one_that_fails_gives_it_back(book: GatewayBook, later: LaterMoney) -> None:
    intent = pay(book)
    first, events = later.refund(intent.id, 4_000)
    later.refund(intent.id)
    assert kinds(events) == ["refund.created", "charge.refunded"]
    assert balance(book) == -FEE
    with pytest.raises(NotPossible):
        later.refund(intent.id, 1)
    assert kinds(later.settle_refund(first.id, RefundStatus.FAILED))[0] == "refund.failed"
    assert balance(book) == 4_000 - FEE


def test_a_dispute_takes_amount_and_fee_and_gives_the_amount_back_when_won(
    book: GatewayBook, later: LaterMoney
) -> None:
    intent = pay(book)
    made, events = later.dispute(intent.id, 2_500)
    assert kinds(events) == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    assert balance(book) == 10_000 - FEE - 2_500 - DISPUTE_FEE_MINOR
    later.respond(made.id)
    later.close(made.id, DisputeStatus.WON)
    assert balance(book) == 10_000 - FEE - DISPUTE_FEE_MINOR
    assert [move.category for move in made.moves] == ["dispute", "dispute_reversal"]


def test_an_inquiry_takes_nothing_until_it_is_escalated(book: GatewayBook, later: LaterMoney) -> None:
    made, _ = later.dispute(pay(book).id, inquiry=True)
    assert balance(book) == 10_000 - FEE
    later.escalate(made.id)
    assert balance(book) == -FEE - DISPUTE_FEE_MINOR


def test_a_bank_debit_brings_its_money_later_and_may_take_it_back_months_after(
    book: GatewayBook, later: LaterMoney
) -> None:
    intent = pay(book, "pm_usBankAccount")
    assert (intent.status.value, balance(book)) == ("processing", 0)
    later.settle_debit(intent.id)
    assert balance(book) == 10_000 - FEE
    assert kinds(later.fail_debit(intent.id)) == ["charge.failed"]
    assert (intent.status.value, balance(book)) == ("succeeded", -FEE)


def test_a_bank_debit_that_fails_while_it_is_processing_moves_nothing(book: GatewayBook, later: LaterMoney) -> None:
    intent = pay(book, "pm_usBankAccount")
    assert kinds(later.fail_debit(intent.id)) == ["charge.failed", "payment_intent.payment_failed"]
    assert balance(book) == 0


def test_a_payout_that_the_bank_does_not_take_comes_with_the_next_one(book: GatewayBook, later: LaterMoney) -> None:
    pay(book)
    payout, _ = book.pay_out("NORTH")
    with pytest.raises(NothingToPayOut):
        book.pay_out("NORTH")
    later.fail_payout(payout.id)
    again, _ = book.pay_out("NORTH")
    assert again.amount == payout.amount == 10_000 - FEE
    assert [each.kind for each in book.transactions_of(again.id)] == ["payout_failure", "payout"]
