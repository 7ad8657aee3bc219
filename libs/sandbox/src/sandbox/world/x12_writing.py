"""The outside world's own X12 pen: segments, amounts and exact envelopes, apart from the code that is under test."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from canonical.money import Money

TERMINATOR = "~"
_NOT_IN_AN_ELEMENT = re.compile(r"[~^\r\n]")


@dataclass(frozen=True, slots=True)
class Route:
    """From whom to whom, under which interchange control number, when."""

    sender: str
    receiver: str
    control_number: int
    moment: datetime


@dataclass(frozen=True, slots=True)
class TransactionSet:
    """One transaction set between its ST and SE; `reference` is ST03, empty where the guide has none."""

    code: str
    reference: str
    segments: Sequence[str]


def segment(name: str, *elements: str) -> str:
    """One segment without terminator; trailing empty elements are left out, and `:` only separates components.

    Raises:
        ValueError: an element holds a delimiter.
    """
    text = "*".join((name, *elements))
    if text.count("*") != len(elements) or _NOT_IN_AN_ELEMENT.search(text):
        raise ValueError(f"segment {name} holds a delimiter")
    return text.rstrip("*")


def amount_text(amount: Money) -> str:
    """An X12 decimal as payers write it: no zeros past the last one that counts (`150`, `98.5`, `0.75`)."""
    text = amount.decimal_text
    return text.rstrip("0").rstrip(".") if "." in text else text


def day_text(day: date) -> str:
    return day.strftime("%Y%m%d")


def interchange(route: Route, functional_id: str, version: str, sets: Sequence[TransactionSet]) -> bytes:
    """One interchange with one group, every count and control number right."""
    control = route.control_number
    stamp = route.moment
    group = f"GS*{functional_id}*{route.sender}*{route.receiver}*{stamp:%Y%m%d}*{stamp:%H%M}*{control}*X*{version}"
    lines = [_isa(route), group]
    for number, transaction_set in enumerate(sets, 1):
        lines.append(segment("ST", transaction_set.code, f"{number:04d}", transaction_set.reference))
        lines.extend(transaction_set.segments)
        lines.append(f"SE*{len(transaction_set.segments) + 2}*{number:04d}")
    lines += [f"GE*{len(sets)}*{control}", f"IEA*1*{control:09d}"]
    return _bytes(lines)


def interchange_without_group(route: Route, segments: Sequence[str]) -> bytes:
    """An interchange that holds a TA1 and no group."""
    return _bytes([_isa(route), *segments, f"IEA*0*{route.control_number:09d}"])


def _isa(route: Route) -> str:
    blank = " " * 10
    return (
        f"ISA*00*{blank}*00*{blank}*ZZ*{route.sender:<15}*ZZ*{route.receiver:<15}"
        f"*{route.moment:%y%m%d}*{route.moment:%H%M}*^*00501*{route.control_number:09d}*0*P*:"
    )


def _bytes(lines: Sequence[str]) -> bytes:
    return (TERMINATOR.join(lines) + TERMINATOR).encode("ascii")
