"""How this suite connects to NATS: reconnects for ever, notices a dead link in seconds, and exits when closed for good."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import nats
import structlog
from nats.aio.client import Client

from chassis.messaging.topology import inbox_prefix_of

EXIT_CONNECTION_CLOSED = 70
PING_INTERVAL_SECONDS = 10
OUTSTANDING_PINGS_MAX = 2
RECONNECT_WAIT_SECONDS = 1
CONSUMER_BUFFER_BYTES = 2 * 1024 * 1024
PUBLISHER_BUFFER_BYTES = 0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NatsLogin:
    """Where and as whom a service connects; `service` is its token and gives the inbox prefix."""

    service: str
    url: str
    user: str
    password: str

    @property
    def inbox_prefix(self) -> bytes:
        return inbox_prefix_of(self.service).encode()


class Closing:
    """Tells a wanted end of the connection from one that nats-py decided on."""

    def __init__(self, exit_process: Callable[[int], object] = os._exit) -> None:
        self.wanted = False
        self._exit_process = exit_process

    async def closed(self) -> None:
        """A connection closed for good would leave its pull loops spinning: the process must go."""
        if not self.wanted:
            _log.critical("nats connection closed for good")
            self._exit_process(EXIT_CONNECTION_CLOSED)


async def noted(error: Exception) -> None:
    """Denied permissions and slow consumers are told only here."""
    _log.error("nats error", error=type(error).__name__, detail=str(error)[:200])


async def _disconnected() -> None:
    _log.warning("nats disconnected")


async def _reconnected() -> None:
    _log.info("nats reconnected")


def connection_arguments(login: NatsLogin, closing: Closing, *, buffer_bytes: int) -> dict[str, object]:
    """The arguments that `nats.connect` and FastStream's broker share."""
    return {
        "servers": [login.url],
        "name": login.user,
        "inbox_prefix": login.inbox_prefix,
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": RECONNECT_WAIT_SECONDS,
        "ping_interval": PING_INTERVAL_SECONDS,
        "max_outstanding_pings": OUTSTANDING_PINGS_MAX,
        "connect_timeout": 5,
        "pending_size": buffer_bytes,
        "error_cb": noted,
        "disconnected_cb": _disconnected,
        "reconnected_cb": _reconnected,
        "closed_cb": closing.closed,
    }


async def connect_publisher(login: NatsLogin, closing: Closing) -> Client:
    """A connection that never buffers while it is down: what is not acknowledged is known not to be sent."""
    arguments = connection_arguments(login, closing, buffer_bytes=PUBLISHER_BUFFER_BYTES)
    return await nats.connect(**arguments, user=login.user, password=login.password)  # type: ignore[arg-type]
