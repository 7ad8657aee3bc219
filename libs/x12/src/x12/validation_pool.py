"""Validates in worker processes, so that a service answers while pyx12 computes; bounded in workers, bytes and time."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from queue import Empty, LifoQueue
from time import monotonic
from types import TracebackType

from x12.validation_worker import receive_frame, send_frame
from x12.violations import ValidationError

WORKERS_MAX = 64
BYTES_MAX = 64 * 1024 * 1024
STOP_SECONDS_MAX = 5.0


class ValidatorUnavailable(RuntimeError):
    """No worker answered in time, or the one that was asked died: nothing is known of the file, ask again later."""


class ValidationPool:
    """Workers are started when first needed, one file each at a time, and taken again.

    A worker that dies or is too slow is ended and its place started anew with the next file. The workers end with the pool, and with
    the process that holds it. Threads may share a pool.
    """

    def __init__(self, workers: int, timeout_seconds: float = 60.0) -> None:
        if not 1 <= workers <= WORKERS_MAX:
            raise ValueError(f"a pool has 1 to {WORKERS_MAX} workers")
        self._timeout_seconds = timeout_seconds
        self._places: LifoQueue[_Worker | None] = LifoQueue()
        self._workers = workers
        self._closed = False
        for _ in range(workers):
            self._places.put(None)

    def __enter__(self) -> ValidationPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def validate(self, raw: bytes) -> list[ValidationError]:
        """As `x12.validation.validate`; waits for a free worker and its answer, no longer than the time-out in all.

        Raises:
            ValidatorUnavailable: no answer in time, the worker died, or the pool is closed.
            ValueError: the file has more than `BYTES_MAX` bytes.
        """
        if len(raw) > BYTES_MAX:
            raise ValueError(f"more than {BYTES_MAX} bytes are not validated at once")
        deadline = monotonic() + self._timeout_seconds
        worker = self._take(deadline)
        answered = False
        try:
            found = worker.validate(raw, deadline)
            answered = True
        except (OSError, EOFError):
            raise ValidatorUnavailable("the validator died or took too long") from None
        finally:
            self._give_back(worker, answered=answered)
        return found

    def close(self) -> None:
        """End all workers; a file that is being validated elsewhere gets its answer first, or the time-out."""
        if self._closed:
            return
        self._closed = True
        deadline = monotonic() + self._timeout_seconds
        for _ in range(self._workers):
            try:
                worker = self._places.get(timeout=max(0.0, deadline - monotonic()))
            except Empty:
                return
            if worker is not None:
                worker.stop()

    def _take(self, deadline: float) -> _Worker:
        if self._closed:
            raise ValidatorUnavailable("the pool is closed")
        try:
            worker = self._places.get(timeout=max(0.0, deadline - monotonic()))
        except Empty:
            raise ValidatorUnavailable("all validators are busy") from None
        try:
            return worker or _Worker()
        except OSError:
            self._places.put(None)
            raise ValidatorUnavailable("a validator could not be started") from None

    def _give_back(self, worker: _Worker, *, answered: bool) -> None:
        if not answered:
            worker.kill()
        self._places.put(worker if answered else None)


class _Worker:
    """One process and our end of its connection."""

    def __init__(self) -> None:
        self._connection, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-P", "-m", "x12.validation_worker", str(theirs.fileno()), str(BYTES_MAX)]
            try:
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
            except OSError:
                self._connection.close()
                raise

    def validate(self, raw: bytes, deadline: float) -> list[ValidationError]:
        self._connection.settimeout(max(0.001, deadline - monotonic()))
        send_frame(self._connection, raw)
        self._connection.settimeout(max(0.001, deadline - monotonic()))
        answer = receive_frame(self._connection, BYTES_MAX)
        if answer is None:
            raise EOFError("the worker has ended")
        return [ValidationError(*each) for each in json.loads(answer)]

    def stop(self) -> None:
        """Close the connection, at which an idle worker ends by itself."""
        self._connection.close()
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End a worker that may be computing or gone."""
        self._connection.close()
        self._process.kill()
        self._process.wait()
