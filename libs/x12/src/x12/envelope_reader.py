"""Reads the envelope: a stream of its events, with the control checks as findings."""

from __future__ import annotations

from collections.abc import Iterator

from x12.blocks import ZERO, ZERO_MESSAGE, Block, Gap, unreadable_segments
from x12.control_checks import check_control, name_of
from x12.envelope import (
    EnvelopeEvent,
    Group,
    Interchange,
    InterchangeAcknowledged,
    InterchangeEnded,
    InterchangeStarted,
    OutsideBytes,
    SetBody,
    SetEnded,
    SetStarted,
    TransactionSet,
)
from x12.errors import LimitExceeded
from x12.findings import FindingLog, Room
from x12.policy import PolicyOf, strict
from x12.segments import DEFAULT_LIMITS, Limits, Run, Segment, element_of
from x12.splitter import Source, blocks

PADDED_ISA_CHARACTERS = 105
ENDS_A_SET_UNASKED = frozenset(["ST", "GS", "GE", "IEA"])
SET_TYPES_OF_GROUP = {
    "HP": {"835"},
    "HC": {"837"},
    "FA": {"997", "999"},
    "HN": {"277"},
    "HR": {"276"},
    "HS": {"270"},
    "HB": {"271"},
    "BE": {"834"},
    "HI": {"278"},
    "RA": {"820"},
}


def read_envelope(
    source: Source, limits: Limits = DEFAULT_LIMITS, policies: PolicyOf = strict
) -> Iterator[EnvelopeEvent]:
    """Envelope events in file order. A fault in one transaction set leaves the others as they are.

    `policies` gives the policy of a sender (ISA06).

    Raises:
        NotAnInterchange, LimitExceeded: as `splitter.blocks`.
    """
    reader = _EnvelopeReader(limits, policies)
    for block in blocks(source, limits):
        if isinstance(block, Gap):
            if not block.blank:
                yield OutsideBytes(block.offset, block.length)
        elif block.opens:
            yield from reader.open_interchange(block)
        else:
            yield from reader.read_block(block)
    yield from reader.close_interchange(None)


class _EnvelopeReader:
    def __init__(self, limits: Limits, policies: PolicyOf) -> None:
        self._limits = limits
        self._policies = policies
        self._room = Room()
        self._ordinal = 0
        self._end = 0
        self._sets = self._interchanges = 0
        self._interchange: Interchange | None = None
        self._group: Group | None = None
        self._set: TransactionSet | None = None
        self._set_numbers: set[str] = set()
        self._controls: frozenset[str] = frozenset()
        self._acknowledged = False
        self._unreadable: list[tuple[int, str, str]] = []

    def open_interchange(self, block: Block) -> Iterator[EnvelopeEvent]:
        yield from self.close_interchange(None)
        self._count_interchange(block.offsets[0])
        self._ordinal += 1
        text, delimiters = block.texts[0], block.delimiters
        values = [value.strip() for value in text.split(delimiters.element)]
        policy = self._policies(values[6])
        interchange = Interchange(
            values[5],
            values[6],
            values[7],
            values[8],
            values[9],
            values[10],
            values[12],
            values[13],
            values[15],
            delimiters,
            block.offsets[0],
            self._ordinal,
            policy,
            findings=FindingLog(policy.severities, self._room),
        )
        self._end = block.offsets[1]
        self._enter(interchange)
        self._note_header(interchange, text)
        yield InterchangeStarted(interchange)

    def _enter(self, interchange: Interchange) -> None:
        self._interchange, self._acknowledged = interchange, False
        element = interchange.delimiters.element
        self._controls = frozenset(
            [tag + element for tag in ("ST", "SE", "GS", "GE")] + ["ST", "SE", "GS", "GE", "IEA", "TA1"]
        )

    def _count_interchange(self, offset: int) -> None:
        self._interchanges += 1
        if self._interchanges > self._limits.interchanges:
            raise LimitExceeded("interchanges", f"more than {self._limits.interchanges} interchanges", offset)

    def _note_header(self, interchange: Interchange, text: str) -> None:
        log = interchange.findings
        if len(text) != PADDED_ISA_CHARACTERS:
            log.note("isa_not_fixed_width", "ISA", self._ordinal, "the ISA header is not padded to 106 characters")
        if not interchange.control_number.isdigit():
            log.quarantine("isa13_not_a_number", "ISA", self._ordinal, "ISA13 is not a number")
        if ZERO in text:
            log.refuse("zero_byte", "ISA", self._ordinal, ZERO_MESSAGE)
        if interchange.usage != "P":
            log.note("not_production", "ISA", self._ordinal, "ISA15 does not say production")

    def _open_without_header(self, block: Block) -> Iterator[EnvelopeEvent]:
        """What stands without an ISA header is shown, never used: nobody sent it to anybody."""
        interchange = Interchange("", "", "", "", "", "", "", "", "", block.delimiters, block.offsets[0], 1)
        interchange.findings.room = self._room
        message = "the file has no ISA header; its separators are guessed"
        interchange.findings.quarantine("missing_isa", "ISA", 1, message)
        self._enter(interchange)
        yield InterchangeStarted(interchange)

    def read_block(self, block: Block) -> Iterator[EnvelopeEvent]:
        if self._interchange is None and not self._ordinal:
            yield from self._open_without_header(block)
        texts, offsets = block.texts, block.offsets
        if self._ordinal + len(texts) > self._limits.segments:
            raise LimitExceeded("segments", f"more than {self._limits.segments} segments", offsets[0])
        first = self._ordinal + 1
        controls = self._controls
        self._unreadable = unreadable_segments(block)
        done = 0
        for index in [i for i, text in enumerate(texts) if text[:3] in controls]:
            segment = Segment(
                texts[index], offsets[index], offsets[index + 1] - offsets[index], 0, first + index, block.delimiters
            )
            if segment.tag in ("IEA", "TA1", "ST", "SE", "GS", "GE") and index not in block.oversized:
                yield from self._body(block, done, index, first)
                self._end = offsets[index]
                if self._set and segment.tag in ENDS_A_SET_UNASKED:
                    yield from self._end_set(None)
                self._end = offsets[index + 1]
                yield from self._control_checked(segment)
                done = index + 1
        yield from self._body(block, done, len(texts), first)
        self._ordinal += len(texts)
        self._end = offsets[-1]
        if not block.complete and self._interchange:
            self._interchange.findings.quarantine("truncated", "", self._ordinal, "the file ends inside a segment")

    def _body(self, block: Block, start: int, stop: int, first: int) -> Iterator[EnvelopeEvent]:
        if start == stop:
            return
        current = self._set
        if current is None:
            self._stray(block.texts[start].split(block.delimiters.element, 1)[0], first + start)
            return
        whole = start == 0 and stop == len(block.texts)
        texts = block.texts if whole else block.texts[start:stop]
        offsets = block.offsets if whole else block.offsets[start : stop + 1]
        run = Run(texts, offsets, current.segments + 1, first + start, block.delimiters)
        for index, code, message in self._unreadable:
            if start <= index < stop:
                current.findings.refuse(code, "", run.position + index - start, message)
        current.segments += stop - start
        yield SetBody(current, run)

    def _stray(self, tag: str, ordinal: int) -> None:
        if self._interchange:
            name = tag if tag.isalnum() and len(tag) <= 3 else ""
            message = "segments stand outside any transaction set"
            self._interchange.findings.quarantine("stray_segment", name, ordinal, message)

    def _control_checked(self, segment: Segment) -> Iterator[EnvelopeEvent]:
        """A control segment; one with a zero byte refuses what it begins or ends, and a TA1 with one says nothing."""
        holds_zero, begins = ZERO in segment.text, segment.tag in ("ST", "GS")
        if not holds_zero or begins:
            yield from self._control(segment)
        scope = self._set or self._group or self._interchange
        if holds_zero and scope:
            scope.findings.refuse("zero_byte", segment.tag, segment.ordinal, ZERO_MESSAGE)
        if holds_zero and not begins and segment.tag != "TA1":
            yield from self._control(segment)

    def _control(self, segment: Segment) -> Iterator[EnvelopeEvent]:
        match segment.tag:
            case "ST":
                yield from self._start_set(segment)
            case "SE":
                yield from self._end_set(segment)
            case "GS":
                yield from self._start_group(segment)
            case "GE":
                yield from self._end_group(segment)
            case "TA1" if self._interchange and self._group is None:
                self._count_interchange(segment.offset)
                self._acknowledged = True
                yield InterchangeAcknowledged(self._interchange, segment)
            case "IEA":
                yield from self.close_interchange(segment)
            case _:
                self._stray(segment.tag, segment.ordinal)

    def _start_group(self, segment: Segment) -> Iterator[EnvelopeEvent]:
        yield from self._end_group(None)
        interchange = self._interchange
        if interchange is None:
            return
        values = segment.elements(self._limits.elements)
        self._group = Group(
            interchange,
            name_of(values, 1),
            name_of(values, 2),
            name_of(values, 3),
            name_of(values, 4),
            name_of(values, 6),
            name_of(values, 8),
            segment.offset,
            findings=FindingLog(interchange.policy.severities, self._room),
        )
        interchange.groups += 1
        self._set_numbers = set()

    def _end_group(self, segment: Segment | None) -> Iterator[EnvelopeEvent]:
        if self._set:
            yield from self._end_set(None)
        group, self._group = self._group, None
        if group is None:
            if segment:
                self._stray("GE", segment.ordinal)
            return
        if segment is None and "missing_gs" in group.findings.counts:
            return
        if segment is None:
            group.findings.quarantine("missing_ge", "GE", self._ordinal, "the group has no GE trailer")
            return
        values = segment.elements(self._limits.elements)
        check_control(
            group.findings, "ge01_count", segment, str(group.transaction_sets), element_of(values, 1), numeric=True
        )
        check_control(
            group.findings, "ge02_control", segment, group.control_number, element_of(values, 2), numeric=True
        )

    def _start_set(self, segment: Segment) -> Iterator[EnvelopeEvent]:
        if self._set:
            yield from self._end_set(None)
        if self._group is None:
            yield from self._start_group(Segment("GS", segment.offset, 0, 0, segment.ordinal, segment.delimiters))
            if self._group is None:
                return
            self._group.findings.quarantine("missing_gs", "GS", segment.ordinal, "a set stands outside any group")
        group = self._group
        values = segment.elements(self._limits.elements)
        number = name_of(values, 2)
        version = name_of(values, 3) or group.version
        log = FindingLog(group.interchange.policy.severities, self._room)
        current = TransactionSet(
            group, name_of(values, 1), number, version, segment.offset, segment.ordinal, findings=log
        )
        self._count_set(current)
        expected = SET_TYPES_OF_GROUP.get(group.functional_id)
        if expected and current.type not in expected:
            current.findings.quarantine("gs01_type", "ST", 1, "the set is not of the type its group announces")
        if not number or number in self._set_numbers:
            current.findings.quarantine("st02_not_unique", "ST", 1, "ST02 is empty or used twice in its group")
        self._set_numbers.add(number)
        self._set = current
        yield SetStarted(current)

    def _count_set(self, current: TransactionSet) -> None:
        self._sets += 1
        if self._sets > self._limits.transaction_sets:
            raise LimitExceeded(
                "transaction_sets", f"more than {self._limits.transaction_sets} transaction sets", current.offset
            )
        current.group.transaction_sets += 1
        current.group.interchange.transaction_sets += 1

    def _end_set(self, segment: Segment | None) -> Iterator[EnvelopeEvent]:
        current, self._set = self._set, None
        if current is None:
            if segment:
                self._stray("SE", segment.ordinal)
            return
        current.length = (segment.offset + segment.length if segment else self._end) - current.offset
        log = current.findings
        if segment is None:
            log.quarantine("missing_se", "SE", current.segments, "the transaction set has no SE trailer")
        else:
            current.segments += 1
            values = segment.elements(self._limits.elements)
            segment.position = current.segments
            check_control(log, "se01_count", segment, str(current.segments), element_of(values, 1), numeric=True)
            check_control(log, "se02_control", segment, current.control_number, name_of(values, 2))
        yield SetEnded(current)

    def close_interchange(self, segment: Segment | None) -> Iterator[EnvelopeEvent]:
        """End what is open; `segment` is the IEA, or None where another header or the end of the file came first."""
        interchange = self._interchange
        if interchange is None:
            return
        if self._group:
            yield from self._end_group(None)
        self._interchange = None
        interchange.length = self._end - interchange.offset
        log = interchange.findings
        if "missing_isa" in log.counts:
            pass
        elif segment is None:
            log.quarantine("missing_iea", "IEA", self._ordinal, "the interchange has no IEA trailer")
        else:
            values = segment.elements(self._limits.elements)
            groups = element_of(values, 1)
            if not (self._acknowledged and interchange.groups == 0 and groups == "1"):
                check_control(log, "iea01_count", segment, str(interchange.groups), groups, numeric=True)
            check_control(log, "iea02_control", segment, interchange.control_number, element_of(values, 2))
        yield InterchangeEnded(interchange)
