"""Payments and payouts are recorded once, and a payout is exactly the sum of its parts."""

import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.testing.given import given, happened
from payments.domain.payout import BalanceTransaction, Payout, PayoutDiffers, PayoutShare
from payments.domain.payout_lines import Held, composed_of

from .examples import DAY


def line(number: int, amount: int, fee: int, payment: str) -> BalanceTransaction:
    return BalanceTransaction(f"txn_{number}", Money(amount), Money(fee), Money(amount - fee), payment)


ANNOUNCED = happened(Payout.Announced, gateway_id="po_1", net=Money(4800), arrives_on=DAY, message_id=derive("m", 1))


def held(entity: str, amount: int, number: int) -> list[Held]:
    return [Held(entity, Money(amount), payment_id=derive("test-payment", number))]


def test_a_payout_is_shared_out_by_the_entities_of_its_payments() -> None:
    lines = [line(1, 3000, 117, "pi_1"), line(2, 2000, 88, "pi_2"), line(3, 100, 33, "pi_3")]
    books = {"txn_1": held("SOUTH", 3000, 1), "txn_2": held("NORTH", 2000, 2), "txn_3": held("SOUTH", 100, 3)}
    found = composed_of(lines, books, "NORTH")
    assert [(share.entity, share.gross, share.fees, share.net) for share in found.shares] == [
        ("NORTH", Money(2000), Money(88), Money(1912)),
        ("SOUTH", Money(3100), Money(150), Money(2950)),
    ]
    assert len(found.payment_ids) == 3


def test_a_payment_we_do_not_know_stops_the_payout() -> None:
    with pytest.raises(PayoutDiffers, match="txn_1"):
        composed_of([line(1, 3000, 117, "pi_9")], {}, "NORTH")


def test_a_payment_of_another_amount_than_the_gateway_paid_out_stops_the_payout() -> None:
    with pytest.raises(PayoutDiffers, match=r"30\.01"):
        composed_of([line(1, 3000, 117, "pi_1")], {"txn_1": held("NORTH", 3001, 1)}, "NORTH")


def test_parts_that_do_not_add_up_are_refused_with_the_residual() -> None:
    shares = (PayoutShare(entity="NORTH", gross=Money(5000), fees=Money(201), net=Money(4799)),)
    given(Payout, [ANNOUNCED]).when(lambda p: p.compose(shares, [])).then_refused(PayoutDiffers, "residual 0.01")


def test_a_payout_announced_again_with_another_amount_is_refused() -> None:
    given(Payout, [ANNOUNCED]).when(lambda p: p.announce("po_1", Money(1), DAY, derive("m", 2))).then_refused(
        PayoutDiffers
    )
