"""Rules of a guide's structure as values, and the reading of the tables that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_INDENT = 2
_CODES_BEGIN = "="
_UNBOUNDED = 1_000_000_000
_LENGTHS = {"D": (8, 8)}


@dataclass(frozen=True, slots=True)
class ElementRule:
    """One element of a segment. `kind` is a letter of the tables, empty where `codes` are listed."""

    place: int
    required: bool
    kind: str = ""
    shortest: int = 1
    longest: int = _UNBOUNDED
    codes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SegmentRule:
    """One row. A segment is of it if it has the tag and, where there is a `key`, one of the key's codes."""

    tag: str
    required: bool
    most: int
    elements: tuple[ElementRule, ...]
    key: ElementRule | None

    def holds(self, elements: list[str]) -> bool:
        if elements[0] != self.tag:
            return False
        return self.key is None or (self.key.place < len(elements) and elements[self.key.place] in self.key.codes)


@dataclass(frozen=True, slots=True)
class LoopRule:
    """A loop. It begins with its first segment."""

    name: str
    required: bool
    most: int
    items: tuple[SegmentRule | LoopRule, ...]

    def holds(self, elements: list[str]) -> bool:
        return self.items[0].holds(elements)


def loop_of(name: str, table: str, fragments: Mapping[str, str]) -> LoopRule:
    """The rules of a table, as one loop.

    Raises:
        ValueError: the table is not written as it must be.
    """
    return LoopRule(name, True, 1, _items(_rows(table, fragments), 0))


def _rows(table: str, fragments: Mapping[str, str], deeper: int = 0) -> list[tuple[int, list[str]]]:
    """Depth and words of each row, fragments put in their places."""
    rows: list[tuple[int, list[str]]] = []
    for line in filter(None, table.split("\n")):
        spaces = len(line) - len(line.lstrip(" "))
        depth = deeper + spaces // _INDENT
        words = line.split()
        if words[0] == "use":
            rows += _rows(fragments[line.strip().removeprefix("use ")], fragments, depth)
        else:
            rows.append((depth, words))
    return rows


def _items(rows: list[tuple[int, list[str]]], depth: int) -> tuple[SegmentRule | LoopRule, ...]:
    items: list[SegmentRule | LoopRule] = []
    index = 0
    while index < len(rows):
        end = index + 1
        while end < len(rows) and rows[end][0] > depth:
            end += 1
        words = rows[index][1]
        if words[0] == "loop":
            _, name, usage, most = words
            items.append(LoopRule(name, usage == "R", _bound(most), _items(rows[index + 1 : end], depth + 1)))
        else:
            items.append(_segment(words))
        index = end
    return tuple(items)


def _segment(words: list[str]) -> SegmentRule:
    tag, usage, most, *specifications = words
    elements = tuple(_element(each) for each in specifications)
    key = next((rule for rule, each in zip(elements, specifications, strict=True) if each[2] == "@"), None)
    return SegmentRule(tag, usage == "R", _bound(most), elements, key)


def _element(specification: str) -> ElementRule:
    place, usage, rest = int(specification[:2]), specification[2], specification[3:]
    if usage == "@" or rest.startswith(_CODES_BEGIN):
        return ElementRule(place, usage != "?", codes=frozenset(rest.removeprefix(_CODES_BEGIN).split(",")))
    kind, bounds = rest[0], rest[1:].partition("-")
    shortest, longest = (int(bounds[0]), int(bounds[2])) if bounds[0] else _LENGTHS[kind]
    return ElementRule(place, usage == "!", kind, shortest, longest)


def _bound(most: str) -> int:
    return _UNBOUNDED if most == "*" else int(most)
