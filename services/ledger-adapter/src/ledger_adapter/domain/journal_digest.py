"""Journals in one canonical form: their hash, and in what two sets of them differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from canonical.codes import Dimension
from canonical.journal import JournalLine

_DIMENSIONS = tuple(dimension.value for dimension in Dimension)


@dataclass(frozen=True, slots=True)
class BookedJournal:
    """What a journal entry books, whatever became of it at the ERP."""

    journal_id: UUID
    entity: str
    kind: str
    effective_date: date
    lines: tuple[JournalLine, ...]


@dataclass(frozen=True, slots=True, order=True)
class LinePlaceOf:
    """Where an amount stands: in an entity's account, of a party, under dimensions."""

    entity: str
    account: str
    party: str
    payer_class: str
    department: str
    cost_center: str
    location: str


@dataclass(frozen=True, slots=True)
class PlaceDifference:
    """Minor units, debits positive."""

    place: LinePlaceOf
    stored_minor: int
    replayed_minor: int


@dataclass(frozen=True, slots=True)
class JournalDifference:
    """One entry that is another; one side is None where only the other has it."""

    journal_id: UUID
    stored: BookedJournal | None
    replayed: BookedJournal | None
    places: tuple[PlaceDifference, ...]


def digest_of_journals(journals: Iterable[BookedJournal]) -> str:
    """One SHA-256 over all of them as canonical JSON, whatever order they come in."""
    digest = hashlib.sha256()
    for journal in sorted(journals, key=lambda each: each.journal_id.bytes):
        lines = sorted([*_place(journal.entity, line)[1:], line.amount.minor] for line in journal.lines)
        content = [str(journal.journal_id), journal.entity, journal.kind, journal.effective_date.isoformat(), lines]
        digest.update(json.dumps(content, separators=(",", ":")).encode() + b"\n")
    return digest.hexdigest()


def place_differences(
    stored: Iterable[BookedJournal], replayed: Iterable[BookedJournal]
) -> tuple[PlaceDifference, ...]:
    """By entity, account, party and dimensions, what does not add up to the same on both sides."""
    left, right = _sums(stored), _sums(replayed)
    return tuple(
        PlaceDifference(LinePlaceOf(*place), left.get(place, 0), right.get(place, 0))
        for place in sorted(left.keys() | right.keys())
        if left.get(place, 0) != right.get(place, 0)
    )


def journal_differences(
    stored: Mapping[UUID, BookedJournal], replayed: Mapping[UUID, BookedJournal]
) -> tuple[JournalDifference, ...]:
    """The entries that are not the same on both sides."""
    found = []
    for identity in sorted(stored.keys() | replayed.keys(), key=lambda each: each.bytes):
        left, right = stored.get(identity), replayed.get(identity)
        sides = [[each] if each else [] for each in (left, right)]
        if digest_of_journals(sides[0]) != digest_of_journals(sides[1]):
            found.append(JournalDifference(identity, left, right, place_differences(*sides)))
    return tuple(found)


def _place(entity: str, line: JournalLine) -> tuple[str, ...]:
    return (entity, line.account.value, line.party, *(getattr(line, name) for name in _DIMENSIONS))


def _sums(journals: Iterable[BookedJournal]) -> dict[tuple[str, ...], int]:
    sums: dict[tuple[str, ...], int] = {}
    for journal in journals:
        for line in journal.lines:
            place = _place(journal.entity, line)
            sums[place] = sums.get(place, 0) + line.amount.minor
    return sums
