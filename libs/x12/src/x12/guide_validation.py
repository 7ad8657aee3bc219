"""Validates outbound interchanges with pyx12 and in memory, against the guides that it has maps for."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import pyx12.errors
import pyx12.map_if
import pyx12.map_walker
import pyx12.params
import pyx12.x12file

from x12.violations import ValidationError

MAP_OF_GUIDE = {
    "005010X222A1": "837.5010.X222.A1.xml",
    "005010X223A2": "837Q3.I.5010.X223.A1.xml",
    "005010X231A1": "999.5010X231.A1.xml",
}
_CONTROL_MAP = "x12.control.00501.xml"
_CLAIMS = "HC"
_REMEMBERED_MAX = 50_000
_TAG_CHARACTERS_MAX = 3
_UNTYPED_FAILURES = (
    pyx12.errors.X12Error,
    pyx12.errors.EngineError,
    pyx12.errors.X12PathError,
    AssertionError,
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
)
_MISSING = "3"
_SEGMENT_RULES = {
    "1": "is not a segment of the standard",
    "2": "is not expected here",
    "3": "is mandatory and missing",
    "4": "has a loop that occurs too often",
    "5": "occurs too often",
    "6": "is not in the guide",
    "7": "is out of order",
    "8": "has faulty elements",
}
_ELEMENT_RULES = {
    "1": "is mandatory and missing",
    "2": "misses an element that another one requires",
    "3": "is one element too many",
    "4": "is too short",
    "5": "is too long",
    "6": "holds a character that is not allowed",
    "7": "is not a code of the guide",
    "8": "is not a date",
    "9": "is not a time",
    "10": "is present although another element excludes it",
}


def guide_violations(raw: bytes) -> Iterator[ValidationError]:
    """Violations in file order. Anything else than a readable interchange gives one too, never an exception."""
    try:
        yield from _violations(raw.decode("latin-1"))
    except _UNTYPED_FAILURES as failure:
        message = f"the validator cannot read the file ({type(failure).__name__})"
        yield ValidationError(0, "", "isa", "validator", message)


@lru_cache(len(MAP_OF_GUIDE) + 1)
def _map(name: str) -> Any:
    """A guide as a tree of nodes. It takes 0.2 s to load and is not changed by use, so all validations share it."""
    return pyx12.map_if.load_map_file(name, pyx12.params.params())


class _Counts:
    """Stands in for the walker's counter of loops and segments, which spends a fifth of a validation on paths as objects."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._texts: dict[int, tuple[Any, str]] = {}

    def _text(self, path: Any) -> str:
        if isinstance(path, str):
            return path
        known = self._texts.get(id(path))
        if known is None:
            known = self._texts[id(path)] = (path, path.format())
        return known[1]

    def reset_to_node(self, path: Any) -> None:
        children = self._text(path) + "/"
        for key in [key for key in self._counts if key.startswith(children)]:
            del self._counts[key]

    def increment(self, path: Any) -> None:
        key = self._text(path)
        self._counts[key] = self._counts.get(key, 0) + 1

    def get_count(self, path: Any) -> int:
        return self._counts.get(self._text(path), 0)


class _Lines:
    """The segments of a reader; `line` is the one it reads now."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self.line = ""

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.line = line
            yield line


class _Elements:
    """Errors of the elements of a segment at a node, remembered for one file: most segments stand in it many times."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], list[Any]] = {}

    def errors(self, node: Any, segment: Any, line: str) -> list[Any]:
        key = (id(node), line)
        errors = self._known.get(key)
        if errors is None:
            errors = list(node.is_valid_errors(segment)[1])
            if len(self._known) < _REMEMBERED_MAX:
                self._known[key] = errors
        return errors


def _violations(text: str) -> Iterator[ValidationError]:
    reader = pyx12.x12file.X12Reader(io.StringIO(text))
    lines = reader.raw = _Lines(reader.raw)
    elements = _Elements()
    walker = pyx12.map_walker.walk_tree()
    walker.counter = _Counts()
    control = _map(_CONTROL_MAP)
    node = control.getnodebypath("/ISA_LOOP/ISA")
    alone = False
    for segment in reader:
        tag = _shown_tag(segment.get_seg_id())
        if tag == "ISA":
            node = control.getnodebypath("/ISA_LOOP/ISA")
            walker.forceWalkCounterToLoopStart("/ISA_LOOP", "/ISA_LOOP/ISA")
            found = node
        elif tag == "GS":
            version = segment.get_value("GS08")
            if version not in MAP_OF_GUIDE:
                yield ValidationError(0, "GS", "gs", "version", "GS08 is not a guide that is validated here")
                return
            reader.check_837_lx = segment.get_value("GS01") == _CLAIMS
            node = found = _map(MAP_OF_GUIDE[version]).getnodebypath("/ISA_LOOP/GS_LOOP/GS")
            walker.forceWalkCounterToLoopStart("/ISA_LOOP/GS_LOOP", "/ISA_LOOP/GS_LOOP/GS")
        else:
            found, _, _, walked = walker.walk_errors(
                node, segment, reader.get_seg_count(), reader.get_cur_line(), reader.get_ls_id()
            )
            alone = alone or (tag == "TA1" and node.id == "ISA")
            for error in walked:
                if not (alone and _misses_group(error)):
                    yield _segment_error(error, reader.get_seg_count(), tag)
        yield from _reader_errors(reader, tag)
        if found is not None:
            node = found
            for error in elements.errors(found, segment, lines.line):
                yield _element_error(error, reader.get_seg_count(), tag)
    reader.cleanup()
    yield from _reader_errors(reader, "")


def _shown_tag(tag: str | None) -> str:
    """A segment identifier, or nothing when it may be a value that has slipped into its place."""
    return tag if tag and tag.isalnum() and len(tag) <= _TAG_CHARACTERS_MAX else ""


def _misses_group(error: Any) -> bool:
    """A TA1 may stand in an interchange without any group, which pyx12's maps do not know."""
    return error.err_cde == _MISSING and error.map_node is not None and error.map_node.id == "GS"


def _reader_errors(reader: Any, tag: str) -> Iterator[ValidationError]:
    if reader.err_list:
        for scope, code, *_ in reader.pop_errors():
            rule = _SEGMENT_RULES.get(code, "") if scope == "seg" else ""
            message = (
                f"{tag} {rule}".strip()
                if rule
                else f"a control number, count or hierarchy is wrong at {tag or 'the end'}"
            )
            yield ValidationError(reader.get_seg_count(), tag, scope, code, message)


def _segment_error(error: Any, position: int, tag: str) -> ValidationError:
    name = f"{error.map_node.name} ({error.map_node.id})" if error.map_node is not None else tag
    return ValidationError(
        position, tag, "seg", error.err_cde, f"{name} {_SEGMENT_RULES.get(error.err_cde, 'is faulty')}"
    )


def _element_error(error: Any, position: int, tag: str) -> ValidationError:
    place = f"{tag}{error.refdes or ''}" if not (error.refdes or "").startswith(tag) else error.refdes
    name = f"{error.map_node.name} ({place})" if error.map_node is not None else place
    return ValidationError(
        position, tag, "ele", error.err_cde, f"{name} {_ELEMENT_RULES.get(error.err_cde, 'is faulty')}"
    )
