"""Runs the sweeps of a service, each in a thread of its own: after every commit and on its timer, bounded each time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

import structlog

from chassis.failure_policy import SCHEDULES, FailureClass, classify
from chassis.messaging.consumer import BatchConsumer, Handled
from chassis.runtime.core import REST_SECONDS_MIN, Sweep
from chassis.runtime.wake import Hub
from chassis.telemetry.logs import frames_of
from chassis.telemetry.metrics import FAILURES, SWEEP_DONE, SWEEP_RUNS

ROUNDS_MAX = 100
BUG_PAUSE_SECONDS = 10.0
RELEASE_EVERY_SECONDS = 2.0
LOOK_AT_ALL_EVERY = 50

_log = structlog.get_logger(__name__)


class SweepLoop(threading.Thread):
    """One sweep, run while there is something to do and `may_run` says that this replica does it.

    Between two runs it rests, so that a stream of commits does not keep it asking the database without a pause.
    """

    def __init__(self, sweep: Sweep, hub: Hub, *, may_run: Callable[[], bool]) -> None:
        super().__init__(name=f"sweep-{sweep.name}", daemon=True)
        self._sweep = sweep
        self._hub = hub
        self._wake = hub.sleeper()
        self._may_run = may_run
        self._failures = 0

    def run(self) -> None:
        while not self._hub.stopping.is_set():
            is_done = self.run_rounds() if self._may_run() else True
            rest_seconds = self._sweep.rest_seconds if is_done else REST_SECONDS_MIN
            self._hub.stopping.wait(rest_seconds)
            self._wake.wait(max(0.0, self._sweep.every_seconds - rest_seconds))

    def run_rounds(self) -> bool:
        """Runs the sweep until it finds nothing more, at most a hundred times in a row; whether it found nothing more."""
        for _ in range(ROUNDS_MAX):
            if self._hub.stopping.is_set():
                return True
            done = self._run_once()
            if not done:
                return True
            SWEEP_DONE.labels(self._sweep.name).inc(done)
            self._hub.wake()
        return False

    def _run_once(self) -> int:
        try:
            done = self._sweep.run()
        except Exception as error:  # noqa: BLE001 -- the loop judges every failure by its class
            self._fail(error)
            return 0
        self._failures = 0
        SWEEP_RUNS.labels(self._sweep.name, "ok").inc()
        return done

    def _fail(self, error: Exception) -> None:
        found = classify(error)
        self._failures += 1
        FAILURES.labels(f"sweep-{self._sweep.name}", found.value).inc()
        SWEEP_RUNS.labels(self._sweep.name, found.value).inc()
        fields = {"failure_class": found.value, "attempt": self._failures, "frames": frames_of(error)}
        _log.warning("sweep failed", sweep=self._sweep.name, error=error, **fields)
        is_bug = found in (FailureClass.UNCLASSIFIED, FailureClass.REFUSED)
        pause = BUG_PAUSE_SECONDS if is_bug else SCHEDULES[found].delay_seconds(self._failures)
        self._hub.stopping.wait(pause)


class ParkedRelease:
    """Tries parked messages again when what they wait for has moved, and now and then all that wait."""

    def __init__(self, consumers: Iterable[BatchConsumer]) -> None:
        self._consumers: Sequence[BatchConsumer] = tuple(consumers)
        self._lock = threading.Lock()
        self._touched: set[UUID] = set()
        self._runs = 0

    @property
    def sweep(self) -> Sweep:
        return Sweep("release-parked", RELEASE_EVERY_SECONDS, self.run)

    def note(self, handled: Handled) -> None:
        """These aggregates have moved; safe from any thread."""
        with self._lock:
            self._touched |= handled.touched

    def run(self) -> int:
        """Releases what waits for the aggregates noted since, or, with none noted, the oldest that wait.

        Where something is always noted, every fiftieth run looks at the oldest too: a message may be parked just after
        what it waits for has moved, and nothing will move it again.
        """
        self._runs += 1
        with self._lock:
            touched, self._touched = self._touched, set()
        if self._runs % LOOK_AT_ALL_EVERY == 0:
            self._release(None)
        return self._release(touched or None)

    def _release(self, touched: set[UUID] | None) -> int:
        done = 0
        for consumer in self._consumers:
            handled = consumer.release(touched)
            self.note(handled)
            done += handled.done
        return done
