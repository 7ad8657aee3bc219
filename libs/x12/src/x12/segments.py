"""Delimiters, segments and runs of segments: the small values that every reader here works on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from x12.errors import LimitExceeded


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what is read; over them reading stops with `LimitExceeded`. `interchanges` counts TA1 segments too.

    A segment over `segment_bytes` is cut off there and costs its set. `section_bytes` bounds what belongs together inside a set (a claim with its lines, a level of a hierarchy); over it that set
    is given up, and the others are read.
    """

    segment_bytes: int = 16_384
    elements: int = 256
    segments: int = 200_000_000
    section_bytes: int = 4_194_304
    transaction_sets: int = 20_000
    interchanges: int = 20_000
    block_bytes: int = 262_144


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The four separators of one interchange. `repetition` is empty where ISA11 is not a separator (before 00402)."""

    element: str
    component: str
    repetition: str
    terminator: str


@dataclass(slots=True)
class Segment:
    """One segment and its span: `length` bytes from `offset`, with its terminator and the line break after it.

    `text` is Latin-1, so that a character is a byte; it excludes terminator and line breaks. `position` counts from
    ST = 1 and is 0 outside a transaction set; `ordinal` counts from the first segment of the file = 1. A gap (bytes that belong to
    no interchange) has an empty `text`. `raw` are the span's bytes as they stand, where the segment comes from `splitter.split`.
    """

    text: str
    offset: int
    length: int
    position: int
    ordinal: int
    delimiters: Delimiters
    raw: bytes = b""

    @property
    def tag(self) -> str:
        return self.text.split(self.delimiters.element, 1)[0]

    def elements(self, limit: int = DEFAULT_LIMITS.elements) -> list[str]:
        """The elements, the tag first, so that `elements()[2]` is for example SVC02.

        Raises:
            LimitExceeded: there are more than `limit`.
        """
        parts = self.text.split(self.delimiters.element, limit + 1)
        if len(parts) > limit + 1:
            raise LimitExceeded("elements", f"segment {self.ordinal} has more than {limit} elements", self.offset)
        return parts


def element_of(elements: list[str], number: int) -> str:
    """Element `number` of a split segment, or an empty string when the segment is shorter."""
    return elements[number] if number < len(elements) else ""


@dataclass(slots=True)
class Run:
    """Neighbouring segments of one transaction set: `texts[i]` spans `offsets[i]` to `offsets[i + 1]`.

    `position` is that of the first, counted from ST = 1; `ordinal` the first's place in the file.
    """

    texts: list[str]
    offsets: list[int]
    position: int
    ordinal: int
    delimiters: Delimiters

    def __iter__(self) -> Iterator[Segment]:
        for index, text in enumerate(self.texts):
            offset = self.offsets[index]
            length = self.offsets[index + 1] - offset
            yield Segment(text, offset, length, self.position + index, self.ordinal + index, self.delimiters)


def readable(text: str) -> str:
    """A name or free text as its writer meant it: UTF-8 where the bytes are UTF-8, Latin-1 otherwise."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def component_separator(composite: str, qualifier_length: int, declared: str) -> str:
    """The separator a composite really uses, for senders whose ISA16 says another than their composites.

    `qualifier_length` is how many letters or digits stand before the first separator; the declared separator wins
    whenever it occurs.
    """
    if declared in composite or len(composite) <= qualifier_length:
        return declared
    candidate = composite[qualifier_length]
    if candidate.isalnum() or candidate in " .-" or not composite[:qualifier_length].isalnum():
        return declared
    return candidate
