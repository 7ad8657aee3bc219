"""Two services as processes on real PostgreSQL, NATS and tokens: ready when they mean it, killed anywhere, same end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import nats
import pytest
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

pytestmark = [pytest.mark.servers, pytest.mark.slow]

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

    def stop(self) -> int:
        assert self.running is not None
        self.running.terminate()
        return self.ended()

    def ended(self) -> int:
        assert self.running is not None
        try:
            return self.running.wait(30)
        finally:
            if self.running.poll() is None:
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
            if service.running is not None and service.running.poll() is None:
                service.running.kill()
                service.running.wait()
        for store in self.stores.values():
            store.close()


async def declare_all(server: NatsServer) -> None:
    login = server.login("operator")
    client = await nats.connect(
        login.url, user=login.user, password=login.password, inbox_prefix=login.inbox_prefix.encode()
    )
    await declare(client, TOPOLOGY)
    await client.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with (
        PostgresServer(tmp_path / "postgres") as postgres,
        NatsServer(tmp_path / "nats", consumers=TOPOLOGY.durables_by_user()) as server,
    ):
        asyncio.run(declare_all(server))
        made = World(tmp_path, postgres, server)
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


def test_events_flow_and_a_stop_is_orderly(world: World) -> None:
    start_all(world)
    patients = world.announce(1200)
    until(lambda: world.seen() == dict.fromkeys(patients, 1), "all noted once")
    for service in world.services.values():
        assert service.stop() == 0
        assert "Traceback" not in service.log.read_text()


def test_what_was_committed_before_a_stop_is_published_before_the_end(world: World) -> None:
    announcer = world.services["announcer"]
    announcer.start()
    until(lambda: announcer.ready()[0], "announcer ready")
    patients = world.announce(300)
    assert announcer.stop() == 0
    world.services["noter"].start()
    until(lambda: world.seen() == dict.fromkeys(patients, 1), "all noted once")


CRASHES = [
    ("announcer", "intake:before-publish"),
    ("announcer", "intake:after-publish"),
    ("noter", "claims:after-receive"),
    ("noter", "claims:before-commit"),
    ("noter", "claims:after-commit"),
    ("noter", "claims:before-ack"),
]


@pytest.mark.parametrize(("victim", "crash_at"), CRASHES)
def test_a_kill_at_any_step_changes_nothing_in_the_end(world: World, victim: str, crash_at: str) -> None:
    mark = world.folder / "mark"
    for service in world.services.values():
        armed = {"CRASH_AT": crash_at, "CRASH_MARK": str(mark)} if service.name == victim else {}
        service.start(**armed)
    patients = world.announce(10)
    assert world.services[victim].ended() == -signal.SIGKILL
    assert mark.read_text().strip() == crash_at.split(":")[1]
    patients += world.announce(5)
    world.services[victim].start()
    until(lambda: world.seen() == dict.fromkeys(patients, 1), "the same end as without a kill")


def test_a_service_refuses_to_start_on_a_database_without_its_schema(world: World) -> None:
    noter = world.services["noter"]
    world.postgres.ensure_database(
        "bare", owner_role="noter_owner", owner_password="o", app_role="noter_app", app_password="a"
    )
    noter.environment["THROUGHLINE_DATABASE_URL"] = world.postgres.dsn("bare", "noter_app", "a")
    noter.start()
    assert noter.ended() == 78
    assert "SchemaMissing" in noter.log.read_text()


def test_a_service_refuses_to_start_on_fewer_replicas_than_it_is_told(world: World) -> None:
    noter = world.services["noter"]
    noter.start(THROUGHLINE_NATS_REPLICAS="3")
    assert noter.ended() == 78
    assert "num_replicas" in noter.log.read_text()


def test_a_service_waits_for_servers_that_are_not_up_yet_and_says_so(world: World) -> None:
    world.nats.stop()
    noter = world.services["noter"]
    noter.start()
    until(lambda: "starting" in noter.ready()[1], "not ready yet")
    world.nats.start()
    until(lambda: noter.ready()[0], "ready")


def test_readiness_falls_and_comes_back_with_each_server(world: World) -> None:
    start_all(world)
    noter = world.services["noter"]
    world.nats.stop()
    until(lambda: "nats" in noter.ready()[1], "unready without NATS")
    world.nats.start()
    until(lambda: noter.ready()[0], "ready again")
    world.postgres.kill9()
    until(lambda: "database" in noter.ready()[1], "unready without PostgreSQL")
    world.postgres.start()
    patients = world.announce(20)
    until(lambda: world.seen() == dict.fromkeys(patients, 1), "all noted once", 60)
    until(lambda: noter.ready()[0], "ready again")


def test_a_wiped_stream_stops_the_relay_until_a_refill_is_asked_for_by_name(world: World) -> None:
    start_all(world)
    announcer, noter = world.services["announcer"], world.services["noter"]
    patients = world.announce(50)
    until(lambda: world.seen() == dict.fromkeys(patients, 1), "all noted once")
    until(lambda: world.stores["announcer"].relay_position() > 0, "position recorded")
    assert announcer.stop() == 0
    assert noter.stop() == 0
    environment = {
        **os.environ,
        "THROUGHLINE_NATS_URL": world.nats.url,
        "THROUGHLINE_NATS_PASSWORD": world.nats.login("operator").password,
        "THROUGHLINE_ACK_WAIT_SECONDS": "5",
    }
    job = [sys.executable, "-m", "chassis.runtime.operate", "empty-stream", "intake"]
    subprocess.run(job, env=environment, check=True, capture_output=True)
    announcer.start()
    until(lambda: "refilled by name" in announcer.ready()[1], "unready, and says why")
    announcer.stop()
    announcer.start(THROUGHLINE_REFILL_STREAM="true")
    noter.start()
    patients += world.announce(5)
    until(lambda: world.seen() == dict.fromkeys(patients, 1), "refilled, and nothing noted twice")


def cpu_seconds(process: Process) -> float:
    assert process.running is not None
    fields = Path(f"/proc/{process.running.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("half_open", [False, True], ids=["stopped", "suspended"])
def test_a_long_outage_of_nats_loses_nothing_and_burns_nothing(world: World, half_open: bool) -> None:
    start_all(world)
    patients = world.announce(10)
    until(lambda: world.seen() == dict.fromkeys(patients, 1), "all noted once")
    if half_open:
        world.nats.process.suspend()
    else:
        world.nats.stop()
    patients += world.announce(20)
    before = {name: cpu_seconds(service) for name, service in world.services.items()}
    time.sleep(25)
    for name, service in world.services.items():
        assert cpu_seconds(service) - before[name] < 25 * 0.2
        assert httpx.get(f"http://127.0.0.1:{service.ops_port}/livez", trust_env=False).status_code == 200
        assert not service.ready()[0]
    if half_open:
        world.nats.process.resume()
    else:
        world.nats.start()
    until(lambda: world.seen() == dict.fromkeys(patients, 1), "all noted once", 40)
    until(lambda: all(service.ready()[0] for service in world.services.values()), "ready again")


def test_a_stop_is_heard_while_a_server_is_waited_for(world: World) -> None:
    world.nats.stop()
    noter = world.services["noter"]
    noter.start()
    until(lambda: "starting" in noter.ready()[1], "waiting")
    assert noter.stop() == 0
