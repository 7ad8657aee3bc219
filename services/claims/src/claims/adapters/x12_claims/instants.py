"""Times of a stay, as the facility's clock shows them."""

from __future__ import annotations

from datetime import datetime

from x12.errors import UnwritableValue

INSTANT = "%Y%m%d%H%M"


def instant(text: str) -> datetime | None:
    """`YYYYMMDDHHMM`, in the facility's time zone; None for an empty text.

    Raises:
        UnwritableValue: it is no instant.
    """
    try:
        return datetime.strptime(text, INSTANT) if text else None  # noqa: DTZ007 - the standard writes local times
    except ValueError:
        raise UnwritableValue("stay", "an instant is YYYYMMDDHHMM") from None
