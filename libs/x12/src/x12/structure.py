"""Validates an outbound interchange against a structure table of ours, where pyx12 has no map of its guide."""

from __future__ import annotations

import re
from collections.abc import Iterator

from x12.envelope import InterchangeEnded, InterchangeStarted, SetBody, SetEnded, SetStarted
from x12.envelope_reader import read_envelope
from x12.errors import X12Refused
from x12.findings import FindingLog, Severity
from x12.segments import Delimiters
from x12.structure_rules import ElementRule, LoopRule, SegmentRule
from x12.values import date_of
from x12.violations import ValidationError

_PATTERNS = {
    "N": re.compile("[0-9]+"),
    "R": re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"),
    "T": re.compile("(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9](?:[0-9]{1,2})?)?"),
}
_TAG_CHARACTERS_MAX = 3
_FIRST_POSITION = 2


def structure_violations(raw: bytes, structure: LoopRule) -> Iterator[ValidationError]:
    """Violations in file order; after a segment that has no place the rest of its set is not looked at.

    Counts, control numbers and the numbering of HL are looked at too. Nothing is raised for what stands in the file.
    """
    segments: list[list[str]] = []
    logs: list[FindingLog] = []
    delimiters: Delimiters | None = None
    try:
        for event in read_envelope(raw):
            if isinstance(event, InterchangeStarted):
                logs, delimiters = [event.interchange.findings], event.interchange.delimiters
            elif isinstance(event, SetStarted):
                segments = []
                logs += [event.transaction_set.group.findings, event.transaction_set.findings]
                if event.transaction_set.type != structure.name:
                    yield ValidationError(1, "ST", "ele", "7", f"ST01 is not {structure.name}")
            elif isinstance(event, SetBody):
                segments += [segment.elements() for segment in event.run]
            elif isinstance(event, SetEnded) and delimiters is not None:
                yield from _Walk(segments, delimiters).violations(structure)
                yield from _hierarchy_violations(segments)
            elif isinstance(event, InterchangeEnded):
                yield from _envelope_violations(logs)
    except X12Refused as refused:
        yield ValidationError(0, "", "isa", refused.code, refused.message)


def _envelope_violations(logs: list[FindingLog]) -> Iterator[ValidationError]:
    for log in {id(each): each for each in logs}.values():
        for finding in log.kept:
            if finding.severity is not Severity.NOTE:
                yield ValidationError(finding.position, finding.segment, "st", finding.code, finding.message)


def _hierarchy_violations(segments: list[list[str]]) -> Iterator[ValidationError]:
    """HL01 counts from 1, and HL02 names a level that came before and says that it has children."""
    with_children: set[str] = set()
    count = 0
    for position, elements in enumerate(segments, _FIRST_POSITION):
        if elements[0] != "HL":
            continue
        count += 1
        number, parent, _, children = (elements[1:] + [""] * 4)[:4]
        if number != str(count):
            yield ValidationError(position, "HL", "ele", "HL1", "HL01 does not count from 1")
        if parent and parent not in with_children:
            yield ValidationError(position, "HL", "ele", "HL2", "HL02 is not a level before it that has children")
        if children == "1":
            with_children.add(number)


class _Walk:
    """One pass over the segments of a set, by the rules in their order."""

    def __init__(self, segments: list[list[str]], delimiters: Delimiters) -> None:
        self._segments = segments
        self._delimiters = delimiters
        self._index = 0

    def violations(self, structure: LoopRule) -> Iterator[ValidationError]:
        yield from self._loop(structure)
        if self._index < len(self._segments):
            yield self._at_segment("2", "is not expected here")

    def _loop(self, loop: LoopRule) -> Iterator[ValidationError]:
        for item in loop.items:
            count = 0
            while self._index < len(self._segments) and item.holds(self._segments[self._index]):
                count += 1
                if count == item.most + 1:
                    yield self._at_segment("5", "occurs too often")
                if isinstance(item, LoopRule):
                    yield from self._loop(item)
                else:
                    yield from self._elements(item)
                    self._index += 1
            if item.required and not count:
                name = item.name if isinstance(item, LoopRule) else item.tag
                yield ValidationError(
                    self._index + _FIRST_POSITION, self._tag(), "seg", "3", f"{name} is mandatory and missing"
                )

    def _tag(self) -> str:
        """The tag of the segment in hand; nothing when it may be a value that has slipped into its place."""
        tag = self._segments[self._index][0] if self._index < len(self._segments) else "SE"
        return tag if tag.isalnum() and len(tag) <= _TAG_CHARACTERS_MAX else ""

    def _at_segment(self, code: str, rule: str) -> ValidationError:
        tag = self._tag()
        return ValidationError(self._index + _FIRST_POSITION, tag, "seg", code, f"{tag or 'a segment'} {rule}")

    def _elements(self, row: SegmentRule) -> Iterator[ValidationError]:
        elements = self._segments[self._index]
        position = self._index + _FIRST_POSITION
        listed = {rule.place for rule in row.elements}
        for rule in row.elements:
            value = elements[rule.place] if rule.place < len(elements) else ""
            for code, fault in self._faults(rule, value):
                yield ValidationError(position, row.tag, "ele", code, f"{row.tag}{rule.place:02d} {fault}")
        for place, value in enumerate(elements[1:], 1):
            if value and place not in listed:
                yield ValidationError(position, row.tag, "ele", "I10", f"{row.tag}{place:02d} is not used")
        if not elements[-1]:
            yield ValidationError(position, row.tag, "seg", "8", f"{row.tag} ends with an empty element")

    def _faults(self, rule: ElementRule, value: str) -> Iterator[tuple[str, str]]:
        if not value:
            if rule.required:
                yield "1", "is mandatory and missing"
            return
        if rule.codes:
            if value not in rule.codes:
                yield "7", "is not a code of the guide"
            return
        for part in value.split(self._delimiters.repetition) if rule.kind == "P" else [value]:
            if len(part) < rule.shortest:
                yield "4", "is too short"
            if len(part) > rule.longest:
                yield "5", "is too long"
        if rule.kind == "D" and date_of(value) is None:
            yield "8", "is not a date"
        pattern = _PATTERNS.get(rule.kind)
        if pattern and not pattern.fullmatch(value):
            yield "6", "is not of its kind"
        if rule.kind != "C" and self._delimiters.component in value:
            yield "6", "holds a component separator"
