"""The lines of a charge batch: header, rows with their bytes, and the control row that proves it whole."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from canonical.money import Money, MoneyRefused
from chassis.inbound.giving_way import GivingWay

from intake.adapters.charge_batches.columns import BY_NAME, COLUMNS, CONTROL
from intake.domain.refusals import Finding

ROWS_MAX = 200_000
LINE_BYTES_MAX = 16_384
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Row:
    """One line: its number from 1, its bytes, and its values by column; `faults` say what is wrong with it."""

    line: int
    raw: bytes = field(repr=False)
    values: dict[str, str] = field(repr=False)
    faults: tuple[Finding, ...] = ()

    @property
    def place(self) -> str:
        return f"line {self.line}"


@dataclass(slots=True)
class Batch:
    """A file: its header line, its rows, and why nothing of it may be taken."""

    header: bytes = b""
    rows: list[Row] = field(default_factory=list)
    faults: list[Finding] = field(default_factory=list)


def read_batch(raw: bytes, *, needs_control: bool, way: GivingWay | None = None) -> Batch:
    """The file by its lines; a part of one that was kept as a message has no control row."""
    batch = Batch()
    lines = raw.removeprefix(_BYTE_ORDER_MARK).splitlines(keepends=True)
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not numbered or len(numbered) > ROWS_MAX:
        batch.faults.append(Finding("file", "rows", f"a header, and at most {ROWS_MAX} rows"))
        return batch
    batch.header = numbered[0][1].rstrip(b"\r\n") + b"\n"
    names = _header(numbered[0][1], batch.faults)
    if batch.faults:
        return batch
    control: list[str] | None = None
    for number, line in (way or GivingWay()).paced(numbered[1:]):
        if control is not None:
            batch.faults.append(Finding(f"line {number}", "control-row", "the control row is the last line"))
            return batch
        values = _values(line)
        if values and values[0].strip() == CONTROL:
            control = [value.strip() for value in values]
        else:
            batch.rows.append(_row(number, line, names, values))
    if needs_control:
        batch.faults.extend(_control_faults(control, batch.rows))
    return batch


def _values(line: bytes) -> list[str] | None:
    """The values of one line; None where it is no CSV."""
    if len(line) > LINE_BYTES_MAX:
        return None
    try:
        (values,) = csv.reader([line.decode("utf-8").rstrip("\r\n")], strict=True)
    except (UnicodeDecodeError, csv.Error, ValueError):
        return None
    return [value.strip() for value in values]


def _header(line: bytes, faults: list[Finding]) -> Sequence[str]:
    """The names of the columns. An unknown one is told by its place alone: without a header it would be a value."""
    names = _values(line) or []
    faults += [
        Finding(f"line 1, column {number}", "unknown-column", "see docs/charge-batch.md")
        for number, name in enumerate(names, 1)
        if name not in BY_NAME
    ]
    if faults:
        return names
    faults += [
        Finding("line 1", "missing-column", column.name)
        for column in COLUMNS
        if column.required and column.name not in names
    ]
    if len(set(names)) < len(names):
        faults.append(Finding("line 1", "column-twice", "each column once"))
    return names


def _row(number: int, line: bytes, names: Sequence[str], values: Sequence[str] | None) -> Row:
    place = f"line {number}"
    if values is None or len(values) != len(names):
        fault = Finding(place, "csv", f"{len(names)} values, in quotation marks where one holds a comma, on one line")
        return Row(number, line, {}, (fault,))
    found = dict(zip(names, values, strict=True))
    return Row(number, line, found, tuple(_faults(place, found)))


def _faults(place: str, values: dict[str, str]) -> Iterator[Finding]:
    for name, value in values.items():
        column = BY_NAME[name]
        if not value and column.required:
            yield Finding(f"{place}.{name}", "required", column.shape)
        elif value and not column.fits(value):
            yield Finding(f"{place}.{name}", "shape", column.shape)


def _control_faults(control: Sequence[str] | None, rows: Sequence[Row]) -> Iterator[Finding]:
    if control is None:
        yield Finding("file", "control-row", f"the last line: {CONTROL}, the number of rows, the sum of the amounts")
        return
    count, total = (*control[1:3], "", "")[:2]
    if count != str(len(rows)):
        yield Finding("file", "control-count", f"the file has {len(rows)} rows")
    if _money(total) != Money.total(_money(row.values.get("amount", "")) or Money.zero() for row in rows):
        yield Finding("file", "control-amount", "the sum of the amounts of all rows")


def _money(text: str) -> Money | None:
    try:
        return Money.of(text)
    except MoneyRefused:
        return None
