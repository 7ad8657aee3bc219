"""The clearinghouse: carries files between the exchange folder and the payers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

from sandbox.world.file_drop import (
    CLAIMS_OUTBOUND,
    CLAIMS_TAKEN,
    INTAKE_INBOUND,
    Exchange,
    drop,
    move_into,
    waiting_files,
)
from sandbox.world.misbehaviour import Fault, Outbox
from sandbox.world.payer import Answer, Payers, remittance_answer
from sandbox.world.rcm_platform import FolderDoor
from sandbox.world.real_time import AnswerDesk, answers_to
from sandbox.world.remittances import Remittance


class Clearinghouse:
    """Takes 837 and 276 files from `claims-outbound`, keeps them in `claims-taken`, and drops answers into `intake-inbound`.

    It shares the payers' misbehaviour: DUPLICATE and DELAY (that many steps) by target `ta1`, `999`, `277ca`, `277` or `835`, REORDER
    of what one step sends, DOWN by target `clearinghouse` (takes nothing) or `outbox` (sends nothing).
    A `platform` in front of the same payers carries the remittances of its entities.
    """

    def __init__(self, exchange_dir: Path, payers: Payers, now: Callable[[], datetime]) -> None:
        self.exchange = Exchange(exchange_dir)
        self.payers = payers
        self._now = now
        self.desk = AnswerDesk(payers, now)
        self._outbox: Outbox[Answer] = Outbox(payers.misbehaviour)
        self._lock = threading.Lock()
        self.platform: FolderDoor | None = None
        self.taken_count = 0
        self.sent_count = 0

    def step(self) -> int:
        """Take what waits, answer what is due; returns how many files were taken and sent. Never waits."""
        with self._lock:
            platform = self.platform.step() if self.platform else 0
            return platform + self._take() + self._send()

    def settle(self, payment_date: date) -> list[Remittance]:
        """Let the payers decide and pay what they accepted; the 835s leave with the next step."""
        remittances = self.decide(payment_date)
        with self._lock:
            carried = self.platform.carry(remittances, payment_date) if self.platform else remittances
            for answer in [*map(remittance_answer, carried), *self.payers.other_layouts(carried)]:
                self._outbox.put(answer, answer.kind)
            return remittances

    def decide(self, payment_date: date) -> list[Remittance]:
        """Let the payers decide and pay, and leave it to the caller to hand the 835s over."""
        with self._lock:
            return self.payers.settle(payment_date)

    def send_again(self, remittance: Remittance) -> None:
        """Send the faithful bytes of a remittance that went out corrupted."""
        with self._lock:
            self._outbox.put(self.payers.corrected(remittance), "corrected")

    def run(self, stop: threading.Event, interval_seconds: float = 0.1) -> None:
        """Step until `stop` is set."""
        while not stop.is_set():
            self.step()
            stop.wait(interval_seconds)

    def _take(self) -> int:
        if self.payers.misbehaviour.strike(Fault.DOWN, "clearinghouse"):
            return 0
        files = waiting_files(self.exchange.folder(CLAIMS_OUTBOUND))
        for path in files:
            content = move_into(path, self.exchange.folder(CLAIMS_TAKEN)).read_bytes()
            for answer in answers_to(content, self.payers, self.desk, self._now()):
                self._outbox.put(answer, answer.kind)
        self.taken_count += len(files)
        return len(files)

    def _send(self) -> int:
        leaving = self._outbox.due()
        for answer in leaving:
            drop(self.exchange.folder(INTAKE_INBOUND), answer.name, answer.content)
        self.sent_count += len(leaving)
        return len(leaving)
