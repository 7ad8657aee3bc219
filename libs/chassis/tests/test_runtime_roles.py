"""One service as two processes: one answers calls and needs its database alone, the other does all the rest."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import grpc
import httpx
import pytest
from billing.operations.v1 import operations_pb2 as pb
from billing.operations.v1 import operations_pb2_grpc
from chassis.domain import Unavailable
from chassis.rpc import channel_to
from chassis.runtime.roles import Role
from chassis.testing.sample_service import twin_of
from chassis.turns import NICENESS
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sandbox.ports import free_port
from sandbox.servers.tokens import TokenServer

from .running_services import Process, World, running_world, until

WITHOUT_SERVERS = """
import asyncio, os, sys
from chassis.runtime.core import ServiceCore, Sweep
from chassis.runtime.service import run
from chassis.runtime.settings import Settings
from chassis.testing.sample_service import NOTER, memory_store, noting, utc_now
store = memory_store(NOTER)
sweeps = (Sweep("must-not-run", 0.1, lambda: sys.exit("a sweep ran")),)
core = ServiceCore(NOTER, store, utc_now, noting(store, utc_now), sweeps)
async def door():
    sys.exit("a door opened")
async def answering():
    print("an answering door opened", flush=True)
    await asyncio.Event().wait()
sys.exit(run(core, Settings.from_environment(os.environ), doors=[door], answering_doors=[answering]))
"""
SOON_SECONDS = 3.0
READER = {"reader": ("intake.read", "claims.read", "claims.write")}


def is_open(port: int) -> bool:
    stub = health_pb2_grpc.HealthStub(
        grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)])
    )
    try:
        answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=2)
    except grpc.RpcError:
        return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def test_calls_are_answered_without_nats_and_nothing_else_is_done() -> None:
    grpc_port, ops_port = free_port(), free_port()
    told = {
        "DATABASE_URL": "unused",
        "NATS_URL": f"nats://127.0.0.1:{free_port()}",
        "NATS_USER": "claims",
        "NATS_PASSWORD": "unused",
        "ROLE": "calls",
        "JWKS_URL": "http://127.0.0.1:1/jwks",
        "JWT_ISSUER": "https://issuer.test",
        "GRPC_PORT": str(grpc_port),
        "OPS_PORT": str(ops_port),
    }
    environment = {**os.environ, **{f"THROUGHLINE_{name}": value for name, value in told.items()}}
    process = subprocess.Popen(
        [sys.executable, "-c", WITHOUT_SERVERS], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        until(lambda: is_open(grpc_port), "calls are answered")
        readiness = httpx.get(f"http://127.0.0.1:{ops_port}/readyz", trust_env=False)
        assert (readiness.status_code, readiness.json()["faults"]) == (200, [])
        assert b"throughline" in httpx.get(f"http://127.0.0.1:{ops_port}/metrics", trust_env=False).content
        process.terminate()
        output, _ = process.communicate(timeout=20)
        assert process.returncode == 0, output
        assert b'"service": "claims-calls"' in output
        assert output.count(b"an answering door opened") == 1
    finally:
        process.kill()
        process.wait()


@dataclass
class Halves:
    """The announcer and the noter, each as two processes, and a caller with a token."""

    world: World
    tokens: TokenServer
    calls: dict[str, Process]
    grpc: dict[str, int]
    http: int

    def backlog(self, name: str) -> int | None:
        """What waits for a service, asked of the process that answers its calls; None while it does not know."""
        stub = operations_pb2_grpc.OperationsServiceStub(channel_to(f"127.0.0.1:{self.grpc[name]}", self))
        try:
            return stub.GetStatus(pb.GetStatusRequest()).backlog
        except Unavailable:
            return None

    def token(self) -> str:
        return self.tokens.token("reader")

    def post(self, patient: UUID, kind: str) -> None:
        answer = httpx.post(f"http://127.0.0.1:{self.http}/patients/{kind}/{patient}", trust_env=False)
        assert answer.status_code == 204

    def add(self, name: str) -> None:
        """Tells the working process its role, and makes the other one ready to be started."""
        working, ops_port = self.world.services[name], free_port()
        self.grpc[name] = free_port()
        shared = {
            "THROUGHLINE_JWKS_URL": self.tokens.jwks_url,
            "THROUGHLINE_JWT_ISSUER": self.tokens.issuer,
            "THROUGHLINE_GRPC_PORT": str(self.grpc[name]),
            "THROUGHLINE_HTTP_PORT": str(self.http),
        }
        working.environment |= {**shared, "THROUGHLINE_ROLE": Role.WORK}
        own = {"THROUGHLINE_ROLE": Role.CALLS, "THROUGHLINE_OPS_PORT": str(ops_port), "THROUGHLINE_REPLICA": "calls-0"}
        log = self.world.folder / f"{name}-calls.log"
        self.calls[name] = Process(name, working.shape, working.environment | own, log, ops_port)

    def start(self, *processes: Process) -> None:
        for process in processes:
            process.start()
        for process in processes:
            until(lambda of=process: of.ready()[0], process.log.name)  # type: ignore[misc]


@pytest.fixture
def halves(tmp_path: Path) -> Iterator[Halves]:
    with (
        running_world(tmp_path) as world,
        TokenServer(tmp_path / "tokens", clients=READER) as tokens,
    ):
        made = Halves(world, tokens, {}, {}, free_port())
        for name in world.services:
            made.add(name)
        yield made
        for process in made.calls.values():
            process.kill()


@pytest.mark.servers
@pytest.mark.slow
def test_what_a_call_commits_is_relayed_and_swept_at_once_by_the_process_that_works(halves: Halves) -> None:
    announcer, noter = halves.world.services["announcer"], halves.world.services["noter"]
    halves.start(halves.calls["announcer"], announcer, noter)
    patient = uuid4()
    began = time.monotonic()
    halves.post(patient, "twin.v1")
    both = {patient: 1, twin_of(patient): 1}
    until(lambda: halves.world.seen() == both, "the sweep did not wait for its ten minutes", SOON_SECONDS)
    assert time.monotonic() - began < SOON_SECONDS
    assert not is_open(halves.grpc["noter"]), "a process that works answers no calls"
    assert announcer.niceness() == halves.calls["announcer"].niceness() + NICENESS
    for process in (halves.calls["announcer"], announcer, noter):
        assert process.stop() == 0
        assert "Traceback" not in process.log.read_text()


@pytest.mark.servers
@pytest.mark.slow
def test_the_process_that_answers_calls_consumes_nothing_and_knows_what_waits(halves: Halves) -> None:
    announcer, noter = halves.world.services["announcer"], halves.world.services["noter"]
    halves.start(halves.calls["noter"], announcer)
    patients = halves.world.announce(7)
    until(lambda: halves.backlog("noter") == len(patients), "NATS keeps what nobody takes")
    assert halves.world.seen() == {}
    halves.start(noter)
    until(lambda: halves.world.seen() == dict.fromkeys(patients, 1), "all noted once")
    until(lambda: halves.backlog("noter") == 0, "nothing waits")


@pytest.mark.servers
@pytest.mark.slow
def test_without_nats_calls_are_answered_and_only_the_backlog_is_not_known(halves: Halves) -> None:
    halves.start(halves.calls["noter"])
    until(lambda: halves.backlog("noter") == 0, "nothing waits")
    halves.world.nats.stop()
    assert halves.backlog("noter") is None
    assert halves.calls["noter"].ready() == (True, '{"ready": true, "faults": []}')
    assert is_open(halves.grpc["noter"])
    halves.world.nats.start()
    until(lambda: halves.backlog("noter") == 0, "the connection comes back by itself")
