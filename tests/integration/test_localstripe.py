"""A webhook of localstripe, signed by its own code: accepted, and the payment booked."""

from __future__ import annotations

import pytest
import stripe as stripe_library
from canonical.money import Money
from sandbox.servers.localstripe import LocalStripe
from throughline.connection import Access

from tests.integration.books import at_the_erp
from tests.integration.story import Story, until
from tests.integration.suite import OpenStack

pytestmark = [pytest.mark.servers, pytest.mark.slow]

PAID = Money(2575)


def test_a_payment_at_localstripe_is_booked(told: Story, suite: OpenStack, stripe: LocalStripe, access: Access) -> None:
    before = at_the_erp(access)["NORTH", "gateway-clearing", ""]
    with stripe:
        stripe.send_webhooks_to(f"http://{suite.address('payments', 'http')}/webhooks/stripe")
        pay(stripe)
        until(lambda: suite.count("payments", PAYMENTS) == 1, "the webhook is accepted")
    until(
        lambda: at_the_erp(access)["NORTH", "gateway-clearing", ""] == before + PAID.minor,
        "the payment is in the books",
    )


PAYMENTS = "SELECT count(*) FROM payments WHERE amount_minor = 2575 AND state = 'succeeded' AND entity = 'NORTH'"


def pay(server: LocalStripe) -> None:
    client = stripe_library.StripeClient(server.api_key, base_addresses={"api": server.base_url}, max_network_retries=0)
    card = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123"}
    method = client.v1.payment_methods.create({"type": "card", "card": card})  # type: ignore[arg-type]
    client.v1.payment_intents.create(
        {
            "amount": PAID.minor,
            "currency": "usd",
            "payment_method": method.id,
            "confirm": True,
            "metadata": {"entity": "NORTH"},
        }
    )
