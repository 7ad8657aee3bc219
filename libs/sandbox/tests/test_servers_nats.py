"""The local NATS writes to disk before it acknowledges, and each user may do what its table says and nothing else."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error
from nats.js.api import ConsumerConfig, KeyValueConfig, StreamConfig
from nats.js.errors import KeyWrongLastSequenceError
from sandbox.servers.nats import NatsServer
from sandbox.servers.nats_permissions import ConsumerNotOwned, lease_bucket_of, permissions_for, stream_of

pytestmark = pytest.mark.servers

CONSUMERS = {
    "claims": [("BILLING_INTAKE", "claims-charges-0"), ("BILLING_PAYMENTS", "claims-remittances-0")],
    "ledger-adapter": [("BILLING_CLAIMS", "ledger-adapter-claims-0")],
}

ALLOWED = [
    ("claims", "billing.claims.claim-adjudicated.v1.3.k1"),
    ("ledger-adapter", "billing.ledger.entry-posted.v1.0.k1"),
    ("claims", "$JS.API.STREAM.INFO.BILLING_PAYMENTS"),
    ("claims", "$JS.API.STREAM.MSG.GET.BILLING_CLAIMS"),
    ("claims", "$JS.API.DIRECT.GET.BILLING_CLAIMS.billing.claims.>"),
    ("claims", "$JS.API.CONSUMER.MSG.NEXT.BILLING_INTAKE.claims-charges-0"),
    ("claims", "$JS.API.CONSUMER.INFO.BILLING_INTAKE.claims-charges-0"),
    ("claims", "$JS.ACK.BILLING_INTAKE.claims-charges-0.1.1.1.1.0"),
    ("claims", "$KV.LEASES_CLAIMS.p3"),
    ("ledger-adapter", "$KV.LEASES_LEDGER_ADAPTER.p3"),
    ("operator", "$JS.API.STREAM.CREATE.BILLING_CLAIMS"),
    ("operator", "$JS.API.CONSUMER.CREATE.BILLING_CLAIMS.ledger-adapter-claims-0"),
    ("checker", "$JS.API.STREAM.MSG.GET.BILLING_LEDGER"),
    ("checker", "$JS.API.CONSUMER.INFO.BILLING_INTAKE.claims-charges-0"),
]
DENIED = [
    ("claims", "billing.intake.charge-captured.v1.3.k1"),
    ("ledger-adapter", "billing.ledger-adapter.entry-posted.v1.0.k1"),
    ("intake", "anything.else"),
    ("claims", "$JS.API.STREAM.CREATE.BILLING_CLAIMS"),
    ("claims", "$JS.API.STREAM.UPDATE.BILLING_CLAIMS"),
    ("claims", "$JS.API.STREAM.DELETE.BILLING_CLAIMS"),
    ("claims", "$JS.API.STREAM.PURGE.BILLING_CLAIMS"),
    ("claims", "$JS.API.STREAM.MSG.DELETE.BILLING_CLAIMS"),
    ("claims", "$JS.API.STREAM.MSG.GET.BILLING_PAYMENTS"),
    ("claims", "$JS.API.DIRECT.GET.BILLING_PAYMENTS"),
    ("claims", "$JS.API.CONSUMER.CREATE.BILLING_INTAKE.claims-other"),
    ("claims", "$JS.API.CONSUMER.DURABLE.CREATE.BILLING_INTAKE.claims-charges-0"),
    ("claims", "$JS.API.CONSUMER.DELETE.BILLING_INTAKE.claims-charges-0"),
    ("claims", "$JS.API.CONSUMER.MSG.NEXT.BILLING_INTAKE.claims-charges-1"),
    ("claims", "$JS.API.CONSUMER.MSG.NEXT.BILLING_CLAIMS.ledger-adapter-claims-0"),
    ("claims", "$JS.ACK.BILLING_CLAIMS.ledger-adapter-claims-0.1.1.1.1.0"),
    ("claims", "$KV.LEASES_PAYMENTS.p3"),
    ("claims", "_INBOX_payments.reply"),
    ("operator", "billing.claims.claim-adjudicated.v1.3.k1"),
    ("operator", "$JS.API.CONSUMER.MSG.NEXT.BILLING_INTAKE.claims-charges-0"),
    ("operator", "$JS.ACK.BILLING_INTAKE.claims-charges-0.1.1.1.1.0"),
    ("checker", "billing.claims.claim-adjudicated.v1.3.k1"),
    ("checker", "$JS.API.STREAM.PURGE.BILLING_CLAIMS"),
    ("checker", "$JS.API.CONSUMER.MSG.NEXT.BILLING_INTAKE.claims-charges-0"),
    ("checker", "$KV.LEASES_CLAIMS.p3"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with NatsServer(tmp_path_factory.mktemp("nats"), consumers=CONSUMERS) as running:
        yield running


@asynccontextmanager
async def connected(server: NatsServer, user: str, refusals: list[str] | None = None) -> AsyncIterator[Client]:
    async def note(error: Exception) -> None:
        if refusals is not None:
            refusals.append(str(error))

    login = server.login(user)
    client = await nats.connect(
        login.url,
        user=login.user,
        password=login.password,
        inbox_prefix=login.inbox_prefix.encode(),
        allow_reconnect=False,
        error_cb=note,
    )
    try:
        yield client
    finally:
        await client.close()


def refusals_when_publishing(server: NatsServer, user: str, subject: str) -> list[str]:
    async def publish() -> list[str]:
        refusals: list[str] = []
        async with connected(server, user, refusals) as client:
            await client.publish(subject, b"")
            await client.flush()
            await asyncio.sleep(0.01)
        return refusals

    return asyncio.run(publish())


@pytest.mark.parametrize(("user", "subject"), ALLOWED)
def test_a_user_may_publish_what_its_work_needs(server: NatsServer, user: str, subject: str) -> None:
    assert refusals_when_publishing(server, user, subject) == []


@pytest.mark.parametrize(("user", "subject"), DENIED)
def test_a_user_may_publish_nothing_else(server: NatsServer, user: str, subject: str) -> None:
    assert "permissions violation for publish" in "".join(refusals_when_publishing(server, user, subject)).lower()


@pytest.mark.parametrize("subject", ["billing.>", "_INBOX.>", "_INBOX_payments.>", "$JS.EVENT.>", ">"])
def test_a_service_hears_its_own_inbox_alone(server: NatsServer, subject: str) -> None:
    async def subscribe() -> list[str]:
        refusals: list[str] = []
        async with connected(server, "claims", refusals) as client:
            await client.subscribe(subject)
            await client.flush()
            await asyncio.sleep(0.01)
        return refusals

    assert "permissions violation for subscription" in "".join(asyncio.run(subscribe())).lower()


def test_a_service_publishes_pulls_acknowledges_and_leases_with_its_rights_alone(server: NatsServer) -> None:
    async def work() -> None:
        async with connected(server, "operator") as operator:
            operated = operator.jetstream()
            await operated.add_stream(StreamConfig("BILLING_INTAKE", subjects=["billing.intake.>"]))
            durable = ConsumerConfig(durable_name="claims-charges-0", ack_policy="explicit")  # type: ignore[arg-type]
            await operated.add_consumer("BILLING_INTAKE", durable)
            await operated.create_key_value(KeyValueConfig(lease_bucket_of("claims")))
        async with connected(server, "intake") as intake:
            receipt = await intake.jetstream().publish("billing.intake.charge-captured.v1.3.k1", b"charge")
            assert (await intake.jetstream().get_msg("BILLING_INTAKE", receipt.seq)).data == b"charge"
        refusals: list[str] = []
        async with connected(server, "claims", refusals) as claims:
            stream = claims.jetstream()
            puller = await stream.pull_subscribe_bind("claims-charges-0", "BILLING_INTAKE")
            (message,) = await puller.fetch(1, timeout=2)
            await message.ack_sync(timeout=2)
            assert (await puller.consumer_info()).num_ack_pending == 0
            leases = await stream.key_value(lease_bucket_of("claims"))
            revision = await leases.create("p3", b"replica-a")
            assert (await leases.get("p3")).value == b"replica-a"
            with pytest.raises(KeyWrongLastSequenceError):
                await leases.update("p3", b"replica-b", last=revision + 1)
        assert refusals == []

    asyncio.run(work())


def test_a_stranger_cannot_connect(server: NatsServer) -> None:
    async def connect() -> None:
        await nats.connect(server.url, allow_reconnect=False, connect_timeout=2)

    with pytest.raises(Error, match=r"(?i)authorization violation"):
        asyncio.run(connect())


def test_every_write_is_synced_before_it_is_acknowledged(server: NatsServer) -> None:
    jetstream = httpx.get(f"{server.monitoring_url}/jsz").json()
    assert jetstream["config"]["sync_always"] is True


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    async def publish(server: NatsServer) -> None:
        async with connected(server, "operator") as operator:
            await operator.jetstream().add_stream(StreamConfig("BILLING_INTAKE", subjects=["billing.intake.>"]))
        async with connected(server, "intake") as intake:
            await intake.jetstream().publish("billing.intake.charge-captured.v1.3.k1", b"kept")

    async def read(server: NatsServer) -> bytes | None:
        async with connected(server, "checker") as checker:
            return (await checker.jetstream().get_msg("BILLING_INTAKE", 1)).data

    with NatsServer(tmp_path) as server:
        asyncio.run(publish(server))
        server.kill9()
        server.start()
        assert asyncio.run(read(server)) == b"kept"


def test_a_suspended_server_answers_again_after_it_is_resumed(tmp_path: Path) -> None:
    async def round_trip(server: NatsServer) -> None:
        async with connected(server, "operator") as operator:
            server.process.suspend()
            with pytest.raises(nats.errors.TimeoutError):
                await operator.request("$JS.API.INFO", timeout=0.2)
            server.process.resume()
            await operator.request("$JS.API.INFO", timeout=2)

    with NatsServer(tmp_path) as server:
        asyncio.run(round_trip(server))


def test_a_stopped_server_leaves_no_process(tmp_path: Path) -> None:
    server = NatsServer(tmp_path)
    server.start()
    record = server.process.record
    assert record is not None
    server.stop()
    assert not record.is_running()
    assert not server.is_healthy()


def test_a_durable_of_another_service_is_refused_in_the_table() -> None:
    with pytest.raises(ConsumerNotOwned):
        permissions_for("claims", {"claims": [("BILLING_INTAKE", f"payments-{uuid.uuid4()}")]})


def test_the_ledger_adapter_owns_the_ledger_stream() -> None:
    assert stream_of("ledger-adapter") == "BILLING_LEDGER"
