"""The official library against the card gateway double: payouts come apart into payments."""

from canonical.money import Money
from payments.adapters.stripe_gateway import StripeReader
from payments.domain.payout import shares_by_entity
from sandbox.world.gateway import API_KEY, CardGateway


def test_a_payout_is_read_as_the_payments_it_settles() -> None:
    with CardGateway(3) as gateway:
        first = gateway.pay(Money(2500), "00000000-0000-0000-0000-000000000001", "NORTH")
        second = gateway.pay(Money(1000), "", "NORTH")
        payout = gateway.pay_out("NORTH")
        lines = StripeReader(API_KEY, gateway.url).balance_transactions(payout.id)
    assert {line.payment_gateway_id for line in lines} == {first.id, second.id}
    (share,) = shares_by_entity(lines, {first.id: "NORTH", second.id: "NORTH"})
    assert (share.gross, share.net) == (Money(3500), Money(payout.amount))
