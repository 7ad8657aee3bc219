"""The proxies: transparent until asked, and each fault does to the client exactly what its name says."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from sandbox.world.erp_proxy import ErpProxy
from sandbox.world.fault_proxy import FaultProxy
from sandbox.world.loopback import LoopbackApp
from sandbox.world.misbehaviour import Fault
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

WORK: list[bytes] = []


async def work(request: Request) -> Response:
    WORK.append(await request.body())
    return PlainTextResponse("done" * 1000)


@pytest.fixture(scope="module")
def erp() -> Iterator[LoopbackApp]:
    server = LoopbackApp(Starlette(routes=[Route("/move", work, methods=["GET", "POST"])]))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def proxy(erp: LoopbackApp) -> Iterator[ErpProxy]:
    WORK.clear()
    with ErpProxy(erp.port) as made:
        yield made


class _Shout(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line.upper())


@pytest.fixture
def shouting() -> Iterator[FaultProxy]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Shout) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with FaultProxy(server.server_address[1]) as proxy:
            yield proxy
        server.shutdown()


def talk(port: int, *lines: bytes) -> list[bytes]:
    """Send line by line; the replies, the last one empty where the connection ended."""
    replies = []
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        for line in lines:
            client.sendall(line)
            try:
                replies.append(client.recv(1000))
            except ConnectionResetError:
                replies.append(b"")
    return replies


def test_without_faults_requests_and_replies_pass(proxy: ErpProxy) -> None:
    with httpx.Client() as client:
        answers = [client.post(f"{proxy.url}/move", content=b"x" * 100_000).text for _ in range(3)]
    assert answers == ["done" * 1000] * 3
    assert [len(body) for body in WORK] == [100_000] * 3


def test_a_lost_reply_means_that_the_work_was_done_and_nobody_knows(proxy: ErpProxy) -> None:
    proxy.misbehaviour.request(Fault.TIMEOUT_AFTER_WORK, target="POST")
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{proxy.url}/move", content=b"once")
    assert WORK == [b"once"]
    assert proxy.swallowed_count == 1
    assert httpx.post(f"{proxy.url}/move", content=b"twice").status_code == 200


def test_a_held_reply_outlasts_the_patience_of_the_client(proxy: ErpProxy) -> None:
    proxy.misbehaviour.request(Fault.TIMEOUT_AFTER_WORK, measure=2_000)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{proxy.url}/move", content=b"once", timeout=0.3)
    assert WORK == [b"once"]


def test_a_500_comes_from_the_proxy_and_the_erp_sees_nothing(proxy: ErpProxy) -> None:
    proxy.misbehaviour.request(Fault.SERVER_ERROR, target="/move")
    assert httpx.post(f"{proxy.url}/move", content=b"x" * 300_000).status_code == 500
    assert WORK == []
    assert httpx.get(f"{proxy.url}/move").status_code == 200


def test_a_fault_waits_for_the_request_it_names(proxy: ErpProxy) -> None:
    proxy.misbehaviour.request(Fault.SERVER_ERROR, target="POST /move")
    assert httpx.get(f"{proxy.url}/move").status_code == 200
    assert httpx.post(f"{proxy.url}/move").status_code == 500


def test_while_down_every_connection_is_refused_and_open_ones_are_cut(proxy: ErpProxy) -> None:
    with httpx.Client() as client:
        assert client.get(f"{proxy.url}/move").status_code == 200
        proxy.go_down()
        with pytest.raises(httpx.TransportError):
            client.get(f"{proxy.url}/move")
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{proxy.url}/move")
        proxy.come_up()
        assert client.get(f"{proxy.url}/move").status_code == 200


def test_a_slow_erp_answers_late_but_right(proxy: ErpProxy) -> None:
    proxy.misbehaviour.request(Fault.SLOW, measure=300)
    started = time.monotonic()
    assert httpx.get(f"{proxy.url}/move").status_code == 200
    assert time.monotonic() - started >= 0.3


def test_a_tcp_proxy_swallows_only_the_reply_to_what_it_was_told(shouting: FaultProxy) -> None:
    shouting.misbehaviour.request(Fault.TIMEOUT_AFTER_WORK, target="commit")
    assert talk(shouting.port, b"begin\n", b"insert\n", b"commit\n") == [b"BEGIN\n", b"INSERT\n", b""]
    assert shouting.swallowed_count == 1
    assert talk(shouting.port, b"commit\n") == [b"COMMIT\n"]


def test_a_cut_reply_arrives_in_part(shouting: FaultProxy) -> None:
    shouting.misbehaviour.request(Fault.CUT, measure=3)
    assert talk(shouting.port, b"commit\n", b"more\n")[0] in (b"COM", b"")
    assert [strike.fault for strike in shouting.misbehaviour.struck] == [Fault.CUT]


def test_the_next_connections_are_reset_as_many_as_asked(shouting: FaultProxy) -> None:
    shouting.misbehaviour.request(Fault.DOWN, times=2)
    outcomes = []
    for _ in range(3):
        try:
            outcomes.append(talk(shouting.port, b"hello\n")[0])
        except ConnectionResetError:
            outcomes.append(b"")
    assert outcomes == [b"", b"", b"HELLO\n"]


def test_an_upstream_that_is_gone_looks_like_a_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
    with FaultProxy(free) as proxy:
        try:
            outcome = talk(proxy.port, b"hello\n")
        except ConnectionError:
            outcome = [b""]
    assert outcome == [b""]
