"""What a service does without being asked: it consumes, relays, sweeps, and watches the doors nobody waits at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor
from typing import Any

from nats.aio.client import Client

from chassis.eventstore.postgres import PostgresEventStore
from chassis.messaging.consumer import Handled
from chassis.messaging.nats_connection import Closing, connect_publisher
from chassis.messaging.nats_consumers import NatsConsumers
from chassis.messaging.nats_stream import NatsStream
from chassis.messaging.relay import Relay
from chassis.runtime.core import ServiceCore
from chassis.runtime.doors import Door, Doors
from chassis.runtime.leadership import Leadership
from chassis.runtime.readiness import StreamsAndRelay
from chassis.runtime.relay_loop import RelayLoop
from chassis.runtime.settings import Settings
from chassis.runtime.start_up import refuse_unready_streams
from chassis.runtime.sweep_loops import ParkedRelease, SweepLoop
from chassis.runtime.wake import CommitListener, Hub

THREADS_JOIN_SECONDS = 10.0


class Working:
    """The working half of one process; `hub` wakes relay and sweeps, `fatal` ends the process."""

    def __init__(
        self,
        core: ServiceCore,
        settings: Settings,
        doors: Sequence[Door],
        executor: Executor,
        hub: Hub,
        fatal: Callable[[BaseException], None],
    ) -> None:
        self._core = core
        self._settings = settings
        self._name = core.shape.name
        self._executor = executor
        self._hub = hub
        self._fatal = fatal
        self._crash_point = settings.crash_points(self._name)
        self._release = ParkedRelease(core.consumers.values())
        self._leadership = Leadership(self._name, settings.replica)
        self._doors = Doors(doors, fatal)
        self._publisher: Client | None = None
        self._publisher_closing = Closing()
        self._consumers = self._made_consumers()
        self._threads: list[RelayLoop | SweepLoop | CommitListener] = []

    @property
    def held(self) -> list[str]:
        """The durables that are read here now."""
        return self._consumers.held

    async def refuse_unready_streams(self) -> None:
        """Connects, and checks the streams and durables; see `refuse_unsafe_streams`."""
        await refuse_unready_streams(await self._consumers.connect(), self._settings, self._name)

    async def start(self, spawn: Callable[[Coroutine[Any, Any, None]], None]) -> StreamsAndRelay:
        """Starts all of it, the doors last; gives what tells of its health."""
        await self._leadership.start(await self._consumers.connect())
        login = self._settings.nats_login(self._name)
        self._publisher = await connect_publisher(login, self._publisher_closing)
        relay = self._start_threads(NatsStream(self._publisher, asyncio.get_running_loop(), self._name))
        await self._consumers.start()
        self._doors.start()
        spawn(self._leadership.keep())
        return StreamsAndRelay(self._settings, self._name, self._consumers, relay)

    async def shut_doors(self) -> None:
        """Takes nothing in any more."""
        await self._doors.stop()

    async def stop(self) -> None:
        """Finishes what was taken in, publishes it, and only then lets go."""
        await self._consumers.drain()
        self._hub.stop()
        for thread in self._threads:
            await asyncio.to_thread(thread.join, THREADS_JOIN_SECONDS)
        await self._leadership.release()
        await self._consumers.stop()
        self._publisher_closing.wanted = True
        if self._publisher is not None:
            await self._publisher.close()

    def _made_consumers(self) -> NatsConsumers:
        return NatsConsumers(
            self._settings.nats_login(self._name),
            self._settings.topology,
            list(self._core.consumers.items()),
            self._executor,
            replica=self._settings.replica,
            after_batch=self._after_batch,
            on_fatal=self._fatal,
            crash_point=self._crash_point,
        )

    def _after_batch(self, handled: Handled) -> None:
        self._release.note(handled)
        self._hub.wake()

    def _start_threads(self, stream: NatsStream) -> RelayLoop:
        relay = RelayLoop(
            self._made_relay(stream),
            self._core.store,
            self._hub,
            may_run=lambda: self._leadership.is_held,
            may_refill=self._settings.refill_stream,
            on_fatal=self._fatal,
        )
        sweeps = [SweepLoop(sweep, self._hub, may_run=lambda: self._leadership.is_held) for sweep in self._core.sweeps]
        release = SweepLoop(self._release.sweep, self._hub, may_run=lambda: True)
        self._threads = [relay, release, *sweeps]
        if isinstance(self._core.store, PostgresEventStore):
            dsn = self._settings.database_url.get_secret_value()
            self._threads.append(CommitListener(dsn, self._core.store.channel, self._hub))
        for thread in self._threads:
            thread.start()
        return relay

    def _made_relay(self, stream: NatsStream) -> Relay:
        return Relay(
            self._name,
            self._core.store,
            stream,
            self._core.shape.publishing,
            crash_point=self._crash_point,
            ahead=self._executor,
        )
