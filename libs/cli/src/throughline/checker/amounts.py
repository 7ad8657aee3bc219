"""Amounts as integer cents, read from their stored form by one strict rule."""

from __future__ import annotations

import re

_STORED = re.compile(r"(-?)([0-9]{1,16})\.([0-9]{2}) USD", re.ASCII)


class NotAnAmount(ValueError):
    """A stored amount that is not written as `12.30 USD`."""


def cents(text: object) -> int:
    """`"12.30 USD"` as 1230; nothing else is an amount."""
    match = _STORED.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise NotAnAmount("an amount is written as 12.30 USD")
    minor = int(match[2]) * 100 + int(match[3])
    return -minor if match[1] else minor


def shown(minor: int) -> str:
    """Cents as a person reads them: `-0.05`."""
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"
