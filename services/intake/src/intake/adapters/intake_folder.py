"""The intake folder takes every format: what a file is stands in its first bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from chassis.file_formats import HEAD_BYTES, Format, recognise
from chassis.inbound.file_shelf import FileVerdict
from chassis.inbound.giving_way import GivingWay
from chassis.inbound.taken_files import TakenFiles
from chassis.telemetry.metrics import DOOR_REFUSALS, DOOR_REPEATS

from intake.adapters.answer_files import AnswerFiles
from intake.adapters.charge_batches import ChargeBatchDoor
from intake.adapters.fhir import FhirNames, Sender, read_submission
from intake.adapters.hl7v2 import BatchDoor
from intake.adapters.platform_reports import is_platform_report
from intake.application.deliveries import InboundDelivery, Outcome

ACTOR = "door:file-drop"
KEY_DIGITS = 40

Receive = Callable[[Sequence[InboundDelivery]], list[Outcome]]
_Placed = tuple[str, InboundDelivery]
"""A message, and where it stands in its file; empty where the file is the message, or its findings say so themselves."""


@dataclass(frozen=True, slots=True)
class IntakeFolder:
    """Takes one file by its format. The same bytes that were accepted before, under whatever name, are done already.

    Where such a file was answered, it is answered again. The same remittance in other bytes is payments' to tell. Reports of
    platforms are told apart by their own numbers, and are read each time.
    """

    receive: Receive
    way: GivingWay
    answers: AnswerFiles
    hl7: BatchDoor
    charge_batches: ChargeBatchDoor
    names: FhirNames
    taken: TakenFiles

    def take(self, name: str, raw: bytes) -> FileVerdict:
        """Receives one file; accepted where all of it was."""
        kind = recognise(raw[:HEAD_BYTES])
        if kind is None or kind in (Format.BAI2, Format.NACHA) or is_platform_report(raw):
            return FileVerdict(self.answers.take(name, raw))
        address = self.taken.address_of(raw)
        first_name = self.taken.name_of(address)
        if first_name is not None:
            DOOR_REPEATS.labels("files", kind).inc()
            if kind is Format.X12:
                self.answers.answer_again(first_name, raw)
            return FileVerdict(True)
        verdict = self._taken(name, raw, kind, address[:KEY_DIGITS])
        if verdict:
            self.taken.note(address, name)
        return verdict

    def _taken(self, name: str, raw: bytes, kind: Format, key: str) -> FileVerdict:
        if kind is Format.X12:
            return FileVerdict(self.answers.take(name, raw))
        if kind is Format.HL7:
            return self.hl7.take(name, raw)
        if kind is Format.CHARGE_BATCH:
            return self.charge_batches.take(name, raw)
        deliveries = _lines(raw, self.names, key) if kind is Format.NDJSON else _submitted(raw, self.names, key)
        return self._received(deliveries)

    def _received(self, deliveries: Iterator[_Placed]) -> FileVerdict:
        findings: list[str] = []
        for portion in self.way.slices(deliveries):
            outcomes = self.receive([delivery for _, delivery in portion])
            for (place, _), outcome in zip(portion, outcomes, strict=True):
                findings += [f"{place}{finding}" for finding in outcome.findings]
        if findings:
            DOOR_REFUSALS.labels("files", "fhir").inc()
        return FileVerdict(not findings, tuple(findings))


def _submitted(raw: bytes, names: FhirNames, key: str, line: str = "") -> Iterator[_Placed]:
    """The messages of one body, in the order in which they are to be taken; the content names it where it does not itself."""
    submission = read_submission(raw, names, Sender(ACTOR, key=key))
    order = sorted(range(len(submission.deliveries)), key=submission.ranks.__getitem__)
    return ((line, submission.deliveries[number]) for number in order)


def _lines(raw: bytes, names: FhirNames, key: str) -> Iterator[_Placed]:
    """Each line is a message of its own, in the order of the file."""
    for number, line in enumerate(raw.splitlines(), 1):
        if line.strip():
            yield from _submitted(line, names, f"{key}/{number}", f"line {number}: ")
