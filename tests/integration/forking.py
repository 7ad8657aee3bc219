"""Services as forks of one process that has imported them all: started in a moment, killed like any other process."""

from __future__ import annotations

import ctypes
import importlib
import multiprocessing
import os
import threading
import time
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals

from sandbox.services import answers
from throughline.stack.roster import MEMBERS

READY_SECONDS_MAX = 60.0
END_SECONDS_MAX = 20.0
POLL_SECONDS = 0.05
_PR_SET_PDEATHSIG = 1
_forking = multiprocessing.get_context("forkserver")


class DidNotStart(AssertionError):
    """It ended, or was not ready in time; carries the end of its log."""


class DidNotEnd(AssertionError):
    """The process is still there."""


_one_asks = threading.Lock()
"""A process's end is told once: two threads that ask at once, be it about another process, could lose it."""


class ForkedService:
    """One run of one service."""

    def __init__(self, module: str, environment: Mapping[str, str], health_url: str, log: Path) -> None:
        self._health_url = health_url
        self._log = log
        _forking.set_forkserver_preload([member.module for member in MEMBERS])
        self._process: ForkServerProcess = _forking.Process(
            target=_run, args=(module, dict(environment), str(log)), daemon=True
        )

    def start(self) -> None:
        """Starts it and waits until it is ready."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with _one_asks:
            self._process.start()
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not answers(self._health_url):
            if not self.is_running() or time.monotonic() > deadline:
                raise DidNotStart(f"{self._log.name}: {self.log_tail()}")
            time.sleep(POLL_SECONDS)

    def log_tail(self) -> str:
        """The end of its log."""
        return self._log.read_text()[-2000:] if self._log.exists() else ""

    @property
    def pid(self) -> int:
        assert self._process.pid is not None, "it has not been started"
        return self._process.pid

    def is_running(self) -> bool:
        with _one_asks:
            return self._process.is_alive()

    def kill(self, number: Signals = SIGKILL) -> None:
        os.kill(self.pid, number)

    def wait_for_exit(self, seconds_max: float) -> int:
        """The exit code; negative is the signal that ended it."""
        deadline = time.monotonic() + seconds_max
        while self.is_running():
            if time.monotonic() > deadline:
                raise DidNotEnd(f"process {self.pid} runs after {seconds_max:.0f} s")
            time.sleep(POLL_SECONDS)
        assert self._process.exitcode is not None, "it has ended"
        return self._process.exitcode

    def stop(self) -> int:
        """Ends it in order; its exit code."""
        if self.is_running():
            self.kill(SIGTERM)
        return self.wait_for_exit(END_SECONDS_MAX)


def _run(module: str, environment: Mapping[str, str], log: str) -> None:
    """In the fork: nothing of the test's own environment is left, and what is printed goes into the log."""
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
    os.environ.clear()
    os.environ.update(environment)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(file, stream)
    raise SystemExit(importlib.import_module(module).main())
