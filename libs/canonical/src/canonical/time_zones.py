"""Time zones by their IANA names (`America/Chicago`), and which day it is there."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator


def zone_of(name: str) -> ZoneInfo:
    """The zone of a name.

    Raises:
        ValueError: no zone has it.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise ValueError("no time zone of the IANA database, as in America/Chicago") from None


def day_in(name: str, instant: datetime) -> date:
    """The calendar day that an instant is of in this zone."""
    return instant.astimezone(zone_of(name)).date()


def _name(text: str) -> str:
    zone_of(text)
    return text


ZoneName = Annotated[str, AfterValidator(_name)]
