"""Processes of the suite: started in a group of their own, watched until healthy, stopped without a leftover."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from sandbox.death_signal import die_with_parent
from sandbox.folders import private_folder
from sandbox.process_records import (
    KILL_DEADLINE_SECONDS,
    DidNotStop,
    ProcessIdentity,
    ProcessRecord,
    stop_recorded,
    wait_until,
)

LOG_TAIL_BYTES = 2_000


class AlreadyRunning(RuntimeError):
    """The record file names a process that is alive."""


class DidNotStart(RuntimeError):
    """The process ended, or stayed unhealthy until its deadline. Carries the end of its log."""


class ManagedProcess:
    """One process of the suite, in its own session, with its log and its record.

    Its environment is exactly `env` beside PATH, HOME and the locale, so that nothing of the caller's shell changes it.
    Unless `detached`, the kernel kills it when this Python process dies, however that happens.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log_file: Path,
        record_file: Path,
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace_seconds: float = 10.0,
        detached: bool = False,
    ) -> None:
        self.name = name
        self.argv = tuple(argv)
        self.env = {"PATH": os.defpath, "HOME": str(Path.home()), "LANG": "C.UTF-8", **(env or {})}
        self.folder = folder
        self.log_file = log_file
        self.record_file = record_file
        self.stop_signal = stop_signal
        self.grace_seconds = grace_seconds
        self.detached = detached
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def record(self) -> ProcessRecord | None:
        """The run that this folder knows of, alive or not, whoever started it."""
        return ProcessRecord.read(self.record_file)

    @property
    def pid(self) -> int | None:
        """The pid while the process is alive."""
        record = self.record
        return record.identity.pid if record and record.is_running() else None

    def is_running(self) -> bool:
        """Whether the recorded run is alive."""
        return self.pid is not None

    def start(self) -> None:
        """Start the process; it is alive but perhaps not yet healthy on return.

        Raises:
            AlreadyRunning: the record names a live process.
            DidNotStart: it ended at once.
        """
        if self.is_running():
            raise AlreadyRunning(f"{self.name} runs already, pid {self.pid}")
        private_folder(self.log_file.parent)
        # The death signal comes when the starting *thread* ends, so all starts share one thread that lasts.
        self._child = self._spawn() if self.detached else _spawner().submit(self._spawn).result()
        identity = ProcessIdentity.of(self._child.pid)
        if identity is None:
            raise DidNotStart(f"{self.name} ended at once; see {self.log_file}")
        record = ProcessRecord(self.name, identity, self.stop_signal, self.grace_seconds, self.log_file)
        record.write(self.record_file)

    def _spawn(self) -> subprocess.Popen[bytes]:
        with open(self.log_file, "ab") as log:
            return subprocess.Popen(
                self.argv,
                env=self.env,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=None if self.detached else die_with_parent(),
            )

    def wait_until_healthy(self, is_healthy: Callable[[], bool], deadline_seconds: float = 30.0) -> None:
        """Wait for the health check to say yes.

        Raises:
            DidNotStart: the process ended first, or the deadline passed; it carries the end of the log.
        """
        if not wait_until(lambda: not self.is_running() or is_healthy(), deadline_seconds):
            raise DidNotStart(f"{self.name} is not healthy after {deadline_seconds} s\n{self.log_tail()}")
        if not self.is_running():
            raise DidNotStart(f"{self.name} ended with {self._exit_code()} before it was healthy\n{self.log_tail()}")

    def wait_for_exit(self, deadline_seconds: float) -> int:
        """Wait until the child ends by itself and give its exit code; negative is the signal that killed it.

        Raises:
            DidNotStop: it is still running at the deadline, or was started by another program.
        """
        if not wait_until(lambda: self._exit_code() is not None, deadline_seconds):
            raise DidNotStop(f"{self.name} has not ended within {deadline_seconds} s")
        code = self._exit_code()
        assert code is not None
        return code

    def stop(self) -> None:
        """Stop the process and its family; nothing happens if it does not run.

        Raises:
            DidNotStop: something outlived SIGKILL.
        """
        stop_recorded(self.record_file)
        self.reap()

    def reap(self) -> None:
        """Take the exit code of a child that has been stopped, so that no zombie stays."""
        if self._child is not None:
            self._child.wait(KILL_DEADLINE_SECONDS)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send one signal to the process and its children, as a fault would."""
        self._running_record().kill(number)

    def suspend(self) -> None:
        """Freeze the process and its children."""
        self._running_record().suspend()

    def resume(self) -> None:
        """Let the process and its children go on."""
        self._running_record().resume()

    def log_tail(self) -> str:
        """The end of the log."""
        if not self.log_file.exists():
            return ""
        return self.log_file.read_bytes()[-LOG_TAIL_BYTES:].decode("utf-8", "replace")

    def _running_record(self) -> ProcessRecord:
        record = self.record
        if record is None or not record.is_running():
            raise DidNotStart(f"{self.name} does not run")
        return record

    def _exit_code(self) -> int | None:
        return self._child.poll() if self._child else None


@cache
def _spawner() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox-spawner")
