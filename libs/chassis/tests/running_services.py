"""The two sample services as processes on real PostgreSQL and NATS, for tests of the runtime."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import nats
from chassis.eventstore.migrations import migrate
from chassis.eventstore.postgres import PostgresEventStore
from chassis.messaging.declaration import declare
from chassis.messaging.topology import Topology
from chassis.runtime.core import ServiceShape
from chassis.testing import context
from chassis.testing.sample_service import ANNOUNCER, NOTER, SIGHTINGS, announce, postgres_store
from sandbox.ports import free_port
from sandbox.servers.nats import NatsServer
from sandbox.servers.postgres import PostgresServer

TOPOLOGY = Topology(ack_wait_seconds=5)
SHAPES = {"announcer": ANNOUNCER, "noter": NOTER}


@dataclass
class Process:
    """One service as a process, with its log and its operations port."""

    name: str
    shape: ServiceShape
    environment: dict[str, str]
    log: Path
    ops_port: int
    running: subprocess.Popen[bytes] | None = None

    def start(self, **extra: str) -> None:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                [sys.executable, "-m", "chassis.testing.main", self.name],
                env={**os.environ, **self.environment, **extra},
                stdout=log,
                stderr=log,
            )

    def ready(self) -> tuple[bool, str]:
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.ops_port}/readyz", timeout=2, trust_env=False)
        except httpx.TransportError as error:
            return False, type(error).__name__
        return answer.status_code == 200, answer.text

    def niceness(self) -> int:
        assert self.running is not None
        return os.getpriority(os.PRIO_PROCESS, self.running.pid)

    def stop(self) -> int:
        assert self.running is not None
        self.running.terminate()
        return self.ended()

    def ended(self) -> int:
        assert self.running is not None
        try:
            return self.running.wait(30)
        finally:
            self.kill()

    def kill(self) -> None:
        """Ends it where it still runs."""
        if self.running is not None and self.running.poll() is None:
            self.running.kill()
            self.running.wait()


@dataclass
class World:
    """The servers, the two services and their stores."""

    folder: Path
    postgres: PostgresServer
    nats: NatsServer
    services: dict[str, Process] = field(default_factory=dict)
    stores: dict[str, PostgresEventStore] = field(default_factory=dict)

    def add(self, name: str) -> None:
        shape, ops_port = SHAPES[name], free_port()
        self.postgres.ensure_database(
            name, owner_role=f"{name}_owner", owner_password="o", app_role=f"{name}_app", app_password="a"
        )
        migrate(self.postgres.dsn(name, f"{name}_owner", "o"), shape.all_tables, f"{name}_app")
        dsn = self.postgres.dsn(name, f"{name}_app", "a")
        login = self.nats.login(shape.name)
        environment = {
            "THROUGHLINE_DATABASE_URL": dsn,
            "THROUGHLINE_NATS_URL": login.url,
            "THROUGHLINE_NATS_USER": login.user,
            "THROUGHLINE_NATS_PASSWORD": login.password,
            "THROUGHLINE_NATS_MONITORING_URLS": self.nats.monitoring_url,
            "THROUGHLINE_ACK_WAIT_SECONDS": str(TOPOLOGY.ack_wait_seconds),
            "THROUGHLINE_OPS_PORT": str(ops_port),
        }
        self.services[name] = Process(name, shape, environment, self.folder / f"{name}.log", ops_port)
        self.stores[name] = postgres_store(shape, dsn)

    def seen(self) -> dict[UUID, int]:
        rows = self.stores["noter"].rows(SIGHTINGS, {}, limit=100_000)
        return {UUID(str(row["patient_id"])): int(str(row["count"])) for row in rows}

    def announce(self, count: int) -> list[UUID]:
        patients = [uuid4() for _ in range(count)]
        announce(self.stores["announcer"], context(), patients)
        return patients

    def close(self) -> None:
        for service in self.services.values():
            service.kill()
        for store in self.stores.values():
            store.close()


async def declare_all(server: NatsServer) -> None:
    login = server.login("operator")
    client = await nats.connect(
        login.url, user=login.user, password=login.password, inbox_prefix=login.inbox_prefix.encode()
    )
    await declare(client, TOPOLOGY)
    await client.close()


@contextmanager
def running_world(folder: Path) -> Iterator[World]:
    """Both servers, running, and the two services, not started."""
    with (
        PostgresServer(folder / "postgres") as postgres,
        NatsServer(folder / "nats", consumers=TOPOLOGY.durables_by_user()) as server,
    ):
        asyncio.run(declare_all(server))
        made = World(folder, postgres, server)
        made.add("announcer")
        made.add("noter")
        yield made
        made.close()


def until(holds: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def start_all(world: World) -> None:
    for service in world.services.values():
        service.start()
    for service in world.services.values():
        until(lambda of=service: of.ready()[0], f"{service.name} ready")  # type: ignore[misc]
