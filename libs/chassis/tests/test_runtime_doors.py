"""The HTTP door, the operations port, and doors of our own: limits, tokens, readiness, and failures by class."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from chassis.domain import Transient
from chassis.runtime.doors import Doors
from chassis.runtime.http_server import BODY_MAX_BYTES, CONCURRENT_BYTES_MAX, CONCURRENT_REQUESTS_MAX, DoorMiddleware
from chassis.runtime.ops_server import Heartbeat, OpsServer
from chassis.security.http import requires
from chassis.security.tokens import Principal, Unauthenticated
from chassis.telemetry.correlation import current_cause
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send


class OneToken:
    """Knows the token `good`."""

    def verify(self, token: str) -> Principal:
        if token != "good":
            raise Unauthenticated("the token does not hold")
        return Principal("anna", "ehr", frozenset({"intake.write"}))

    def remembers(self, token: str) -> bool:
        return False


async def take(request: Request) -> Response:
    cause = current_cause()
    return JSONResponse({"size": len(await request.body()), "actor": cause.actor if cause else ""})


def door(scope: str = "intake.write") -> tuple[httpx.AsyncClient, list[str]]:
    woken: list[str] = []
    endpoint = requires(OneToken(), scope)(take)
    app = Starlette(routes=[Route("/messages/{source}", endpoint, methods=["POST"])])
    transport = httpx.ASGITransport(app=DoorMiddleware(app, lambda: woken.append("woken")))
    return httpx.AsyncClient(transport=transport, base_url="http://intake.test"), woken


def post(token: str | None, body: bytes | None = b"x", scope: str = "intake.write") -> tuple[httpx.Response, list[str]]:
    async def main() -> tuple[httpx.Response, list[str]]:
        client, woken = door(scope)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        content = body if body is not None else _chunks()
        return await client.post("/messages/ehr-north", content=content, headers=headers), woken

    return asyncio.run(main())


async def _chunks() -> AsyncIterator[bytes]:
    for _ in range(BODY_MAX_BYTES // 1_000_000 + 2):
        yield b"x" * 1_000_000


def test_a_caller_with_the_scope_comes_in_and_is_the_cause() -> None:
    answer, woken = post("good", b"hello")
    assert answer.json() == {"size": 5, "actor": "user:anna"}
    assert woken == ["woken"]


@pytest.mark.parametrize(
    ("token", "scope", "status"),
    [(None, "intake.write", 401), ("bad", "intake.write", 401), ("good", "claims.write", 403)],
)
def test_a_caller_without_a_valid_token_or_scope_stays_outside(token: str | None, scope: str, status: int) -> None:
    answer, _ = post(token, scope=scope)
    assert answer.status_code == status
    assert "good" not in answer.text


def test_a_body_over_the_limit_is_refused_whether_announced_or_not() -> None:
    assert post("good", b"x" * (BODY_MAX_BYTES + 1))[0].status_code == 413
    assert post("good", None)[0].status_code == 413


class SlowApp:
    """Reads the body, and answers when it is told to."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.in_hand = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        self.in_hand += 1
        await self.may_answer.wait()
        await Response("kept")(scope, receive, send)


@pytest.mark.parametrize(
    ("fill", "body"), [(CONCURRENT_REQUESTS_MAX, b"x"), (CONCURRENT_BYTES_MAX // 8_000_000 + 1, b"x" * 8_000_000)]
)
def test_a_full_door_says_when_to_come_again_and_takes_again_once_it_is_not(fill: int, body: bytes) -> None:
    async def main() -> tuple[httpx.Response, list[httpx.Response], httpx.Response]:
        slow = SlowApp()
        transport = httpx.ASGITransport(app=DoorMiddleware(slow, lambda: None))
        client = httpx.AsyncClient(transport=transport, base_url="http://intake.test")
        held = [asyncio.create_task(client.post("/messages", content=body)) for _ in range(fill)]
        while slow.in_hand < fill:
            await asyncio.sleep(0)
        refused = await client.post("/messages", content=body)
        slow.may_answer.set()
        kept = [await each for each in held]
        return refused, kept, await client.post("/messages", content=body)

    refused, kept, later = asyncio.run(main())
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert {each.status_code for each in (*kept, later)} == {200}


def test_the_metric_of_a_request_names_the_route_and_no_id() -> None:
    post("good")
    samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
    routes = {sample.labels["route"] for sample in samples if sample.name == "throughline_http_requests_total"}
    assert "/messages/{source}" in routes
    assert not any("ehr-north" in route for route in routes)


@pytest.fixture
def ops() -> Iterator[tuple[OpsServer, list[str], Callable[[float], None]]]:
    now, faults = [0.0], ["starting"]
    server = OpsServer("127.0.0.1", 0, Heartbeat(lambda: now[0]), lambda: faults)
    server.start()
    yield server, faults, lambda later: now.__setitem__(0, later)
    server.stop()


def test_the_operations_port_tells_life_readiness_and_metrics(
    ops: tuple[OpsServer, list[str], Callable[[float], None]],
) -> None:
    server, faults, move_to = ops

    def get(path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{server.port}{path}", trust_env=False)

    assert get("/livez").status_code == 200
    assert get("/readyz").json() == {"ready": False, "faults": ["starting"]}
    faults.clear()
    assert get("/readyz").status_code == 200
    assert "throughline_relay_position" in get("/metrics").text
    assert get("/else").status_code == 404
    move_to(31.0)
    assert get("/livez").status_code == 503


def run_doors(door: Callable[[], object], seconds: float) -> list[BaseException]:
    fatal: list[BaseException] = []

    async def main() -> None:
        doors = Doors([door], fatal.append)  # type: ignore[list-item]
        doors.start()
        await asyncio.sleep(seconds)
        await doors.stop()

    asyncio.run(main())
    return fatal


def test_a_door_that_meets_an_outage_is_opened_again() -> None:
    opened: list[float] = []

    async def flaky() -> None:
        opened.append(time.monotonic())
        if len(opened) < 3:
            raise Transient("the folder is not mounted")
        await asyncio.sleep(60)

    assert run_doors(flaky, 0.5) == []
    assert len(opened) == 3


def test_a_door_with_a_bug_ends_the_process_after_three_tries() -> None:
    async def broken() -> None:
        raise KeyError("a bug")

    (fatal,) = run_doors(broken, 1.5)
    assert isinstance(fatal, KeyError)
