"""Compares what a trailer says with what was read, and shows no more of it than may be shown."""

from __future__ import annotations

from x12.findings import FindingLog
from x12.segments import Segment, element_of

_CHECKS = {
    "se01_count": "SE01 is not the number of segments from ST to SE",
    "se02_control": "SE02 is not ST02",
    "ge01_count": "GE01 is not the number of transaction sets in the group",
    "ge02_control": "GE02 is not GS06",
    "iea01_count": "IEA01 is not the number of groups in the interchange",
    "iea02_control": "IEA02 is not ISA13",
}
_SHOWN_CHARACTERS_MAX = 20
_NAME_CHARACTERS_MAX = 80


def name_of(values: list[str], number: int) -> str:
    """An element that names a group or a set; these are kept as long as the file is read, so they are cut where none can be that long."""
    return element_of(values, number)[:_NAME_CHARACTERS_MAX]


def check_control(
    log: FindingLog, code: str, segment: Segment, expected: str, found: str, *, numeric: bool = False
) -> None:
    """Quarantine where the trailer found says other than is expected; `numeric` where leading zeros say nothing."""
    same = _number(expected) == _number(found) if numeric else expected == found.strip()
    if not same:
        position = segment.position or segment.ordinal
        log.quarantine(code, segment.tag, position, _CHECKS[code], expected=_shown(expected), found=_shown(found))


def _number(text: str) -> str:
    digits = text.strip()
    return digits.lstrip("0") or "0" if digits.isascii() and digits.isdigit() else text


def _shown(text: str) -> str:
    """A control value as it may be shown: short and alphanumeric, or nothing of it."""
    return text if text.isalnum() and len(text) <= _SHOWN_CHARACTERS_MAX else "" if not text else "(not shown)"
