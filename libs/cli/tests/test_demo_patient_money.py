"""What comes back of patients' payments in the demo happens at its gateway, and is told in plain words."""

from __future__ import annotations

from canonical.money import Money
from sandbox.world.gateway import CardGateway
from sandbox.world.gateway_later_objects import DisputeStatus
from throughline.demo.patient_money import LaterMove, PatientMoney


def test_half_is_refunded_a_dispute_is_lost_and_a_debit_comes_back() -> None:
    with CardGateway(1) as gateway:
        paid = [(gateway.pay(Money(cents), "account", "NORTH"), "account", "NORTH") for cents in (501, 300)]
        money = PatientMoney(gateway)
        money.take_back(paid, ("other", "SOUTH", Money(200)))
        (refund,), (dispute,) = gateway.later.refunds.values(), gateway.later.disputes.values()
    assert (refund.amount, refund.intent_id) == (250, paid[0][0].id)
    assert (dispute.status, dispute.intent_id) == (DisputeStatus.LOST, paid[1][0].id)
    assert [(move.what, move.account, move.paid.minor, move.moved.minor) for move in money.moves] == [
        ("refunded", "account", 501, 250),
        ("disputed", "account", 300, 300),
        ("returned", "other", 200, 200),
    ]


def test_a_lost_dispute_says_who_bears_its_fee() -> None:
    told = LaterMove("disputed", "NORTH", "a", Money(300), Money(300), Money(300)).in_words()
    assert "a fee of 15.00, which the patient does not bear; the patient owes 3.00 now" in told
