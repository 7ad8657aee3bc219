"""The suite starts its servers side by side, shows them, and leaves nothing behind, whoever stops it."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import pytest
from sandbox.ports import free_port
from sandbox.process_records import ProcessIdentity, ProcessRecord, wait_until
from sandbox.processes import AlreadyRunning, DidNotStart
from sandbox.services import ServiceSpec
from sandbox.status import State
from sandbox.suite import Suite

pytestmark = pytest.mark.servers

HTTP_SERVICE = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
SUITE_IN_ANOTHER_PROGRAM = """
import sys, time
from pathlib import Path
from sandbox.suite import Suite
with Suite(Path(sys.argv[1])):
    print("started", flush=True)
    time.sleep(60)
"""

ENVOY = """
admin: {address: {socket_address: {address: 127.0.0.1, port_value: ${GATEWAY_ADMIN_PORT}}}}
static_resources:
  listeners:
    - name: closed
      address: {socket_address: {address: 127.0.0.1, port_value: ${GATEWAY_PORT}}}
      filter_chains: [{filters: [{name: envoy.filters.network.echo, typed_config: {
        "@type": type.googleapis.com/envoy.extensions.filters.network.echo.v3.Echo}}]}]
"""


def http_service(port: int) -> ServiceSpec:
    return ServiceSpec("sample", [sys.executable, "-c", HTTP_SERVICE, str(port)], health_url=f"http://127.0.0.1:{port}")


def family_of(folder: Path) -> list[ProcessIdentity]:
    records = [ProcessRecord.read(file) for file in folder.glob("**/*.json") if '"boot_id"' in file.read_text()]
    return [member for record in records if record for member in record.identity.family()]


def test_servers_and_services_come_up_are_shown_and_leave_nothing(tmp_path: Path, unused_port: int) -> None:
    with Suite(tmp_path) as suite:
        suite.start_services([http_service(unused_port)])
        rows = {row.name: row.state for row in suite.status()}
        assert rows == dict.fromkeys(["postgres", "nats", "tokens", "sample"], State.HEALTHY)
        assert set(suite.start_seconds) == set(rows)
        family = family_of(tmp_path)
        assert len(family) > 4
    assert [member for member in family if member.is_running()] == []
    assert {row.state for row in suite.status()} == {State.STOPPED}


def test_a_killed_service_is_shown_stopped_and_starts_again(tmp_path: Path, unused_port: int) -> None:
    with Suite(tmp_path) as suite:
        process = suite.start_service(http_service(unused_port))
        process.kill(signal.SIGKILL)
        assert process.wait_for_exit(5) == -signal.SIGKILL
        assert {row.name: row.state for row in suite.status()}["sample"] == State.STOPPED
        suite.start_service(http_service(unused_port))
        assert {row.name: row.state for row in suite.status()}["sample"] == State.HEALTHY


def test_a_service_that_fails_takes_the_suite_down_with_it(tmp_path: Path) -> None:
    suite = Suite(tmp_path)
    suite.start()
    family = family_of(tmp_path)
    argv = [sys.executable, "-c", "raise SystemExit('refused: no database')"]
    with pytest.raises(DidNotStart, match="no database"):
        suite.start_services([ServiceSpec("failing", argv, health_url="http://127.0.0.1:9")])
    assert [member for member in family if member.is_running()] == []


def test_an_error_inside_the_suite_stops_it(tmp_path: Path) -> None:
    family: list[ProcessIdentity] = []

    def fail_inside() -> None:
        with Suite(tmp_path):
            family.extend(family_of(tmp_path))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert family
    assert [member for member in family if member.is_running()] == []


def test_ctrl_c_stops_the_suite_of_another_program(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", SUITE_IN_ANOTHER_PROGRAM, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"started\n"
        family = family_of(tmp_path)
        program.send_signal(signal.SIGINT)
        program.wait(30)
    assert wait_until(lambda: not any(member.is_running() for member in family), 1)
    assert list(tmp_path.glob("*/postgres.json")) == []


def test_a_detached_suite_is_stopped_from_its_folder_alone(tmp_path: Path) -> None:
    Suite(tmp_path, detached=True).start()
    family = family_of(tmp_path)
    assert Suite(tmp_path).stop() == ["tokens", "nats", "postgres"]
    assert [member for member in family if member.is_running()] == []
    assert Suite(tmp_path).stop() == []


def test_a_second_start_in_the_same_folder_is_refused_and_disturbs_nothing(tmp_path: Path) -> None:
    with Suite(tmp_path) as suite:
        with pytest.raises(AlreadyRunning, match="nats, postgres, tokens"):
            Suite(tmp_path).start()
        assert {row.state for row in suite.status()} == {State.HEALTHY}


def test_data_and_logins_outlive_a_restart_of_the_suite(tmp_path: Path) -> None:
    with Suite(tmp_path) as suite:
        login = suite.database("claims")
        with psycopg.connect(login.owner_dsn) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 17 AS id")
    with Suite(tmp_path) as again:
        assert again.database("claims") == login
        with psycopg.connect(login.owner_dsn) as connection:
            assert connection.execute("SELECT id FROM kept").fetchall() == [(17,)]


@pytest.mark.slow
def test_the_whole_outside_world_comes_up_and_goes_down(tmp_path: Path) -> None:
    with Suite(tmp_path, with_tryton=True, with_localstripe=True) as suite:
        gateway = suite.start_gateway(ENVOY, {})
        assert httpx.get(f"http://127.0.0.1:{gateway.admin_port}/ready").status_code == 200
        rows = {row.name: row.state for row in suite.status()}
        names = ["postgres", "nats", "tokens", "tryton", "localstripe", "envoy"]
        assert rows == dict.fromkeys(names, State.HEALTHY)
        family = family_of(tmp_path)
    assert [member for member in family if member.is_running()] == []


@pytest.fixture
def unused_port() -> int:
    return free_port()
