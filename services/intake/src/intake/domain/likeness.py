"""How likely two patients are one person: points for each field that agrees, and what contradicts it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from canonical.classes import CanonicalModel, Public

from intake.domain.match_keys import MatchKeys

PROBABLE = 65
LASTING = frozenset({"given-name", "birth-date"})
CHANGING = frozenset({"family-name", "sex"})


class Agreement(StrEnum):
    SAME = "same"
    NEARLY = "nearly"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


POINTS = {
    "family-name": {Agreement.SAME: 20, Agreement.NEARLY: 12, Agreement.DIFFERENT: -10},
    "given-name": {Agreement.SAME: 15, Agreement.NEARLY: 8, Agreement.DIFFERENT: -25},
    "birth-date": {Agreement.SAME: 30, Agreement.NEARLY: 15, Agreement.DIFFERENT: -30},
    "sex": {Agreement.SAME: 5, Agreement.DIFFERENT: -15},
    "address": {Agreement.SAME: 20, Agreement.NEARLY: 8},
    "identifier": {Agreement.SAME: 25},
}
"""Brothers and sisters share name, address and sometimes the day of birth: a given name that differs weighs most."""


class FieldAgreement(CanonicalModel):
    """One field of two patients, how it agrees, and its points."""

    field: Public[str]
    agreement: Agreement
    points: int

    def __str__(self) -> str:
        return f"{self.field} {self.agreement} ({self.points:+})"


class Likeness(CanonicalModel):
    """A score of at most 100 points, with the field by field of it."""

    score: int
    fields: tuple[FieldAgreement, ...]

    @property
    def is_probable(self) -> bool:
        return self.score >= PROBABLE

    @property
    def contradicts(self) -> bool:
        """Whether the same identifier can hardly mean the same person.

        A family name that differs by itself may have changed by marriage, a sex may have been corrected. Another given
        name or birth date is another person's: twins, a child under its mother's number, a number typed wrong.
        """
        different = {each.field for each in self.fields if each.agreement is Agreement.DIFFERENT}
        return bool(different & LASTING) or different >= CHANGING

    def __str__(self) -> str:
        return ", ".join(str(each) for each in self.fields)


_FIELDS = {
    (field, agreement): FieldAgreement(field=field, agreement=agreement, points=points.get(agreement, 0))
    for field, points in POINTS.items()
    for agreement in Agreement
    if agreement is not Agreement.UNKNOWN
}


def likeness_of(one: MatchKeys, other: MatchKeys) -> Likeness:
    """The likeness of two patients."""
    fields = tuple(_FIELDS[found] for found in _agreements(one, other) if found in _FIELDS)
    score = sum(each.points for each in fields)
    return Likeness(score=max(0, min(100, score)), fields=fields)


def _agreements(one: MatchKeys, other: MatchKeys) -> Iterator[tuple[str, Agreement]]:
    yield "family-name", _agreement(one.family, other.family, one.family_sound == other.family_sound)
    yield "given-name", _agreement(one.given, other.given, one.given_sound == other.given_sound)
    near = bool(set(one.birth_parts) & set(other.birth_parts))
    yield "birth-date", _agreement(one.birth_date, other.birth_date, near)
    yield "sex", _agreement(one.sex, other.sex, False)
    yield "address", _agreement(one.street, other.street, one.postal_code == other.postal_code)
    shared = set(one.identifiers) & set(other.identifiers)
    yield "identifier", Agreement.SAME if shared else Agreement.UNKNOWN


def _agreement(one: str, other: str, near: bool) -> Agreement:
    if not one or not other:
        return Agreement.UNKNOWN
    if one == other:
        return Agreement.SAME
    return Agreement.NEARLY if near else Agreement.DIFFERENT
