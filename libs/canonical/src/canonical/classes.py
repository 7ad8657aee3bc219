"""The data class of every field: from this one mark follow sealing, redaction, what a subscriber sees, and the ERP's refusal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import Enum, StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, Union, get_args, get_origin
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from canonical.money import Money


class DataClass(StrEnum):
    """Who may see a value. PHI and PII exist only inside a sealed envelope or in memory."""

    PHI = "phi"
    PII = "pii"
    FINANCIAL = "financial"
    PUBLIC = "public"


_T = TypeVar("_T")
Phi = Annotated[_T, DataClass.PHI]
Pii = Annotated[_T, DataClass.PII]
Financial = Annotated[_T, DataClass.FINANCIAL]
Public = Annotated[_T, DataClass.PUBLIC]

_BY_TYPE: dict[type, DataClass] = {
    Money: DataClass.FINANCIAL,
    UUID: DataClass.PUBLIC,
    bool: DataClass.PUBLIC,
    int: DataClass.PUBLIC,
    Decimal: DataClass.FINANCIAL,
    datetime: DataClass.PUBLIC,
}


class Unclassified(TypeError):
    """A field whose data class is neither marked nor given by its type."""


_SLOTS = vars(BaseModel)
_set_values = _SLOTS["__dict__"].__set__
_set_fields_set = _SLOTS["__pydantic_fields_set__"].__set__
_set_extra = _SLOTS["__pydantic_extra__"].__set__
_set_private = _SLOTS["__pydantic_private__"].__set__


class CanonicalModel(BaseModel):
    """A frozen model in which every field has a data class; an unmarked text or date field fails at import.

    Readers ignore fields they do not know, so that a publisher may add one before its subscribers are renewed.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", ser_json_bytes="base64", val_json_bytes="base64", hide_input_in_errors=True
    )
    data_classes: ClassVar[dict[str, DataClass | None]] = {}
    _every_field: ClassVar[set[str]] = set()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls.data_classes = {name: data_class_of(cls, name, field) for name, field in cls.model_fields.items()}
        cls._every_field = set(cls.model_fields)

    @classmethod
    def trusted(cls, **values: Any) -> Self:
        """An instance of values that our own code has made or checked; every field is given, and nothing is validated.

        For the hot paths of large remittances: `model_construct`, with its defaults and aliases, costs five times as much.
        """
        assert len(values) == len(cls._every_field), f"{cls.__name__}.trusted takes every field"
        made = object.__new__(cls)
        _set_values(made, values)
        _set_fields_set(made, cls._every_field)
        _set_extra(made, None)
        _set_private(made, None)
        return made


def data_class_of(owner: type[BaseModel], name: str, field: FieldInfo) -> DataClass | None:
    """The field's class, or None where it is a nested canonical model that classifies its own fields.

    Raises:
        Unclassified: neither mark nor type says it.
    """
    for mark in field.metadata:
        if isinstance(mark, DataClass):
            return mark
    found = set(_classes_in(field.annotation))
    if len(found) == 1:
        return found.pop()
    raise Unclassified(f"{owner.__name__}.{name}: mark it Phi, Pii, Financial or Public")


def _classes_in(annotation: Any) -> Iterator[DataClass | None]:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *marks = get_args(annotation)
        marked = [mark for mark in marks if isinstance(mark, DataClass)]
        if marked:
            yield marked[0]
        else:
            yield from _classes_in(inner)
    elif origin in (Union, UnionType, tuple, list, dict, frozenset):
        for part in get_args(annotation):
            if part not in (NoneType, Ellipsis):
                yield from _classes_in(part)
    elif origin is Literal or annotation is AwareDatetime:
        yield DataClass.PUBLIC
    elif isinstance(annotation, type):
        if issubclass(annotation, BaseModel):
            yield None
        elif issubclass(annotation, Enum):
            yield DataClass.PUBLIC
        elif annotation in _BY_TYPE:
            yield _BY_TYPE[annotation]


def walk_classes(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, DataClass]]:
    """Every leaf field below `model` with its class, by dotted path; a sealed envelope is a leaf of class PUBLIC."""
    for name, field in model.model_fields.items():
        here = f"{path}{name}"
        found = data_class_of(model, name, field)
        if found is not None:
            yield here, found
            continue
        for nested in _models_in(field.annotation):
            yield from walk_classes(nested, f"{here}.")


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
