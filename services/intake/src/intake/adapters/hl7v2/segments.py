"""An HL7 v2 message as the billing fields are asked of it: by segment, field, repetition, component."""

from __future__ import annotations

from datetime import date
from typing import Any

import hl7

from intake.domain.refusals import Finding, InvalidMessage

MESSAGE_BYTES_MAX = 1_000_000
SEGMENTS_MAX = 2_000
HEADER_START = b"MSH"
_DATE_DIGITS = 8


class Segment:
    """One segment. A field that is absent reads as an empty string; values are unescaped."""

    def __init__(self, message: Any, content: Any) -> None:
        self._message = message
        self._content = content

    def field(self, number: int, component: int = 1, *, repetition: int = 1, part: int = 1) -> str:
        """One value, all places counted from 1."""
        node: Any = self._content[number] if number < len(self._content) else ""
        for place in (repetition, component, part):
            node = _at(node, place)
        value = str(self._message.unescape(node)) if "\\" in node else str(node)
        return "" if value == '""' else value.strip()

    def repetitions(self, number: int) -> list[str]:
        """The first component of every repetition that has one."""
        count = len(self._content[number]) if number < len(self._content) else 0
        found = (self.field(number, repetition=place) for place in range(1, count + 1))
        return [value for value in found if value]


def _at(node: Any, place: int) -> Any:
    """Part `place` of a container; a leaf is its own first part."""
    if isinstance(node, str):
        return node if place == 1 else ""
    return node[place - 1] if place <= len(node) else ""


class Message:
    """A parsed message; `segments` gives those of one name in order."""

    def __init__(self, parsed: Any) -> None:
        self._parsed = parsed

    def segments(self, name: str) -> list[Segment]:
        return [Segment(self._parsed, row) for row in self._parsed if str(row[0]) == name]

    def first(self, name: str) -> Segment | None:
        return next(iter(self.segments(name)), None)


def parse(raw: bytes) -> Message:
    """The message of `raw`.

    Raises:
        InvalidMessage: it is no HL7 v2 message, too large, or not in UTF-8.
    """
    if not raw.startswith(HEADER_START):
        raise _unreadable("MSH", "header", "a message begins with an MSH segment")
    if len(raw) > MESSAGE_BYTES_MAX:
        raise _unreadable("message", "too-large", f"at most {MESSAGE_BYTES_MAX} bytes")
    try:
        text = raw.decode("utf-8").replace("\r\n", "\r").replace("\n", "\r")
    except UnicodeDecodeError:
        raise _unreadable("MSH-18", "character-set", "the text is UTF-8") from None
    if "\x00" in text or text.count("\r") > SEGMENTS_MAX:
        raise _unreadable("message", "segments", f"at most {SEGMENTS_MAX} segments, and no null characters")
    if len(text) < 9 or text[3] != text[8] or len(set(text[3:8])) < 5:
        raise _unreadable("MSH-2", "delimiters", "five different delimiters, four of them in MSH-2")
    try:
        return Message(hl7.parse(text))
    except (hl7.HL7Exception, LookupError, ValueError):
        raise _unreadable("message", "hl7-v2", "the text cannot be read as HL7 v2") from None


def _unreadable(field: str, rule: str, note: str) -> InvalidMessage:
    return InvalidMessage([Finding(field, rule, note)])


def day_of(text: str) -> date | None:
    """The day of an HL7 date or time stamp; None where it is none."""
    digits = text[:_DATE_DIGITS]
    if len(digits) < _DATE_DIGITS or not digits.isascii() or not digits.isdigit():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
