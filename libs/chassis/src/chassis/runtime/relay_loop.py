"""Runs the outbox relay in a thread of its own: woken by commits, patient with outages, loud about bugs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from chassis.eventstore.port import EventStore
from chassis.failure_policy import SCHEDULES, FailureClass, classify
from chassis.messaging.relay import RefillNeeded, Relay
from chassis.runtime.wake import Hub
from chassis.telemetry.logs import frames_of
from chassis.telemetry.metrics import FAILURES, RELAY_EVENTS, RELAY_LAG, RELAY_POSITION

POLL_SECONDS = 0.1
STUCK_SECONDS = 30.0
DRAIN_SECONDS = 5.0
LAG_EVERY_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class RelayLoop(threading.Thread):
    """Steps the relay while `may_run` says that this replica is the one that does."""

    def __init__(
        self,
        relay: Relay,
        store: EventStore,
        hub: Hub,
        *,
        may_run: Callable[[], bool],
        may_refill: bool,
        on_fatal: Callable[[BaseException], None],
    ) -> None:
        super().__init__(name="relay", daemon=True)
        self._relay = relay
        self._store = store
        self._hub = hub
        self._wake = hub.sleeper()
        self._may_run = may_run
        self._may_refill = may_refill
        self._on_fatal = on_fatal
        self._failing_since: float | None = None
        self._failures = 0
        self._lag_told_at = 0.0
        self.refill_needed = False

    @property
    def is_stuck(self) -> bool:
        """Whether nothing could be published for half a minute though it was tried."""
        return self._failing_since is not None and time.monotonic() - self._failing_since > STUCK_SECONDS

    def run(self) -> None:
        while not self._hub.stopping.is_set():
            moved = self.step() if self._may_run() else 0
            if not moved and not self._hub.stopping.is_set():
                self._tell_lag()
                self._wake.wait(POLL_SECONDS)
        self.drain()

    def step(self) -> int:
        """One step of the relay; a failure is judged, told and waited out here."""
        try:
            moved = self._relay.step()
        except RefillNeeded as needed:
            self._meet_empty_stream(needed)
            return 0
        except Exception as error:  # noqa: BLE001 -- the loop judges every failure by its class
            self._fail(error)
            return 0
        self._failing_since = None
        self._failures = 0
        self.refill_needed = False
        if moved:
            RELAY_EVENTS.inc(moved)
            RELAY_POSITION.set(self._relay.position)
        return moved

    def drain(self) -> None:
        """Publishes what is committed already, for a few seconds at most."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._may_run() and time.monotonic() < deadline and self._failures == 0 and self.step():
            continue

    def _meet_empty_stream(self, needed: RefillNeeded) -> None:
        if self._may_refill:
            _log.warning("refilling the stream from the store")
            self._relay.refill()
            return
        self.refill_needed = True
        self._fail(needed)

    def _fail(self, error: Exception) -> None:
        found = classify(error)
        self._failing_since = self._failing_since or time.monotonic()
        self._failures += 1
        FAILURES.labels("relay", found.value).inc()
        fields = {"failure_class": found.value, "attempt": self._failures, "frames": frames_of(error)}
        _log.warning("relay failed", error=error, **fields)
        schedule = SCHEDULES[found]
        if found is FailureClass.UNCLASSIFIED and schedule.is_spent(self._failures):
            self._on_fatal(error)
        self._hub.stopping.wait(schedule.delay_seconds(self._failures))

    def _tell_lag(self) -> None:
        now = time.monotonic()
        if now - self._lag_told_at < LAG_EVERY_SECONDS or not self._may_run():
            return
        self._lag_told_at = now
        try:
            RELAY_LAG.set(max(0, self._store.last_position() - self._relay.position))
        except Exception as error:  # noqa: BLE001 -- a gauge must not end the loop
            _log.info("lag not known", error=error)
