"""Takes charge batches: every visit with an outcome of its own, and a file of rejects in answer."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from chassis.inbound.file_shelf import FileVerdict
from chassis.inbound.giving_way import GivingWay
from chassis.telemetry.metrics import DOOR_REFUSALS

from intake.adapters.charge_batches.reading import deliveries_of
from intake.adapters.charge_batches.rows import read_batch
from intake.application.deliveries import InboundDelivery, Outcome

ACTOR = "door:file-drop"
REJECTS_SUFFIX = ".rejects.csv"
REJECT_COLUMNS = ("line", "column", "rule", "needed")

Receive = Callable[[Sequence[InboundDelivery]], list[Outcome]]
WriteFile = Callable[[str, bytes], object]


@dataclass(frozen=True, slots=True)
class ChargeBatchDoor:
    """`answers` gets the file of rejects; where there is none, the quarantine alone tells."""

    receive: Receive
    way: GivingWay
    answers: WriteFile | None = None

    def take(self, name: str, raw: bytes) -> FileVerdict:
        """Receives one file; accepted where all of its visits were."""
        batch = read_batch(raw, needs_control=True, way=self.way)
        if batch.faults:
            return self._refused(name, [str(fault) for fault in batch.faults])
        findings: list[str] = []
        for visits in self.way.slices(deliveries_of(batch, ACTOR)):
            for outcome in self.receive(visits):
                findings += outcome.findings
        return self._refused(name, findings) if findings else FileVerdict(True)

    def _refused(self, name: str, findings: Sequence[str]) -> FileVerdict:
        DOOR_REFUSALS.labels("files", "charge-batch").inc()
        if self.answers:
            self.answers(f"{name}{REJECTS_SUFFIX}", rejects_of(findings))
        return FileVerdict(False, tuple(findings))


def rejects_of(findings: Sequence[str]) -> bytes:
    """The findings as a CSV file, one a line; no value of the batch stands in it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(REJECT_COLUMNS)
    writer.writerows(map(tuple, map(_reject, findings)))
    return text.getvalue().encode()


def _reject(finding: str) -> Iterator[str]:
    place, rule, note = (*finding.split(": ", 2), "", "")[:3]
    line, _, column = place.removeprefix("line ").replace(", column ", ".").partition(".")
    yield from (line, column, rule, note)
