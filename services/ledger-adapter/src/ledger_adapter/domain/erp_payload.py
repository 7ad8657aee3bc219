"""What may leave for an ERP: models that cannot hold PHI, checked when they are defined and again when they are filled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn, Self

from canonical.classes import CanonicalModel, DataClass, walk_classes

_WORDS = ("John Doe", "Doe, John", "123 Main Street", "doe@example.org")
_SHAPED = frozenset({"type", "$ref", "anyOf", "allOf", "oneOf", "const", "enum"})
_NAMED_BY_TYPE = frozenset({"date", "date-time", "uuid"})


class HoldsFreeText(TypeError):
    """A field of a payload for an ERP that could hold a patient's name, words or number."""


class ErpPayload(CanonicalModel, extra="forbid"):
    """A model that is sent to an ERP.

    A field that is PHI or PII fails at import, as does a text without a pattern that keeps words out. An unknown field is
    refused when one is made, and there is no way around that check: neither an unchecked instance nor an unchecked copy.
    """

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for path, found in walk_classes(cls):
            if found in (DataClass.PHI, DataClass.PII):
                raise HoldsFreeText(f"{cls.__name__}.{path}: PHI and PII never go to an ERP")
        if cls.model_config.get("extra") != "forbid":
            raise HoldsFreeText(f"{cls.__name__}: a payload for an ERP refuses fields that it does not know")
        for place, text in _texts(cls.model_json_schema(), cls.__name__):
            if _takes_words(text):
                raise HoldsFreeText(f"{place}: a text for an ERP needs a pattern that keeps words out, such as Code")

    @classmethod
    def model_construct(cls, _fields_set: set[str] | None = None, **values: Any) -> NoReturn:  # type: ignore[override]
        """
        Raises:
            TypeError: always; a payload is made of checked values alone.
        """
        raise TypeError(f"{cls.__name__} is made by its constructor, which checks it")

    @classmethod
    def trusted(cls, **values: Any) -> Self:
        """Checked all the same."""
        return cls(**values)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy whose changes are checked."""
        return type(self)(**(dict(self) | dict(update or {})))


def _texts(schema: Any, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every text below a JSON Schema, with its place; a schema that allows anything is one."""
    if isinstance(schema, list):
        for each in schema:
            yield from _texts(each, place)
        return
    if schema.get("type") == "string" or not schema.keys() & _SHAPED:
        yield place, schema
    for name in ("items", "anyOf", "allOf", "oneOf", "prefixItems"):
        yield from _texts(schema.get(name, []), place)
    for group in ("properties", "$defs"):
        for name, each in schema.get(group, {}).items():
            yield from _texts(each, f"{place}.{name}")
    if isinstance(more := schema.get("additionalProperties"), dict):
        yield from _texts(more, place)


def _takes_words(text: Mapping[str, Any]) -> bool:
    if text.keys() & {"enum", "const"} or text.get("format") in _NAMED_BY_TYPE:
        return False
    pattern = text.get("pattern")
    return pattern is None or any(re.search(pattern, words) for words in _WORDS)
