"""How an interchange begins: the ISA header with its separators, padded or not, or what stands there without one."""

from __future__ import annotations

import re

from x12.segments import Delimiters

HEADER_BYTES_MAX = 1024
COMPONENT_WHEN_UNDECLARED = ":"
_WHITE_SPACE = " \t\r\n\x0b\x0c"
_BARE_START = re.compile(
    r"(?:GS(?P<gs>[^A-Za-z0-9\s])[A-Z]{2}(?P=gs)|ST(?P<st>[^A-Za-z0-9\s])[0-9]{3}(?P=st))"
    r"(?:[^\r\n~]){0,200}?(?P<end>[^A-Za-z0-9 ])[\r\n]*(?:ST|BPR|BHT|AK1|BGN)(?:(?P=gs)|(?P=st))"
)


def read_header(text: str, start: int) -> tuple[Delimiters, int] | None:
    """Delimiters and length (with terminator) of an ISA header at `start`, padded to 106 characters or not.

    A sender that leaves ISA16 out declares no component separator; `:` is assumed.
    """
    head = text[start : start + HEADER_BYTES_MAX]
    element = head[3:4]
    if not head.startswith("ISA") or not _can_separate(element):
        return None
    parts = head.split(element, 16)
    if len(parts) < 17 or len(parts[16]) < 2 or not _plausible(parts):
        return None
    tail = parts[16]
    declared = not _isa16_is_missing(tail, element)
    component = tail[0] if declared else COMPONENT_WHEN_UNDECLARED
    terminator = tail[1] if declared else tail[0]
    if not _can_separate(component) or terminator.isalnum() or terminator == " ":
        return None
    if len({element, component, terminator}) < 3:
        return None
    repetition = parts[11].strip(_WHITE_SPACE) if parts[12].strip() >= "00402" else ""
    repetition = repetition if _can_separate(repetition) else ""
    return Delimiters(element, component, repetition, terminator), len(head) - len(tail) + (2 if declared else 1)


def _plausible(parts: list[str]) -> bool:
    version = parts[12].strip()
    return len(version) == 5 and version.isascii() and version.isdigit() and max(map(len, parts[1:16])) <= 40


def _can_separate(candidate: str) -> bool:
    return len(candidate) == 1 and not candidate.isalnum() and candidate not in _WHITE_SPACE


def _isa16_is_missing(tail: str, element: str) -> bool:
    following = tuple(tag + element for tag in ("GS", "TA1", "IEA"))
    if tail[1:].startswith(following):
        return True
    line = tail[1:].lstrip("\r\n")
    return tail[1] in "\r\n" and line.startswith(following) and line.split("\n", 1)[0].rstrip("\r").endswith(tail[0])


def read_bare_start(text: str) -> Delimiters | None:
    """The separators of a file that begins with a group or a set where its ISA header should be; guessed from its first two segments."""
    match = _BARE_START.match(text)
    if match is None:
        return None
    element, terminator = match["gs"] or match["st"], match["end"]
    if element == terminator or COMPONENT_WHEN_UNDECLARED in (element, terminator):
        return None
    return Delimiters(element, COMPONENT_WHEN_UNDECLARED, "", terminator)
