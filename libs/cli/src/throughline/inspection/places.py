"""Where each finding is, counted as people and scripts count: from 1 at ISA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from x12.findings import Finding, Severity
from x12.inspection import InterchangeInspection, SetInspection


@dataclass(frozen=True, slots=True)
class Place:
    """A finding, and where it is: `ordinal` counts the segments of the file from 1, `segment` those of the interchange."""

    finding: Finding
    ordinal: int
    segment: int


def places_of_envelope(interchange: InterchangeInspection) -> list[Place]:
    """The findings of the envelope, the graver first."""
    first = interchange.first_segment
    return _graver_first([Place(each, each.position, each.position - first + 1) for each in interchange.findings])


def places_of_set(interchange: InterchangeInspection, found: SetInspection) -> list[Place]:
    """The findings of one transaction set, the graver first."""
    before = found.first_segment + interchange.first_segment - 1
    places = []
    for each in found.located:
        into = max(each.position, 1) - 1
        places.append(Place(each, before + into, found.first_segment + into))
    return _graver_first(places)


def _graver_first(places: Sequence[Place]) -> list[Place]:
    return sorted(places, key=lambda place: place.finding.severity is Severity.NOTE)
