"""The bytes of an HL7 v2 message as text: its delimiters, its character set, its segments, and the limits of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from intake.domain.refusals import Finding, InvalidMessage

MESSAGE_BYTES_MAX = 1_000_000
SEGMENTS_MAX = 2_000
FIELDS_MAX = 1_000
REPETITIONS_MAX = 200
HEADER_START = b"MSH"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
CHARACTER_SETS = {
    "": "utf-8",
    "ASCII": "ascii",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
}
"""HL7 table 0211 as far as one byte stands for an ASCII character; a message without MSH-18 is read as UTF-8."""
_CHARACTER_SET_FIELD = 17
_SENDER_FIELDS = (2, 3)
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")
CONTROL: dict[int, str] = dict.fromkeys((*range(32), *range(127, 160)), " ")
"""Blanks for what frames and ends messages, and what a text column cannot hold."""
BLANKS = " \t\r\n"
_MARKS = range(0x21, 0x7F)


@dataclass(frozen=True, slots=True)
class Delimiters:
    """What MSH-1 and MSH-2 say; `escape` and `part` are empty where MSH-2 is shorter than it may be."""

    field: str
    component: str
    repetition: str = ""
    escape: str = ""
    part: str = ""


def unreadable(field: str, rule: str, note: str) -> InvalidMessage:
    """The refusal of a message of which nothing can be read."""
    return InvalidMessage([Finding(field, rule, note)])


@dataclass(frozen=True, slots=True)
class Text:
    """A message as text: its segments without their terminators, empty ones left out."""

    delimiters: Delimiters
    encoding: str
    segments: tuple[str, ...]


CharacterSetFor = Callable[[str, str], str]


def as_it_says(application: str, facility: str) -> str:
    """MSH-18 counts, whoever sends."""
    return ""


def read_text(raw: bytes, character_set_for: CharacterSetFor = as_it_says) -> Text:
    """The text of a message. `character_set_for` gives, by MSH-3 and MSH-4, what counts instead of MSH-18.

    Raises:
        InvalidMessage: it is no HL7 v2 message, larger than it may be, or not in the character set that it names.
    """
    content = raw.removeprefix(BYTE_ORDER_MARK)
    if not content.startswith(HEADER_START):
        raise unreadable("MSH", "header", "a message begins with an MSH segment")
    if len(content) > MESSAGE_BYTES_MAX:
        raise unreadable("message", "too-large", f"at most {MESSAGE_BYTES_MAX} bytes")
    delimiters = _delimiters(content)
    encoding = _encoding(content, delimiters, character_set_for)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        raise unreadable("MSH-18", "character-set", "the text is not in the character set that it names") from None
    return Text(delimiters, encoding, _segments(text, delimiters))


def rows_of(text: str) -> list[str]:
    """The segments of a text. They end with a carriage return; a text that has none may end them with line feeds.

    >>> rows_of("MSH|\\rPID|a\\nb\\r\\n")
    ['MSH|', 'PID|a\\nb', '']
    """
    if "\r" not in text:
        return text.split("\n")
    return [row.removeprefix("\n") for row in text.split("\r")]


def unescaped(value: str, text: Text) -> str:
    """The value with its escape sequences resolved; one that is not known, or has no end, stays as it is."""
    escape = text.delimiters.escape
    if not escape or escape not in value:
        return value
    parts = value.split(escape)
    resolved = [parts[0]]
    place = 1
    while place < len(parts):
        meant = _meaning(parts[place], text) if place + 1 < len(parts) else None
        if meant is None:
            resolved.append(escape + parts[place])
            place += 1
        else:
            resolved += [meant, parts[place + 1]]
            place += 2
    return "".join(resolved).translate(CONTROL)


def _meaning(code: str, text: Text) -> str | None:
    marks = text.delimiters
    plain = {"F": marks.field, "S": marks.component, "T": marks.part, "R": marks.repetition, "E": marks.escape}
    if code in plain:
        return plain[code]
    if code.startswith("X") and len(code) % 2 and len(code) > 1:
        try:
            return bytes.fromhex(code[1:]).decode(text.encoding)
        except ValueError:
            return None
    if code in ("H", "N"):
        return ""
    return " " if code.startswith(".") and code[1:2].isalpha() else None


def _delimiters(content: bytes) -> Delimiters:
    """MSH-1 and MSH-2: two to five different marks, beside the truncation mark of 2.7."""
    field = content[3:4]
    marks = content[4:10].split(field or b"|")[0].split(b"\r")[0].split(b"\n")[0]
    all_marks = field + marks
    if not 1 <= len(marks) <= 5 or not all(mark in _MARKS and not chr(mark).isalnum() for mark in all_marks):
        raise unreadable("MSH-2", "delimiters", "one to five marks that are neither letters, digits nor blanks")
    if len(set(all_marks)) < len(all_marks):
        raise unreadable("MSH-2", "delimiters", "different marks")
    return Delimiters(*(chr(mark) for mark in all_marks[:5]))


def _encoding(content: bytes, delimiters: Delimiters, character_set_for: CharacterSetFor) -> str:
    header = re.split(rb"[\r\n]", content, maxsplit=1)[0].decode("latin-1")
    fields = header.split(delimiters.field)
    fields += [""] * (_CHARACTER_SET_FIELD + 1 - len(fields))
    application, facility = (fields[place].split(delimiters.component)[0].strip() for place in _SENDER_FIELDS)
    named = character_set_for(application, facility) or fields[_CHARACTER_SET_FIELD]
    first = named.split(delimiters.repetition)[0] if delimiters.repetition else named
    encoding = CHARACTER_SETS.get(first.strip().upper())
    if encoding is None:
        known = ", ".join(filter(None, CHARACTER_SETS))
        raise unreadable("MSH-18", "character-set", f"one of {known}")
    return encoding


def _segments(text: str, delimiters: Delimiters) -> tuple[str, ...]:
    if text.count("\r") + text.count("\n") > 2 * SEGMENTS_MAX:
        raise unreadable("message", "segments", f"at most {SEGMENTS_MAX} segments")
    rows = tuple(row for row in rows_of(text) if row.strip(BLANKS))
    if len(rows) > SEGMENTS_MAX:
        raise unreadable("message", "segments", f"at most {SEGMENTS_MAX} segments")
    for number, row in enumerate(rows, 1):
        if not _NAME.match(row) or row[3:4] not in ("", " ", delimiters.field):
            raise unreadable(f"segment {number}", "segments", "a name of three characters begins a segment")
        if row.count(delimiters.field) > FIELDS_MAX:
            raise unreadable(f"{row[:3]}", "segments", f"at most {FIELDS_MAX} fields in a segment")
        if "\x00" in row or "\x0b" in row or "\x1c" in row:
            raise unreadable(f"{row[:3]}", "segments", "no null characters, and no marks of MLLP frames")
    return rows
