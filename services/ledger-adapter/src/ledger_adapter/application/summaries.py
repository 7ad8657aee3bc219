"""From subledger lines to the lines of a journal entry: summed by account and party, nothing that is zero."""

from __future__ import annotations

from collections.abc import Iterable

from canonical.codes import AccountRole
from canonical.journal import JournalLine, LedgerLine
from canonical.money import Money
from chassis.eventstore import Row

_ORDER = {role.value: place for place, role in enumerate(AccountRole)}


def summarised(lines: Iterable[LedgerLine]) -> tuple[JournalLine, ...]:
    """The lines of an entry made of one posting."""
    sums: dict[tuple[str, str], int] = {}
    for line in lines:
        place = (line.account.value, line.party)
        sums[place] = sums.get(place, 0) + line.amount.minor
    return _lines(sums)


def summarised_rows(rows: Iterable[Row]) -> tuple[JournalLine, ...]:
    """The lines of an entry made of many postings, from sums by account and party."""
    return _lines({(str(row["account"]), str(row["party"])): minor(row, "amount_minor") for row in rows})


def minor(row: Row, column: str) -> int:
    """An amount column in minor units; zero where nothing was ever added."""
    value = row[column]
    if value is None:
        return 0
    assert isinstance(value, int), f"{column} holds {type(value).__name__}"
    return value


def _lines(sums: dict[tuple[str, str], int]) -> tuple[JournalLine, ...]:
    places = sorted(sums, key=lambda place: (_ORDER[place[0]], place[1]))
    return tuple(
        JournalLine(account=AccountRole(account), amount=Money(sums[account, party]), party=party)
        for account, party in places
        if sums[account, party]
    )
