"""HL7 time stamps: the instant, the day and the digits that one stands for where it was written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

_DATE_DIGITS = 8
_HOUR_DIGITS = 10
_TIME_DIGITS = 14
_TIME_PARTS = ((0, 4), (4, 6), (6, 8), (8, 10), (10, 12), (12, 14))


def day_of(text: str) -> date | None:
    """The day of an HL7 date or time stamp, as it is written; None where it is none."""
    digits = text[:_DATE_DIGITS]
    if len(digits) < _DATE_DIGITS or not digits.isascii() or not digits.isdigit():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def instant_of(text: str, zone: ZoneInfo | None = None) -> datetime | None:
    """The instant of an HL7 time stamp, in `zone` (or UTC) where it names no offset; None where it is none.

    An hour that the zone's clocks leave out is read by the offset before it. One that they show twice is no instant
    either: a guess would make the newer of two words in it the older.
    """
    stamp, sign, offset = _parts(text)
    digits = stamp.partition(".")[0]
    if not digits.isascii() or not digits.isdigit() or not _DATE_DIGITS <= len(digits) <= _TIME_DIGITS:
        return None
    try:
        year, *rest = (int(digits[start:end] or 0) for start, end in _TIME_PARTS)
        month, day, hour, minute, second = rest
        written = datetime(
            year, month, day, hour, minute, second, tzinfo=_offset(sign, offset) if sign else zone or UTC
        )
        return None if _comes_twice(written) else written.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def local_stamp(text: str, zone: ZoneInfo | None) -> str:
    """The stamp as the clocks of `zone` show it; as it is written where it has no hour or no offset, or without a zone."""
    stamp, sign, _ = _parts(text)
    if zone is None or not sign or len(stamp) < _HOUR_DIGITS:
        return text
    instant = instant_of(text)
    return f"{instant.astimezone(zone):%Y%m%d%H%M%S}" if instant else text


def _comes_twice(written: datetime) -> bool:
    first, second = written.utcoffset(), written.replace(fold=1).utcoffset()
    assert first is not None
    assert second is not None
    return first > second


def _parts(text: str) -> tuple[str, str, str]:
    """Digits, sign and offset; no sign where it names no offset."""
    for mark in "+-":
        if mark in text:
            return text.partition(mark)
    return text, "", ""


def _offset(sign: str, offset: str) -> timezone:
    """Raises ValueError where the offset is none."""
    if len(offset) != 4 or not offset.isascii() or not offset.isdigit():
        raise ValueError
    ahead = timedelta(hours=int(offset[:2]), minutes=int(offset[2:]))
    return timezone(-ahead if sign == "-" else ahead)
