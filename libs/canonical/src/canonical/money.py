"""Exact money: integer cents and one currency; floats are refused, and nothing is ever rounded unnamed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import core_schema

USD = "USD"
MINOR_DIGITS_MAX = 15
AMOUNTS_REMEMBERED = 32_768
_PLAIN = re.compile(r"(-?)([0-9]{1,16})(?:\.([0-9]{1,2}))?")
_X12 = re.compile(r"(-?)([0-9]*)(?:\.([0-9]*))?")
_WIRE = re.compile(r"(-?)([0-9]{1,16})\.([0-9]{2}) ([A-Z]{3})")
_HOW_WRITTEN = 'money is written as "12.30 USD"'
_NOT_TWO_DECIMALS = frozenset(
    [
        "BHD",
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "IQD",
        "ISK",
        "JOD",
        "JPY",
        "KMF",
        "KRW",
        "KWD",
        "LYD",
        "OMR",
        "PYG",
        "RWF",
        "TND",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)


class MoneyRefused(ValueError):
    """An amount that is not exact cents in one currency. The message names the rule, never the patient."""


class Money:
    """An exact amount: `minor` in hundredths of `currency`.

    JSON form is a string such as `"12.30 USD"`; proto carries minor units. Currencies whose minor unit
    is not a hundredth are refused.

    Raises:
        MoneyRefused: anything that is not a whole number of cents, or two currencies in one sum.
    """

    __slots__ = ("currency", "minor")
    minor: int
    currency: str

    def __init__(self, minor: int, currency: str = USD) -> None:
        if type(minor) is not int:
            raise MoneyRefused(f"minor units must be an int, not {type(minor).__name__}")
        if currency != USD and (not re.fullmatch("[A-Z]{3}", currency) or currency in _NOT_TWO_DECIMALS):
            raise MoneyRefused("the currency is not a two-decimal ISO 4217 code")
        _set_minor(self, minor)
        _set_currency(self, currency)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("Money is immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("Money is immutable")

    def __reduce__(self) -> tuple[type[Money], tuple[int, str]]:
        return (Money, (self.minor, self.currency))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    @classmethod
    def of(cls, text: str, currency: str = USD) -> Money:
        """Money from plain text: an optional minus, ASCII digits, at most two decimals (`"12.3"`, `"-7"`)."""
        match = _PLAIN.fullmatch(text)
        if match is None:
            raise MoneyRefused("not a plain decimal amount with at most two decimals")
        sign, whole, cents = match.groups()
        minor = int(whole) * 100 + int(((cents or "") + "00")[:2])
        return cls(-minor if sign else minor, currency)

    @classmethod
    def from_decimal(cls, value: Decimal, currency: str = USD) -> Money:
        """Money from an exact Decimal; anything past the cents that is not zero is refused, as are NaN and infinities."""
        if not value.is_finite() or value.adjusted() > MINOR_DIGITS_MAX:
            raise MoneyRefused("not a finite amount of usual size")
        if value.as_tuple().exponent < -2 and value != value.quantize(Decimal("0.01")):  # type: ignore[operator]
            raise MoneyRefused("the amount has a fraction of a cent")
        return cls(int(value.scaleb(2)), currency)

    @classmethod
    def zero(cls, currency: str = USD) -> Money:
        return cls(0, currency)

    @classmethod
    def total(cls, amounts: Iterable[Money], currency: str = USD) -> Money:
        """The exact sum; zero in `currency` when there is nothing to add."""
        minor = 0
        for amount in amounts:
            if amount.currency != currency:
                raise MoneyRefused(f"cannot add {amount.currency} to {currency}")
            minor += amount.minor
        return cls(minor, currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise MoneyRefused(f"cannot combine {self.currency} with {other.currency}")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.minor), self.currency)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and self.minor == other.minor and self.currency == other.currency

    def __hash__(self) -> int:
        return hash((self.minor, self.currency))

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.minor <= other.minor

    def __gt__(self, other: Money) -> bool:
        return other < self

    def __ge__(self, other: Money) -> bool:
        return other <= self

    def __bool__(self) -> bool:
        return self.minor != 0

    @property
    def decimal_text(self) -> str:
        """The amount alone, always with two decimals: `-0.05`."""
        return _decimal_text(self.minor)

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.minor).scaleb(-2)

    def __str__(self) -> str:
        return _wire(self.minor, self.currency)

    def __repr__(self) -> str:
        return f"Money('{self}')"

    def share_half_even(self, numerator: int, denominator: int) -> Money:
        """`numerator/denominator` of the amount, the half cent to the even cent, so that many shares do not drift."""
        if denominator <= 0:
            raise MoneyRefused("a share needs a denominator above zero")
        quotient, remainder = divmod(self.minor * numerator, denominator)
        twice = remainder * 2
        if twice > denominator or (twice == denominator and quotient % 2):
            quotient += 1
        return Money(quotient, self.currency)

    def split(self, weights: Sequence[int]) -> tuple[Money, ...]:
        """Parts in proportion to `weights` (none negative, one at least above zero) that add up to the cent.

        The cents left over go to the largest remainders, the first of equals first.
        """
        whole = sum(weights)
        if whole <= 0 or min(weights) < 0:
            raise MoneyRefused("weights must not be negative and must add up to more than zero")
        sign, minor = (-1, -self.minor) if self.minor < 0 else (1, self.minor)
        parts = [minor * weight // whole for weight in weights]
        order = sorted(range(len(weights)), key=lambda index: (-(minor * weights[index] % whole), index))
        for index in order[: minor - sum(parts)]:
            parts[index] += 1
        return tuple(Money(sign * part, self.currency) for part in parts)

    @classmethod
    def parse_wire(cls, value: object) -> Money:
        """The JSON form `"12.30 USD"` back; a Money passes through."""
        if isinstance(value, Money):
            return value
        if not isinstance(value, str):
            raise MoneyRefused(_HOW_WRITTEN)
        return _of_wire(value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse_wire, serialization=core_schema.to_string_ser_schema(when_used="json")
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {
            "type": "string",
            "pattern": r"^-?[0-9]{1,16}\.[0-9]{2} [A-Z]{3}$",
            "description": "Exact money: amount with two decimals, a space, ISO 4217 currency",
        }


_set_minor = vars(Money)["minor"].__set__
_set_currency = vars(Money)["currency"].__set__


# Amounts repeat: a remittance of a million claims has some thousand different ones, and each is immutable.
@lru_cache(AMOUNTS_REMEMBERED)
def _of_wire(text: str) -> Money:
    match = _WIRE.fullmatch(text)
    if match is None:
        raise MoneyRefused(_HOW_WRITTEN)
    sign, whole, cents, currency = match.groups()
    minor = int(whole) * 100 + int(cents)
    return Money(-minor if sign else minor, currency)


@lru_cache(AMOUNTS_REMEMBERED)
def _wire(minor: int, currency: str) -> str:
    return f"{_decimal_text(minor)} {currency}"


def _decimal_text(minor: int) -> str:
    sign, minor = ("-", -minor) if minor < 0 else ("", minor)
    return f"{sign}{minor // 100}.{minor % 100:02d}"


def parse_x12_amount(text: str, currency: str = USD) -> Money:
    """Money from an X12 decimal (R): `.75`, `34.`, `605.0000` and a leading minus are legal.

    Raises:
        MoneyRefused: no digit at all, anything but ASCII digits, more than 18 digits, or a nonzero fraction of a cent.

    Source: X12.6 data type R.
    """
    match = _X12.fullmatch(text)
    if match is None or len(text) > 20:
        raise MoneyRefused("not an X12 decimal of at most 18 digits")
    sign, whole, fraction = match.groups()
    fraction = fraction or ""
    if not whole and not fraction:
        raise MoneyRefused("an X12 decimal needs a digit")
    if fraction[2:].strip("0"):
        raise MoneyRefused("the amount has a fraction of a cent")
    minor = int(whole or "0") * 100 + int((fraction + "00")[:2])
    return Money(-minor if sign else minor, currency)
