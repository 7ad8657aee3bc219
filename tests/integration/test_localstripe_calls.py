"""What our gateway asks of Stripe, asked of localstripe, which other people wrote: the calls and fields that it knows too.

It ignores idempotency keys, lists no disputes and no lines of payouts; the sandbox's own gateway is held to those.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import stripe as stripe_library
from canonical.ids import derive
from canonical.money import Money
from payments.adapters.stripe_api import StripeGateway
from payments.application.ports import GatewayRefused, PaymentOrder, RefundOrder
from payments.domain.gateway_facts import ObjectKind, PaymentArrived, RefundReported
from payments.domain.refunds import ToldState
from sandbox.servers.localstripe import LocalStripe

pytestmark = [pytest.mark.servers]

ACCOUNT, NORTH = derive("localstripe-account", 1), "NORTH"
TODAY = datetime.now(UTC).date()
VISA, DECLINED = "4242424242424242", "4000000000000341"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStripe]:
    with LocalStripe(tmp_path_factory.mktemp("localstripe-calls")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(server: LocalStripe) -> StripeGateway:
    return StripeGateway(server.api_key, server.base_url, retries=0)


def saved_card(server: LocalStripe, number: str = VISA) -> str:
    """A card that the gateway keeps, as its own page makes one."""
    client = stripe_library.StripeClient(server.api_key, base_addresses={"api": server.base_url}, max_network_retries=0)
    card = {"number": number, "exp_month": 12, "exp_year": 2035, "cvc": "123"}
    return client.v1.payment_methods.create({"type": "card", "card": card}).id  # type: ignore[arg-type]


def order(server: LocalStripe, name: str, number: str = VISA) -> PaymentOrder:
    since = datetime.now(UTC) - timedelta(minutes=1)
    return PaymentOrder(derive("order", name), ACCOUNT, NORTH, Money(2575), "card", saved_card(server, number), since)


def paid(server: LocalStripe, gateway: StripeGateway, name: str) -> PaymentArrived:
    made = gateway.create_payment(order(server, name), TODAY)
    assert isinstance(made, PaymentArrived)
    return made


def refund(payment: PaymentArrived, refund_id: UUID, minor: int) -> RefundOrder:
    return RefundOrder(refund_id, payment.gateway_id, Money(minor))


def test_an_ordered_payment_is_made_with_our_ids_and_read_back(server: LocalStripe, gateway: StripeGateway) -> None:
    made = paid(server, gateway, "first")
    assert (made.amount, made.entity, made.account_id) == (Money(2575), NORTH, ACCOUNT)
    told = gateway.object_of(ObjectKind.PAYMENT, made.gateway_id, TODAY)
    assert isinstance(told, PaymentArrived)
    assert (told.gateway_id, told.amount, told.account_id) == (made.gateway_id, made.amount, made.account_id)


def test_a_declined_card_is_refused_with_its_code(server: LocalStripe, gateway: StripeGateway) -> None:
    with pytest.raises(GatewayRefused, match="card_declined"):
        gateway.create_payment(order(server, "declined", DECLINED), TODAY)


def test_partial_refunds_of_a_payment_are_made_with_our_ids_and_found(
    server: LocalStripe, gateway: StripeGateway
) -> None:
    payment = paid(server, gateway, "refunded")
    wanted = refund(payment, derive("refund", 1), 1000)
    assert gateway.find_refund(wanted, TODAY) is None
    made = gateway.create_refund(wanted, TODAY)
    assert isinstance(made, RefundReported)
    assert (made.refund_id, made.amount, made.state) == (wanted.refund_id, Money(1000), ToldState.SUCCEEDED)
    assert gateway.find_refund(wanted, TODAY) == made
    assert gateway.find_refund(refund(payment, derive("refund", 2), 1000), TODAY) is None
    assert gateway.object_of(ObjectKind.REFUND, made.gateway_id, TODAY) == made


def test_what_the_gateway_does_not_have_is_refused_and_not_asked_again(gateway: StripeGateway) -> None:
    for kind, name in ((ObjectKind.PAYMENT, "pi_none"), (ObjectKind.REFUND, "re_none")):
        with pytest.raises(GatewayRefused):
            gateway.object_of(kind, name, TODAY)


def test_the_events_of_a_window_are_listed(server: LocalStripe, gateway: StripeGateway) -> None:
    payment = paid(server, gateway, "told of")
    now = datetime.now(UTC)
    found = gateway.events_between(now - timedelta(minutes=5), now + timedelta(minutes=5))
    assert payment.gateway_id in {getattr(event.fact, "gateway_id", "") for event in found}
