"""Finds the segments that a report speaks of, masked, with the claim and line they stand in."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from x12.errors import X12Refused
from x12.masking import masked
from x12.segments import Segment, element_of
from x12.splitter import split


@dataclass(frozen=True, slots=True)
class Quote:
    """A segment as it may be shown. `claim` and `line` count from 1 within the transaction set and the claim; 0 outside."""

    text: str
    claim: int
    line: int


def quotes_of(source: Iterable[bytes], wanted: Collection[int]) -> dict[int, Quote]:
    """The segments of these ordinals (the first segment of the file is 1), as far as the file can be read."""
    found: dict[int, Quote] = {}
    last = max(wanted, default=0)
    place = _Place()
    try:
        for segment in split(source):
            if segment.ordinal > last:
                break
            if segment.text:
                place.enter(segment)
            if segment.text and segment.ordinal in wanted:
                text = masked(segment.text, segment.delimiters.element, place.set_type)
                found[segment.ordinal] = Quote(text, place.claim, place.line)
    except X12Refused:
        return found
    return found


class _Place:
    """The set, claim and line that the segments gone by have opened."""

    def __init__(self) -> None:
        self.set_type = ""
        self.claims = self.claim = self.line = 0

    def enter(self, segment: Segment) -> None:
        match segment.tag:
            case "ST":
                self.set_type = element_of(segment.text.split(segment.delimiters.element), 1)
                self.claims = self.claim = self.line = 0
            case "SE" | "PLB" | "HL":
                self.claim = self.line = 0
            case "CLP" | "CLM":
                self.claims += 1
                self.claim, self.line = self.claims, 0
            case "SVC" | "LX" if self.claim and (segment.tag == "SVC") == (self.set_type == "835"):
                self.line += 1
