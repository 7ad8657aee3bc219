"""Cuts a transaction set at its HL segments, for the readers whose sets are hierarchies."""

from __future__ import annotations

from collections.abc import Iterator

from x12.errors import LimitExceeded
from x12.segments import Limits, Run, Segment


class Levels:
    """Takes the runs of a set in order. What stands before the first HL is a level of its own."""

    def __init__(self, limits: Limits) -> None:
        self._section_bytes_max = limits.section_bytes
        self._level: list[Segment] = []

    def ended(self, run: Run) -> Iterator[list[Segment]]:
        """Levels that end in this run, each with its HL first.

        Raises:
            LimitExceeded: a level has more bytes than a section may have.
        """
        for segment in run:
            if segment.tag == "HL":
                yield from self.rest()
            self._level.append(segment)
            if segment.offset + segment.length - self._level[0].offset > self._section_bytes_max:
                message = f"more than {self._section_bytes_max} bytes in a level"
                raise LimitExceeded("section_bytes", message, segment.offset)

    def rest(self) -> Iterator[list[Segment]]:
        """The level that is still open, if one is."""
        level, self._level = self._level, []
        if level:
            yield level
