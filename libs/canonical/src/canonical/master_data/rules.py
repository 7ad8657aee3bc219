"""What the rows of master data must be to each other: no two at once, no reference into nothing, check digits that fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from canonical.master_data.content import MasterData
from canonical.master_data.lists import CROSSWALK_TARGETS, LISTS, MasterDataList
from canonical.master_data.rows import Crosswalk, Dated
from canonical.npi import has_valid_check_digit

FAULTS_MAX = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that cannot be: the list, its row (from 1), its column, the rule, and what it holds."""

    list_name: str
    row: int
    column: str
    rule: str
    note: str

    def __str__(self) -> str:
        return f"{self.list_name}, row {self.row}, {self.column}: {self.rule}: {self.note}"


def faults_in(content: MasterData) -> tuple[Fault, ...]:
    """Everything that is wrong between the rows, list by list; at most the first hundred."""
    rows = {name: getattr(content, name) for name in LISTS}
    found: list[Fault] = []
    for fault in _faults(rows):
        found.append(fault)
        if len(found) == FAULTS_MAX:
            break
    return tuple(found)


def _faults(rows: Mapping[str, Sequence[Dated]]) -> Iterator[Fault]:
    codes = {name: _by_code(own) for name, own in rows.items()}
    for name, own in rows.items():
        wanted = LISTS[name]
        earlier: dict[tuple[str, ...], list[tuple[int, Dated]]] = {}
        for number, row in enumerate(own, 1):
            yield from _faults_of_row(name, number, row)
            yield from _overlaps(wanted, number, row, earlier.setdefault(wanted.key_of(row), []))
            for column, target, code in _references(wanted, row):
                if (rows[target] or target not in wanted.where_stated) and not _holds(codes[target], code, row):
                    rule = "unknown-reference"
                    yield Fault(name, number, column, rule, f"no {code!r} in {target} while the row holds")


def _by_code(rows: Sequence[Dated]) -> dict[str, list[Dated]]:
    found: dict[str, list[Dated]] = {}
    for row in rows:
        found.setdefault(row.code, []).append(row)
    return found


def _holds(codes: Mapping[str, Sequence[Dated]], code: str, row: Dated) -> bool:
    return any(target.overlaps(row) for target in codes.get(code, ()))


def _faults_of_row(name: str, number: int, row: Dated) -> Iterator[Fault]:
    if row.valid_until is not None and row.valid_until < row.valid_from:
        yield Fault(
            name, number, "valid_until", "ends-before-it-begins", f"{row.valid_until} is before {row.valid_from}"
        )
    npi = getattr(row, "npi", None)
    if isinstance(npi, str) and not has_valid_check_digit(npi):
        yield Fault(name, number, "npi", "check-digit", "ten digits, the last the Luhn digit over 80840 and the others")


def _overlaps(wanted: MasterDataList, number: int, row: Dated, earlier: list[tuple[int, Dated]]) -> Iterator[Fault]:
    for other_number, other in earlier:
        if row.overlaps(other):
            note = f"holds on days on which row {other_number} holds, of the same {', '.join(wanted.key)}"
            yield Fault(wanted.name, number, "valid_from", "overlapping", note)
            break
    earlier.append((number, row))


def _references(wanted: MasterDataList, row: Dated) -> Iterator[tuple[str, str, str]]:
    """The columns of the row that name a code of another list; an empty one names none."""
    for column, target in wanted.refers.items():
        if code := getattr(row, column):
            yield column, target, code
    if isinstance(row, Crosswalk) and row.kind in CROSSWALK_TARGETS:
        yield "ours", CROSSWALK_TARGETS[row.kind], row.ours
