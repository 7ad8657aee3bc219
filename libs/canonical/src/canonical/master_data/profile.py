"""Writes the page of the lists and their columns: `python -m canonical.master_data.profile docs/master-data.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from canonical.master_data.columns import Column, columns_of
from canonical.master_data.lists import CROSSWALK_TARGETS, LISTS, MONEY_KINDS, MasterDataList
from canonical.master_data.tables import CELL_CHARACTERS_MAX, ROWS_MAX, TABLE_BYTES_MAX

_HEAD = f"""# Master data: lists and columns

This page is written by `python -m canonical.master_data.profile docs/master-data.md` from the code.

Each list is a CSV file of its name (`payers.csv`, `charge-master.csv`): UTF-8, commas, a header line with the names below in any
order. A column that is left out takes its default; an empty cell is empty. Dates are `2026-01-31`, amounts `120.50` (dollars) or
`120.50 EUR`. Texts in one cell are separated by `;`, names from what they name by `=`; `\\` before one of `;`, `=`, `|` and `\\` makes it a
letter. A text that begins with `=`, `+`, `-` or `@` has `'` before it, and is refused without: a program that opens
tables would take it for a formula. A file has at most {ROWS_MAX:,} rows and {TABLE_BYTES_MAX // 1024**2} MB, a cell at most {CELL_CHARACTERS_MAX:,} characters.

A row holds from `valid_from` to `valid_until`, both included. Rows with the same key never hold on the same day. What a row refers
to must hold on one of its days. A National Provider Identifier has its check digit.

Changes go through `throughline master-data propose` and `approve`. Where money follows, another person approves than proposed.
"""


def profile_page() -> str:
    """The whole page."""
    return "\n".join((_HEAD, *(line for each in LISTS.values() for line in _list(each))))


def _list(each: MasterDataList) -> Iterator[str]:
    yield f"## {each.name}\n"
    yield f"{each.about} Key: {', '.join(each.key)}. Approved by {_who(each)}.\n"
    yield "| column | holds | default |"
    yield "|---|---|---|"
    for column in columns_of(each.row):
        yield f"| `{column.name}` | {_holds(each, column)} | {_default(column)} |"
    yield ""


def _who(each: MasterDataList) -> str:
    if each.takes_two_people:
        return "another person"
    if each.name == "crosswalks":
        return f"another person where kind is {', '.join(sorted(MONEY_KINDS))}, else by anybody"
    return "anybody who may approve"


def _holds(each: MasterDataList, column: Column) -> str:
    told: str = column.kind.value
    if column.choices:
        told += f" {', '.join(column.choices)}"
    if target := each.refers.get(column.name):
        return f"{told}; a code of {target}{' where that list has rows' if target in each.where_stated else ''}"
    if each.name == "crosswalks" and column.name == "ours":
        return f"{told}; a code of {', '.join(dict.fromkeys(CROSSWALK_TARGETS.values()))}, by kind"
    return told


def _default(column: Column) -> str:
    if column.is_required:
        return "required"
    return f"`{cell}`" if (cell := column.cell(column.default)) else "empty"


def main(arguments: list[str]) -> int:
    """Writes the page to the path given; the exit code."""
    (path,) = arguments
    Path(path).write_text(profile_page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
