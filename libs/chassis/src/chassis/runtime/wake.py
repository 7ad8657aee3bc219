"""Wakes what waits for commits: the relay and the sweeps; a commit anywhere in the service is heard by LISTEN."""

from __future__ import annotations

import threading

import psycopg
import structlog
from psycopg import sql

LISTEN_TIMEOUT_SECONDS = 1.0
RECONNECT_SECONDS = 2.0

_log = structlog.get_logger(__name__)


class Wake:
    """One thing that sleeps until woken or until its time is up."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def call(self) -> None:
        self._event.set()

    def wait(self, seconds: float) -> None:
        self._event.wait(seconds)
        self._event.clear()


class Hub:
    """Everything that wants to know of commits, and whether the process is stopping."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._sleepers: list[Wake] = []

    def sleeper(self) -> Wake:
        wake = Wake()
        self._sleepers.append(wake)
        return wake

    def wake(self) -> None:
        """Something was committed; safe from any thread."""
        for sleeper in self._sleepers:
            sleeper.call()

    def stop(self) -> None:
        self.stopping.set()
        self.wake()


class CommitListener(threading.Thread):
    """Hears the NOTIFY of every commit; polling goes on beside it, so a lost one only costs time."""

    def __init__(self, dsn: str, channel: str, hub: Hub) -> None:
        super().__init__(name="commit-listener", daemon=True)
        self._dsn = dsn
        self._channel = channel
        self._hub = hub

    def run(self) -> None:
        while not self._hub.stopping.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                _log.info("commit listener reconnects", error=type(error).__name__)
                self._hub.stopping.wait(RECONNECT_SECONDS)

    def _listen(self) -> None:
        with psycopg.connect(self._dsn, autocommit=True, connect_timeout=5) as connection:
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
            while not self._hub.stopping.is_set():
                for _ in connection.notifies(timeout=LISTEN_TIMEOUT_SECONDS, stop_after=1):
                    self._hub.wake()
