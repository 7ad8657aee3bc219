"""Reads TA1 segments and 999 sets (997 where an old partner still sends it)."""

from __future__ import annotations

from collections.abc import Iterator

from x12.acknowledgement import (
    AcknowledgementEvent,
    ElementError,
    GroupAcknowledgement,
    InterchangeAcknowledgement,
    SegmentError,
    SetAcknowledgement,
)
from x12.envelope import TransactionSet
from x12.errors import LimitExceeded
from x12.segments import DEFAULT_LIMITS, Limits, Run, Segment, element_of

SETS_MAX = 100_000
ERRORS_OF_A_SET_MAX = 1_000
DETAILS_OF_AN_ERROR_MAX = 100
_NEEDED = ("AK1", "AK9")
_COUNT_DIGITS_MAX = 9
_FIELD_CHARACTERS_MAX = 80


def interchange_acknowledgement(segment: Segment) -> InterchangeAcknowledgement:
    """The content of a TA1 segment."""
    values = segment.elements()
    return InterchangeAcknowledgement(
        *(element_of(values, number).strip()[:_FIELD_CHARACTERS_MAX] for number in range(1, 6))
    )


class GroupAcknowledgementReader:
    """Takes the runs of one 999 in order; `finish` gives the acknowledgement. Faults go to the set's findings."""

    def __init__(self, transaction_set: TransactionSet, limits: Limits = DEFAULT_LIMITS) -> None:
        self._set = transaction_set
        self._elements_max = limits.elements
        self._component = transaction_set.group.interchange.delimiters.component
        self._group = GroupAcknowledgement(transaction_set)
        self._current: SetAcknowledgement | None = None
        self._error: SegmentError | None = None
        self._seen: set[str] = set()

    def read(self, run: Run) -> Iterator[AcknowledgementEvent]:
        for segment in run:
            elements = segment.elements(self._elements_max)
            if elements[0] in _NEEDED:
                self._seen.add(elements[0])
            self._read_segment(elements, segment.position)
        yield from ()

    def finish(self) -> Iterator[AcknowledgementEvent]:
        """The acknowledgement, if the set names a group."""
        for tag in _NEEDED:
            if tag not in self._seen:
                self._set.findings.refuse(f"missing_{tag.lower()}", tag, 2, f"there is no {tag} segment")
        yield self._group

    def _read_segment(self, elements: list[str], position: int) -> None:
        match elements[0]:
            case "AK1":
                group = self._group
                group.functional_id = element_of(elements, 1)
                group.control_number = element_of(elements, 2)
                group.version = element_of(elements, 3)
            case "AK2":
                self._start_set(elements)
            case "IK3" | "AK3" if self._current:
                self._read_segment_error(elements, self._current)
            case "IK4" | "AK4" | "CTX" if self._error:
                self._read_detail(elements, self._error)
            case "IK5" | "AK5" if self._current:
                self._current.code = element_of(elements, 1)
                self._current.error_codes = [code for code in elements[2:] if code]
                self._error = None
            case "AK9":
                self._close_group(elements, position)
            case _:
                self._set.findings.note("segment_not_read", "", position, "the segment has no place here in a 999")

    def _start_set(self, elements: list[str]) -> None:
        if len(self._group.sets) == SETS_MAX:
            raise LimitExceeded("acknowledged_sets", f"more than {SETS_MAX} acknowledged sets", self._set.offset)
        kind, number, version = (element_of(elements, place) for place in (1, 2, 3))
        self._current = SetAcknowledgement(kind, number, version=version)
        self._error = None
        self._group.sets.append(self._current)

    def _read_segment_error(self, elements: list[str], current: SetAcknowledgement) -> None:
        segment, position, loop, code = (element_of(elements, number) for number in range(1, 5))
        self._error = SegmentError(segment, position, loop, code)
        if len(current.errors) < ERRORS_OF_A_SET_MAX:
            current.errors.append(self._error)
        else:
            current.errors_omitted += 1

    def _read_detail(self, elements: list[str], error: SegmentError) -> None:
        if len(error.elements) + len(error.contexts) >= DETAILS_OF_AN_ERROR_MAX:
            return
        if elements[0] == "CTX":
            error.contexts.append(self._context(element_of(elements, 1)))
        else:
            error.elements.append(ElementError(*(element_of(elements, number) for number in range(1, 5))))

    def _context(self, composite: str) -> tuple[str, str]:
        name, _, value = composite.partition(self._component)
        return name, value

    def _close_group(self, elements: list[str], position: int) -> None:
        counts = [element_of(elements, number) for number in (2, 3, 4)]
        if not all(count.isascii() and count.isdigit() and len(count) <= _COUNT_DIGITS_MAX for count in counts):
            self._set.findings.quarantine("ak9_counts", "AK9", position, "AK902 to AK904 must be counts")
            counts = ["0", "0", "0"]
        group = self._group
        group.code = element_of(elements, 1)
        group.sets_included, group.sets_received, group.sets_accepted = map(int, counts)
        group.error_codes = [code for code in elements[5:] if code]
        self._current = self._error = None
