"""Two services as processes on real PostgreSQL, NATS and tokens: ready when they mean it, killed anywhere, same end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from .running_services import Process, World, running_world, start_all, until

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_world(tmp_path) as running:
        yield running


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
