"""Prints what the relay and a consumer do in a second on real servers: `python libs/chassis/tests/print_messaging_speed.py`."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import nats
from chassis.eventstore.migrations import migrate
from chassis.eventstore.postgres import PostgresEventStore
from chassis.messaging.declaration import declare
from chassis.messaging.nats_connection import Closing, NatsLogin, connect_publisher
from chassis.messaging.nats_consumers import NatsConsumers
from chassis.messaging.nats_stream import NatsStream
from chassis.messaging.relay import Relay
from chassis.messaging.topology import Topology
from chassis.runtime.core import ServiceShape
from chassis.testing import FixedClock, context
from chassis.testing.sample_service import ANNOUNCER, NOTER, SIGHTINGS, announce, noting, postgres_store
from sandbox.servers.nats import NatsServer
from sandbox.servers.postgres import PostgresServer

EVENTS = 20_000
SINGLES = 50


def made_store(server: PostgresServer, shape: ServiceShape) -> PostgresEventStore:
    server.ensure_database(
        shape.name, owner_role=f"{shape.name}_o", owner_password="o", app_role=f"{shape.name}_a", app_password="a"
    )
    migrate(server.dsn(shape.name, f"{shape.name}_o", "o"), shape.all_tables, f"{shape.name}_a")
    return postgres_store(shape, server.dsn(shape.name, f"{shape.name}_a", "a"))


def counted(store: PostgresEventStore) -> int:
    return int(str(store.sums(SIGHTINGS, (), (), {})[0]["count"]))


async def measure(server: NatsServer, announcer: PostgresEventStore, noter: PostgresEventStore) -> None:
    login = server.login("operator")
    operator = await nats.connect(
        login.url, user=login.user, password=login.password, inbox_prefix=login.inbox_prefix.encode()
    )
    await declare(operator, Topology())
    login, closing = server.login("intake"), Closing()
    client = await connect_publisher(NatsLogin("intake", login.url, login.user, login.password), closing)
    relay = Relay("intake", announcer, NatsStream(client, asyncio.get_running_loop(), "intake"), ANNOUNCER.publishing)
    for _ in range(EVENTS // 500):
        announce(announcer, context(), [uuid4() for _ in range(500)])
    started, cpu = time.monotonic(), time.process_time()
    await asyncio.to_thread(lambda: [None for _ in iter(relay.step, 0)])
    print_rate("relay", started, cpu)
    done = 0

    def after(handled: object) -> None:
        nonlocal done
        done += getattr(handled, "done", 0)

    login = server.login("claims")
    consumers = NatsConsumers(
        NatsLogin("claims", login.url, login.user, login.password),
        Topology(),
        list(noting(noter, FixedClock()).items()),
        ThreadPoolExecutor(2),
        replica="a",
        after_batch=after,
        on_fatal=lambda error: sys.exit(str(error)),
    )
    started, cpu = time.monotonic(), time.process_time()
    await consumers.start()
    while done < EVENTS:
        await asyncio.sleep(0.005)
    print_rate("consumer", started, cpu)
    waits = []
    for number in range(SINGLES):
        started = time.monotonic()
        await asyncio.to_thread(announce, announcer, context(), [uuid4()])
        await asyncio.to_thread(relay.step)
        while done < EVENTS + number + 1:
            await asyncio.sleep(0.001)
        waits.append((time.monotonic() - started) * 1000)
    sys.stdout.write(f"one event, stored to noted: median {statistics.median(waits):.0f} ms, max {max(waits):.0f} ms\n")
    cpu = time.process_time()
    await asyncio.sleep(2)
    sys.stdout.write(f"idle consumer: {(time.process_time() - cpu) / 2:.1%} of a core\n")
    await consumers.stop()
    closing.wanted = True
    await client.close()
    await operator.close()


def print_rate(name: str, started: float, cpu: float) -> None:
    wall, used = time.monotonic() - started, time.process_time() - cpu
    sys.stdout.write(f"{name}: {EVENTS / wall:,.0f} events/s, {used / EVENTS * 1e6:.0f} us of our CPU each\n")


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        PostgresServer(Path(folder) / "postgres") as postgres,
        NatsServer(Path(folder) / "nats", consumers=Topology().durables_by_user()) as server,
        made_store(postgres, ANNOUNCER) as announcer,
        made_store(postgres, NOTER) as noter,
    ):
        asyncio.run(measure(server, announcer, noter))


if __name__ == "__main__":
    main()
