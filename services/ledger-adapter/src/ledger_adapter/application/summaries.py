"""From subledger lines to the lines of a journal entry: summed by account, party and dimensions, nothing that is zero."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from canonical.codes import AccountRole, Dimension
from canonical.journal import JournalLine, LedgerLine
from canonical.money import Money
from chassis.eventstore import Row

_ORDER = {role.value: place for place, role in enumerate(AccountRole)}
_OF_INCOME = frozenset(role.value for role in AccountRole if role.is_of_income)
DIMENSIONS = tuple(dimension.value for dimension in Dimension)
SUMMED_BY = ("account", "party", *DIMENSIONS)
"""The columns of the subledger's lines that the lines of an entry are told apart by."""


class LinePlace(NamedTuple):
    """What two amounts of one entry are summed by; the dimensions are empty but on accounts of the income statement."""

    account: str
    party: str
    payer_class: str = ""
    department: str = ""
    cost_center: str = ""
    location: str = ""


def summarised(lines: Iterable[LedgerLine]) -> tuple[JournalLine, ...]:
    """The lines of an entry made of one posting."""
    sums: dict[LinePlace, int] = {}
    for line in lines:
        place = line_place(line.account.value, line.party, [getattr(line, name) for name in DIMENSIONS])
        sums[place] = sums.get(place, 0) + line.amount.minor
    return _lines(sums)


def summarised_rows(rows: Iterable[Row]) -> tuple[JournalLine, ...]:
    """The lines of an entry made of many postings, from sums by `SUMMED_BY`."""
    sums: dict[LinePlace, int] = {}
    for row in rows:
        place = line_place(str(row["account"]), str(row["party"]), [str(row[name] or "") for name in DIMENSIONS])
        sums[place] = sums.get(place, 0) + minor(row, "amount_minor")
    return _lines(sums)


def line_place(account: str, party: str, dimensions: Iterable[str]) -> LinePlace:
    """Where an amount belongs in its entry; `dimensions` in the order of `DIMENSIONS`."""
    return LinePlace(account, party, *dimensions) if account in _OF_INCOME else LinePlace(account, party)


def kept(lines: Iterable[JournalLine], dimensions: Collection[Dimension]) -> tuple[JournalLine, ...]:
    """The lines summed anew by no other dimensions than these: what books get that keep no others."""
    sums: dict[LinePlace, int] = {}
    for line in lines:
        values = {name.value: getattr(line, name.value) for name in dimensions}
        place = LinePlace(line.account.value, line.party, **values)
        sums[place] = sums.get(place, 0) + line.amount.minor
    return _lines(sums)


def minor(row: Row, column: str) -> int:
    """An amount column in minor units; zero where nothing was ever added."""
    value = row[column]
    if value is None:
        return 0
    assert isinstance(value, int), f"{column} holds {type(value).__name__}"
    return value


def _lines(sums: Mapping[LinePlace, int]) -> tuple[JournalLine, ...]:
    places = sorted(sums, key=lambda place: (_ORDER[place.account], place[1:]))
    return tuple(
        JournalLine(amount=Money(sums[place]), **{**place._asdict(), "account": AccountRole(place.account)})
        for place in places
        if sums[place]
    )
