"""An HL7 v2 message as the billing fields are asked of it: by segment, field, repetition, component."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from intake.adapters.hl7v2.wire import (
    REPETITIONS_MAX,
    CharacterSetFor,
    Text,
    as_it_says,
    read_text,
    unescaped,
    unreadable,
)

NULL = '""'
_ORDER_DIGITS = 8


class Segment:
    """One segment. A field that is absent reads as an empty string; values are unescaped. `number` counts from 1."""

    __slots__ = ("_fields", "_text", "name", "number")

    def __init__(self, row: str, number: int, text: Text) -> None:
        self.name = row[:3]
        self.number = number
        self._text = text
        self._fields = row.split(text.delimiters.field)
        if self.name == "MSH":
            self._fields.insert(1, text.delimiters.field)

    def field(self, number: int, component: int = 1, *, repetition: int = 1, part: int = 1) -> str:
        """One value, all places counted from 1; a value that is to be deleted reads as empty too."""
        value = self._raw(number)
        if not value or value == NULL:
            return ""
        if value.isalnum():
            return value if component == repetition == part == 1 else ""
        marks = self._text.delimiters
        for mark, place in ((marks.repetition, repetition), (marks.component, component), (marks.part, part)):
            value = _piece(value, mark, place)
        value = unescaped(value, self._text).strip()
        return "" if value == NULL else value

    def is_empty(self, number: int) -> bool:
        """Whether the sender says nothing of this field; `""` would say that what was known is to be forgotten."""
        return not self._raw(number).strip()

    def repetition_count(self, number: int) -> int:
        """How many repetitions a field has, empty ones counted.

        Raises:
            InvalidMessage: more than `REPETITIONS_MAX`.
        """
        value = self._raw(number)
        mark = self._text.delimiters.repetition
        count = value.count(mark) + 1 if value and mark else 1 if value else 0
        if count > REPETITIONS_MAX:
            raise unreadable(f"{self.name}-{number}", "repetitions", f"at most {REPETITIONS_MAX} in a field")
        return count

    def repetitions(self, number: int) -> list[str]:
        """The first component of every repetition that has one."""
        found = (self.field(number, repetition=place) for place in range(1, self.repetition_count(number) + 1))
        return [value for value in found if value]

    def _raw(self, number: int) -> str:
        return self._fields[number] if number < len(self._fields) else ""


def _piece(value: str, mark: str, place: int) -> str:
    """Piece `place` of a value that a mark divides; an undivided one is its own first piece."""
    if not mark or mark not in value:
        return value if place == 1 else ""
    pieces = value.split(mark)
    return pieces[place - 1] if place <= len(pieces) else ""


class Message:
    """A parsed message, or some segments of one; `segments` gives those of one name in order, `rows` all of them."""

    def __init__(self, text: Text, rows: Sequence[Segment] | None = None) -> None:
        self.text = text
        self.rows = _all_rows(text) if rows is None else tuple(rows)
        self._named: dict[str, list[Segment]] = {}
        for row in self.rows:
            self._named.setdefault(row.name, []).append(row)

    def segments(self, name: str) -> Sequence[Segment]:
        return self._named.get(name, ())

    def first(self, name: str) -> Segment | None:
        return next(iter(self.segments(name)), None)

    def in_order(self, name: str, number: int = 1) -> list[Segment]:
        """The segments of one name by the number in one of their fields."""
        return sorted(self.segments(name), key=lambda row: row.field(number).zfill(_ORDER_DIGITS))

    def before(self, name: str) -> Message:
        """What stands before the first segment of this name."""
        count = next((place for place, row in enumerate(self.rows) if row.name == name), len(self.rows))
        return Message(self.text, self.rows[:count])

    def groups(self, name: str) -> list[Message]:
        """The parts that begin with a segment of this name."""
        starts = [place for place, row in enumerate(self.rows) if row.name == name]
        return [Message(self.text, self.rows[start:end]) for start, end in pairwise([*starts, len(self.rows)])]


def _all_rows(text: Text) -> tuple[Segment, ...]:
    return tuple(Segment(row, number, text) for number, row in enumerate(text.segments, 1))


def parse(raw: bytes, character_set_for: CharacterSetFor = as_it_says) -> Message:
    """The message of `raw`. `character_set_for` gives, by MSH-3 and MSH-4, what counts instead of MSH-18.

    Raises:
        InvalidMessage: it is no HL7 v2 message, larger than it may be, or not in the character set that it names.
    """
    return Message(read_text(raw, character_set_for))
