"""Consumers on a real NATS: saved before acknowledged, poison set apart, nothing fetched is dropped, replicas share."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import nats
import pytest
from chassis.domain import Transient
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.port import Commit
from chassis.messaging import steady_pull
from chassis.messaging.consumer import Handled
from chassis.messaging.declaration import declare
from chassis.messaging.leases import Lease
from chassis.messaging.nats_connection import NatsLogin
from chassis.messaging.nats_consumers import NatsConsumers, known_type
from chassis.messaging.relay import outgoing
from chassis.messaging.steady_pull import PULL_BYTES_MAX, TROUBLE_PAUSE_SECONDS, SteadyPull
from chassis.messaging.topology import Topology, lease_bucket_of
from chassis.testing import FixedClock, context
from chassis.testing.sample_service import ANNOUNCER, NOTER, SIGHTINGS, announce, memory_store, noting
from nats.aio.client import Client
from nats.errors import TimeoutError as NatsTimeout
from sandbox.servers.nats import NatsServer

TOPOLOGY = Topology(ack_wait_seconds=5)


@dataclass
class Suite:
    """A running NATS with everything declared, and a way to put announcements on intake's stream."""

    server: NatsServer
    operator: Client
    intake: Client
    topology: Topology
    announcer: MemoryEventStore = field(default_factory=lambda: memory_store(ANNOUNCER))
    announced: int = 0

    async def announce(self, patients: Sequence[UUID], kind: str = "patient.v1", fact: UUID | None = None) -> None:
        announce(self.announcer, context(), patients, kind=kind, fact=fact)
        for entry in self.announcer.log(self.announced, 10_000):
            (event,) = ANNOUNCER.publishing(entry.event)
            message = outgoing("intake", entry, event, 0)
            await self.intake.jetstream().publish(message.subject, message.data, headers=dict(message.headers))
            self.announced = entry.position

    async def ack_state(self, durable: str) -> tuple[int, int]:
        found = await self.operator.jetstream().consumer_info("BILLING_INTAKE", durable)
        return found.num_ack_pending or 0, found.num_pending or 0


@asynccontextmanager
async def running_suite(folder: Path, topology: Topology = TOPOLOGY) -> Any:
    with NatsServer(folder, consumers=topology.durables_by_user()) as server:
        async with AsyncExitStack() as stack:
            clients = {}
            for user in ("operator", "intake"):
                login = server.login(user)
                clients[user] = await nats.connect(
                    login.url, user=login.user, password=login.password, inbox_prefix=login.inbox_prefix.encode()
                )
                stack.push_async_callback(clients[user].close)
            await declare(clients["operator"], topology)
            yield Suite(server, clients["operator"], clients["intake"], topology)


def reader(
    suite: Suite,
    store: MemoryEventStore,
    replica: str,
    fatal: list[BaseException],
    handled: list[Handled] | None = None,
) -> NatsConsumers:
    login = suite.server.login("claims")
    return NatsConsumers(
        NatsLogin("claims", login.url, login.user, login.password),
        suite.topology,
        list(noting(store, FixedClock()).items()),
        ThreadPoolExecutor(4),
        replica=replica,
        after_batch=(handled if handled is not None else []).append,
        on_fatal=fatal.append,
    )


async def until(holds: Callable[[], bool | Awaitable[bool]], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = holds()
        if found if isinstance(found, bool) else await found:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not happen in time")


def seen(store: MemoryEventStore) -> dict[UUID, int]:
    return {row["patient_id"]: row["count"] for row in store.rows(SIGHTINGS, {}, limit=100_000)}  # type: ignore[misc]


def once(patients: Iterable[UUID]) -> dict[UUID, int]:
    return dict.fromkeys(patients, 1)


class StoreThatFails(MemoryEventStore):
    """Fails to save a given number of times, as a database does that is restarted."""

    def __init__(self, times: int) -> None:
        super().__init__(NOTER.registry(), NOTER.all_projections)
        self.left = times
        self.looked: list[int] = []

    def save(self, commit: Commit) -> int:
        if self.left > 0:
            self.left -= 1
            raise Transient("the database is away")
        return super().save(commit)


@pytest.mark.servers
def test_every_message_is_handled_once_and_acknowledged(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_suite(tmp_path) as suite:
            store, fatal = memory_store(NOTER), list[BaseException]()
            patients = [uuid4() for _ in range(700)]
            await suite.announce(patients)
            consumers = reader(suite, store, "a", fatal)
            await consumers.start()
            await until(lambda: len(seen(store)) == len(patients))
            await until(lambda: _is_quiet(suite))
            await consumers.stop()
            assert seen(store) == once(patients)
            assert fatal == []

    asyncio.run(main())


async def _is_quiet(suite: Suite, durable: str = "claims-intake-g0") -> bool:
    return await suite.ack_state(durable) == (0, 0)


@pytest.mark.servers
def test_nothing_is_acknowledged_before_it_is_saved(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_suite(tmp_path) as suite:
            store, fatal = StoreThatFails(10_000), list[BaseException]()
            patients = [uuid4() for _ in range(20)]
            await suite.announce(patients)
            consumers = reader(suite, store, "a", fatal)
            await consumers.start()
            await until(lambda: store.left < 9_995)
            assert await suite.ack_state("claims-intake-g0") == (20, 0)
            assert consumers.failing == ["claims-intake-g0"]
            store.left = 0
            await until(lambda: _is_quiet(suite))
            await consumers.stop()
            assert seen(store) == once(patients)
            assert consumers.failing == []

    asyncio.run(main())


@pytest.mark.servers
def test_a_batch_in_hand_at_the_stop_comes_again_to_the_next_process(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_suite(tmp_path) as suite:
            broken, fatal = StoreThatFails(10_000), list[BaseException]()
            patients = [uuid4() for _ in range(10)]
            await suite.announce(patients)
            first = reader(suite, broken, "a", fatal)
            await first.start()
            await until(lambda: broken.left < 9_999)
            await first.stop()
            store = memory_store(NOTER)
            second = reader(suite, store, "a", fatal)
            await second.start()
            await until(lambda: len(seen(store)) == len(patients))
            await second.stop()
            assert seen(store) == once(patients)

    asyncio.run(main())


@pytest.mark.servers
def test_refused_and_faulty_messages_become_cases_and_the_rest_goes_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_suite(tmp_path) as suite:
            store, fatal = memory_store(NOTER), list[BaseException]()
            good = [uuid4() for _ in range(5)]
            await suite.announce(good[:3])
            await suite.announce([uuid4()], "refused.v1")
            await suite.announce([uuid4()], "bug.v1")
            await suite.announce(good[3:])
            await suite.intake.jetstream().publish("billing.intake.patient-registered.v1.3.x", b"\xff not ours")
            consumers = reader(suite, store, "a", fatal)
            await consumers.start()
            await until(lambda: _is_quiet(suite))
            await consumers.stop()
            assert seen(store) == once(good)
            codes = sorted(str(row["code"]) for row in store.rows(NOTER.all_tables[0], {}))
            assert codes == ["Bug", "InvalidEnvelope", "NeverWelcome"]
            assert fatal == []

    asyncio.run(main())


@pytest.mark.servers
def test_single_messages_arrive_at_once_however_the_pull_times_fall(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_suite(tmp_path) as suite:
            store, fatal = memory_store(NOTER), list[BaseException]()
            consumers = reader(suite, store, "a", fatal)
            await consumers.start()
            for number in range(1, 121):
                await suite.announce([uuid4()])
                await until(lambda wanted=number: len(seen(store)) == wanted, seconds=2.0)  # type: ignore[misc]
                await asyncio.sleep(0.001 * (number % 23))
            await consumers.stop()

    asyncio.run(main())


@pytest.mark.servers
def test_consumers_go_on_after_the_server_was_killed(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_suite(tmp_path) as suite:
            store, fatal = memory_store(NOTER), list[BaseException]()
            consumers = reader(suite, store, "a", fatal)
            await consumers.start()
            patients = [uuid4() for _ in range(4)]
            await suite.announce(patients[:2])
            await until(lambda: len(seen(store)) == 2)
            await asyncio.to_thread(suite.server.kill9)
            await asyncio.to_thread(suite.server.start)
            await until(lambda: suite.intake.is_connected)
            await suite.announce(patients[2:])
            await until(lambda: len(seen(store)) == 4)
            await consumers.stop()
            assert seen(store) == once(patients)
            assert fatal == []

    asyncio.run(main())


@pytest.mark.servers
def test_two_replicas_share_the_groups_and_one_takes_over_all(tmp_path: Path) -> None:
    async def main() -> None:
        topology = Topology(partition_groups=2, ack_wait_seconds=5)
        async with running_suite(tmp_path, topology) as suite:
            store, fatal = memory_store(NOTER), list[BaseException]()
            first, second = (reader(suite, store, name, fatal) for name in ("a", "b"))
            await first.start()
            await second.start()
            assert first.held == ["claims-intake-g0", "claims-intake-g1"]
            assert second.held == []
            await first.stop()
            await until(lambda: second.held == ["claims-intake-g0", "claims-intake-g1"])
            patients = [uuid4() for _ in range(60)]
            await suite.announce(patients)
            await until(lambda: len(seen(store)) == 60)
            await second.stop()
            assert seen(store) == once(patients)

    asyncio.run(main())


@pytest.mark.servers
def test_a_lease_passes_on_when_its_holder_no_longer_renews_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_suite(tmp_path) as suite:
            login = suite.server.login("claims")
            client = await nats.connect(
                login.url, user=login.user, password=login.password, inbox_prefix=login.inbox_prefix.encode()
            )
            bucket = await client.jetstream().key_value(lease_bucket_of("claims"))
            now = 0.0
            a = Lease(bucket, "claims-intake-g0", "a", monotonic=lambda: now)
            b = Lease(bucket, "claims-intake-g0", "b", monotonic=lambda: now)
            assert await a.hold()
            assert not await b.hold()
            now = 9.0
            assert await a.hold()
            assert not await b.hold()
            now = 18.9
            assert not await b.hold()
            assert a.is_held
            now = 19.1
            assert not a.is_held
            assert await b.hold()
            assert not await a.hold()
            await b.release()
            assert await a.hold()
            await client.close()

    asyncio.run(main())


@pytest.mark.servers
def test_a_restarted_replica_takes_its_own_lease_back_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_suite(tmp_path) as suite:
            store, fatal = memory_store(NOTER), list[BaseException]()
            killed = reader(suite, store, "a", fatal)
            await killed.start()
            restarted = reader(suite, store, "a", fatal)
            await restarted.start()
            assert restarted.held == ["claims-intake-g0"]
            await restarted.stop()
            await killed.stop()

    asyncio.run(main())


@pytest.mark.servers
def test_a_pull_keeps_one_request_open_and_gives_back_what_it_holds(tmp_path: Path) -> None:
    async def main() -> None:
        async with running_suite(tmp_path) as suite:
            login = suite.server.login("claims")
            client = await nats.connect(
                login.url, user=login.user, password=login.password, inbox_prefix=login.inbox_prefix.encode()
            )
            pull = await SteadyPull.start(client, "BILLING_INTAKE", "claims-intake-g0")
            for _ in range(4):
                with pytest.raises(NatsTimeout):
                    await pull.fetch(500, 0.6)
            found = await suite.operator.jetstream().consumer_info("BILLING_INTAKE", "claims-intake-g0")
            assert found.num_waiting == 1
            await suite.announce([uuid4() for _ in range(3)])
            first = await pull.fetch(2, 1.0)
            assert len(first) == 2
            await first[0].ack_sync()
            await pull.unsubscribe()
            again = await SteadyPull.start(client, "BILLING_INTAKE", "claims-intake-g0")
            assert len(await again.fetch(500, 1.0)) == 2
            with pytest.raises(NatsTimeout):
                await again.fetch(498, 1.0)
            await client.close()

    asyncio.run(main())


@pytest.mark.servers
def test_full_batches_follow_each_other_without_a_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steady_pull, "TROUBLE_PAUSE_SECONDS", 60.0)

    async def run() -> None:
        async with running_suite(tmp_path) as suite:
            login = suite.server.login("claims")
            client = await nats.connect(
                login.url, user=login.user, password=login.password, inbox_prefix=login.inbox_prefix.encode()
            )
            await suite.announce([uuid4() for _ in range(40)])
            pull = await SteadyPull.start(client, "BILLING_INTAKE", "claims-intake-g0")
            assert [len(await pull.fetch(2, 5.0)) for _ in range(20)] == [2] * 20
            await pull.unsubscribe()
            await client.close()

    asyncio.run(run())


@pytest.mark.servers
def test_a_pull_takes_large_messages_in_bounded_portions_without_a_pause(tmp_path: Path) -> None:
    async def run() -> None:
        async with running_suite(tmp_path) as suite:
            login = suite.server.login("claims")
            client = await nats.connect(
                login.url, user=login.user, password=login.password, inbox_prefix=login.inbox_prefix.encode()
            )
            subject, size, count = f"billing.intake.large.v1.0.{uuid4().hex}", 300_000, 20
            for number in range(count):
                await suite.intake.jetstream().publish(subject, bytes([number]) * size)
            pull = await SteadyPull.start(client, "BILLING_INTAKE", "claims-intake-g0")
            taken: list[int] = []
            began = time.monotonic()
            while len(taken) < count:
                with contextlib.suppress(NatsTimeout):
                    portion = await pull.fetch(500, 1.0)
                    assert sum(len(message.data) for message in portion) <= PULL_BYTES_MAX
                    taken += [message.data[0] for message in portion]
                    for message in portion:
                        await message.ack()
            assert taken == list(range(count))
            assert time.monotonic() - began < count * TROUBLE_PAUSE_SECONDS / 4
            await pull.unsubscribe()
            await client.close()

    asyncio.run(run())


def test_a_label_takes_no_type_from_a_stranger() -> None:
    assert known_type("billing.intake.patient-registered.v1.3.abc") == "patient-registered"
    assert known_type("billing.intake.made-up.v1.3.abc") == "unknown"
    assert known_type("billing.intake") == "unknown"
