"""Read models as tables of rows: changes that a stored event makes, and the few questions one may ask.

Rows change only through these, so that a read model can be dropped and rebuilt from the events, on PostgreSQL and
in memory alike.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from operator import itemgetter
from typing import Any, Literal
from uuid import UUID

from chassis.domain import Event

SqlType = Literal["uuid", "text", "bigint", "integer", "boolean", "date", "timestamptz", "jsonb", "bytea"]
Value = object
Row = dict[str, Value]
Where = Mapping[str, Value]
"""What rows must have in each column: this value, any of these, null for None, or a number above zero."""
Order = Sequence[str]


class Above(Enum):
    """A number of a row that must be greater than this one."""

    ZERO = 0


@dataclass(frozen=True)
class Table:
    """One read model. `key` names the columns of the primary key; every other column may be null."""

    name: str
    columns: Mapping[str, SqlType]
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    place: Callable[[Row], Value] = field(init=False, repr=False, compare=False)
    """The key columns' values of a row, in the key's order; the bare value where the key is one column."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", itemgetter(*self.key))
        assert set(self.key) <= set(self.columns), f"{self.name}: the key names an unknown column"

    def key_of(self, row: Where) -> tuple[Value, ...]:
        return tuple(row[column] for column in self.key)


@dataclass(frozen=True, slots=True)
class Question:
    """Rows of one read model to be read; `order` names columns, a leading minus reverses."""

    table: Table
    where: Where
    order: Order = ()
    limit: int = 1000


@dataclass(slots=True)
class Change:
    """One row's change: `put` sets columns (and makes the row), `add` adds to numbers (from zero where there is no row).

    Nobody assigns to one; it is not frozen because a frozen one takes three times as long to make, and a remittance makes
    hundreds of thousands.
    """

    table: Table
    key: Row
    put: Row = field(default_factory=dict)
    add: dict[str, int] = field(default_factory=dict)
    remove: bool = False


def put(table: Table, **row: Value) -> Change:
    """Sets the given columns of the row that the key columns name; the row is made where absent."""
    return Change(table, {column: row.pop(column) for column in table.key}, row)


def add(table: Table, key: Row, **amounts: int) -> Change:
    """Adds to whole-number columns of the row."""
    return Change(table, key, {}, amounts)


def remove(table: Table, **key: Value) -> Change:
    return Change(table, dict(key), remove=True)


Projection = Callable[[Event], Iterable[Change]]


def coalesce(changes: Iterable[Change]) -> list[Change]:
    """The same effect with at most one change a row, in order of first touch."""
    gathered = Gathered()
    gathered.take(changes)
    return gathered.drain()


class Gathered:
    """Changes taken little by little, with at most one a row, in order of first touch.

    `values` counts what their rows hold, key columns included, by the first change of each.
    """

    def __init__(self) -> None:
        self.values = 0
        self._merged: dict[tuple[str, Value], Change] = {}
        self._ours: set[tuple[str, Value]] = set()

    def take(self, changes: Iterable[Change]) -> None:
        merged, ours = self._merged, self._ours
        for change in changes:
            table = change.table
            place = (table.name, table.place(change.key))
            before = merged.setdefault(place, change)
            if before is change:
                self.values += len(change.key) + len(change.put) + len(change.add)
                continue
            if place not in ours:
                # What a projection gave stays as it is; sums and sets are gathered in a copy.
                ours.add(place)
                before = merged[place] = Change(table, before.key, dict(before.put), dict(before.add), before.remove)
            if change.remove or before.remove:
                merged[place] = change if change.remove else _made_again(change)
                ours.discard(place)
            else:
                _gather(before, change)

    def drain(self) -> list[Change]:
        """Gives them all, and begins anew."""
        changes = list(self._merged.values())
        self.values, self._merged, self._ours = 0, {}, set()
        return changes


def _gather(before: Change, after: Change) -> None:
    """Adds the later change of a row to the earlier, in place."""
    sums, sets = before.add, before.put
    for column, amount in after.add.items():
        if column in sets:
            sets[column] = int(sets[column] or 0) + amount  # type: ignore[call-overload]
        else:
            sums[column] = sums.get(column, 0) + amount
    for column, value in after.put.items():
        sums.pop(column, None)
        sets[column] = value


def _made_again(after: Change) -> Change:
    """A row that was removed and made again starts with every other column empty."""
    empty: Row = {column: None for column in after.table.columns if column not in after.table.key}
    return Change(after.table, after.key, empty | after.put | after.add)


def rank(value: Value) -> tuple[bool, Any]:
    """What rows are ordered by: as PostgreSQL does, nothing comes after everything."""
    return (value is None, value)


def in_order(table: Table, rows: Iterable[Row], order: Order) -> list[Row]:
    """Rows by the columns of `order` (a leading minus reverses), and then by their key."""
    ordered = sorted(rows, key=lambda row: [rank(row[column]) for column in table.key])
    for column in reversed(order):
        name = column.removeprefix("-")
        ordered.sort(key=lambda row: rank(row[name]), reverse=column.startswith("-"))
    return ordered


def follows(table: Table, row: Row, order: Order, after: Row | None) -> bool:
    """Whether a row comes after another one in this order, which reverses nothing."""
    by = (*order, *table.key)
    return after is None or [rank(row[column]) for column in by] > [rank(after[column]) for column in by]


def hash_rows(table: Table, rows: Iterable[Row]) -> str:
    """SHA-256 over the rows, which come ordered by key: two stores with the same hash hold the same read model."""
    digest = hashlib.sha256()
    columns = sorted(table.columns)
    for row in rows:
        line = json.dumps([_canonical(row[column]) for column in columns], sort_keys=True, ensure_ascii=True)
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _canonical(value: Value) -> Value:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, UUID) else value


def matches(row: Row, where: Where) -> bool:
    """Equality per column; a list, tuple or set means any of; None means is null, `Above.ZERO` a number above it."""
    for column, wanted in where.items():
        have = row.get(column)
        if isinstance(wanted, list | tuple | set | frozenset):
            if have not in wanted:
                return False
        elif wanted is Above.ZERO:
            if not (isinstance(have, int) and have > 0):
                return False
        elif have != wanted:
            return False
    return True
