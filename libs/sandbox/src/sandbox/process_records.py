"""Which run of which process: identities that outlast pid reuse, and records by which another program stops them."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sandbox.folders import write_private

POLL_SECONDS = 0.02
KILL_DEADLINE_SECONDS = 10.0

if sys.platform != "linux":
    raise ImportError("the local suite needs Linux: it follows its processes by /proc and pidfd")


class DidNotStop(RuntimeError):
    """The process outlived SIGKILL by the deadline."""


@dataclass(frozen=True, slots=True)
class _Stat:
    state: str
    parent: int
    group: int
    started_ticks: int


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in brackets and may itself hold spaces and brackets.
    fields = text.rpartition(")")[2].split()
    return _Stat(state=fields[0], parent=int(fields[1]), group=int(fields[2]), started_ticks=int(fields[19]))


@cache
def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One run of one process. A pid alone is not enough: the kernel gives it to another process later."""

    pid: int
    started_ticks: int
    boot_id: str

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity | None":
        """The identity of the process that has this pid now."""
        stat = _stat(pid)
        return cls(pid, stat.started_ticks, _boot_id()) if stat else None

    def is_running(self) -> bool:
        """Whether this very run is alive; a zombie is not."""
        stat = _stat(self.pid)
        return (
            stat is not None
            and stat.state not in "ZX"
            and stat.started_ticks == self.started_ticks
            and self.boot_id == _boot_id()
        )

    def send(self, number: signal.Signals) -> None:
        """Signal this run, and never another process that has got its pid; nothing happens if it has ended."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if self.is_running():
                signal.pidfd_send_signal(descriptor, number)
        except ProcessLookupError:
            return
        finally:
            os.close(descriptor)

    def family(self) -> list["ProcessIdentity"]:
        """This run, its descendants and what is left of its process group."""
        now = _stat(self.pid)
        if self.boot_id != _boot_id() or (now and now.started_ticks != self.started_ticks):
            return []
        stats = {int(entry): stat for entry in os.listdir("/proc") if entry.isdigit() and (stat := _stat(int(entry)))}
        members = {pid for pid, stat in stats.items() if pid == self.pid or stat.group == self.pid}
        newest = members
        while newest:
            newest = {pid for pid, stat in stats.items() if stat.parent in newest} - members
            members = members | newest
        return [ProcessIdentity(pid, stats[pid].started_ticks, self.boot_id) for pid in sorted(members)]


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """What another program needs to find and stop exactly this process."""

    name: str
    identity: ProcessIdentity
    stop_signal: signal.Signals
    grace_seconds: float
    log_file: Path

    def write(self, path: Path) -> None:
        """Keep the record in a private JSON file."""
        content = {
            "name": self.name,
            "pid": self.identity.pid,
            "started_ticks": self.identity.started_ticks,
            "boot_id": self.identity.boot_id,
            "stop_signal": self.stop_signal.name,
            "grace_seconds": self.grace_seconds,
            "log_file": str(self.log_file),
        }
        write_private(path, json.dumps(content, indent=2))

    @classmethod
    def read(cls, path: Path) -> "ProcessRecord | None":
        """The record in this file, or nothing if there is none."""
        if not path.exists():
            return None
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            name=content["name"],
            identity=ProcessIdentity(content["pid"], content["started_ticks"], content["boot_id"]),
            stop_signal=signal.Signals[content["stop_signal"]],
            grace_seconds=content["grace_seconds"],
            log_file=Path(content["log_file"]),
        )

    def is_running(self) -> bool:
        """Whether the recorded run is alive."""
        return self.identity.is_running()

    def suspend(self) -> None:
        """Freeze the process and its children; the kernel still accepts connections on their sockets."""
        for member in self.identity.family():
            member.send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let the process and its children go on."""
        for member in self.identity.family():
            member.send(signal.SIGCONT)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send one signal to the process and its children, as a fault would."""
        for member in self.identity.family():
            member.send(number)

    def stop(self) -> None:
        """Ask the process to end, and kill what is left of its family after the grace.

        Raises:
            DidNotStop: something outlived SIGKILL.
        """
        family = self.identity.family()
        self.identity.send(self.stop_signal)
        for member in family:
            member.send(signal.SIGCONT)
        wait_until(lambda: not self.identity.is_running(), self.grace_seconds)
        leftover = {*family, *self.identity.family()}
        for member in leftover:
            member.send(signal.SIGKILL)
        if not wait_until(lambda: not any(member.is_running() for member in leftover), KILL_DEADLINE_SECONDS):
            raise DidNotStop(f"{self.name} (pid {self.identity.pid}) outlived SIGKILL")


def stop_recorded(record_file: Path) -> bool:
    """Stop the process another program recorded here and remove the record; False if it was not running.

    Raises:
        DidNotStop: something outlived SIGKILL; the record stays.
    """
    record = ProcessRecord.read(record_file)
    was_running = record is not None and record.is_running()
    if record is not None:
        record.stop()
    record_file.unlink(missing_ok=True)
    return was_running


def wait_until(is_true: Callable[[], bool], deadline_seconds: float) -> bool:
    """Poll until the answer is yes; False if the deadline passes first."""
    deadline = time.monotonic() + deadline_seconds
    while not is_true():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
