"""What a person or a script sees: tables, JSON, and progress on a terminal. Nothing here is taken for markup."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

WIDTH_WITHOUT_TERMINAL = 200
SHORT_ID_LENGTH = 8

JsonOption = Annotated[bool, typer.Option("--json", help="The same facts as JSON on standard output.")]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `flexible` columns give way, line by line, when the terminal is narrow."""

    title: str
    right: bool = False
    flexible: bool = False


def printable(text: str) -> str:
    """The text with everything replaced that could steer a terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def short(identity: str) -> str:
    """The start of an id, as the tables show it; commands take it for the whole where it is the only one."""
    return identity[:SHORT_ID_LENGTH]


def show_json(data: object) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def say(text: str = "", style: str = "") -> None:
    """One line on standard output, each line of the text made printable."""
    _console().print(Text("\n".join(map(printable, text.split("\n"))), style=style), soft_wrap=True)


def show_table(columns: Sequence[Column], rows: Iterable[Sequence[str]], title: str = "") -> None:
    """A table on standard output, as wide as it needs to be where there is no terminal."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title=title or None, title_justify="left")
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=not column.flexible,
            overflow="fold",
            ratio=1 if column.flexible else None,
        )
    for row in rows:
        table.add_row(*(Text(printable(cell), style=_style_of(cell)) for cell in row))
    _console().print(table)


def warn(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(f"throughline: {printable(text)}\n")


class Steps:
    """Something that counts how far long work has got."""

    def __init__(self, progress: Progress | None, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=total) if progress else None

    def advance(self, amount: int = 1) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, amount)


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Steps]:
    """A bar on standard error while the work goes on; nothing where that is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Steps(None, total)
        return
    columns = (TextColumn(printable(what)), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield Steps(bar, total)


_STYLES = {
    "accepted": "green",
    "adds up": "green",
    "quarantined": "yellow",
    "open": "yellow",
    "refused": "red",
    "does not add up": "bold red",
}


def _style_of(cell: str) -> str:
    return _STYLES.get(cell, "")


def _console() -> Console:
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(highlight=False, width=WIDTH_WITHOUT_TERMINAL)
