"""Resources of plain content, made from a plan of each class that is drawn up once; everything else is left to the library.

`fhir.resources` goes over every field that a class could have, several times. Here only what a resource says is looked at, each
value by the library's own validator of its field, so what comes out is what the library would have made. What is
unusual, wrong or extended beyond the plan gives None: then the library reads it, and names the fault.
"""

from __future__ import annotations

from collections.abc import Callable, KeysView
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Annotated, Any, get_args, get_origin

from fhir.resources.R4B import get_fhir_model_class
from fhir_core.types import Date, DateTime, Instant
from pydantic import TypeAdapter, ValidationError

from intake.adapters.fhir.strict_json import Json

DAYS_REMEMBERED = 1_000
_DAYS = (Date, DateTime, Instant)
_KNOWN_RULES = {"reject_null_complex_elements", "validate_after_model_construction"}
_Read = Callable[[object], object]


class Plain:
    """An element or a resource; each class of the library has one of its own, and what is not given is None by it."""


class _NotPlain(Exception):
    """The library has to look at this."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one class of the library is made: `fields` by the names that JSON has for them.

    Of `choices` (a value of one of several types) at most one is given, and of the required ones exactly one.
    """

    kind: type[Plain]
    fields: dict[str, tuple[str, _Read]]
    needed: tuple[str, ...]
    choices: tuple[tuple[frozenset[str], bool], ...]

    def read(self, content: object) -> object:
        """Raises _NotPlain, ValidationError or another error of the library where it is not plain, or wrong."""
        if type(content) is not dict:
            raise _NotPlain
        values: dict[str, object] = {}
        for key, value in content.items():
            known = self.fields.get(key)
            if known is None or value is None:
                raise _NotPlain
            name, read = known
            values[name] = read(value)
        if self.needed or self.choices:
            self._refuse_what_lacks(values.keys())
        made = self.kind()
        made.__dict__ = values
        return made

    def _refuse_what_lacks(self, given: KeysView[str]) -> None:
        for name in self.needed:
            if name not in given:
                raise _NotPlain
        for names, is_required in self.choices:
            told = len(names & given)
            if told > 1 or (is_required and not told):
                raise _NotPlain


def plain_resource(kind: str, content: Json) -> Any:
    """The resource as the library would make it, or None where the library has to look at it itself."""
    plan = _plan_of(get_fhir_model_class(kind))
    if plan is None or content.get("resourceType") != kind:
        return None
    try:
        return plan.read({key: value for key, value in content.items() if key != "resourceType"})
    except (_NotPlain, ValidationError, AttributeError, TypeError, ValueError):
        return None


@cache
def _plan_of(kind: Any) -> _Plan | None:
    """None where the class has rules of its own."""
    decorators = kind.__pydantic_decorators__
    if decorators.field_validators or set(decorators.model_validators) != _KNOWN_RULES:
        return None
    blank = kind.model_construct()
    aliases = blank.get_alias_mapping()
    needed = [aliases[name] for name, _ in blank.get_required_fields()]
    fields, nothing = {}, {}
    for name, info in kind.model_fields.items():
        if info.metadata:
            return None
        nothing[name] = None if info.is_required() else info.default
        if info.is_required():
            needed.append(name)
        fields[info.alias or name] = (name, _reader(info.annotation))
    choices = tuple(
        (frozenset(names), bool(kind.model_fields[names[0]].json_schema_extra["one_of_many_required"]))
        for names in blank.get_one_of_many_fields().values()
    )
    return _Plan(type(kind.__name__, (Plain,), nothing), fields, tuple(needed), choices)


def _reader(annotation: Any) -> _Read:
    """Reads a value of a field: an element or a list of elements by their plans, a primitive by the library's validator."""
    plain = _without_none(annotation)
    if _is_element(plain):
        return _element(plain)
    if get_origin(plain) is list and _is_element(item := _without_none(get_args(plain)[0])):
        return _elements(_element(item))
    validate: _Read = TypeAdapter(annotation).validator.validate_python
    return _remembered(validate) if any(isinstance(mark, _DAYS) for mark in get_args(plain)) else validate


def _remembered(validate: _Read) -> _Read:
    """The same few days stand in every resource, and the library takes each apart with an expression."""
    known = lru_cache(DAYS_REMEMBERED)(validate)

    def read(value: object) -> object:
        return known(value) if type(value) is str else validate(value)

    return read


def _element(annotation: Any) -> _Read:
    if annotation.__name__ in ("ResourceType", "ElementType"):
        return _left_to_the_library

    # Drawn up when it is first needed: an element may hold elements of its own kind.
    plan_of_it = cache(lambda: _plan_of(annotation.get_model_klass()))

    def read(value: object) -> object:
        plan = plan_of_it()
        return plan.read(value) if plan else _left_to_the_library(value)

    return read


def _elements(read: _Read) -> _Read:
    def read_each(values: object) -> object:
        if type(values) is not list:
            raise _NotPlain
        return [read(value) for value in values]

    return read_each


def _left_to_the_library(value: object) -> object:
    raise _NotPlain


def _is_element(annotation: Any) -> bool:
    return hasattr(annotation, "get_model_klass")


def _without_none(annotation: Any) -> Any:
    """`X` of `X | None`; every other union stays as it is."""
    if get_origin(annotation) is Annotated or not get_args(annotation) or get_origin(annotation) is list:
        return annotation
    rest = [each for each in get_args(annotation) if each is not type(None)]
    return rest[0] if len(rest) == 1 and get_origin(annotation) is not None else annotation
