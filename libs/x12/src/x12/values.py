"""Amounts, dates, quantities and NPIs of X12 elements, remembered because a file repeats the same few thousand of each."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

from canonical.money import MoneyRefused, parse_x12_amount

_REMEMBERED = 65_536
_QUANTITY = re.compile(r"-?(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})")
_DATE = re.compile(r"[0-9]{8}")
_NPI = re.compile(r"[0-9]{10}")
_PREFIX_SUM = 24


@lru_cache(_REMEMBERED)
def cents_of(text: str) -> int | None:
    """An amount in cents, by the one strict parser of X12 amounts; None when it refuses."""
    try:
        return parse_x12_amount(text).minor
    except MoneyRefused:
        return None


@lru_cache(_REMEMBERED)
def date_of(text: str) -> date | None:
    """A date of eight digits; None when it is not one of the calendar."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


@lru_cache(_REMEMBERED)
def quantity_of(text: str) -> Decimal | None:
    """A quantity of up to fifteen digits before and after the point; None when it is not one."""
    return Decimal(text) if _QUANTITY.fullmatch(text) else None


@lru_cache(_REMEMBERED)
def is_npi(text: str) -> bool:
    """Ten digits of which the last is the Luhn check digit over the prefix 80840 and the first nine."""
    if not _NPI.fullmatch(text):
        return False
    total = _PREFIX_SUM
    for place, char in enumerate(text):
        digit = int(char) * (2 if place % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0
