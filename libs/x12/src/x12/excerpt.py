"""What a file says of one claim: its envelopes and the claim's own segments, with their places, and no other patient's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from x12.segments import Segment, element_of
from x12.splitter import split

_ACKNOWLEDGEMENTS = frozenset({"997", "999"})
_ERROR_STARTS, _ERROR_ENDS = frozenset({"IK3", "AK3"}), frozenset({"AK2", "IK5", "AK5", "AK9", "SE"})
_NUMBERED = frozenset({"TRN", "REF"})


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of a file from `start` on."""

    start: int
    content: bytes


@dataclass(slots=True)
class _Block:
    """One level of a hierarchy, or one claim in it. `level` is HL01, and `parent` that of the level above."""

    level: str
    parent: str
    segments: list[Segment] = field(default_factory=list)
    is_ours: bool = False


def excerpt(content: bytes, patient_control_number: str) -> tuple[Part, ...]:
    """The parts of an 837, 277, 999 or TA1 that are about the claim with this number (CLM01), in order.

    Of an 837 or 277 these are the claim and the levels above it, of a 999 the errors that name the claim. Nothing where no
    transaction set is about it.

    Raises:
        NotAnInterchange, LimitExceeded: see `splitter.split`.
    """
    kept: list[Segment] = []
    for interchange in _interchanges(split(content)):
        kept += _of_interchange(interchange, patient_control_number)
    return tuple(_merged(kept))


def _interchanges(segments: Iterable[Segment]) -> Iterator[list[Segment]]:
    current: list[Segment] = []
    for segment in segments:
        if segment.tag == "ISA" and current:
            yield current
            current = []
        if segment.text:
            current.append(segment)
    if current:
        yield current


def _of_interchange(segments: list[Segment], number: str) -> list[Segment]:
    """Its envelope and what its sets say of the claim; nothing where it has sets and none says anything."""
    envelope = [segment for segment in segments if not segment.position]
    sets: list[list[Segment]] = []
    for segment in segments:
        if segment.tag == "ST":
            sets.append([])
        if segment.position and sets:
            sets[-1].append(segment)
    said = [segment for each in sets for segment in _of_set(each, number)]
    return sorted((*envelope, *said), key=lambda segment: segment.offset) if said or not sets else []


def _of_set(segments: list[Segment], number: str) -> list[Segment]:
    if element_of(segments[0].elements(), 1) in _ACKNOWLEDGEMENTS:
        return list(_of_acknowledgement(segments, number))
    return _of_hierarchy(segments, number)


def _of_acknowledgement(segments: list[Segment], number: str) -> Iterator[Segment]:
    """Errors may repeat what was sent, so that only those stay which name this claim (CTX01)."""
    error: list[Segment] | None = None
    for segment in segments:
        if segment.tag in _ERROR_STARTS | _ERROR_ENDS:
            yield from _if_ours(error, number)
            error = [] if segment.tag in _ERROR_STARTS else None
        if error is None:
            yield segment
        else:
            error.append(segment)


def _if_ours(error: list[Segment] | None, number: str) -> list[Segment]:
    found = error or []
    contexts = (segment for segment in found if segment.tag == "CTX")
    named = {element_of(each.elements(), 1).split(each.delimiters.component)[-1] for each in contexts}
    return found if number in named else []


def _of_hierarchy(segments: list[Segment], number: str) -> list[Segment]:
    *body, last = segments
    blocks = _blocks(body, number)
    wanted = {block.parent for block in blocks if block.is_ours}
    if not any(block.is_ours for block in blocks):
        return []
    above = {block.level: block.parent for block in blocks if block.level}
    for level in list(wanted):
        while level in above:
            level = above.pop(level)
            wanted.add(level)
    kept = [
        block for block in blocks if block.is_ours or (block.level in wanted if block.level else block is blocks[0])
    ]
    return [*(segment for block in kept for segment in block.segments), last]


def _blocks(segments: Iterable[Segment], number: str) -> list[_Block]:
    """The head of the set first, then its levels and claims."""
    blocks = [_Block("", "")]
    level = ""
    for segment in segments:
        if segment.tag == "HL":
            elements = segment.elements()
            level = element_of(elements, 1)
            blocks.append(_Block(level, element_of(elements, 2)))
        elif segment.tag == "CLM":
            blocks.append(_Block("", level, is_ours=element_of(segment.elements(), 1) == number))
        elif segment.tag in _NUMBERED and blocks[-1].level:
            blocks[-1].is_ours |= element_of(segment.elements(), 2) == number
        blocks[-1].segments.append(segment)
    return blocks


def _merged(segments: Iterable[Segment]) -> Iterator[Part]:
    """Neighbours together."""
    start, pieces, end = 0, list[bytes](), -1
    for segment in segments:
        if segment.offset != end and pieces:
            yield Part(start, b"".join(pieces))
            pieces = []
        if not pieces:
            start = segment.offset
        pieces.append(segment.raw)
        end = segment.offset + segment.length
    if pieces:
        yield Part(start, b"".join(pieces))
