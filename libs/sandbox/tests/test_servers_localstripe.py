"""localstripe answers the official client on loopback and signs its webhooks."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import stripe
from sandbox.servers.localstripe import LocalStripe

pytestmark = pytest.mark.servers

LEFT_BY_ITS_OWN_COMMAND_LINE = Path("/tmp/localstripe.pickle")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStripe]:
    with LocalStripe(tmp_path_factory.mktemp("localstripe")) as running:
        yield running


@contextmanager
def webhook_listener() -> Iterator[tuple[str, "queue.Queue[tuple[bytes, str]]"]]:
    received: queue.Queue[tuple[bytes, str]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.put((body, self.headers["Stripe-Signature"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Stay quiet."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}/", received
    finally:
        listener.shutdown()
        listener.server_close()


def pay(server: LocalStripe, card: str = "4242424242424242") -> stripe.PaymentIntent:
    client = stripe.StripeClient(server.api_key, base_addresses={"api": server.base_url}, max_network_retries=0)
    expiry = {"number": card, "exp_month": 12, "exp_year": 2030, "cvc": "123"}
    method = client.v1.payment_methods.create({"type": "card", "card": expiry})  # type: ignore[arg-type]
    return client.v1.payment_intents.create(
        {"amount": 2500, "currency": "usd", "payment_method": method.id, "confirm": True}
    )


def test_the_official_client_takes_a_payment(server: LocalStripe) -> None:
    intent = pay(server)
    assert (intent.status, intent.amount) == ("succeeded", 2500)


def test_a_declined_card_is_refused(server: LocalStripe) -> None:
    with pytest.raises(stripe.CardError):
        pay(server, card="4000000000000341")


def test_webhooks_go_where_told_and_carry_a_valid_signature(tmp_path: Path) -> None:
    with webhook_listener() as (url, received), LocalStripe(tmp_path, webhook_url=url) as server:
        server.send_webhooks_to(url, events=["payment_intent.succeeded"])
        intent = pay(server)
        body, signature = received.get(timeout=10)
    event = stripe.Webhook.construct_event(body, signature, server.webhook_secret)
    assert event["type"] == "payment_intent.succeeded"
    assert event["data"]["object"]["id"] == intent.id


def test_nothing_is_written_to_the_shared_pickle(tmp_path: Path) -> None:
    before = LEFT_BY_ITS_OWN_COMMAND_LINE.stat().st_mtime_ns if LEFT_BY_ITS_OWN_COMMAND_LINE.exists() else None
    with LocalStripe(tmp_path) as server:
        pay(server)
    after = LEFT_BY_ITS_OWN_COMMAND_LINE.stat().st_mtime_ns if LEFT_BY_ITS_OWN_COMMAND_LINE.exists() else None
    assert after == before


def test_a_stopped_localstripe_leaves_no_process(tmp_path: Path) -> None:
    server = LocalStripe(tmp_path)
    server.start()
    record = server.process.record
    assert record is not None
    server.stop()
    assert not record.is_running()
    assert not server.is_healthy()
