"""What was measured, and the one table that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from throughline.screen import Column, say, show_table

Unit = Literal["claims/s", "events/s", "messages/s", "bundles/s", "rows/s", "look-ups/s", "ms", "s", "times"]
FALLING = ("ms", "s", "times")
COLUMNS = (
    Column("row"),
    Column("work"),
    Column("figure", right=True),
    Column("bar", right=True),
    Column("goal", right=True),
    Column("bare", right=True),
    Column("ratio", right=True),
    Column("memory", right=True),
    Column("verdict"),
)


@dataclass(frozen=True, slots=True)
class Bar:
    """What design section 6 asks for; for a time it is the most that is allowed."""

    first: float
    goal: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """The same work without any of our care, in the same run."""

    what: str
    value: float


@dataclass(frozen=True, slots=True)
class Sums:
    """An amount or a count that has to be exact."""

    what: str
    expected: str
    found: str

    @property
    def agree(self) -> bool:
        return self.expected == self.found


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. `details` are shown below it; a rate is better higher, a time lower."""

    row: str
    work: str
    value: float
    unit: Unit
    bar: Bar | None = None
    baseline: Baseline | None = None
    memory_mb: float | None = None
    memory_bar_mb: float | None = None
    details: tuple[str, ...] = ()
    sums: tuple[Sums, ...] = field(default=())

    @property
    def verdict(self) -> str:
        """Against the first bar and the goal: `goal`, `over the bar`, `UNDER`, or nothing where no bar is set."""
        if self.memory_mb is not None and self.memory_bar_mb is not None and self.memory_mb > self.memory_bar_mb:
            return "TOO LARGE"
        if self.bar is None:
            return ""
        if self._reaches(self.bar.goal):
            return "goal"
        return "first bar" if self._reaches(self.bar.first) else "UNDER"

    @property
    def ratio(self) -> float | None:
        """How much of the bare baseline's speed is left; 1 is as fast as bare."""
        if self.baseline is None or not self.baseline.value or not self.value:
            return None
        return self.baseline.value / self.value if self.unit in FALLING else self.value / self.baseline.value

    def _reaches(self, bar: float) -> bool:
        return self.value <= bar if self.unit in FALLING else self.value >= bar

    def as_data(self) -> dict[str, object]:
        """The figure as JSON shows it."""
        return asdict(self) | {"verdict": self.verdict, "ratio": self.ratio, "sums_agree": sums_agree([self])}


def sums_agree(figures: Iterable[Figure]) -> bool:
    return all(sums.agree for figure in figures for sums in figure.sums)


def show(figures: Sequence[Figure]) -> None:
    """The table, with details and baselines below each figure."""
    rows: list[list[str]] = []
    for figure in figures:
        rows.append(_line(figure))
        notes = [*figure.details]
        if figure.baseline is not None:
            notes.append(f"bare: {figure.baseline.what}")
        notes += [f"NOT EXACT: {s.what}: {s.found}, expected {s.expected}" for s in figure.sums if not s.agree]
        rows += [["", f"  {note}", "", "", "", "", "", "", ""] for note in notes]
    show_table(COLUMNS, rows)
    checked = sum(len(figure.sums) for figure in figures)
    say(f"{checked} sums checked to the cent: " + ("all exact" if sums_agree(figures) else "NOT ALL EXACT"))


def _line(figure: Figure) -> list[str]:
    ratio, memory, bar = figure.ratio, figure.memory_mb, figure.bar
    return [
        figure.row,
        figure.work,
        f"{_amount(figure.value)} {figure.unit}",
        _amount(bar.first) if bar else "",
        _amount(bar.goal) if bar else "",
        _amount(figure.baseline.value) if figure.baseline else "",
        f"{ratio:.2f}" if ratio is not None else "",
        f"{memory:.0f} MB" if memory is not None else "",
        figure.verdict,
    ]


def _amount(value: float) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 3
    return f"{value:,.{digits}f}"
