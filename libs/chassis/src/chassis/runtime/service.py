"""Runs one service: doors, consumers, sweeps and relay around its core; ready when it means it, stopped in order."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from nats.aio.client import Client
from starlette.types import ASGIApp

from chassis.domain import UnsafeSetting
from chassis.eventstore.postgres import PostgresEventStore
from chassis.messaging.consumer import Handled
from chassis.messaging.nats_connection import Closing, connect_publisher
from chassis.messaging.nats_consumers import NatsConsumers
from chassis.messaging.nats_stream import NatsStream
from chassis.messaging.relay import Relay
from chassis.postgres import SchemaMissing
from chassis.rpc.operations import operations_service
from chassis.rpc.server import GrpcService, Server, make_server
from chassis.runtime.core import ServiceCore
from chassis.runtime.doors import Door, Doors
from chassis.runtime.http_server import OwnSignals, http_server
from chassis.runtime.interpreter import tune_interpreter
from chassis.runtime.leadership import Leadership
from chassis.runtime.ops_server import Heartbeat, OpsServer
from chassis.runtime.readiness import Readiness
from chassis.runtime.relay_loop import RelayLoop
from chassis.runtime.settings import Settings
from chassis.runtime.start_up import refuse_unready_store, refuse_unready_streams, until_it_holds
from chassis.runtime.sweep_loops import ParkedRelease, SweepLoop
from chassis.runtime.wake import CommitListener, Hub
from chassis.security.tokens import TokenVerifier
from chassis.telemetry.logs import configure_logs, frames_of
from chassis.telemetry.tracing import configure_traces, exporter_named
from chassis.turns import short_turns

EXIT_FATAL = 70
EXIT_SETTINGS = 78
EXIT_SECOND_SIGNAL = 143
HEARTBEAT_SECONDS = 1.0
GRPC_GRACE_SECONDS = 10.0
THREADS_JOIN_SECONDS = 10.0

_log = structlog.get_logger(__name__)


def run(
    core: ServiceCore,
    settings: Settings,
    *,
    grpc: Sequence[GrpcService] = (),
    http_app: ASGIApp | None = None,
    doors: Sequence[Door] = (),
) -> int:
    """Runs the service until SIGTERM or SIGINT; the exit code of the process.

    0 after an orderly stop, 70 after a failure that nobody has classified, 78 where a setting or the schema is wrong.
    Every service serves the operations service beside its own. A port of 0 keeps that door shut.
    """
    tune_interpreter()
    configure_logs(core.shape.name, settings.log_level)
    configure_traces(core.shape.name, exporter_named(settings.traces))
    return asyncio.run(_Run(core, settings, grpc, http_app, doors).main())


class _Run:
    """One run of a service, from start-up checks to the last closed connection."""

    def __init__(
        self,
        core: ServiceCore,
        settings: Settings,
        services: Sequence[GrpcService],
        http_app: ASGIApp | None,
        doors: Sequence[Door],
    ) -> None:
        self._core = core
        self._settings = settings
        self._name = core.shape.name
        self._hub = Hub()
        self._stopping = asyncio.Event()
        self._exit_code = 0
        self._crash_point = settings.crash_points(self._name)
        self._executor = ThreadPoolExecutor(2 * len(core.consumers) + 3, thread_name_prefix="work")
        self._release = ParkedRelease(core.consumers.values())
        self._leadership = Leadership(self._name, settings.replica)
        self._readiness = Readiness(core.store, settings, self._name, self._executor)
        self._heartbeat = Heartbeat()
        self._services = services
        self._http_app = http_app
        self._doors = Doors(doors, self.fatal)
        self._publisher_closing = Closing()
        self._tasks: list[asyncio.Task[None]] = []
        self._threads: list[RelayLoop | SweepLoop | CommitListener] = []

    async def main(self) -> int:
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._signalled)
        ops = OpsServer(self._settings.bind_host, self._settings.ops_port, self._heartbeat, self._readiness.faults)
        ops.start()
        self._spawn(self._beat())
        try:
            await self._serve()
        except (UnsafeSetting, SchemaMissing) as refused:
            _log.critical("refusing to start", error=refused, detail=str(refused))
            self._exit_code = EXIT_SETTINGS
        except Exception as error:  # noqa: BLE001 -- the last place where a failure can be told
            self.fatal(error)
        finally:
            for task in self._tasks:
                task.cancel()
            ops.stop()
            self._executor.shutdown(wait=False, cancel_futures=True)
        _log.info("stopped", code=self._exit_code)
        return self._exit_code

    async def _serve(self) -> None:
        consumers = self._consumers()
        if not await self._started(consumers):
            return
        client = await consumers.connect()
        await self._leadership.start(client)
        publisher = await connect_publisher(self._settings.nats_login(self._name), self._publisher_closing)
        relay = self._start_threads(publisher)
        with short_turns():
            server = self._grpc_server()
        http = self._start_http()
        await consumers.start()
        self._doors.start()
        self._spawn(self._leadership.keep())
        self._spawn(self._readiness.keep(consumers, relay, lambda ready: _tell(server, ready=ready)))
        _log.info("started", held=consumers.held, port=server.port if server else 0)
        await self._stopping.wait()
        await self._stop(consumers, server, http, publisher)

    async def _started(self, consumers: NatsConsumers) -> bool:
        """The checks of a start; False where the process was told to stop meanwhile."""

        async def store() -> None:
            await self._loop.run_in_executor(self._executor, refuse_unready_store, self._core.store)

        async def streams() -> None:
            await refuse_unready_streams(await consumers.connect(), self._settings, self._name)

        return await until_it_holds(store, self._stopping, "database") and await until_it_holds(
            streams, self._stopping, "nats"
        )

    def _consumers(self) -> NatsConsumers:
        return NatsConsumers(
            self._settings.nats_login(self._name),
            self._settings.topology,
            list(self._core.consumers.items()),
            self._executor,
            replica=self._settings.replica,
            after_batch=self._after_batch,
            on_fatal=self.fatal,
            crash_point=self._crash_point,
        )

    def _after_batch(self, handled: Handled) -> None:
        self._release.note(handled)
        self._hub.wake()

    def _after_call(self) -> None:
        """A store that notifies of its commits needs no other word, and most calls only read."""
        if not isinstance(self._core.store, PostgresEventStore):
            self._hub.wake()

    def _start_threads(self, publisher: Client) -> RelayLoop:
        stream = NatsStream(publisher, self._loop, self._name)
        publishing = self._core.shape.publishing
        relay = RelayLoop(
            Relay(
                self._name,
                self._core.store,
                stream,
                publishing,
                crash_point=self._crash_point,
                ahead=self._executor,
            ),
            self._core.store,
            self._hub,
            may_run=lambda: self._leadership.is_held,
            may_refill=self._settings.refill_stream,
            on_fatal=self.fatal,
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

    def _grpc_server(self) -> Server | None:
        if not self._settings.grpc_port:
            return None
        if not self._settings.jwks_url:
            raise UnsafeSetting("THROUGHLINE_JWKS_URL", "not given", "given where a gRPC port is")
        verifier = TokenVerifier(self._settings.jwks_url, self._settings.jwt_issuer, self._settings.jwt_audience)
        server = make_server(
            [operations_service(self._core), *self._services],
            verifier,
            host=self._settings.bind_host,
            port=self._settings.grpc_port,
            threads=self._settings.grpc_threads,
            after_call=self._after_call,
        )
        server.serving(ready=False)
        server.server.start()
        return server

    def _start_http(self) -> OwnSignals | None:
        if self._http_app is None or not self._settings.http_port:
            return None
        http = http_server(self._http_app, self._settings.bind_host, self._settings.http_port, self._after_call)
        self._spawn(http.serve())
        return http

    async def _stop(
        self, consumers: NatsConsumers, server: Server | None, http: OwnSignals | None, publisher: Client
    ) -> None:
        """Shuts the doors first, finishes what was taken in, publishes it, and only then lets go."""
        self._readiness.draining = True
        _tell(server, ready=False)
        await self._doors.stop()
        if http is not None:
            http.should_exit = True
        if server is not None:
            await asyncio.to_thread(server.server.stop(GRPC_GRACE_SECONDS).wait)
        await consumers.drain()
        self._hub.stop()
        for thread in self._threads:
            await asyncio.to_thread(thread.join, THREADS_JOIN_SECONDS)
        await self._leadership.release()
        await consumers.stop()
        self._publisher_closing.wanted = True
        await publisher.close()

    def fatal(self, error: BaseException) -> None:
        """The process must not go on; safe from any thread."""
        _log.critical("fatal", error=error, frames=frames_of(error))
        self._exit_code = EXIT_FATAL
        self._loop.call_soon_threadsafe(self._stopping.set)

    def _signalled(self) -> None:
        if self._stopping.is_set():
            os._exit(EXIT_SECOND_SIGNAL)
        _log.info("stopping")
        self._stopping.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A background task that failed would be missed by nobody: no lease renewed, no readiness told."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.fatal(error)

    async def _beat(self) -> None:
        while True:
            self._heartbeat.beat()
            await asyncio.sleep(HEARTBEAT_SECONDS)


def _tell(server: Server | None, *, ready: bool) -> None:
    if server is not None:
        server.serving(ready=ready)
