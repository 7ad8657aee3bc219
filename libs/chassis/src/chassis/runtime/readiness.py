"""What ready means: the database answers, NATS is connected and set as declared, the relay moves, nothing drains."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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


class Readiness:
    """Probes every two seconds and keeps what it found; readers never wait for a probe."""

    def __init__(self, store: EventStore, settings: Settings, service: str, executor: Executor) -> None:
        self._store = store
        self._settings = settings
        self._service = service
        self._executor = executor
        self._faults: list[str] = ["starting"]
        self._stream_faults: list[str] = []
        self.draining = False

    def faults(self) -> list[str]:
        """Why the service is not ready; empty when it is."""
        return ["draining"] if self.draining else list(self._faults)

    async def keep(self, consumers: NatsConsumers, relay: RelayLoop, tell: Callable[[bool], None]) -> None:
        """Probes until cancelled; `tell` hears of every result."""
        count = 0
        while True:
            self._faults = await self._probe(consumers, relay, with_streams=count % STREAMS_EVERY_PROBES == 0)
            tell(not self.faults())
            count += 1
            await asyncio.sleep(PROBE_SECONDS)

    async def _probe(self, consumers: NatsConsumers, relay: RelayLoop, *, with_streams: bool) -> list[str]:
        found = await self._database_faults()
        client = await consumers.connect()
        if not await _answers(client):
            return [*found, "nats: does not answer"]
        if with_streams:
            self._stream_faults = await self._settings_faults(consumers)
        found += self._stream_faults
        if relay.refill_needed:
            found.append("relay: the stream is empty and must be refilled by name")
        elif relay.is_stuck:
            found.append("relay: stuck")
        return found

    async def _database_faults(self) -> list[str]:
        loop = asyncio.get_running_loop()
        question = loop.run_in_executor(self._executor, self._store.last_position)
        try:
            await asyncio.wait_for(question, DATABASE_SECONDS)
        except Exception as error:  # noqa: BLE001 -- whatever keeps the database from answering makes us unready
            return [f"database: {classify(error).value}"]
        return []

    async def _settings_faults(self, consumers: NatsConsumers) -> list[str]:
        try:
            await refuse_unready_streams(await consumers.connect(), self._settings, self._service)
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
