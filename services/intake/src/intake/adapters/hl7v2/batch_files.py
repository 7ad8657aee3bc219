"""HL7 v2 batch files (FHS, BHS): every message with an outcome of its own, and a file of acknowledgements in answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from chassis.inbound.file_shelf import FileVerdict, Report
from chassis.inbound.giving_way import GivingWay
from chassis.telemetry.metrics import DOOR_REFUSALS

from intake.adapters.hl7v2.acknowledgement import acknowledgement, text_of
from intake.adapters.hl7v2.reading import Hl7Reading, read_message
from intake.adapters.hl7v2.site_profiles import SiteProfiles
from intake.adapters.hl7v2.wire import BYTE_ORDER_MARK
from intake.application.deliveries import InboundDelivery, Outcome

ACTOR = "door:file-drop"
MESSAGES_MAX = 200_000
ANSWER_SUFFIX = ".ack.hl7"
_PARTS = {b"FHS": b"FTS", b"BHS": b"BTS"}

Receive = Callable[[Sequence[InboundDelivery]], list[Outcome]]
WriteFile = Callable[[str, bytes], object]


@dataclass(slots=True)
class BatchFile:
    """The messages of a file as they stand in it, and why nothing of it may be taken."""

    messages: list[bytes] = field(default_factory=list)
    fault: str = ""


def split_batch(raw: bytes) -> BatchFile:
    """The file by its segments. A file or batch that begins must end, and hold as many messages as its trailer says.

    A file that was cut off may have cut off a message: it is taken whole or not at all.
    """
    content = raw.removeprefix(BYTE_ORDER_MARK)
    mark = b"\r" if b"\r" in content else b"\n"
    reading = _Splitting()
    for row in content.split(mark):
        reading.take(row.lstrip(b"\n"), mark)
    return reading.ended()


class _Splitting:
    """The open parts of a file, innermost last, each with the messages counted in it."""

    def __init__(self) -> None:
        self._file = BatchFile()
        self._open: list[tuple[bytes, int]] = []
        self._message: list[bytes] = []
        self._batches = 0

    def take(self, row: bytes, mark: bytes) -> None:
        name = row[:3]
        if name in (b"MSH", *_PARTS, *_PARTS.values()):
            self._end_message()
        if name in _PARTS:
            self._begin(name)
        elif name in _PARTS.values():
            self._end(name, row)
        elif row.strip() and (name == b"MSH" or self._message):
            self._message.append(row + mark)
        elif row.strip():
            self._fault("bytes-outside-a-message")

    def ended(self) -> BatchFile:
        self._end_message()
        if self._open:
            self._fault("no-trailer")
        return self._file

    def _begin(self, name: bytes) -> None:
        self._batches += name == b"BHS"
        self._open.append((name, self._batches if name == b"FHS" else len(self._file.messages)))

    def _end(self, name: bytes, row: bytes) -> None:
        if not self._open or _PARTS[self._open[-1][0]] != name:
            self._fault("trailer-without-header")
            return
        _, before = self._open.pop()
        count = self._batches - before if name == b"FTS" else len(self._file.messages) - before
        said = row[4:].split(row[3:4] or b"|")[0].strip()
        if said and said != b"%d" % count:
            self._fault("trailer-count")

    def _end_message(self) -> None:
        if self._message:
            self._file.messages.append(b"".join(self._message))
            self._message = []
            if len(self._file.messages) > MESSAGES_MAX:
                self._fault("too-many-messages")

    def _fault(self, rule: str) -> None:
        self._file.fault = self._file.fault or rule


@dataclass(frozen=True, slots=True)
class BatchDoor:
    """Takes HL7 v2 files. Repeated, a file is answered as the first time, for each of its messages is.

    `answers` gets the file of acknowledgements; where there is none, nobody is answered.
    """

    receive: Receive
    way: GivingWay
    profiles: SiteProfiles
    clock: Callable[[], datetime]
    report: Report
    answers: WriteFile | None = None

    def take(self, name: str, raw: bytes) -> FileVerdict:
        """Receives one file; accepted where all of its messages were."""
        batch = split_batch(raw)
        if batch.fault:
            DOOR_REFUSALS.labels("files", batch.fault).inc()
            self.report(name, f"hl7-batch-{batch.fault}")
            return FileVerdict(False, (f"file: hl7-batch-{batch.fault}: nothing of it was taken",))
        answered: list[bytes] = []
        reasons: list[str] = []
        for readings in self.way.slices(map(self._read, batch.messages)):
            outcomes = self.receive([reading.delivery for reading in readings])
            for number, outcome in enumerate(outcomes, len(answered) + 1):
                reasons += [f"message {number}: {finding}" for finding in outcome.findings]
            answered += [self._answer(*each) for each in zip(readings, outcomes, strict=True)]
        if reasons:
            DOOR_REFUSALS.labels("files", "messages-refused").inc()
        if self.answers:
            self.answers(f"{name}{ANSWER_SUFFIX}", answer_file(name, answered, self.clock()))
        return FileVerdict(not reasons, tuple(reasons))

    def _read(self, raw: bytes) -> Hl7Reading:
        return read_message(raw, actor=ACTOR, profiles=self.profiles)

    def _answer(self, reading: Hl7Reading, outcome: Outcome) -> bytes:
        return acknowledgement(reading.header, outcome, self.clock(), rejected=reading.rejected)


def answer_file(name: str, acknowledgements: Sequence[bytes], now: datetime) -> bytes:
    """The acknowledgements as one batch; BHS-9 and FHS-9 name the file that they answer."""
    stamp = now.strftime("%Y%m%d%H%M%S+0000")
    head = f"|^~\\&|THROUGHLINE||||{stamp}||{text_of(name)}\r"
    tail = f"BTS|{len(acknowledgements)}\rFTS|1\r".encode()
    return b"".join((f"FHS{head}BHS{head}".encode(), *acknowledgements, tail))
