"""Values as an outbound file may hold them; whatever cannot stand as it is is refused with the field's name."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from canonical.money import USD, Money

from x12.errors import UnwritableValue
from x12.segments import Delimiters
from x12.values import is_npi

_BASIC = " !\"&'()*+,-./:;=?ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_EXTENDED = "abcdefghijklmnopqrstuvwxyz%@[]_{}\\|<>~^`#$"
_QUANTITY_EXPONENT_MIN = -3
_QUANTITY_MAX = Decimal("9999999.999")


class Writable:
    """Checks values against the character set of X12 less the delimiters in use."""

    def __init__(self, delimiters: Delimiters) -> None:
        self.delimiters = delimiters
        allowed = set(_BASIC + _EXTENDED) - set(
            delimiters.element + delimiters.component + delimiters.repetition + delimiters.terminator
        )
        self._pattern = re.compile("[" + re.escape("".join(sorted(allowed))) + "]*")

    def text(self, field: str, value: str, longest: int, *, needed: bool = True, shortest: int = 1) -> str:
        """A string of the X12 basic or extended character set, without a delimiter or a space at either end."""
        if not value:
            if needed:
                raise UnwritableValue(field, "must not be empty")
            return ""
        if not self._pattern.fullmatch(value):
            raise UnwritableValue(field, "holds a character that X12 does not allow or that is a delimiter")
        if not shortest <= len(value) <= longest:
            raise UnwritableValue(field, f"must be {shortest} to {longest} characters long")
        if value[0] == " " or value[-1] == " ":
            raise UnwritableValue(field, "begins or ends with a space")
        return value

    def one_of(self, field: str, value: str, allowed: frozenset[str]) -> str:
        if value not in allowed:
            raise UnwritableValue(field, f"must be one of {', '.join(sorted(allowed))}")
        return value


def digits(field: str, value: str, *lengths: int) -> str:
    """ASCII digits of one of these lengths."""
    if not re.fullmatch("[0-9]+", value) or len(value) not in lengths:
        raise UnwritableValue(field, f"must be {' or '.join(map(str, lengths))} digits")
    return value


def npi(field: str, value: str) -> str:
    """Ten digits with the check digit of the national provider identifier (Luhn over the prefix 80840)."""
    digits(field, value, 10)
    if not is_npi(value):
        raise UnwritableValue(field, "has a wrong check digit")
    return value


def amount(field: str, value: Money) -> str:
    """Dollars without trailing zeros: `100`, `12.5`, `0.05` as `.05`. Not below zero."""
    if value.minor < 0:
        raise UnwritableValue(field, "must be zero or more")
    return signed_amount(field, value)


def signed_amount(field: str, value: Money) -> str:
    """Dollars of either sign without trailing zeros, as an adjustment may be."""
    if value.currency != USD:
        raise UnwritableValue(field, "must be US dollars")
    whole, cents = divmod(abs(value.minor), 100)
    sign = "-" if value.minor < 0 else ""
    if not cents:
        return f"{sign}{whole}"
    fraction = f"{cents:02d}".rstrip("0")
    return f"{sign}{whole or ''}.{fraction}"


def quantity(field: str, value: Decimal) -> str:
    """Units above zero with at most three decimals."""
    if not value.is_finite() or not 0 < value <= _QUANTITY_MAX:
        raise UnwritableValue(field, "must be above zero and below ten million")
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    if len(text.partition(".")[2]) > -_QUANTITY_EXPONENT_MIN:
        raise UnwritableValue(field, "must have at most three decimals")
    return text


def day(value: date) -> str:
    """A date as CCYYMMDD."""
    return f"{value.year:04d}{value.month:02d}{value.day:02d}"
