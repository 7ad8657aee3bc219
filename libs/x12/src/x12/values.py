"""Amounts, dates, quantities and NPIs of X12 elements, remembered because a file repeats the same few thousand of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Generic, TypeVar

from canonical.money import MoneyRefused, parse_x12_amount

_REMEMBERED_MAX = 65_536
_REMEMBERED_CHARACTERS_MAX = 32
_QUANTITY = re.compile(r"-?(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})")
_DATE = re.compile(r"[0-9]{8}")
_NPI = re.compile(r"[0-9]{10}")
_PREFIX_SUM = 24


_T = TypeVar("_T")


class _Remembered(dict[str, _T], Generic[_T]):
    """What a function makes of a short text, looked up as fast as a dictionary does and never more than a fixed number of them."""

    def __init__(self, function: Callable[[str], _T]) -> None:
        self._function = function

    def __missing__(self, text: str) -> _T:
        value = self._function(text)
        if len(text) <= _REMEMBERED_CHARACTERS_MAX:
            if len(self) >= _REMEMBERED_MAX:
                self.clear()
            self[text] = value
        return value


def _cents(text: str) -> int | None:
    """An amount in cents, by the one strict parser of X12 amounts; None when it refuses."""
    try:
        return parse_x12_amount(text).minor
    except MoneyRefused:
        return None


def _date(text: str) -> date | None:
    """A date of eight digits; None when it is not one of the calendar."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _quantity(text: str) -> Decimal | None:
    """A quantity of up to fifteen digits before and after the point; None when it is not one."""
    return Decimal(text) if _QUANTITY.fullmatch(text) else None


def _is_npi(text: str) -> bool:
    """Ten digits of which the last is the Luhn check digit over the prefix 80840 and the first nine."""
    if not _NPI.fullmatch(text):
        return False
    total = _PREFIX_SUM
    for place, char in enumerate(text):
        digit = int(char) * (2 if place % 2 == 0 else 1)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


cents_of = _Remembered(_cents).__getitem__
date_of = _Remembered(_date).__getitem__
quantity_of = _Remembered(_quantity).__getitem__
is_npi = _Remembered(_is_npi).__getitem__
