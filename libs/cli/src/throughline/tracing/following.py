"""Follows journal lines to their parts and each part to its fact, and says at every level whether it adds up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from canonical.money import Money

from throughline.tracing.books import Books
from throughline.tracing.finding_origins import Origins
from throughline.tracing.opening import opened
from throughline.tracing.origins import Origin
from throughline.tracing.records import NOTHING, ErpAnswer, Journal, Line, Part
from throughline.tracing.stored_facts import OriginMissing


@dataclass(frozen=True, slots=True)
class Selection:
    """Which lines, and how much of each: of the parts that `only` takes, at most `parts_max` are followed further."""

    account: str = ""
    party: str = ""
    only: Callable[[Part], bool] | None = None
    parts_max: int = 3
    open_bytes: bool = False

    def takes_line(self, line: Line) -> bool:
        return self.account in ("", line.account) and self.party in ("", line.party)

    def takes_part(self, part: Part) -> bool:
        return self.only is None or self.only(part)


@dataclass(frozen=True, slots=True)
class TracedPart:
    """A part and its fact; `problem` says why the fact is missing."""

    part: Part
    origin: Origin | None
    problem: str = ""

    @property
    def adds_up(self) -> bool:
        return self.origin is not None and self.origin.explains(self.part.line)


@dataclass(frozen=True, slots=True)
class TracedLine:
    """A journal line. The parts followed and the `rest` are all of its parts; `at_erp` is None where it was not read."""

    line: Line
    at_erp: Money | None
    parts: tuple[TracedPart, ...]
    rest_count: int
    rest: Money

    @property
    def parts_total(self) -> Money:
        return Money.total(traced.part.line.amount for traced in self.parts) + self.rest

    @property
    def adds_up(self) -> bool:
        levels = (self.parts_total == self.line.amount, self.at_erp in (None, self.line.amount))
        return all(levels) and all(traced.adds_up for traced in self.parts)


@dataclass(frozen=True, slots=True)
class TracedJournal:
    """A journal entry with the lines asked for. `only_at_erp` are lines that the ERP has under our number and we have not."""

    journal: Journal
    erp: ErpAnswer
    lines: tuple[TracedLine, ...]
    only_at_erp: tuple[Line, ...]

    @property
    def adds_up(self) -> bool:
        balanced = not Money.total(line.amount for line in self.journal.lines)
        return balanced and not self.only_at_erp and all(line.adds_up for line in self.lines)


def follow(books: Books, journal: Journal, selection: Selection, origins: Origins) -> TracedJournal:
    """The entry's lines, from the ERP down to the facts."""
    erp = books.erp_document(journal)
    ours = {line.place for line in journal.lines}
    strange = tuple(line for line in erp.lines or () if line.place not in ours and line.amount)
    lines = []
    for line in journal.lines:
        parts = [part for part in journal.parts if part.line.place == line.place]
        if selection.takes_line(line) and (selection.only is None or any(map(selection.takes_part, parts))):
            followed, rest = _chosen(parts, selection)
            traced = tuple(_traced(books, part, journal, selection, origins) for part in followed)
            total = Money.total(part.line.amount for part in rest)
            lines.append(TracedLine(line, _at_erp(line, erp), traced, len(rest), total))
    return TracedJournal(journal, erp, tuple(lines), strange)


def _chosen(parts: Sequence[Part], selection: Selection) -> tuple[Sequence[Part], Sequence[Part]]:
    wanted = [part for part in parts if selection.takes_part(part)]
    followed = wanted[: selection.parts_max]
    chosen = {id(part) for part in followed}
    return followed, [part for part in parts if id(part) not in chosen]


def _traced(books: Books, part: Part, journal: Journal, selection: Selection, origins: Origins) -> TracedPart:
    try:
        origin = origins.of(part, journal.kind, journal.entity)
    except OriginMissing as missing:
        return TracedPart(part, None, str(missing))
    return TracedPart(part, opened(books, origin) if selection.open_bytes else origin)


def _at_erp(line: Line, erp: ErpAnswer) -> Money | None:
    if erp.lines is None:
        return None
    return Money.total((each.amount for each in erp.lines if each.place == line.place), NOTHING.currency)
