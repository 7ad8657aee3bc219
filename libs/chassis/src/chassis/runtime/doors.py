"""The doors of a service that are neither gRPC nor HTTP: folders that are watched, sockets that speak MLLP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from chassis.failure_policy import SCHEDULES, FailureClass, classify
from chassis.telemetry.logs import frames_of
from chassis.telemetry.metrics import FAILURES

Door = Callable[[], Awaitable[None]]

_log = structlog.get_logger(__name__)


class Doors:
    """Keeps every door open until told to stop; one that fails is opened again by the class of its failure."""

    def __init__(self, doors: Sequence[Door], on_fatal: Callable[[BaseException], None]) -> None:
        self._doors = doors
        self._on_fatal = on_fatal
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._keep_open(door)) for door in self._doors]

    async def stop(self) -> None:
        """Cancels every door and waits until each has closed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep_open(self, door: Door) -> None:
        name = getattr(door, "__name__", type(door).__name__)
        attempt = 0
        while True:
            try:
                await door()
            except Exception as error:  # noqa: BLE001 -- the runtime judges every failure by its class
                attempt += 1
                found = classify(error)
                FAILURES.labels("door", found.value).inc()
                fields = {"failure_class": found.value, "attempt": attempt, "frames": frames_of(error)}
                _log.error("door failed", door=name, error=error, **fields)
                if found is FailureClass.UNCLASSIFIED and SCHEDULES[found].is_spent(attempt):
                    self._on_fatal(error)
                    return
                await asyncio.sleep(SCHEDULES[found].delay_seconds(attempt))
            else:
                return
