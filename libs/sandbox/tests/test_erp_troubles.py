"""The troubles of an ERP's double: what the client sees, and whether the work was done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from sandbox.erps.troubles import TroubledErp
from sandbox.world.loopback import LoopbackApp
from sandbox.world.misbehaviour import Fault, Misbehaviour
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@dataclass
class Double:
    url: str
    misbehaviour: Misbehaviour
    troubled: TroubledErp
    done: list[str] = field(default_factory=list)

    def post(self, timeout_seconds: float = 5.0) -> httpx.Response:
        return httpx.post(f"{self.url}/orders", timeout=timeout_seconds, trust_env=False)


@pytest.fixture
def double() -> Iterator[Double]:
    misbehaviour, done = Misbehaviour(), []

    async def order(request: Request) -> Response:
        done.append(request.method)
        return Response(status_code=204)

    inner = Starlette(routes=[Route("/orders", order, methods=["POST"])])
    troubled = TroubledErp(inner, misbehaviour, lambda status: b'{"status": %d}' % status)
    app = LoopbackApp(troubled)
    app.start()
    yield Double(app.url, misbehaviour, troubled, done)
    app.stop()


def test_without_a_request_to_misbehave_the_answer_passes(double: Double) -> None:
    assert double.post().status_code == 204
    assert double.done == ["POST"]


@pytest.mark.parametrize(
    ("fault", "status", "is_done"),
    [(Fault.THROTTLE, 429, False), (Fault.SERVER_ERROR, 503, False), (Fault.ERROR_AFTER_WORK, 500, True)],
)
def test_a_refusal_is_told_with_its_body_before_or_after_the_work(
    double: Double, fault: Fault, status: int, is_done: bool
) -> None:
    double.misbehaviour.request(fault, target="POST /orders", measure=7)
    refused = double.post()
    assert (refused.status_code, refused.json()) == (status, {"status": status})
    assert refused.headers.get("retry-after") == ("7" if fault is Fault.THROTTLE else None)
    assert bool(double.done) is is_done
    assert double.post().status_code == 204


@pytest.mark.parametrize(("fault", "is_done"), [(Fault.RESET, False), (Fault.RESET_AFTER_WORK, True)])
def test_a_reset_breaks_the_connection_before_or_after_the_work(double: Double, fault: Fault, is_done: bool) -> None:
    double.misbehaviour.request(fault)
    with pytest.raises(httpx.TransportError):
        double.post()
    assert bool(double.done) is is_done


def test_an_answer_that_never_comes_leaves_the_work_done(double: Double) -> None:
    double.misbehaviour.request(Fault.TIMEOUT_AFTER_WORK)
    with pytest.raises(httpx.ReadTimeout):
        double.post(timeout_seconds=0.15)
    assert double.done == ["POST"]


def test_a_target_that_is_not_called_is_left_alone(double: Double) -> None:
    double.misbehaviour.request(Fault.SERVER_ERROR, target="GET ")
    assert double.post().status_code == 204
    assert double.misbehaviour.open_requests == (Fault.SERVER_ERROR,)


def test_more_calls_at_once_than_are_granted_are_turned_away(double: Double) -> None:
    double.troubled.concurrency = 1
    double.misbehaviour.request(Fault.SLOW, measure=150)
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(double.post().status_code)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(answers) == [204, 429]
    assert double.troubled.running_max == 2
