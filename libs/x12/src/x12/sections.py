"""Cuts a transaction set at the segments that open something, for the readers that take a claim or a head as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from x12.errors import LimitExceeded
from x12.segments import Limits, Run


@dataclass(slots=True)
class Section:
    """Neighbouring segments from one that opens to the next: bytes `offset` to `end`, the first of them at `position`."""

    texts: list[str]
    offset: int
    end: int
    position: int


class Sections:
    """Takes the runs of a set. `starts` are the first three characters that open; what stands before them is the first section."""

    def __init__(self, starts: frozenset[str], offset: int, limits: Limits) -> None:
        self._starts = starts
        self._bytes_max = limits.section_bytes
        self._open = Section([], offset, offset, 2)

    def ended(self, run: Run) -> Iterator[Section]:
        """The sections that end in this run; the segments after the last of them wait for the next.

        Raises:
            LimitExceeded: what is open has more bytes than a section may have.
        """
        texts, offsets, starts = run.texts, run.offsets, self._starts
        begin = 0
        for index in [i for i, text in enumerate(texts) if text[:3] in starts]:
            section = self._open
            section.texts += texts[begin:index]
            section.end = offsets[index]
            self._open = Section([], offsets[index], offsets[index], run.position + index)
            yield section
            begin = index
        section = self._open
        section.texts += texts[begin:]
        section.end = offsets[-1]
        if section.end - section.offset > self._bytes_max:
            message = f"more than {self._bytes_max} bytes in a claim, a level or the head of the set"
            raise LimitExceeded("section_bytes", message, section.end)

    def rest(self) -> Section:
        """The section that is still open, maybe an empty one."""
        return self._open
