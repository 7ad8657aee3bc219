"""What ready means: the database answers, NATS is connected and set as declared, the relay moves, nothing drains.

A process that only answers calls needs the database alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from chassis.eventstore.port import EventStore
from chassis.failure_policy import classify
from chassis.messaging.nats_consumers import NatsConsumers
from chassis.runtime.relay_loop import RelayLoop
from chassis.runtime.settings import Settings
from chassis.runtime.start_up import refuse_unready_streams

PROBE_SECONDS = 2.0
DATABASE_SECONDS = 5.0
NATS_SECONDS = 3
STREAMS_EVERY_PROBES = 15

_log = structlog.get_logger(__name__)


async def nothing_else() -> list[str]:
    """The faults of a process that needs its database and nothing more."""
    return []


class Readiness:
    """Probes every two seconds and keeps what it found; readers never wait for a probe."""

    def __init__(self, store: EventStore, executor: Executor) -> None:
        self._store = store
        self._executor = executor
        self._faults: list[str] = ["starting"]
        self.draining = False

    def faults(self) -> list[str]:
        """Why the service is not ready; empty when it is."""
        return ["draining"] if self.draining else list(self._faults)

    async def keep(self, other_faults: Callable[[], Awaitable[list[str]]], tell: Callable[[bool], None]) -> None:
        """Probes the database, and what gives `other_faults`, until cancelled; `tell` hears of every result."""
        while True:
            self._faults = [*await self._database_faults(), *await other_faults()]
            tell(not self.faults())
            await asyncio.sleep(PROBE_SECONDS)

    async def _database_faults(self) -> list[str]:
        loop = asyncio.get_running_loop()
        question = loop.run_in_executor(self._executor, self._store.last_position)
        try:
            await asyncio.wait_for(question, DATABASE_SECONDS)
        except Exception as error:  # noqa: BLE001 -- whatever keeps the database from answering makes us unready
            return [f"database: {classify(error).value}"]
        return []


class StreamsAndRelay:
    """What a process that works needs beside its database: NATS, streams as declared, a relay that moves."""

    def __init__(self, settings: Settings, service: str, consumers: NatsConsumers, relay: RelayLoop) -> None:
        self._settings = settings
        self._service = service
        self._consumers = consumers
        self._relay = relay
        self._probes = 0
        self._stream_faults: list[str] = []

    async def faults(self) -> list[str]:
        """What is wrong now; the settings of the streams are looked at now and then."""
        with_streams = self._probes % STREAMS_EVERY_PROBES == 0
        self._probes += 1
        if not await _answers(await self._consumers.connect()):
            return ["nats: does not answer"]
        if with_streams:
            self._stream_faults = await self._settings_faults()
        found = list(self._stream_faults)
        if self._relay.refill_needed:
            found.append("relay: the stream is empty and must be refilled by name")
        elif self._relay.is_stuck:
            found.append("relay: stuck")
        return found

    async def _settings_faults(self) -> list[str]:
        try:
            await refuse_unready_streams(await self._consumers.connect(), self._settings, self._service)
        except Exception as error:  # noqa: BLE001 -- told by name, and asked again
            _log.warning("streams are not as declared", error=error)
            return [f"nats: {type(error).__name__}: {error}"[:200]]
        return []


async def _answers(client: Client) -> bool:
    """Whether NATS answers now; a connection that is half open still calls itself connected."""
    if not client.is_connected:
        return False
    try:
        await client.flush(NATS_SECONDS)
    except (NatsError, TimeoutError):
        return False
    return True
