"""Runs one batch to its end: retries in place by failure class, keeps its messages alive, sets poison apart.

Nothing is acknowledged before the batch is saved; when the process stops meanwhile, the batch comes again elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from typing import Protocol

import structlog

from chassis.domain import Bug
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.failure_policy import SCHEDULES, FailureClass, classify
from chassis.messaging.backlog import Backlog
from chassis.messaging.consumer import Handled
from chassis.messaging.delivery import Delivery
from chassis.telemetry.logs import frames_of
from chassis.telemetry.metrics import FAILURES

_log = structlog.get_logger(__name__)

KeepAlive = Callable[[], Awaitable[None]]


class GaveUp(Bug):
    """A batch fails for a reason nobody has classified, message by message too: the process must not go on."""


class Handler(Protocol):
    """What a BatchConsumer is to its runner."""

    @property
    def name(self) -> str: ...

    @property
    def backlog(self) -> Backlog: ...

    def handle(self, deliveries: Sequence[Delivery], *, isolate: bool = False) -> Handled: ...


class BatchRunner:
    """Hands batches of one durable to its consumer in a worker thread, one at a time."""

    def __init__(
        self,
        consumer: Handler,
        executor: Executor,
        stopping: asyncio.Event,
        *,
        crash_point: CrashPoint = no_crash,
        keep_alive_seconds: float,
    ) -> None:
        self._consumer = consumer
        self._executor = executor
        self._stopping = stopping
        self._crash_point = crash_point
        self._keep_alive_seconds = keep_alive_seconds
        self.failing = False

    @property
    def backlog(self) -> Backlog:
        return self._consumer.backlog

    async def run(self, deliveries: Sequence[Delivery], keep_alive: KeepAlive) -> Handled | None:
        """What became of the batch, or None where the process stops and nothing may be acknowledged.

        Raises:
            GaveUp: see there.
        """
        self._crash_point("after-receive")
        attempt = unclassified = 0
        spent = SCHEDULES[FailureClass.UNCLASSIFIED].is_spent
        while not self._stopping.is_set():
            attempt += 1
            isolate = spent(unclassified)
            try:
                handled = await self._attempt(deliveries, keep_alive, isolate)
            except Exception as error:
                found = self._note(error, attempt)
                unclassified += found is FailureClass.UNCLASSIFIED
                if unclassified >= 2 * (SCHEDULES[FailureClass.UNCLASSIFIED].attempts_max or 1):
                    raise GaveUp(f"{self._consumer.name}: {type(error).__name__} again and again") from error
                await self._pause(SCHEDULES[found].delay_seconds(attempt), keep_alive)
                continue
            self.failing = False
            return handled
        return None

    def _note(self, error: Exception, attempt: int) -> FailureClass:
        found = classify(error)
        if found is FailureClass.REFUSED:
            found = FailureClass.UNCLASSIFIED
        self.failing = True
        FAILURES.labels(self._consumer.name, found.value).inc()
        fields = {"consumer": self._consumer.name, "failure_class": found.value, "attempt": attempt}
        _log.warning("batch failed", error=type(error).__name__, frames=frames_of(error), **fields)
        return found

    async def _attempt(self, deliveries: Sequence[Delivery], keep_alive: KeepAlive, isolate: bool) -> Handled:
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._executor, lambda: self._consumer.handle(deliveries, isolate=isolate))
        while True:
            done, _ = await asyncio.wait([work], timeout=self._keep_alive_seconds)
            if done:
                return work.result()
            await keep_alive()

    async def _pause(self, seconds: float, keep_alive: KeepAlive) -> None:
        while seconds > 0 and not self._stopping.is_set():
            portion = min(seconds, self._keep_alive_seconds)
            try:
                await asyncio.wait_for(self._stopping.wait(), portion)
            except TimeoutError:
                seconds -= portion
        await keep_alive()
