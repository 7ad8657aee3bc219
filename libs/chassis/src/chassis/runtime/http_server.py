"""The HTTP door of a service: uvicorn in the service's own event loop, with a size limit, metrics and a wake-up."""

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
CONCURRENT_REQUESTS_MAX = 200
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
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        limit_concurrency=CONCURRENT_REQUESTS_MAX,
        lifespan="off",
    )
    return OwnSignals(config)


class DoorMiddleware:
    """Stands before the whole app; a body over the limit is refused before anybody keeps it."""

    def __init__(self, app: ASGIApp, after_request: Callable[[], None]) -> None:
        self._app = app
        self._after_request = after_request

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
            else:
                await self._app(scope, _limited(receive), sent)
        finally:
            route = _route(scope)
            HTTP_REQUESTS.labels(route, str(status)).inc()
            HTTP_SECONDS.labels(route).observe(time.monotonic() - started)
        self._after_request()


def _announced_bytes(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


def _too_large() -> JSONResponse:
    return JSONResponse({"code": "too_large", "limit_bytes": BODY_MAX_BYTES}, 413)


def _limited(receive: Receive) -> Receive:
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > BODY_MAX_BYTES:
            DOOR_REFUSALS.labels("http", "too_large").inc()
            raise HTTPException(413, "the body is larger than any message we take")
        return message

    return limited


def _route(scope: Scope) -> str:
    """The route's template, never the path itself, which may hold ids."""
    route = scope.get("route")
    return str(getattr(route, "path", "unmatched"))
