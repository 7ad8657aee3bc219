"""Runs one service: what answers and what works around its core; ready when it means it, stopped in order."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import structlog
from starlette.types import ASGIApp

from chassis.domain import UnsafeSetting
from chassis.eventstore.postgres import PostgresEventStore
from chassis.postgres import SchemaMissing
from chassis.rpc.server import GrpcService
from chassis.runtime.answering import Answering
from chassis.runtime.backlog_at_nats import BacklogAtNats
from chassis.runtime.core import ServiceCore
from chassis.runtime.doors import Door
from chassis.runtime.interpreter import tune_interpreter
from chassis.runtime.ops_server import Heartbeat, OpsServer
from chassis.runtime.readiness import Readiness, nothing_else
from chassis.runtime.settings import Settings
from chassis.runtime.start_up import refuse_unready_store, until_it_holds
from chassis.runtime.wake import Hub
from chassis.runtime.working import Working
from chassis.telemetry.logs import configure_logs, frames_of
from chassis.telemetry.tracing import configure_traces, exporter_named
from chassis.turns import give_way

EXIT_FATAL = 70
EXIT_SETTINGS = 78
EXIT_SECOND_SIGNAL = 143
HEARTBEAT_SECONDS = 1.0

_log = structlog.get_logger(__name__)


def run(
    core: ServiceCore,
    settings: Settings,
    *,
    grpc: Sequence[GrpcService] = (),
    http_app: ASGIApp | None = None,
    doors: Sequence[Door] = (),
    answering_doors: Sequence[Door] = (),
) -> int:
    """Runs the service, or the half of it that is this process's role, until SIGTERM or SIGINT; the exit code of the process.

    0 after an orderly stop, 70 after a failure that nobody has classified, 78 where a setting or the schema is wrong.
    Every service serves the operations service beside its own. A port of 0 keeps that door shut. At `answering_doors` somebody
    waits, as at gRPC and HTTP; at `doors` nobody does.
    """
    name = settings.role.process_name(core.shape.name)
    tune_interpreter(settings.thread_turn_seconds)
    if not settings.role.answers:
        give_way()
    configure_logs(name, settings.log_level)
    configure_traces(name, exporter_named(settings.traces))
    return asyncio.run(_Run(core, settings, grpc, http_app, doors, answering_doors).main())


class _Run:
    """One run of a service, from start-up checks to the last closed connection."""

    def __init__(
        self,
        core: ServiceCore,
        settings: Settings,
        services: Sequence[GrpcService],
        http_app: ASGIApp | None,
        doors: Sequence[Door],
        answering_doors: Sequence[Door],
    ) -> None:
        self._core = core
        self._settings = settings
        self._hub = Hub()
        self._stopping = asyncio.Event()
        self._exit_code = 0
        self._executor = ThreadPoolExecutor(2 * len(core.consumers) + 3, thread_name_prefix="work")
        self._readiness = Readiness(core.store, self._executor)
        self._heartbeat = Heartbeat()
        self._tasks: list[asyncio.Task[None]] = []
        self._answering: Answering | None = None
        self._working: Working | None = None
        if settings.role.answers:
            self._answering = Answering(
                core, settings, services, http_app, answering_doors, self._after_call, self.fatal
            )
        if settings.role.works:
            self._working = Working(core, settings, doors, self._executor, self._hub, self.fatal)

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
        if not await self._may_start():
            return
        backlog, faults = None, nothing_else
        if self._answering is not None:
            self._answering.start(self._spawn)
        if self._working is not None:
            faults = (await self._working.start(self._spawn)).faults
        else:
            backlog = BacklogAtNats(self._core, self._settings)
            self._spawn(backlog.connect(self._stopping))
        self._spawn(self._readiness.keep(faults, lambda ready: self._tell(ready=ready)))
        _log.info("started", held=self._working.held if self._working else [], port=self._port)
        await self._stopping.wait()
        await self._stop()
        if backlog is not None:
            await backlog.close()

    async def _may_start(self) -> bool:
        """The checks of a start; False where the process was told to stop meanwhile."""
        working = self._working

        async def store() -> None:
            check = partial(refuse_unready_store, self._core.store, may_rebuild=working is not None)
            await self._loop.run_in_executor(self._executor, check)

        if not await until_it_holds(store, self._stopping, "database"):
            return False
        return working is None or await until_it_holds(working.refuse_unready_streams, self._stopping, "nats")

    async def _stop(self) -> None:
        """Shuts the doors first, and then ends what they let in."""
        self._readiness.draining = True
        self._tell(ready=False)
        if self._working is not None:
            await self._working.shut_doors()
        if self._answering is not None:
            await self._answering.stop()
        if self._working is not None:
            await self._working.stop()

    @property
    def _port(self) -> int:
        return self._answering.port if self._answering else 0

    def _tell(self, *, ready: bool) -> None:
        if self._answering is not None:
            self._answering.tell(ready=ready)

    def _after_call(self) -> None:
        """A store that notifies of its commits needs no other word, and most calls only read."""
        if not isinstance(self._core.store, PostgresEventStore):
            self._hub.wake()

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
