"""Read models compared row by row: what the events say must be there, and what is there, as texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from throughline.checker.result import Failures

Key = tuple[str, ...]
Row = dict[str, str | None]


@dataclass(slots=True)
class Rebuilt:
    """One table as the events make it. Only the columns named here are compared; numbers start from zero."""

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    rows: dict[Key, Row] = field(default_factory=dict)

    def put(self, key: Key, **columns: object) -> None:
        """Sets columns of a row, which is made where it is absent."""
        row = self.rows.setdefault(key, {})
        for name, value in columns.items():
            row[name] = as_text(value)

    def add(self, key: Key, **amounts: int) -> None:
        """Adds to numbers of a row, from zero."""
        row = self.rows.setdefault(key, {})
        for name, amount in amounts.items():
            row[name] = str(int(row.get(name) or 0) + amount)


@dataclass(slots=True)
class Comparison:
    """One table after the comparison."""

    name: str
    rows: int
    failures: Failures


def as_text(value: object) -> str | None:
    """A value as PostgreSQL's text of it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def compare(rebuilt: Rebuilt, live: Iterable[tuple[str | None, ...]]) -> Comparison:
    """Live rows, key columns first and then the compared columns, against the rebuilt ones. Uses these up."""
    comparison = Comparison(rebuilt.name, 0, Failures())
    width = len(rebuilt.key)
    for values in live:
        comparison.rows += 1
        key = tuple(str(value) for value in values[:width])
        wanted = rebuilt.rows.pop(key, None)
        place = f"{rebuilt.name} {'/'.join(key)}"
        if wanted is None:
            comparison.failures.add(f"{place}: no event makes this row")
            continue
        have = dict(zip(rebuilt.columns, values[width:], strict=True))
        different = [name for name in rebuilt.columns if not same(wanted.get(name), have[name])]
        if different:
            said = "; ".join(f"{name} is {have[name]}, by the events {wanted.get(name)}" for name in different)
            comparison.failures.add(f"{place}: {said}")
    for key in rebuilt.rows:
        comparison.failures.add(f"{rebuilt.name} {'/'.join(key)}: the row is missing")
    return comparison


def same(wanted: str | None, have: str | None) -> bool:
    """Equal, where a number that nothing was ever added to may be absent."""
    return wanted == have or {wanted, have} == {None, "0"}


def tables_by_name(tables: Iterable[Rebuilt]) -> Mapping[str, Rebuilt]:
    return {table.name: table for table in tables}
