"""What a look at the local suite shows: one row per server and service."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from sandbox.process_records import ProcessRecord
from sandbox.processes import ManagedProcess
from sandbox.services import answers, kept_health_url


class State(StrEnum):
    """What a look at a process shows."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One line of the status table."""

    name: str
    state: State
    pid: int | None
    address: str
    log_file: Path


class Server(Protocol):
    """What every server of the suite can do."""

    process: ManagedProcess

    def start(self) -> None:
        """Start and wait until healthy."""

    def stop(self) -> None:
        """End, leaving no process."""

    def is_healthy(self) -> bool:
        """Whether it answers."""


def row_of_server(name: str, server: Server, address: str) -> StatusRow:
    """The row of a server that was started here at some time."""
    pid = server.process.pid
    return StatusRow(name, _state(pid, pid is not None and server.is_healthy()), pid, address, server.process.log_file)


def row_of_record(name: str, record_file: Path) -> StatusRow:
    """The row of a process that is known by its record and its health address."""
    record = ProcessRecord.read(record_file)
    assert record is not None
    health_url = kept_health_url(record_file.parent)
    pid = record.identity.pid if record.is_running() else None
    state = _state(pid, pid is not None and answers(health_url))
    return StatusRow(name, state, pid, health_url or "", record.log_file)


def _state(pid: int | None, is_healthy: bool) -> State:
    if pid is None:
        return State.STOPPED
    return State.HEALTHY if is_healthy else State.UNHEALTHY
