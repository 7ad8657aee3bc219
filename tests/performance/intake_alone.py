"""Intake alone, on one core: its servers, its databases, and none of the other services."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psycopg
from chassis.whole_files import write_whole
from sandbox.processes import ManagedProcess
from sandbox.services import ServiceSpec
from throughline.stack.composition import Stack
from throughline.stack.roster import MEMBERS

from tests.performance.intake_sending import Plan
from tests.performance.intake_traffic import Conversation, write_conversations
from tests.performance.stopwatch import cpu_seconds, peak_memory_mb

SENDING_SECONDS_MAX = 300
INTAKE = next(member for member in MEMBERS if member.name == "intake")
ON_ONE_CORE = "import os, sys; os.sched_setaffinity(0, {%d}); os.execv(sys.executable, [sys.executable, '-m', '%s'])"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a sender was answered, and what intake used meanwhile."""

    seconds: float
    sent: int
    answers: dict[str, int]
    retry_afters: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_seconds: float = 0.0
    memory_mb: float = 0.0

    def answered(self, *verdicts: str) -> int:
        return sum(self.answers.get(verdict, 0) for verdict in verdicts)

    @property
    def cpu_ms_each(self) -> float:
        return self.cpu_seconds / max(1, sum(self.answers.values())) * 1000


class IntakeAlone:
    """A context manager; it leaves nothing running. Where there are several cores, intake has one and the sender another.

    With `in_halves` one process answers and another does the rest, as the suite runs it; both have the same core.
    """

    def __init__(self, folder: Path, *, in_halves: bool = False) -> None:
        self._folder = folder
        self.stack = Stack(folder / "suite", with_erp=False, with_gateway=False, calls_apart=in_halves)
        self._in_halves = in_halves
        self._processes: list[ManagedProcess] = []
        self._cores = sorted(os.sched_getaffinity(0))

    def __enter__(self) -> Self:
        self.stack.start_servers()
        try:
            self.stack.prepare()
            self._start(self.stack.service(INTAKE))
            if self._in_halves:
                self._start(self.stack.calls(INTAKE))
        except BaseException:
            self.stack.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stack.stop()

    def _start(self, spec: ServiceSpec) -> None:
        if len(self._cores) > 1:
            spec = replace(spec, argv=[sys.executable, "-c", ON_ONE_CORE % (self._cores[0], INTAKE.module)])
        self._processes.append(self.stack.suite.start_service(spec))

    @property
    def process_ids(self) -> list[int]:
        return [process.pid for process in self._processes if process.pid is not None]

    @property
    def peak_memory_mb(self) -> float:
        return sum(map(peak_memory_mb, self.process_ids))

    @property
    def cpu_seconds(self) -> float:
        return sum(map(cpu_seconds, self.process_ids))

    def connect(self) -> psycopg.Connection[tuple[object, ...]]:
        """To its database, as the owner."""
        return psycopg.connect(self.stack.database("intake").owner_dsn)

    def count(self, query: bytes) -> int:
        with self.connect() as connection:
            (found,) = connection.execute(query).fetchall()[0]
        assert isinstance(found, int)
        return found

    def start_sending(
        self, wire: str, conversations: Sequence[Conversation], connections: int, **particulars: Any
    ) -> subprocess.Popen[str]:
        """A sender in a process of its own."""
        file = self._folder / f"{wire}-{len(list(self._folder.iterdir()))}.messages"
        write_conversations(file, conversations)
        host, port = self.stack.address("intake", "mllp" if wire == "hl7" else "http").split(":")
        token = self.token() if wire == "fhir" else ""
        plan = Plan(wire, host, int(port), str(file), connections, token, **particulars)
        command = [sys.executable, "-m", "tests.performance.intake_sending", json.dumps(asdict(plan))]
        sender = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if len(self._cores) > 1:
            os.sched_setaffinity(sender.pid, set(self._cores[1:]))
        return sender

    def send(self, wire: str, conversations: Sequence[Conversation], connections: int, **particulars: Any) -> Sent:
        """Sends all of it, and tells what came back."""
        before = self.cpu_seconds
        sender = self.start_sending(wire, conversations, connections, **particulars)
        sent = finished(sender)
        used = self.cpu_seconds - before
        return replace(sent, cpu_seconds=used, memory_mb=self.peak_memory_mb)

    def token(self) -> str:
        tokens = self.stack.suite.tokens
        asked = {"grant_type": "client_credentials", "client_id": "ehr", "client_secret": tokens.secret("ehr")}
        answer = httpx.post(tokens.token_url, data=asked, trust_env=False)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def drop(self, name: str, content: bytes) -> None:
        """Puts a whole file into the folder that is watched."""
        write_whole(self._inbound, name, content)

    @property
    def dropped(self) -> list[str]:
        """The files that are not taken yet."""
        return sorted(path.name for path in self._inbound.iterdir() if not path.name.startswith("."))

    @property
    def _inbound(self) -> Path:
        return self.stack.exchange / "intake-inbound"


def finished(sender: subprocess.Popen[str]) -> Sent:
    """What a sender tells once it is done."""
    out, _ = sender.communicate(timeout=SENDING_SECONDS_MAX)
    assert sender.returncode == 0, "the sender failed"
    return Sent(**json.loads(out))
