"""The card gateway: the official library can talk to it, its webhooks verify, and it can be told to misbehave."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import stripe
from canonical.money import Money
from sandbox.world.gateway import API_KEY, WEBHOOK_SECRET, CardGateway
from sandbox.world.gateway_book import DECLINED_AMOUNT_MINOR, NothingToPayOut
from sandbox.world.gateway_objects import processing_fee
from sandbox.world.loopback import LoopbackApp
from sandbox.world.misbehaviour import Fault, Misbehaviour
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@dataclass
class Receiver:
    """Takes webhooks, verifies them by the official library, and answers 400 to what does not verify."""

    events: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    failures_left: int = 0
    url: str = ""

    async def take(self, request: Request) -> Response:
        if self.failures_left:
            self.failures_left -= 1
            return Response(status_code=503)
        body = await request.body()
        try:
            stripe.Webhook.construct_event(body, request.headers["stripe-signature"], WEBHOOK_SECRET)
        except stripe.SignatureVerificationError as refusal:
            self.refusals.append(str(refusal))
            return Response(status_code=400)
        self.events.append(json.loads(body))
        return Response(status_code=200)

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    taken = Receiver()
    server = LoopbackApp(Starlette(routes=[Route("/webhooks", taken.take, methods=["POST"])]))
    server.start()
    taken.url = f"{server.url}/webhooks"
    yield taken
    server.stop()


@pytest.fixture
def faults() -> Misbehaviour:
    return Misbehaviour()


@pytest.fixture
def gateway(receiver: Receiver, faults: Misbehaviour) -> Iterator[CardGateway]:
    made = CardGateway(3, misbehaviour=faults, retry_pause_seconds=0.1)
    made.start(receiver.url)
    yield made
    made.stop()


@pytest.fixture
def client(gateway: CardGateway) -> stripe.StripeClient:
    return stripe.StripeClient(API_KEY, base_addresses={"api": gateway.url}, max_network_retries=0)


def wait_until(gateway: CardGateway, receiver: Receiver, count: int) -> None:
    deadline = time.monotonic() + 5
    while len(receiver.events) < count or gateway.webhooks.waiting_count:
        assert time.monotonic() < deadline, (receiver.kinds(), gateway.webhooks.attempts)
        time.sleep(0.01)


def intent_params(amount: int, **more: object) -> Any:
    metadata = {"patient_account": "6f3a", "entity": "SOUTH"}
    card = {"payment_method": "pm_card_visa", "payment_method_types": ["card"]}
    return {"amount": amount, "currency": "usd", "confirm": True, "metadata": metadata, **card, **more}


def test_a_confirmed_intent_succeeds_and_both_webhooks_verify(
    client: stripe.StripeClient, gateway: CardGateway, receiver: Receiver
) -> None:
    intent = client.v1.payment_intents.create(params=intent_params(5_000))
    wait_until(gateway, receiver, 2)
    assert (intent.status, intent.amount_received) == ("succeeded", 5_000)
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"
    assert sorted(receiver.kinds()) == ["charge.succeeded", "payment_intent.succeeded"]
    for event in receiver.events:
        assert event["account"] == "acct_south"
        assert event["data"]["object"]["metadata"] == {"patient_account": "6f3a", "entity": "SOUTH"}


@pytest.mark.parametrize(
    "params", [intent_params(DECLINED_AMOUNT_MINOR), intent_params(70_00, payment_method="pm_card_chargeDeclined")]
)
def test_a_declined_card_is_refused_and_told(
    params: Any, client: stripe.StripeClient, gateway: CardGateway, receiver: Receiver
) -> None:
    with pytest.raises(stripe.CardError) as refusal:
        client.v1.payment_intents.create(params=params)
    wait_until(gateway, receiver, 2)
    assert refusal.value.code == "card_declined"
    assert sorted(receiver.kinds()) == ["charge.failed", "payment_intent.payment_failed"]


def test_a_payout_lists_its_transactions_whose_net_is_its_amount(
    client: stripe.StripeClient, gateway: CardGateway, receiver: Receiver
) -> None:
    for cents in range(25):
        gateway.pay(Money(10_000 + cents), "acct", "NORTH")
    gateway.pay(Money(777), "acct", "SOUTH")
    payout = gateway.pay_out("NORTH")
    listed = client.v1.balance_transactions.list(params={"payout": payout.id, "limit": 10})
    transactions = list(listed.auto_paging_iter())
    charges = [each for each in transactions if each.type == "charge"]
    assert len(transactions) == 26
    assert sum(each.net for each in charges) == payout.amount
    assert all(each.net == each.amount - each.fee and each.fee == processing_fee(each.amount) for each in charges)
    metadata = client.v1.payouts.retrieve(payout.id).metadata
    assert metadata is not None
    assert metadata["entity"] == "NORTH"
    wait_until(gateway, receiver, 53)
    assert receiver.kinds().count("payout.paid") == 1


@pytest.mark.parametrize(("amount", "fee"), [(10_000, 320), (100, 33), (50, 31), (12_345, 388), (10_017, 320)])
def test_the_fee_is_2_9_percent_and_thirty_cents_with_the_half_cent_up(amount: int, fee: int) -> None:
    assert processing_fee(amount) == fee


def test_an_empty_balance_is_not_paid_out(gateway: CardGateway) -> None:
    gateway.pay(Money(1_000), "acct", "NORTH")
    gateway.pay_out("NORTH")
    with pytest.raises(NothingToPayOut):
        gateway.pay_out("NORTH")


def test_the_same_idempotency_key_charges_once_and_other_parameters_are_refused(
    client: stripe.StripeClient, gateway: CardGateway
) -> None:
    first = client.v1.payment_intents.create(params=intent_params(100), options={"idempotency_key": "k"})
    again = client.v1.payment_intents.create(params=intent_params(100), options={"idempotency_key": "k"})
    assert first.id == again.id
    assert len(gateway.book.charges) == 1
    with pytest.raises(stripe.IdempotencyError):
        client.v1.payment_intents.create(params=intent_params(200), options={"idempotency_key": "k"})


def test_a_lost_answer_is_found_again_by_the_retry_of_the_library(gateway: CardGateway, faults: Misbehaviour) -> None:
    faults.request(Fault.TIMEOUT_AFTER_WORK, target="api")
    client = stripe.StripeClient(API_KEY, base_addresses={"api": gateway.url}, max_network_retries=1)
    assert client.v1.payment_intents.create(params=intent_params(100)).status == "succeeded"
    assert len(gateway.book.charges) == 1
    assert [strike.fault for strike in faults.struck] == [Fault.TIMEOUT_AFTER_WORK]


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.SERVER_ERROR])
def test_an_outage_is_an_api_error_and_charges_nothing(
    fault: Fault, client: stripe.StripeClient, gateway: CardGateway, faults: Misbehaviour
) -> None:
    faults.request(fault, target="api")
    with pytest.raises(stripe.APIError):
        client.v1.payment_intents.create(params=intent_params(100))
    assert gateway.book.intents == {}


def test_a_wrong_key_and_an_unknown_object_are_refused(gateway: CardGateway, client: stripe.StripeClient) -> None:
    stranger = stripe.StripeClient("sk_test_wrong", base_addresses={"api": gateway.url})
    with pytest.raises(stripe.AuthenticationError):
        stranger.v1.payouts.list()
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payouts.retrieve("po_none")


def test_a_duplicate_webhook_has_the_same_event_id_and_bytes(
    gateway: CardGateway, receiver: Receiver, faults: Misbehaviour
) -> None:
    faults.request(Fault.DUPLICATE, target="payment_intent.succeeded")
    gateway.pay(Money(1_000), "acct", "NORTH")
    wait_until(gateway, receiver, 3)
    twice = [event for event in receiver.events if event["type"] == "payment_intent.succeeded"]
    assert len(twice) == 2
    assert twice[0] == twice[1]


def test_webhooks_come_in_another_order_when_asked(
    gateway: CardGateway, receiver: Receiver, faults: Misbehaviour
) -> None:
    faults.request(Fault.REORDER)
    gateway.pay(Money(1_000), "acct", "NORTH")
    wait_until(gateway, receiver, 2)
    assert receiver.kinds() == ["charge.succeeded", "payment_intent.succeeded"]


@pytest.mark.parametrize("fault", [Fault.WRONG_SIGNATURE, Fault.OLD_TIMESTAMP])
def test_a_badly_signed_attempt_is_refused_and_the_next_is_good(
    fault: Fault, gateway: CardGateway, receiver: Receiver, faults: Misbehaviour
) -> None:
    faults.request(fault, target="charge.succeeded")
    gateway.pay(Money(1_000), "acct", "NORTH")
    wait_until(gateway, receiver, 2)
    assert len(receiver.refusals) == 1
    assert receiver.kinds() == ["payment_intent.succeeded", "charge.succeeded"]


def test_an_event_is_sent_until_it_is_taken(gateway: CardGateway, receiver: Receiver) -> None:
    receiver.failures_left = 3
    gateway.pay(Money(1_000), "acct", "NORTH")
    wait_until(gateway, receiver, 2)
    assert [attempt.status for attempt in gateway.webhooks.attempts].count(503) == 3


def test_a_payment_without_metadata_still_names_its_account(
    gateway: CardGateway, receiver: Receiver, faults: Misbehaviour
) -> None:
    faults.request(Fault.WITHOUT_METADATA)
    gateway.pay(Money(1_000), "acct", "SOUTH")
    wait_until(gateway, receiver, 2)
    assert [(event["account"], event["data"]["object"]["metadata"]) for event in receiver.events] == [
        ("acct_south", {})
    ] * 2


def test_one_cent_more_in_an_event_than_the_api_says(
    gateway: CardGateway, receiver: Receiver, faults: Misbehaviour, client: stripe.StripeClient
) -> None:
    faults.request(Fault.CORRUPT_ONE_CENT, target="payment_intent.succeeded")
    intent = gateway.pay(Money(1_000), "acct", "SOUTH")
    wait_until(gateway, receiver, 2)
    assert receiver.events[0]["data"]["object"]["amount"] == 1_001
    assert client.v1.payment_intents.retrieve(intent.id).amount == 1_000


def test_the_driver_can_command_it_from_outside(gateway: CardGateway, receiver: Receiver) -> None:
    gateway.pay(Money(1_000), "acct", "NORTH")
    command = f"{gateway.url}/_sandbox"
    httpx.post(f"{command}/misbehave", json={"fault": "duplicate", "target": "payout.paid"})
    assert httpx.post(f"{command}/payouts", json={"entity": "NORTH"}).json()["amount"] == 1_000 - processing_fee(1_000)
    wait_until(gateway, receiver, 4)
    assert httpx.get(f"{command}/state").json() == {"struck": [["duplicate", "payout.paid"]], "webhooks_waiting": 0}
    assert httpx.post(f"{command}/payouts", json={"entity": "NORTH"}).status_code == 409


def test_ids_are_the_same_for_the_same_seed() -> None:
    gateways = [CardGateway(9), CardGateway(9), CardGateway(10)]
    ids = [gateway.pay(Money(1_000), "acct", "NORTH").id for gateway in gateways]
    for gateway in gateways:
        gateway.stop()
    assert ids[0] == ids[1] != ids[2]


def test_stopping_ends_its_threads() -> None:
    before = set(threading.enumerate())
    with CardGateway() as gateway:
        assert len(set(threading.enumerate()) - before) >= 2
        assert gateway.url.startswith("http://127.0.0.1:")
    assert [each for each in set(threading.enumerate()) - before if each.name in ("webhooks", "loopback")] == []
