"""The gateway's stories in the accountant's words: the patient was charged 100.00, and this is what came of it."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.world.gateway_later_objects import DisputeStatus, RefundStatus

from tests.contracts.gateway_till import GatewayStory, Till

CHARGED = "J01 ar-patient 100.00, gross-revenue -100.00"
PAID = "J15 ar-patient -100.00, gateway-clearing 100.00"
PAID_130 = "J15 ar-patient -100.00, gateway-clearing 130.00, unapplied-patient -30.00"
SET_FREE = "J16 ar-patient 100.00, unapplied-patient -100.00"
SET_FREE_40 = "J16 ar-patient 40.00, unapplied-patient -40.00"
REFUNDED_40 = "J18 gateway-clearing -40.00, unapplied-patient 40.00"
OWED_40_AGAIN = "J18 refunds-payable -40.00, unapplied-patient 40.00"
LOST = "J19 dispute-fees 15.00, gateway-clearing -115.00, unapplied-patient 100.00"
RETURNED = "J19 gateway-clearing -100.00, unapplied-patient 100.00"


def pay(till: Till) -> None:
    till.pay(100_00)


def pay_a_part(till: Till) -> None:
    till.pay(40_00)


def pay_too_much(till: Till) -> None:
    till.pay(130_00)


def pay_in_parts(till: Till) -> None:
    till.pay(60_00)
    till.pay(60_00)


def be_declined(till: Till) -> None:
    till.be_declined(100_00)


def be_declined_and_try_again(till: Till) -> None:
    till.try_another_card(till.be_declined(100_00))


def pay_without_a_name(till: Till) -> None:
    till.pay(100_00, named=False)


def refund_what_nobody_claimed(till: Till) -> None:
    till.refund(till.pay(100_00, named=False), 100_00)


def debit(till: Till) -> None:
    till.settle_debit(till.pay(100_00, by_bank=True))


def debit_that_waits(till: Till) -> None:
    till.pay(100_00, by_bank=True)


def debit_that_fails(till: Till) -> None:
    till.fail_debit(till.pay(100_00, by_bank=True))


def debit_that_comes_back(till: Till) -> None:
    paid = till.pay(100_00, by_bank=True)
    till.settle_debit(paid)
    till.fail_debit(paid)


def call_off(till: Till) -> None:
    till.cancel(till.pay(100_00, by_bank=True))


def refund_a_part(till: Till) -> None:
    till.refund(till.pay(100_00), 40_00)


def refund_in_parts(till: Till) -> None:
    paid = till.pay(100_00)
    till.refund(paid, 40_00)
    till.refund(paid, 60_00)


def refund_the_excess(till: Till) -> None:
    till.refund(till.pay(130_00), 30_00)


def refund_that_waits(till: Till) -> None:
    till.refund(till.pay(100_00), 40_00, RefundStatus.PENDING)


def refund_that_takes_days(till: Till) -> None:
    made = till.refund(till.pay(100_00), 40_00, RefundStatus.PENDING)
    till.settle_refund(made, RefundStatus.SUCCEEDED)


def refund_that_fails(till: Till) -> None:
    till.settle_refund(till.refund(till.pay(100_00), 40_00), RefundStatus.FAILED)


def refund_called_off(till: Till) -> None:
    made = till.refund(till.pay(100_00), 40_00, RefundStatus.PENDING)
    till.settle_refund(made, RefundStatus.CANCELED)


def refund_one_of_two(till: Till) -> None:
    refunded = till.pay(60_00)
    till.pay(60_00)
    till.refund(refunded, 60_00)


def dispute_of_a_part_won(till: Till) -> None:
    till.close(till.dispute(till.pay(100_00), 60_00), DisputeStatus.WON)


def pay_by_card_and_by_a_debit_that_fails(till: Till) -> None:
    till.pay(40_00)
    till.fail_debit(till.pay(60_00, by_bank=True))


def call_off_and_pay_otherwise(till: Till) -> None:
    till.cancel(till.be_declined(100_00))
    till.pay(100_00)


def dispute(till: Till) -> None:
    till.dispute(till.pay(100_00))


def dispute_answered(till: Till) -> None:
    till.respond(till.dispute(till.pay(100_00)))


def dispute_won(till: Till) -> None:
    made = till.dispute(till.pay(100_00))
    till.respond(made)
    till.close(made, DisputeStatus.WON)


def dispute_lost(till: Till) -> None:
    till.close(till.dispute(till.pay(100_00)), DisputeStatus.LOST)


def dispute_of_a_part_lost(till: Till) -> None:
    till.close(till.dispute(till.pay(100_00), 40_00), DisputeStatus.LOST)


def inquiry(till: Till) -> None:
    till.close(till.dispute(till.pay(100_00), inquiry=True), DisputeStatus.INQUIRY_CLOSED)


def inquiry_that_becomes_a_loss(till: Till) -> None:
    made = till.dispute(till.pay(100_00), inquiry=True)
    till.escalate(made)
    till.close(made, DisputeStatus.LOST)


def dispute_after_a_refund(till: Till) -> None:
    paid = till.pay(100_00)
    till.refund(paid, 40_00)
    till.close(till.dispute(paid), DisputeStatus.LOST)


def pay_out(till: Till) -> None:
    till.pay(100_00)
    till.pay_out()


def pay_out_less_a_refund(till: Till) -> None:
    till.refund(till.pay(100_00), 40_00)
    till.pay_out()


def refund_after_the_payout(till: Till) -> None:
    paid = till.pay(100_00)
    till.pay_out()
    till.refund(paid, 40_00)
    till.pay(60_00)
    till.pay_out()


def pay_out_less_a_dispute(till: Till) -> None:
    first = till.pay(100_00)
    till.pay(60_00)
    till.close(till.dispute(first), DisputeStatus.LOST)
    till.pay_out()


def pay_out_with_a_dispute_won(till: Till) -> None:
    till.close(till.dispute(till.pay(100_00)), DisputeStatus.WON)
    till.pay_out()


def pay_out_less_a_fee(till: Till) -> None:
    till.pay(100_00)
    till.charge_fee(5_00)
    till.pay_out()


def payout_that_fails(till: Till) -> None:
    till.pay(100_00)
    till.fail_payout(till.pay_out())


def payout_that_fails_and_is_made_again(till: Till) -> None:
    till.pay(100_00)
    till.fail_payout(till.pay_out())
    till.pay_out()


def pay_out_after_a_return(till: Till) -> None:
    debited = till.pay(100_00, by_bank=True)
    till.settle_debit(debited)
    till.pay_out()
    till.fail_debit(debited)
    till.pay(130_00)
    till.pay_out()


DEALT: Mapping[str, GatewayStory] = {
    "a card payment of what is owed": GatewayStory(pay, 0, 100_00, 0, [PAID]),
    "a card payment of a part": GatewayStory(
        pay_a_part, 60_00, 40_00, 0, ["J15 ar-patient -40.00, gateway-clearing 40.00"]
    ),
    "a card payment of more than is owed": GatewayStory(pay_too_much, 0, 100_00, 30_00, [PAID_130]),
    "two card payments, the second too much": GatewayStory(
        pay_in_parts,
        0,
        100_00,
        20_00,
        ["J15 ar-patient -100.00, gateway-clearing 120.00, unapplied-patient -20.00"],
    ),
    "a card declined": GatewayStory(be_declined, 100_00, 0, 0, []),
    "a card declined, and another one taken": GatewayStory(be_declined_and_try_again, 0, 100_00, 0, [PAID]),
    "a payment that names nobody": GatewayStory(
        pay_without_a_name,
        100_00,
        0,
        0,
        ["J15 gateway-clearing 100.00, unapplied-patient -100.00"],
        ["UnmatchedPayment"],
    ),
    "a payment that names nobody, refunded": GatewayStory(
        refund_what_nobody_claimed,
        100_00,
        0,
        0,
        [
            "J15 gateway-clearing 100.00, unapplied-patient -100.00",
            "J18 gateway-clearing -100.00, unapplied-patient 100.00",
        ],
        ["UnmatchedPayment"],
    ),
    "an ACH debit": GatewayStory(debit, 0, 100_00, 0, [PAID]),
    "an ACH debit under way": GatewayStory(debit_that_waits, 100_00, 0, 0, []),
    "an ACH debit that fails": GatewayStory(debit_that_fails, 100_00, 0, 0, []),
    "an ACH debit returned late": GatewayStory(debit_that_comes_back, 100_00, 0, 0, [PAID, SET_FREE, RETURNED]),
    "an ACH debit called off": GatewayStory(call_off, 100_00, 0, 0, []),
    "a partial refund": GatewayStory(refund_a_part, 40_00, 60_00, 0, [PAID, SET_FREE_40, REFUNDED_40]),
    "two partial refunds": GatewayStory(
        refund_in_parts, 100_00, 0, 0, [PAID, SET_FREE, "J18 gateway-clearing -100.00, unapplied-patient 100.00"]
    ),
    "a refund of what was too much": GatewayStory(
        refund_the_excess, 0, 100_00, 0, [PAID_130, "J18 gateway-clearing -30.00, unapplied-patient 30.00"]
    ),
    "a refund under way": GatewayStory(refund_that_waits, 40_00, 60_00, 0, [PAID, SET_FREE_40, OWED_40_AGAIN]),
    "a refund that takes days": GatewayStory(refund_that_takes_days, 40_00, 60_00, 0, [PAID, SET_FREE_40, REFUNDED_40]),
    "a refund that fails": GatewayStory(
        refund_that_fails, 40_00, 60_00, 0, [PAID, SET_FREE_40, OWED_40_AGAIN], ["RefundFailed"]
    ),
    "a refund called off": GatewayStory(refund_called_off, 0, 100_00, 0, [PAID]),
    "a dispute": GatewayStory(
        dispute,
        0,
        100_00,
        0,
        [PAID, "J19 dispute-fees 15.00, disputes-receivable 100.00, gateway-clearing -115.00"],
        ["DisputeOpen"],
    ),
    "a dispute answered": GatewayStory(
        dispute_answered,
        0,
        100_00,
        0,
        [PAID, "J19 dispute-fees 15.00, disputes-receivable 100.00, gateway-clearing -115.00"],
        ["DisputeOpen"],
    ),
    "a dispute won": GatewayStory(dispute_won, 0, 100_00, 0, [PAID, "J19 dispute-fees 15.00, gateway-clearing -15.00"]),
    "a dispute lost": GatewayStory(dispute_lost, 100_00, 0, 0, [PAID, SET_FREE, LOST]),
    "a dispute of a part lost": GatewayStory(
        dispute_of_a_part_lost,
        40_00,
        60_00,
        0,
        [PAID, SET_FREE_40, "J19 dispute-fees 15.00, gateway-clearing -55.00, unapplied-patient 40.00"],
    ),
    "an inquiry": GatewayStory(inquiry, 0, 100_00, 0, [PAID]),
    "an inquiry that becomes a dispute, lost": GatewayStory(
        inquiry_that_becomes_a_loss, 100_00, 0, 0, [PAID, SET_FREE, LOST]
    ),
    "a dispute lost after a partial refund": GatewayStory(
        dispute_after_a_refund,
        100_00,
        0,
        -40_00,
        [PAID, SET_FREE, REFUNDED_40, LOST],
        ["PaymentOverdrawn"],
    ),
    "a payout": GatewayStory(
        pay_out, 0, 100_00, 0, [PAID, "J17 cash 96.80, gateway-clearing -100.00, processing-fees 3.20"]
    ),
    "a payout less a refund": GatewayStory(
        pay_out_less_a_refund,
        40_00,
        60_00,
        0,
        [PAID, SET_FREE_40, "J17 cash 56.80, gateway-clearing -60.00, processing-fees 3.20", REFUNDED_40],
    ),
    "a refund after the payout": GatewayStory(
        refund_after_the_payout,
        0,
        100_00,
        20_00,
        [
            "J15 ar-patient -140.00, gateway-clearing 160.00, unapplied-patient -20.00",
            SET_FREE_40,
            "J17 cash 114.76, gateway-clearing -120.00, processing-fees 5.24",
            REFUNDED_40,
        ],
    ),
    "a payout less a lost dispute": GatewayStory(
        pay_out_less_a_dispute,
        40_00,
        60_00,
        0,
        [
            "J15 ar-patient -100.00, gateway-clearing 160.00, unapplied-patient -60.00",
            SET_FREE_40,
            "J17 cash 39.76, gateway-clearing -45.00, processing-fees 5.24",
            LOST,
        ],
    ),
    "a payout with a dispute won": GatewayStory(
        pay_out_with_a_dispute_won,
        0,
        100_00,
        0,
        [
            PAID,
            "J17 cash 81.80, gateway-clearing -85.00, processing-fees 3.20",
            "J19 dispute-fees 15.00, gateway-clearing -15.00",
        ],
    ),
    "a payout less a fee of its own": GatewayStory(
        pay_out_less_a_fee, 0, 100_00, 0, [PAID, "J17 cash 91.80, gateway-clearing -100.00, processing-fees 8.20"]
    ),
    "a payout that the bank does not take": GatewayStory(
        payout_that_fails,
        0,
        100_00,
        0,
        [PAID, "J17 gateway-clearing -3.20, processing-fees 3.20"],
        ["PayoutCameBack"],
    ),
    "a payout that the bank does not take, made again": GatewayStory(
        payout_that_fails_and_is_made_again,
        0,
        100_00,
        0,
        [PAID, "J17 cash 96.80, gateway-clearing -100.00, processing-fees 3.20"],
    ),
    "a payout less an ACH return": GatewayStory(
        pay_out_after_a_return,
        0,
        100_00,
        30_00,
        [
            "J15 ar-patient -200.00, gateway-clearing 230.00, unapplied-patient -30.00",
            SET_FREE,
            "J17 cash 122.73, gateway-clearing -130.00, processing-fees 7.27",
            RETURNED,
        ],
    ),
}
"""What each patient of the fault simulation may live through."""

STORIES: Mapping[str, GatewayStory] = {
    **DEALT,
    "one of two payments refunded": GatewayStory(
        refund_one_of_two,
        40_00,
        60_00,
        0,
        [
            "J15 ar-patient -100.00, gateway-clearing 120.00, unapplied-patient -20.00",
            SET_FREE_40,
            "J18 gateway-clearing -60.00, unapplied-patient 60.00",
        ],
    ),
    "a dispute of a part, won": GatewayStory(
        dispute_of_a_part_won, 0, 100_00, 0, [PAID, "J19 dispute-fees 15.00, gateway-clearing -15.00"]
    ),
    "a card and a debit that fails": GatewayStory(
        pay_by_card_and_by_a_debit_that_fails, 60_00, 40_00, 0, ["J15 ar-patient -40.00, gateway-clearing 40.00"]
    ),
    "an order called off, and another card": GatewayStory(call_off_and_pay_otherwise, 0, 100_00, 0, [PAID]),
}
