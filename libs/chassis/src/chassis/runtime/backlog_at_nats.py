"""How far a service is behind, as NATS knows it: for a process that consumes nothing itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from nats.aio.client import Client
from nats.errors import Error as NatsError

from chassis.domain import Unavailable
from chassis.messaging.nats_connection import Closing, connect_publisher
from chassis.messaging.topology import Durable
from chassis.runtime.core import ServiceCore
from chassis.runtime.settings import Settings
from chassis.runtime.start_up import until_it_holds

ANSWER_SECONDS = 3.0


class BacklogAtNats:
    """Gives each consumer of the core the count of what NATS holds for it and has no acknowledgement of.

    It is asked for when somebody wants to know, from any thread but the event loop's. Nothing else here needs NATS: while
    it is away, calls are answered, and the count alone is Unavailable.
    """

    def __init__(self, core: ServiceCore, settings: Settings) -> None:
        self._settings = settings
        self._name = core.shape.name
        self._loop = asyncio.get_running_loop()
        self._closing = Closing()
        self._client: Client | None = None
        durables = settings.topology.durables(self._name)
        for upstream, consumer in core.consumers.items():
            consumer.behind = AskedBehind(self, [each for each in durables if each.upstream == upstream])

    async def connect(self, stopping: asyncio.Event) -> None:
        """Connects, however long that takes; a connection that is lost comes back by itself."""

        async def connected() -> None:
            self._client = await connect_publisher(self._settings.nats_login(self._name), self._closing)

        await until_it_holds(connected, stopping, "nats")

    async def close(self) -> None:
        self._closing.wanted = True
        if self._client is not None:
            await self._client.close()

    def unacknowledged(self, durables: Sequence[Durable]) -> int:
        """Messages that NATS has not given out yet, or given out and not heard of again.

        Raises:
            Unavailable: NATS does not answer.
        """
        asking = asyncio.run_coroutine_threadsafe(self._asked(durables), self._loop)
        try:
            return asking.result(ANSWER_SECONDS)
        except (NatsError, TimeoutError) as error:
            asking.cancel()
            raise Unavailable(f"nats: {type(error).__name__}: the backlog is not known") from None

    async def _asked(self, durables: Sequence[Durable]) -> int:
        if self._client is None or not self._client.is_connected:
            raise Unavailable("nats: not connected: the backlog is not known")
        js = self._client.jetstream(timeout=ANSWER_SECONDS)
        found = await asyncio.gather(*(js.consumer_info(each.stream, each.name) for each in durables))
        return sum((each.num_pending or 0) + (each.num_ack_pending or 0) for each in found)


@dataclass(frozen=True, slots=True)
class AskedBehind:
    """How far one consumer is behind."""

    asked: BacklogAtNats
    durables: Sequence[Durable]

    @property
    def count(self) -> int:
        """See `BacklogAtNats.unacknowledged`."""
        return self.asked.unacknowledged(self.durables)
