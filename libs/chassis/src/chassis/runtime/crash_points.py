"""Named places where a test lets the process die: armed by `CRASH_AT=<service>:<step>[:<nth>]`, else nothing."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

STEPS = (
    "after-receive",
    "before-commit",
    "after-commit",
    "before-publish",
    "after-publish",
    "before-ack",
    "before-erp",
    "after-erp",
    "before-send",
    "after-send",
)


class UnknownStep(ValueError):
    """CRASH_AT names no step that exists; a fault that cannot strike would prove nothing."""


class CrashPoints:
    """Kills its own process with SIGKILL the `nth` time that `step` is reached; any other step passes.

    Where `mark` names a file it is written first, so that a test can prove that the fault struck.
    """

    def __init__(self, step: str = "", nth: int = 1, mark: Path | None = None) -> None:
        if step and step not in STEPS:
            raise UnknownStep(f"{step}: the steps are {', '.join(STEPS)}")
        self._step = step
        self._left = nth
        self._mark = mark
        self._lock = threading.Lock()

    @classmethod
    def armed(cls, crash_at: str, mark: str, service: str) -> CrashPoints:
        """From the text of CRASH_AT; unarmed where it names another service or nothing.

        Raises:
            UnknownStep: the step does not exist.
        """
        name, _, rest = crash_at.partition(":")
        if name != service:
            return cls()
        step, _, nth = rest.partition(":")
        return cls(step, int(nth or 1), Path(mark) if mark else None)

    def __call__(self, step: str) -> None:
        if step != self._step:
            return
        with self._lock:
            self._left -= 1
            if self._left != 0:
                return
            if self._mark is not None:
                self._write_mark(self._mark)
            os.kill(os.getpid(), signal.SIGKILL)

    def _write_mark(self, mark: Path) -> None:
        with mark.open("w", encoding="ascii") as file:
            file.write(f"{self._step}\n")
            file.flush()
            os.fsync(file.fileno())
