"""Servers in threads of this process, on loopback only."""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

START_SECONDS_MAX = 10


class NotStarted(RuntimeError):
    """The server did not come up in time."""


class LoopbackApp:
    """An ASGI app under uvicorn in a thread; port 0 picks a free one, known before the start."""

    def __init__(self, app: ASGIApp, *, port: int = 0) -> None:
        self._app = app
        self._socket = socket.create_server(("127.0.0.1", port), reuse_port=False)
        # asyncio sees no TCP in a socket made without its protocol number, and leaves Nagle's delay of 40 ms to every answer.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = int(self._socket.getsockname()[1])
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve; returns when requests are answered.

        Raises:
            NotStarted: not up within ten seconds.
        """
        server = uvicorn.Server(uvicorn.Config(self._app, log_level="warning", lifespan="off"))
        self._thread = threading.Thread(target=server.run, args=([self._socket],), name="loopback", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS_MAX
        while not server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise NotStarted(f"port {self.port} does not answer")
            time.sleep(0.01)
        self._server = server

    def stop(self) -> None:
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join(timeout=START_SECONDS_MAX)
        self._socket.close()


class ServedOnLoopback:
    """A context manager around an app of its own, given by `serve_by`."""

    _server: LoopbackApp

    def serve_by(self, app: ASGIApp) -> None:
        self._server = LoopbackApp(app)

    @property
    def url(self) -> str:
        return self._server.url

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.stop()
