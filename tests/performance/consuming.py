"""How fast a service takes messages from JetStream and saves what they mean, beside a bare pull and acknowledgement."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from uuid import uuid4

from chassis.eventstore.migrations import migrate
from chassis.eventstore.postgres import PostgresEventStore
from chassis.messaging.consumer import Handled
from chassis.messaging.nats_connection import Closing, connect_publisher
from chassis.messaging.nats_consumers import NatsConsumers
from chassis.messaging.nats_stream import NatsStream
from chassis.messaging.relay import Relay
from chassis.messaging.topology import BATCH_MAX, Topology
from chassis.runtime.core import ServiceShape
from chassis.testing import context
from chassis.testing.sample_service import ANNOUNCER, NOTER, SIGHTINGS, announce, noting, postgres_store, utc_now
from nats.errors import TimeoutError as NatsTimeout
from sandbox.servers.nats import NatsServer
from sandbox.servers.postgres import PostgresServer

from tests.performance.figures import Baseline, Figure, Sums
from tests.performance.side_nats import connected, login_of, side_nats
from tests.performance.sizes import Sizes
from tests.performance.stopwatch import percentile

SECONDS_MAX = 120.0
BARE_DURABLE = "payments-intake-g0"


@dataclass
class Counting:
    """What the consumer has handled so far."""

    done: int = 0
    fatal: list[BaseException] = field(default_factory=list)

    def after_batch(self, handled: Handled) -> None:
        self.done += handled.done

    async def until(self, count: int) -> None:
        """Waits in the loop until so many messages are handled."""
        deadline = time.monotonic() + SECONDS_MAX
        while self.done < count:
            assert not self.fatal, f"the consumer gave up: {self.fatal}"
            assert time.monotonic() < deadline, f"{self.done} of {count} messages handled in {SECONDS_MAX} s"
            await asyncio.sleep(0.001)


def consuming(folder: Path, sizes: Sizes) -> list[Figure]:
    """Two rows: messages a second, and how long one message takes when nothing else is to do."""
    with (
        PostgresServer(folder / "consuming") as postgres,
        _made_store(postgres, ANNOUNCER) as announcer,
        _made_store(postgres, NOTER) as noter,
    ):
        return asyncio.run(_measure(folder / "consuming-nats", announcer, noter, sizes))


@contextmanager
def _made_store(server: PostgresServer, shape: ServiceShape) -> Iterator[PostgresEventStore]:
    owner, app = f"{shape.name}_o", f"{shape.name}_a"
    server.ensure_database(shape.name, owner_role=owner, owner_password="o", app_role=app, app_password="a")
    migrate(server.dsn(shape.name, owner, "o"), shape.all_tables, app)
    with postgres_store(shape, server.dsn(shape.name, app, "a")) as store:
        yield store


async def _measure(
    folder: Path, announcer: PostgresEventStore, noter: PostgresEventStore, sizes: Sizes
) -> list[Figure]:
    async with side_nats(folder) as server:
        closing = Closing()
        client = await connect_publisher(login_of(server, ANNOUNCER.name), closing)
        stream = NatsStream(client, asyncio.get_running_loop(), ANNOUNCER.name)
        relay = Relay(ANNOUNCER.name, announcer, stream, ANNOUNCER.publishing)
        await asyncio.to_thread(_publish, announcer, relay, sizes.messages)
        bare = await _bare_pull(server, sizes.messages)
        counting = Counting()
        with ThreadPoolExecutor(2) as threads:
            consumers = _consumers(server, noter, threads, counting)
            began = time.perf_counter()
            await consumers.start()
            await counting.until(sizes.messages)
            seconds = time.perf_counter() - began
            waits = [
                await _one(announcer, relay, counting, sizes.messages + number)
                for number in range(1, sizes.single_messages + 1)
            ]
            await consumers.stop()
        closing.wanted = True
        await client.close()
    noted = int(str(noter.sums(SIGHTINGS, ("count",), (), {})[0]["count"]))
    return [
        _rate(sizes.messages, seconds, bare, Sums("messages noted", str(sizes.messages + len(waits)), str(noted))),
        _idle(waits),
    ]


def _rate(messages: int, seconds: float, bare: float, noted: Sums) -> Figure:
    return Figure(
        row="consume",
        work=f"{messages:,} messages pulled, decided, saved with their inbox ids, acknowledged",
        value=messages / seconds,
        unit="messages/s",
        baseline=Baseline(f"bare pull of {BATCH_MAX} and acknowledgement, nothing saved", messages / bare),
        sums=(noted,),
    )


def _idle(waits: list[float]) -> Figure:
    return Figure(
        row="idle",
        work="one event on an idle system: stored → relayed → handled and saved (median)",
        value=median(waits) * 1000,
        unit="ms",
        details=(f"p95 {percentile(waits, 95) * 1000:.0f} ms, at most {max(waits) * 1000:.0f} ms",),
    )


def _publish(store: PostgresEventStore, relay: Relay, count: int) -> None:
    for start in range(0, count, BATCH_MAX):
        announce(store, context(), [uuid4() for _ in range(min(BATCH_MAX, count - start))])
    while relay.step():
        pass


def _consumers(
    server: NatsServer, noter: PostgresEventStore, threads: ThreadPoolExecutor, counting: Counting
) -> NatsConsumers:
    return NatsConsumers(
        login_of(server, NOTER.name),
        Topology(),
        list(noting(noter, utc_now).items()),
        threads,
        replica="a",
        after_batch=counting.after_batch,
        on_fatal=_noting_in(counting.fatal),
    )


def _noting_in(fatal: list[BaseException]) -> Callable[[BaseException], None]:
    return fatal.append


async def _one(announcer: PostgresEventStore, relay: Relay, counting: Counting, expected: int) -> float:
    began = time.perf_counter()
    await asyncio.to_thread(announce, announcer, context(), [uuid4()])
    await asyncio.to_thread(relay.step)
    await counting.until(expected)
    return time.perf_counter() - began


async def _bare_pull(server: NatsServer, count: int) -> float:
    """Seconds in which nats-py alone pulls and acknowledges everything, as another service."""
    client = await connected(server, "payments")
    pull = await client.jetstream().pull_subscribe_bind(BARE_DURABLE, "BILLING_INTAKE")
    taken = 0
    began = time.perf_counter()
    while taken < count:
        try:
            messages = await pull.fetch(min(BATCH_MAX, count - taken), timeout=1)
        except NatsTimeout:
            continue
        for message in messages[:-1]:
            await message.ack()
        await messages[-1].ack_sync(timeout=5)
        taken += len(messages)
    seconds = time.perf_counter() - began
    await client.close()
    return seconds
