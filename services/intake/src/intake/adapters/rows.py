"""Values of rows as the protos have them, and how many rows may be asked for."""

from __future__ import annotations

from datetime import date

from chassis.rpc import BadArgument

LIST_DEFAULT = 100
LIST_MAX = 5000


def text_of(value: object) -> str:
    """An id, a word or a date as text; nothing is the empty text."""
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


def number_of(value: object) -> int:
    """A whole number; nothing is zero."""
    return value if isinstance(value, int) else 0


def limit_in(limit: int) -> int:
    """How many rows are wanted; 0 means the usual number.

    Raises:
        BadArgument: fewer than none, or more than may be asked for at once.
    """
    if not 0 <= limit <= LIST_MAX:
        raise BadArgument(f"limit: 0 to {LIST_MAX}")
    return limit or LIST_DEFAULT
