"""How much a page of an answer holds."""

from __future__ import annotations

from chassis.rpc import BadArgument


def size_of(asked: int, maximum: int, default: int, field: str = "page_size") -> int:
    """
    Raises:
        BadArgument: it is negative or above the maximum.
    """
    if not 0 <= asked <= maximum:
        raise BadArgument(f"{field}: 0 to {maximum}")
    return asked or default
