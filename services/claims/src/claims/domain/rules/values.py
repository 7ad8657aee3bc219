"""What a rule can speak of: the kinds of values, and how each is written in a rule file and in a sentence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from canonical.money import Money

Value = str | bool | Decimal | date | Money | tuple[str, ...]


class Kind(StrEnum):
    """`texts` is a list of texts, in the order in which they stand."""

    TEXT = "text"
    FLAG = "flag"
    NUMBER = "number"
    DAY = "day"
    AMOUNT = "amount"
    TEXTS = "texts"


ORDERED = frozenset({Kind.NUMBER, Kind.DAY, Kind.AMOUNT})


class RuleRefused(ValueError):
    """A rule that cannot be read; the message names the place and what is needed there."""


class RuleFault(Exception):
    """A rule that cannot be answered for the claim in hand."""


def value_in(written: object, kind: Kind) -> Value:
    """A value as a rule file writes it.

    Raises:
        RuleRefused: it is not of this kind.
    """
    try:
        match kind, written:
            case Kind.TEXT, str() as text:
                return text
            case Kind.FLAG, bool() as flag:
                return flag
            case Kind.NUMBER, int() | str() if not isinstance(written, bool):
                return Decimal(written)
            case Kind.DAY, str():
                return date.fromisoformat(written)
            case Kind.AMOUNT, str():
                return Money.of(written)
            case Kind.TEXTS, list() if all(isinstance(each, str) for each in written):
                return tuple(written)
    except (ValueError, InvalidOperation):
        pass
    raise RuleRefused(f"{written!r} is not of kind {kind.value}")


def told(value: Value | None) -> str:
    """A value in a sentence."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, tuple) else str(value)
