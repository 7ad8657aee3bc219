"""The operations port: /livez, /readyz and /metrics, served by a thread that a stuck event loop cannot stop."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

LOOP_SILENT_SECONDS = 30.0
REQUEST_TIMEOUT_SECONDS = 5.0


class Heartbeat:
    """Beaten by the event loop; a loop that no longer beats is dead."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._last = monotonic()

    def beat(self) -> None:
        self._last = self._monotonic()

    @property
    def is_alive(self) -> bool:
        return self._monotonic() - self._last < LOOP_SILENT_SECONDS


class OpsServer:
    """`faults` gives the reasons why the service is not ready; none means ready."""

    def __init__(self, host: str, port: int, heartbeat: Heartbeat, faults: Callable[[], list[str]]) -> None:
        self._server = ThreadingHTTPServer((host, port), _handler(heartbeat, faults))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="ops", daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(heartbeat: Heartbeat, faults: Callable[[], list[str]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_TIMEOUT_SECONDS

        def do_GET(self) -> None:
            if self.path == "/livez":
                self._answer(200 if heartbeat.is_alive else 503, b"{}", "application/json")
            elif self.path == "/readyz":
                found = faults()
                body = json.dumps({"ready": not found, "faults": found}).encode()
                self._answer(503 if found else 200, body, "application/json")
            elif self.path == "/metrics":
                self._answer(200, generate_latest(), CONTENT_TYPE_LATEST)
            else:
                self._answer(404, b"{}", "application/json")

        def _answer(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name is the library's
            """Probes are not worth a line."""

    return Handler
