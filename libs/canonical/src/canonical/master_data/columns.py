"""How the fields of a list's rows stand in the columns of its CSV file, and back, to the letter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from canonical.master_data.rows import Dated
from canonical.money import USD, Money, MoneyRefused

FORMULA_SIGNS = "=+-@"
_GUARDED = (*FORMULA_SIGNS, "'")
_WHOLE = re.compile("-?[0-9]{1,9}")
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Kind(StrEnum):
    """What a cell holds; the value is the word of the published profile."""

    TEXT = "text"
    CHOICE = "one of"
    NUMBER = "whole number"
    FLAG = "true or false"
    DAY = "date"
    AMOUNT = "amount"
    TEXTS = "texts, by ;"
    NAMED = "name=text, by ;"
    NAMED_TEXTS = "name=text|text, by ;"


class CellRefused(ValueError):
    """A cell that cannot be what its column holds; `rule` names why."""

    def __init__(self, rule: str, note: str) -> None:
        super().__init__(note)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `path` leads to its field (two names where the field is of a nested model)."""

    path: tuple[str, ...]
    kind: Kind
    is_required: bool
    default: object
    is_nullable: bool = False
    choices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return ".".join(self.path)

    def value(self, cell: str) -> object:
        """What the cell says, as the row's model takes it.

        Raises:
            CellRefused: it says nothing of this kind.
        """
        if cell == "" and self.is_nullable:
            return None
        return _READ[self.kind](cell)

    def cell(self, value: object) -> str:
        """What `value` gives again."""
        return "" if value is None else _WRITE[self.kind](value)


@cache
def columns_of(row: type[Dated]) -> tuple[Column, ...]:
    """The columns of a list, in the order of its profile: the code, what else is required, then the rest."""
    found = [column for name, field in row.model_fields.items() for column in _columns((name,), field)]
    return tuple(sorted(found, key=lambda each: (each.path != ("code",), not each.is_required)))


def cells_of(row: Dated) -> list[str]:
    """A row as the cells of its line."""
    return [column.cell(_at(row, column.path)) for column in columns_of(type(row))]


def _at(value: object, path: Sequence[str]) -> object:
    for name in path:
        value = getattr(value, name)
    return value


def _columns(path: tuple[str, ...], field: FieldInfo) -> Iterator[Column]:
    annotation, is_nullable = _plain(field.annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, nested in annotation.model_fields.items():
            yield from _columns((*path, name), nested)
        return
    kind, choices = _kind_of(annotation)
    default = field.get_default(call_default_factory=True) if not field.is_required() else None
    yield Column(path, kind, field.is_required(), default, is_nullable, choices)


def _plain(annotation: Any) -> tuple[Any, bool]:
    """The type without marks, and whether it may be nothing."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        (only,) = [part for part in get_args(annotation) if part is not NoneType]
        return _plain(only)[0], True
    return annotation, False


_KINDS: Mapping[object, Kind] = {
    str: Kind.TEXT,
    bool: Kind.FLAG,
    int: Kind.NUMBER,
    date: Kind.DAY,
    Money: Kind.AMOUNT,
    tuple: Kind.TEXTS,
}


def _kind_of(annotation: Any) -> tuple[Kind, tuple[str, ...]]:
    origin = get_origin(annotation)
    if origin is Literal:
        return Kind.CHOICE, get_args(annotation)
    if origin is dict:
        inner = _plain(get_args(annotation)[1])[0]
        return (Kind.NAMED_TEXTS, ()) if get_origin(inner) is tuple else (Kind.NAMED, ())
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return Kind.CHOICE, tuple(each.value for each in annotation)
    return _KINDS[origin or annotation], ()


def _text(cell: str) -> str:
    """Text as it was before it was guarded.

    Raises:
        CellRefused: a program that opens tables would take it for a formula.
    """
    if cell[:1] == "'" and cell[1:2] in _GUARDED and len(cell) > 1:
        return cell[1:]
    if cell[:1] in FORMULA_SIGNS and cell:
        raise CellRefused("formula", f"begins with {cell[0]}; a text that does is written with ' before it")
    return cell


def _guarded(text: str) -> str:
    return f"'{text}" if text[:1] in _GUARDED and text else text


def _number(cell: str) -> int:
    if _WHOLE.fullmatch(cell) is None:
        raise CellRefused("whole-number", "digits only, at most nine")
    return int(cell)


def _flag(cell: str) -> bool:
    if cell not in ("true", "false"):
        raise CellRefused("flag", "true or false")
    return cell == "true"


def _day(cell: str) -> date:
    try:
        if _DAY.fullmatch(cell):
            return date.fromisoformat(cell)
    except ValueError:
        pass
    raise CellRefused("date", "a day as 2026-01-31")


def _amount(cell: str) -> Money:
    text, _, currency = cell.partition(" ")
    try:
        return Money.of(text, currency or USD)
    except MoneyRefused as refused:
        raise CellRefused("amount", str(refused)) from None


def _amount_cell(value: object) -> str:
    assert isinstance(value, Money)
    return value.decimal_text if value.currency == USD else str(value)


def _texts(cell: str) -> tuple[str, ...]:
    return tuple(map(_bare, _parts(_text(cell), ";"))) if cell else ()


def _texts_cell(value: object) -> str:
    assert isinstance(value, tuple)
    # One text that is empty is told from no text at all by a last separator.
    return _guarded(";".join(map(_escaped, value)) + (";" if value and not value[-1] else ""))


def _named(cell: str) -> dict[str, str]:
    return {name: _bare(text) for name, text in _pairs(cell)}


def _named_cell(value: object) -> str:
    assert isinstance(value, dict)
    return _guarded(";".join(f"{_escaped(name)}={_escaped(text)}" for name, text in value.items()))


def _named_texts(cell: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(map(_bare, _parts(text, "|"))) if text else () for name, text in _pairs(cell)}


def _named_texts_cell(value: object) -> str:
    assert isinstance(value, dict)
    said = {
        name: "|".join(map(_escaped, texts)) + ("|" if texts and not texts[-1] else "") for name, texts in value.items()
    }
    return _guarded(";".join(f"{_escaped(name)}={texts}" for name, texts in said.items()))


def _pairs(cell: str) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for part in _parts(_text(cell), ";") if cell else ():
        name, *rest = _parts(part, "=", keep_last=True)
        if len(rest) != 1:
            raise CellRefused("named", "each part is name=text")
        if name in seen:
            raise CellRefused("named", f"{_bare(name)} is there twice")
        seen.add(name)
        yield _bare(name), rest[0]


def _parts(text: str, separator: str, *, keep_last: bool = False) -> list[str]:
    r"""The parts between separators that no `\` stands before, escapes kept; an empty last one is dropped unless kept."""
    parts = re.findall(rf"((?:[^\\{re.escape(separator)}]|\\.|\\$)*)(?:{re.escape(separator)}|$)", text)
    parts.pop()  # what is found at the very end, after the last part
    if keep_last and text.endswith(separator):
        parts.append("")
    return parts


def _escaped(text: str) -> str:
    return re.sub(r"([\\;=|])", r"\\\1", text)


def _bare(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


_READ: Mapping[Kind, Callable[[str], object]] = {
    Kind.TEXT: _text,
    Kind.CHOICE: _text,
    Kind.NUMBER: _number,
    Kind.FLAG: _flag,
    Kind.DAY: _day,
    Kind.AMOUNT: _amount,
    Kind.TEXTS: _texts,
    Kind.NAMED: _named,
    Kind.NAMED_TEXTS: _named_texts,
}
_WRITE: Mapping[Kind, Callable[[object], str]] = {
    Kind.TEXT: lambda value: _guarded(str(value)),
    Kind.CHOICE: str,
    Kind.NUMBER: str,
    Kind.FLAG: lambda value: str(value).lower(),
    Kind.DAY: str,
    Kind.AMOUNT: _amount_cell,
    Kind.TEXTS: _texts_cell,
    Kind.NAMED: _named_cell,
    Kind.NAMED_TEXTS: _named_texts_cell,
}
