"""Contained resources: they live within another one, which alone refers to them, by `#id`."""

from __future__ import annotations

from intake.adapters.fhir.strict_json import Json
from intake.domain.refusals import Finding, InvalidMessage

CONTAINED = "contained"
CONTAINED_MAX = 100
MARK = "#"


def local_name(place: str, identity: object) -> str:
    """How a contained resource is referred to by a message of several resources, where `#id` alone would mean several."""
    return f"{place}{MARK}{identity}"


def told_apart(content: Json, place: str) -> tuple[Json, tuple[Json, ...]]:
    """A resource without what it contains, and that; each reference by `#id` says of which resource of the message.

    Raises:
        InvalidMessage: what is contained is no list of resources with ids, each once, or contains others.
    """
    if CONTAINED not in content:
        return content, ()
    told = content[CONTAINED]
    if not isinstance(told, list) or len(told) > CONTAINED_MAX:
        raise _refused(place, f"a list of at most {CONTAINED_MAX} resources")
    inner = tuple(each for each in told if isinstance(each, dict))
    ids = {each.get("id") for each in inner if isinstance(each.get("id"), str)}
    if len(ids) < len(told):
        raise _refused(place, "each is a resource with an id of its own")
    if any(CONTAINED in each for each in inner):
        raise _refused(place, "a contained resource contains no other")
    outer = {key: value for key, value in content.items() if key != CONTAINED}
    return _named(outer, place), tuple(_named(each, place) for each in inner)


def _named(resource: Json, place: str) -> Json:
    named = _renamed(resource, place)
    assert isinstance(named, dict)
    return named


def _renamed(value: object, place: str) -> object:
    if isinstance(value, list):
        return [_renamed(each, place) for each in value]
    if not isinstance(value, dict):
        return value
    renamed = {key: _renamed(each, place) for key, each in value.items()}
    reference = value.get("reference")
    if isinstance(reference, str) and reference.startswith(MARK):
        renamed["reference"] = local_name(place, reference.removeprefix(MARK))
    return renamed


def _refused(place: str, note: str) -> InvalidMessage:
    return InvalidMessage([Finding(f"{place}.{CONTAINED}", "contained", note)])
