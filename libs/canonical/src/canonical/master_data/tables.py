"""One list of master data as a CSV file: read line by line within limits, and written so that reading gives the same rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from canonical.master_data.columns import CellRefused, Column, cells_of, columns_of
from canonical.master_data.lists import MasterDataList, list_called
from canonical.master_data.rows import Dated

TABLE_BYTES_MAX = 64 * 1024 * 1024
ROWS_MAX = 250_000
CELL_CHARACTERS_MAX = 4_000
LINE_CHARACTERS_MAX = 65_536
FAULTS_MAX = 100


@dataclass(frozen=True, slots=True)
class CellFault:
    """What is wrong in a file: its line (the first is the header), its column, the rule, and what is needed."""

    file: str
    line: int
    column: str
    rule: str
    note: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, {self.column or 'the line'}: {self.rule}: {self.note}"


class TableRefused(ValueError):
    """A file that is not its list; the message has the first faults, a line each."""

    def __init__(self, faults: Sequence[CellFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, faults)))


@dataclass(frozen=True, slots=True)
class ReadTable:
    """The rows of a file, and the line on which each stands."""

    wanted: MasterDataList
    rows: tuple[Dated, ...]
    lines: tuple[int, ...]


def read_table(path: Path, list_name: str = "") -> ReadTable:
    """The rows of a CSV file; the list is the one that the file is named for, unless it is named.

    Raises:
        TableRefused: it is no list, too large, or has cells that cannot be.
        OSError: it cannot be read.
    """
    wanted = list_called(list_name or path.stem)
    if wanted is None:
        raise TableRefused([CellFault(path.name, 0, "", "unknown-list", f"no list is called {list_name or path.stem}")])
    if path.stat().st_size > TABLE_BYTES_MAX:
        raise TableRefused([CellFault(path.name, 0, "", "too-large", f"at most {TABLE_BYTES_MAX} bytes")])
    with path.open(encoding="utf-8-sig", newline="") as file:
        return _TableReading(path.name, wanted).read(file)


def parse_table(text: str, wanted: MasterDataList) -> ReadTable:
    """As `read_table`, of text."""
    if len(text) > TABLE_BYTES_MAX:
        raise TableRefused([CellFault(wanted.name, 0, "", "too-large", f"at most {TABLE_BYTES_MAX} bytes")])
    return _TableReading(f"{wanted.name}.csv", wanted).read(io.StringIO(text.removeprefix("\ufeff"), newline=""))


def table_lines(wanted: MasterDataList, rows: Iterable[Dated]) -> Iterator[str]:
    """The lines of the file, the header first, each with its line end."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for cells in ([column.name for column in columns_of(wanted.row)], *map(cells_of, rows)):
        writer.writerow(cells)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


class _TableReading:
    """One pass over a file; it stops at the hundredth fault."""

    def __init__(self, name: str, wanted: MasterDataList) -> None:
        self._name = name
        self._wanted = wanted
        self._faults: list[CellFault] = []

    def read(self, file: Iterable[str]) -> ReadTable:
        lines = csv.reader(self._bounded(file), strict=True)
        rows: list[Dated] = []
        numbers: list[int] = []
        try:
            header = self._header(next(lines, []))
            for cells in lines:
                if not cells:
                    continue
                row = self._row(lines.line_num, header, cells)
                if row is not None:
                    rows.append(row)
                    numbers.append(lines.line_num)
                if len(rows) > ROWS_MAX:
                    self._refuse(lines.line_num, "", "too-many-rows", f"at most {ROWS_MAX}")
        except (csv.Error, UnicodeDecodeError) as error:
            self._fault(lines.line_num, "", "not-csv", str(error))
        if self._faults:
            raise TableRefused(self._faults)
        return ReadTable(self._wanted, tuple(rows), tuple(numbers))

    def _bounded(self, file: Iterable[str]) -> Iterator[str]:
        for number, line in enumerate(file, 1):
            if len(line) > LINE_CHARACTERS_MAX:
                self._refuse(number, "", "line-too-long", f"at most {LINE_CHARACTERS_MAX} characters")
            if not line.rstrip("\r\n").isprintable():
                self._refuse(number, "", "control-character", "only what can be printed")
            yield line

    def _header(self, names: Sequence[str]) -> list[Column]:
        """The columns in the order of the file; a name may be there once, and what is required must be."""
        known = {column.name: column for column in columns_of(self._wanted.row)}
        for place, name in enumerate(names):
            if name not in known:
                self._fault(1, name, "unknown-column", f"{self._wanted.name} has: {', '.join(known)}")
            elif name in names[:place]:
                self._fault(1, name, "column-twice", "once is enough")
        for column in known.values():
            if column.is_required and column.name not in names:
                self._fault(1, column.name, "required", "there is no such column")
        if self._faults:
            raise TableRefused(self._faults)
        return [known[name] for name in names]

    def _row(self, line: int, header: Sequence[Column], cells: Sequence[str]) -> Dated | None:
        if len(cells) != len(header):
            self._fault(line, "", "wrong-number-of-cells", f"{len(cells)}, the header has {len(header)}")
            return None
        before, said = len(self._faults), dict[str, object]()
        for column, cell in zip(header, cells, strict=True):
            try:
                if len(cell) > CELL_CHARACTERS_MAX:
                    raise CellRefused("cell-too-long", f"at most {CELL_CHARACTERS_MAX} characters")
                _place(said, column.path, column.value(cell))
            except CellRefused as refused:
                self._fault(line, column.name, refused.rule, str(refused))
        if len(self._faults) > before:
            return None
        try:
            return self._wanted.row.model_validate(said)
        except ValidationError as error:
            for each in error.errors(include_input=False, include_url=False, include_context=False):
                place = ".".join(str(part) for part in each["loc"] if isinstance(part, str))
                self._fault(line, place, each["type"].replace("_", "-"), each["msg"])
            return None

    def _fault(self, line: int, column: str, rule: str, note: str) -> None:
        self._faults.append(CellFault(self._name, line, column, rule, note))
        if len(self._faults) >= FAULTS_MAX:
            raise TableRefused(self._faults)

    def _refuse(self, line: int, column: str, rule: str, note: str) -> None:
        self._fault(line, column, rule, note)
        raise TableRefused(self._faults)


def _place(said: dict[str, object], path: Sequence[str], value: object) -> None:
    for name in path[:-1]:
        inner = said.setdefault(name, {})
        assert isinstance(inner, dict)
        said = inner
    said[path[-1]] = value
