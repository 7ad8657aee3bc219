"""Against a real server: declaring is idempotent and loses nothing, and a start refuses each unsafe setting by name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import nats
import pytest
from chassis.domain import Unavailable, UnsafeSetting
from chassis.messaging.declaration import WouldLoseData, declare, empty_for_refill
from chassis.messaging.safety import refuse_unsafe_server, refuse_unsafe_streams
from chassis.messaging.topology import Topology
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StreamConfig
from sandbox.servers.nats import NatsServer

pytestmark = pytest.mark.servers

TOPOLOGY = Topology()


class LazyServer(NatsServer):
    """As NATS comes: it acknowledges before it syncs."""

    def _configured(self) -> dict[str, object]:
        configured = super()._configured()
        jetstream = configured["jetstream"]
        assert isinstance(jetstream, dict)
        del jetstream["sync_interval"]
        return configured


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    with NatsServer(tmp_path, consumers=TOPOLOGY.durables_by_user()) as running:
        yield running


@asynccontextmanager
async def connected(server: NatsServer, user: str) -> AsyncIterator[Client]:
    login = server.login(user)
    client = await nats.connect(
        login.url, user=login.user, password=login.password, inbox_prefix=login.inbox_prefix.encode()
    )
    try:
        yield client
    finally:
        await client.close()


def as_operator(server: NatsServer, work: Callable[[Client], Coroutine[Any, Any, Any]]) -> Any:
    async def main() -> Any:
        async with connected(server, "operator") as client:
            return await work(client)

    return asyncio.run(main())


def check_claims(server: NatsServer, topology: Topology = TOPOLOGY) -> None:
    async def main() -> None:
        async with connected(server, "claims") as client:
            await refuse_unsafe_streams(client.jetstream(), topology, "claims", [server.monitoring_url])

    asyncio.run(main())


def test_declaring_twice_changes_nothing(server: NatsServer) -> None:
    first = as_operator(server, lambda client: declare(client, TOPOLOGY))
    second = as_operator(server, lambda client: declare(client, TOPOLOGY))
    assert len(first.made) == 5 + 9 + 5
    assert (second.made, second.changed) == ([], [])


def test_what_is_declared_passes_the_check_of_a_start(server: NatsServer) -> None:
    as_operator(server, lambda client: declare(client, TOPOLOGY))
    check_claims(server)


def test_more_room_is_given_without_asking(server: NatsServer) -> None:
    small = Topology(max_bytes=1_000_000, max_age_seconds=86_400)
    as_operator(server, lambda client: declare(client, small))
    changed = as_operator(server, lambda client: declare(client, TOPOLOGY)).changed
    assert "BILLING_INTAKE" in changed


@pytest.mark.parametrize("smaller", [Topology(max_age_seconds=3600), Topology(max_bytes=1_000_000)])
def test_a_change_that_could_drop_unread_messages_is_refused(server: NatsServer, smaller: Topology) -> None:
    as_operator(server, lambda client: declare(client, TOPOLOGY))
    with pytest.raises(WouldLoseData, match="BILLING_INTAKE"):
        as_operator(server, lambda client: declare(client, smaller))


def test_another_number_of_partition_groups_is_refused(server: NatsServer) -> None:
    as_operator(server, lambda client: declare(client, TOPOLOGY))
    with pytest.raises(WouldLoseData, match="drain"):
        as_operator(server, lambda client: declare(client, Topology(partition_groups=2)))


def test_a_stream_is_emptied_for_a_refill_only_on_demand(server: NatsServer) -> None:
    as_operator(server, lambda client: declare(client, TOPOLOGY))

    async def last_sequence(client: Client) -> int:
        return (await client.jetstream().stream_info("BILLING_INTAKE")).state.last_seq

    async def publish() -> None:
        async with connected(server, "intake") as client:
            await client.jetstream().publish("billing.intake.patient-registered.v1.3.k", b"{}")

    asyncio.run(publish())
    as_operator(server, lambda client: declare(client, TOPOLOGY))
    assert as_operator(server, last_sequence) == 1
    as_operator(server, lambda client: empty_for_refill(client, TOPOLOGY, "intake"))
    assert as_operator(server, last_sequence) == 0
    check_claims(server)


STREAMS: list[tuple[str, Callable[[StreamConfig], StreamConfig]]] = [
    ("BILLING_INTAKE.discard", lambda config: config.evolve(discard=DiscardPolicy.OLD)),
    ("BILLING_INTAKE.retention", lambda config: config.evolve(retention=RetentionPolicy.INTEREST)),
    ("BILLING_INTAKE.deny_delete", lambda config: config.evolve(deny_delete=False)),
    ("BILLING_INTAKE.allow_atomic", lambda config: config.evolve(allow_atomic=False)),
    ("BILLING_INTAKE.duplicate_window", lambda config: config.evolve(duplicate_window=120)),
    ("BILLING_INTAKE.max_age", lambda config: config.evolve(max_age=3600)),
]


@pytest.mark.parametrize(("setting", "spoil"), STREAMS)
def test_a_start_refuses_a_stream_that_may_lose_messages(
    server: NatsServer, setting: str, spoil: Callable[[StreamConfig], StreamConfig]
) -> None:
    async def spoilt(client: Client) -> None:
        await client.jetstream().add_stream(spoil(TOPOLOGY.stream("intake")))
        await declare_rest(client)

    async def declare_rest(client: Client) -> None:
        await client.jetstream().add_stream(TOPOLOGY.stream("claims"))
        await client.jetstream().add_stream(TOPOLOGY.stream("payments"))

    as_operator(server, spoilt)
    with pytest.raises(UnsafeSetting) as refused:
        check_claims(server)
    assert refused.value.setting == setting


def test_a_start_refuses_fewer_replicas_than_configured(server: NatsServer) -> None:
    as_operator(server, lambda client: declare(client, TOPOLOGY))
    with pytest.raises(UnsafeSetting) as refused:
        check_claims(server, replace(TOPOLOGY, replicas=3))
    assert refused.value.setting == "BILLING_CLAIMS.num_replicas"
    assert refused.value.needed == "at least 3"


CONSUMERS: list[tuple[str, Callable[[ConsumerConfig], ConsumerConfig]]] = [
    ("claims-intake-g0.ack_policy", lambda config: config.evolve(ack_policy=AckPolicy.ALL)),
    ("claims-intake-g0.ack_policy", lambda config: config.evolve(ack_policy=AckPolicy.NONE, max_ack_pending=None)),
    ("claims-intake-g0.max_deliver", lambda config: config.evolve(max_deliver=5)),
    ("claims-intake-g0.filter_subjects", lambda config: config.evolve(filter_subjects=["billing.intake.*.*.3.*"])),
    ("claims-intake-g0.ack_wait", lambda config: config.evolve(ack_wait=10)),
    ("claims-intake-g0.max_ack_pending", lambda config: config.evolve(max_ack_pending=100)),
]


@pytest.mark.parametrize(("setting", "spoil"), CONSUMERS)
def test_a_start_refuses_a_durable_that_may_skip_messages(
    server: NatsServer, setting: str, spoil: Callable[[ConsumerConfig], ConsumerConfig]
) -> None:
    durable = TOPOLOGY.durables("claims")[0]

    async def spoilt(client: Client) -> None:
        await declare(client, TOPOLOGY)
        js = client.jetstream()
        await js.delete_consumer(durable.stream, durable.name)
        await js.add_consumer(durable.stream, spoil(TOPOLOGY.consumer(durable)))

    as_operator(server, spoilt)
    with pytest.raises(UnsafeSetting) as refused:
        check_claims(server)
    assert refused.value.setting == setting


def test_a_start_refuses_what_is_not_declared_at_all(server: NatsServer) -> None:
    with pytest.raises(UnsafeSetting, match="BILLING_CLAIMS is missing"):
        check_claims(server)


def test_a_start_refuses_a_server_that_acknowledges_before_it_syncs(tmp_path: Path) -> None:
    with LazyServer(tmp_path) as lazy, pytest.raises(UnsafeSetting) as refused:
        asyncio.run(refuse_unsafe_server(lazy.monitoring_url))
    assert refused.value.setting == "jetstream.sync_interval"


def test_a_server_nobody_can_look_into_is_refused(server: NatsServer) -> None:
    with pytest.raises(UnsafeSetting, match="monitoring_url"):
        asyncio.run(refuse_unsafe_server(""))
    with pytest.raises(Unavailable):
        asyncio.run(refuse_unsafe_server("http://127.0.0.1:1"))
