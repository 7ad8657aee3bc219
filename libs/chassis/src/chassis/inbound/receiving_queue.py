"""Groups what many connections deliver at once into one batch, and gives each caller its own outcome."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

import structlog

from chassis.domain import Transient, Unavailable
from chassis.telemetry.logs import frames_of
from chassis.telemetry.metrics import FAILURES
from chassis.turns import take_short_turns

BATCH_MAX = 80
"""Fewer than wait at a busy door, so that the next ones are read while these are committed."""
WAIT_SECONDS = 0.005
WAITING_MAX = 2_000
STOP_SECONDS = 30

_D = TypeVar("_D")
_O = TypeVar("_O")
_log = structlog.get_logger(__name__)


class TooBusy(Unavailable):
    """More deliveries wait than may; the sender comes again later."""


class ReceivingQueue(Generic[_D, _O]):
    """One thread receives batches of up to 200 deliveries, or of what comes within five milliseconds.

    Whatever thread or event loop a door runs on, `submit` gives a future that is done once the delivery is durable.
    `on_delivery` is told of each, so that what comes in bulk, beside the queue, gives way to it. Somebody waits for what
    the thread does, so it takes short turns, as the threads do that answer calls.
    """

    def __init__(
        self, receive: Callable[[Sequence[_D]], list[_O]], *, on_delivery: Callable[[], None] | None = None
    ) -> None:
        self._receive = receive
        self._on_delivery = on_delivery
        self._waiting: queue.Queue[tuple[_D, Future[_O]] | None] = queue.Queue(WAITING_MAX)
        self._thread = threading.Thread(target=self._run, name="receiving-queue", daemon=True)
        self._stopped = False
        self._thread.start()

    def submit(self, delivery: _D) -> Future[_O]:
        """Hands one delivery in.

        Raises:
            TooBusy: too many wait already, or the queue is stopping.
        """
        future: Future[_O] = Future()
        if self._on_delivery:
            self._on_delivery()
        if self._stopped:
            raise TooBusy("this door is closing")
        try:
            self._waiting.put_nowait((delivery, future))
        except queue.Full:
            raise TooBusy(f"{WAITING_MAX} deliveries wait") from None
        return future

    def stop(self) -> None:
        """Finishes what waits, and takes no more."""
        self._stopped = True
        self._waiting.put(None)
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        take_short_turns()
        while True:
            batch, last = self._next_batch()
            if batch:
                self._handle(batch)
            if last:
                return

    def _next_batch(self) -> tuple[list[tuple[_D, Future[_O]]], bool]:
        first = self._waiting.get()
        if first is None:
            return [], True
        batch = [first]
        time.sleep(WAIT_SECONDS)  # once: who waits for each delivery is woken by each
        while len(batch) < BATCH_MAX:
            try:
                following = self._waiting.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return batch, True
            batch.append(following)
        return batch, False

    def _handle(self, batch: list[tuple[_D, Future[_O]]]) -> None:
        try:
            outcomes = self._receive([delivery for delivery, _ in batch])
        except (Transient, Unavailable) as failure:
            for _, future in batch:
                _fail(future, failure)
        except Exception as bug:  # noqa: BLE001 - one delivery that meets a bug of ours must not take its batch along
            self._handle_singly(batch, bug)
        else:
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if _is_awaited(future):
                    future.set_result(outcome)

    def _handle_singly(self, batch: list[tuple[_D, Future[_O]]], bug: Exception) -> None:
        if len(batch) == 1:
            FAILURES.labels("receiving-queue", "bug").inc()
            _log.error("delivery met a bug", error=bug, frames=frames_of(bug))
            _fail(batch[0][1], Transient("not kept"))
            return
        for waiting in batch:
            self._handle([waiting])


def _fail(future: Future[_O], failure: Exception) -> None:
    if _is_awaited(future):
        future.set_exception(failure)


def _is_awaited(future: Future[_O]) -> bool:
    """Whether the caller still waits. From here on it cannot cancel: between a look and an answer it could, and the
    failed answer would end the queue's only thread."""
    return future.set_running_or_notify_cancel()
