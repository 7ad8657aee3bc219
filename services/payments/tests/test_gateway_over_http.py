"""The official library against the card gateway double: payouts come apart into what they settle."""

from canonical.money import Money
from payments.adapters.stripe_api import StripeGateway
from payments.domain.payout import LineKind
from sandbox.world.gateway import API_KEY, CardGateway
from sandbox.world.gateway_later_objects import DisputeStatus


def test_a_payout_is_read_as_the_payments_it_settles() -> None:
    with CardGateway(3) as gateway:
        first = gateway.pay(Money(2500), "00000000-0000-0000-0000-000000000001", "NORTH")
        second = gateway.pay(Money(1000), "", "NORTH")
        payout = gateway.pay_out("NORTH")
        lines = StripeGateway(API_KEY, gateway.url).balance_transactions(payout.id)
    assert {line.payment_gateway_id for line in lines} == {first.id, second.id}
    assert (Money.total(line.amount for line in lines), Money.total(line.net for line in lines)) == (
        Money(3500),
        Money(payout.amount),
    )


def test_every_kind_of_line_of_a_payout_is_read_with_what_it_is_about() -> None:
    with CardGateway(3) as gateway:
        paid = gateway.pay(Money(50_000), "", "NORTH")
        failed = gateway.pay_out("NORTH")
        gateway.happen(lambda later: later.fail_payout(failed.id)[1])
        refund = gateway.refund(paid.id, Money(1000))
        dispute = gateway.dispute(paid.id, Money(2000))
        gateway.happen(lambda later: later.close(dispute.id, DisputeStatus.WON))
        gateway.later.charge_fee("acct_north", 500)
        lines = StripeGateway(API_KEY, gateway.url).balance_transactions(gateway.pay_out("NORTH").id)
    assert {(line.kind, line.source_gateway_id, line.amount.minor) for line in lines} == {
        (LineKind.PAYOUT_CAME_BACK, failed.id, failed.amount),
        (LineKind.REFUND, refund.id, -1000),
        (LineKind.DISPUTE_WITHDRAWN, dispute.id, -2000),
        (LineKind.DISPUTE_GIVEN_BACK, dispute.id, 2000),
        (LineKind.FEE, "", -500),
    }
