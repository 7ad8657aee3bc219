"""The HTTP door of a service: uvicorn in the service's own event loop, with limits, metrics and a wake-up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.telemetry.metrics import DOOR_REFUSALS, HTTP_REQUESTS, HTTP_SECONDS

BODY_MAX_BYTES = 16 * 1024 * 1024
KEEP_ALIVE_SECONDS = 30
CONNECTIONS_MAX = 2_000
CONCURRENT_REQUESTS_MAX = 200
CONCURRENT_BYTES_MAX = 64 * 1024 * 1024
BUSY_SECONDS = 1
GRACE_SECONDS = 10


class OwnSignals(uvicorn.Server):
    """Leaves signals to the service, which stops its doors in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def http_server(app: ASGIApp, host: str, port: int, after_request: Callable[[], None]) -> OwnSignals:
    """A server for `app` that has not started yet."""
    config = uvicorn.Config(
        DoorMiddleware(app, after_request),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        limit_concurrency=CONNECTIONS_MAX,
        lifespan="off",
    )
    return OwnSignals(config)


class DoorMiddleware:
    """Stands before the whole app; a body over the limit is refused before anybody keeps it.

    While many requests, or much of their bodies, are in hand, another is told to come again, and nothing of it is read.
    """

    def __init__(self, app: ASGIApp, after_request: Callable[[], None]) -> None:
        self._app = app
        self._after_request = after_request
        self._requests = 0
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        status = 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            if _announced_bytes(scope) > BODY_MAX_BYTES:
                DOOR_REFUSALS.labels("http", "too_large").inc()
                await _too_large()(scope, receive, sent)
            elif self._requests >= CONCURRENT_REQUESTS_MAX or self._bytes >= CONCURRENT_BYTES_MAX:
                DOOR_REFUSALS.labels("http", "busy").inc()
                await _busy()(scope, receive, sent)
            else:
                await self._pass(scope, receive, sent)
        finally:
            route = _route(scope)
            HTTP_REQUESTS.labels(route, str(status)).inc()
            HTTP_SECONDS.labels(route).observe(time.monotonic() - started)
        self._after_request()

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands the request in, and counts what of it is held meanwhile."""
        held = 0

        def hold(size: int) -> None:
            nonlocal held
            held += size
            self._bytes += size

        self._requests += 1
        try:
            await self._app(scope, _limited(receive, hold), send)
        finally:
            self._requests -= 1
            self._bytes -= held


def _announced_bytes(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


def _too_large() -> JSONResponse:
    return JSONResponse({"code": "too_large", "limit_bytes": BODY_MAX_BYTES}, 413)


def _busy() -> JSONResponse:
    return JSONResponse({"code": "busy"}, 429, {"Retry-After": str(BUSY_SECONDS)})


def _limited(receive: Receive, hold: Callable[[int], None]) -> Receive:
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        size = len(message.get("body", b""))
        received += size
        hold(size)
        if received > BODY_MAX_BYTES:
            DOOR_REFUSALS.labels("http", "too_large").inc()
            raise HTTPException(413, "the body is larger than any message we take")
        return message

    return limited


def _route(scope: Scope) -> str:
    """The route's template, never the path itself, which may hold ids."""
    route = scope.get("route")
    return str(getattr(route, "path", "unmatched"))
