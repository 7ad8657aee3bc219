"""Conditions of rules: nested all, any and not over comparisons of facts, read from data once and evaluated purely."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from claims.domain.rules.predicates import PREDICATES
from claims.domain.rules.values import ORDERED, Kind, RuleFault, RuleRefused, Value, value_in

DEPTH_MAX = 8
PARTS_MAX = 50

Kinds = Mapping[str, Kind]
Lookup = Callable[[str], Value | None]


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


@dataclass(frozen=True, slots=True)
class FactNamed:
    """The value of another fact, to compare with."""

    name: str


@dataclass(frozen=True, slots=True)
class Comparison:
    fact: str
    how: str
    operand: Value | FactNamed


@dataclass(frozen=True, slots=True)
class Asked:
    """A named predicate, asked of one fact."""

    predicate: str
    fact: str


Condition = AllOf | AnyOf | Not | Comparison | Asked

_EQUALITY: Mapping[str, Callable[[object, object], bool]] = {"is": operator.eq, "is_not": operator.ne}
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "above": operator.gt,
    "at_least": operator.ge,
    "below": operator.lt,
    "at_most": operator.le,
}
_MEMBERSHIP: Mapping[str, Callable[[str, tuple[str, ...]], bool]] = {
    "in": lambda one, many: one in many,
    "not_in": lambda one, many: one not in many,
}
_SETS: Mapping[str, Callable[[tuple[str, ...], tuple[str, ...]], bool]] = {
    "has_any": lambda have, wanted: not set(wanted).isdisjoint(have),
    "has_all": lambda have, wanted: set(wanted) <= set(have),
}


def condition_in(written: object, kinds: Kinds, depth: int = 1) -> Condition:
    """The condition that a rule file writes; facts and operators are checked against their kinds here, once.

    Raises:
        RuleRefused: names what is wrong.
    """
    if depth > DEPTH_MAX:
        raise RuleRefused(f"conditions are nested at most {DEPTH_MAX} deep")
    match written:
        case {"all": list() as parts, **rest} if not rest:
            return AllOf(_parts_in(parts, kinds, depth))
        case {"any": list() as parts, **rest} if not rest:
            return AnyOf(_parts_in(parts, kinds, depth))
        case {"not": part, **rest} if not rest:
            return Not(condition_in(part, kinds, depth + 1))
        case {"ask": str() as predicate, "fact": str() as fact, **rest} if not rest:
            _kind_of(fact, kinds)
            if predicate not in PREDICATES:
                raise RuleRefused(f"there is no predicate {predicate!r}")
            return Asked(predicate, fact)
        case {"fact": str() as fact, **rest} if len(rest) == 1:
            ((how, operand),) = rest.items()
            return _comparison_in(fact, str(how), operand, kinds)
    raise RuleRefused("a condition is all, any, not, ask with a fact, or a fact with one comparison")


def _parts_in(parts: list[object], kinds: Kinds, depth: int) -> tuple[Condition, ...]:
    if not 1 <= len(parts) <= PARTS_MAX:
        raise RuleRefused(f"all and any have 1 to {PARTS_MAX} parts")
    return tuple(condition_in(part, kinds, depth + 1) for part in parts)


def _comparison_in(fact: str, how: str, operand: object, kinds: Kinds) -> Comparison:
    kind = _kind_of(fact, kinds)
    wanted = _operand_kind(how, kind)
    if wanted is None:
        raise RuleRefused(f"{fact} is of kind {kind.value}, which has no comparison {how!r}")
    match operand:
        case {"fact": str() as other, **rest} if not rest:
            if _kind_of(other, kinds) is not wanted:
                raise RuleRefused(f"{fact} {how} compares {wanted.value} with {kinds[other].value}, which is {other}")
            return Comparison(fact, how, FactNamed(other))
    return Comparison(fact, how, value_in(operand, wanted))


def _operand_kind(how: str, kind: Kind) -> Kind | None:
    if how in _EQUALITY or (how in _ORDER and kind in ORDERED):
        return kind
    if (how in _MEMBERSHIP and kind is Kind.TEXT) or (how in _SETS and kind is Kind.TEXTS):
        return Kind.TEXTS
    return None


def _kind_of(fact: str, kinds: Kinds) -> Kind:
    if fact not in kinds:
        raise RuleRefused(f"there is no fact {fact!r} here")
    return kinds[fact]


def holds(condition: Condition, lookup: Lookup) -> bool:
    """Whether the condition is true of these facts; what all and any have decided, they ask no further.

    Raises:
        RuleFault: a fact that it needs is not known.
    """
    match condition:
        case AllOf(parts):
            return all(holds(part, lookup) for part in parts)
        case AnyOf(parts):
            return any(holds(part, lookup) for part in parts)
        case Not(part):
            return not holds(part, lookup)
        case Asked(predicate, fact):
            return PREDICATES[predicate](_known(fact, lookup))
        case Comparison(fact, how, operand):
            other = _known(operand.name, lookup) if isinstance(operand, FactNamed) else operand
            return _compare(how, _known(fact, lookup), other)


def _compare(how: str, value: Value, operand: Value) -> bool:
    if how in _EQUALITY:
        return _EQUALITY[how](value, operand)
    if how in _ORDER:
        return _ORDER[how](value, operand)
    if not isinstance(operand, tuple):
        raise RuleFault(f"{how} needs a list of texts")
    if isinstance(value, tuple):
        return _SETS[how](value, operand)
    return _MEMBERSHIP[how](str(value), operand)


def _known(fact: str, lookup: Lookup) -> Value:
    value = lookup(fact)
    if value is None:
        raise RuleFault(f"{fact} is not known")
    return value


def in_words(condition: Condition) -> str:
    """The condition as a person reads it."""
    match condition:
        case AllOf(parts):
            return " and ".join(_grouped(part) for part in parts)
        case AnyOf(parts):
            return " or ".join(_grouped(part) for part in parts)
        case Not(part):
            return f"not {_grouped(part)}"
        case Asked(predicate, fact):
            return f"`{fact}` {predicate}"
        case Comparison(fact, how, operand):
            return f"`{fact}` {how.replace('_', ' ')} {_operand_in_words(operand)}"


def _grouped(condition: Condition) -> str:
    words = in_words(condition)
    return f"({words})" if isinstance(condition, AllOf | AnyOf) and len(condition.parts) > 1 else words


def _operand_in_words(operand: Value | FactNamed) -> str:
    match operand:
        case FactNamed(name):
            return f"`{name}`"
        case bool():
            return "true" if operand else "false"
        case tuple():
            return ", ".join(operand)
    return str(operand)
