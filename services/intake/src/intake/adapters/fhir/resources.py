"""Validated R4 resources, and the places where billing looks for things in them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel, ValidationError

from intake.adapters.fhir.contained import local_name, told_apart
from intake.adapters.fhir.plain_resources import plain_resource
from intake.adapters.fhir.requests import Request
from intake.adapters.fhir.strict_json import Json
from intake.adapters.fhir.versions import foreign_fields
from intake.domain.refusals import Finding, InvalidMessage

TAKEN = (
    "Organization",
    "Location",
    "Practitioner",
    "PractitionerRole",
    "Patient",
    "Account",
    "Encounter",
    "Condition",
    "Procedure",
    "Coverage",
    "ChargeItem",
    "Claim",
)
"""In the order in which they are to be taken, each after what it may refer to."""
READ_WITHIN = (*TAKEN, "RelatedPerson")
"""What is read where another resource contains it."""
ADDRESS_BOOK = ("Organization", "Location", "Practitioner", "PractitionerRole")
RESOURCES_KEPT_MAX = 2_000
KEPT_CHARACTERS_MAX = 10_000
FINDINGS_MAX = 20
DIAGNOSIS_SYSTEMS = (
    "http://hl7.org/fhir/sid/icd-10-cm",
    "http://hl7.org/fhir/sid/icd-10",
    "urn:oid:2.16.840.1.113883.6.90",
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,40}")
_JSON_IN_TEXT = re.compile(r'"(\\[nrt]| )*\{')
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_IN_ONE_FORM = json.JSONEncoder(sort_keys=True, default=str, separators=(",", ":"), check_circular=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource, its place and number in the message (-1: it is the message), and what is asked to be done with it.

    Of what is contained in it nothing is asked but to be read; that has no reference but its `full_url`.

    `resource` is of `fhir.resources`, which has no useful static types. `said` is what it says, in one form for equal content,
    without what only tells of this version; of what is contained it is left out.
    """

    place: str
    number: int
    request: Request
    resource: Any = field(repr=False)
    said: bytes = field(repr=False)
    full_url: str = field(default="", repr=False)
    contained: tuple[Entry, ...] = field(default=(), repr=False)

    @property
    def is_contained(self) -> bool:
        return not self.request.method

    @property
    def type(self) -> str:
        return self.request.type

    @property
    def reference(self) -> str:
        """How others of its message refer to it by its own id, empty where it has none."""
        return f"{self.type}/{self.resource.id}" if self.resource.id and not self.is_contained else ""


def entry_of(place: str, content: object, request: Request, *, number: int = -1, full_url: str = "") -> Entry:
    """The resource, validated.

    Raises:
        InvalidMessage: no valid R4, a type that is not taken, or not the one that the request names.
    """
    kind = content.get("resourceType") if isinstance(content, dict) else None
    where = place if number < 0 else f"{place}.resource"
    if kind not in TAKEN or not isinstance(content, dict):
        note = f"one of {', '.join(TAKEN)}"
        raise InvalidMessage([Finding(f"{where}.resourceType".lstrip("."), "resource-type", note)])
    place = str(kind) if number < 0 else f"{place}.{kind}"
    foreign = foreign_fields(str(kind), content, place)
    if foreign:
        raise InvalidMessage(foreign[:FINDINGS_MAX])
    outer, inner = told_apart(content, place)
    if outer is not content or kind not in ADDRESS_BOOK:
        resource, said = validated(str(kind), outer, place), _said_in(content)
    else:
        resource, said = _from_address_book(str(kind), content, place)
    if kind != request.type or (request.id and resource.id != request.id):
        raise InvalidMessage([Finding(f"{place}.id", "address", "the resource is not the one that the address names")])
    contained = tuple(_contained(each, place, index) for index, each in enumerate(inner))
    return Entry(place, number, request, resource, said, full_url, tuple(filter(None, contained)))


def _contained(content: Json, owner: str, index: int) -> Entry | None:
    """What a resource contains, where billing reads resources of its type.

    Raises:
        InvalidMessage: it is not valid R4.
    """
    kind = str(content.get("resourceType"))
    if kind not in READ_WITHIN:
        return None
    place = f"{owner}.contained[{index}]"
    foreign = foreign_fields(kind, content, place)
    if foreign:
        raise InvalidMessage(foreign[:FINDINGS_MAX])
    resource = validated(kind, content, place)
    return Entry(place, -1, Request("", kind), resource, b"", local_name(owner, resource.id))


def validated(kind: str, content: Json, place: str) -> Any:
    """The resource as `fhir.resources` has it.

    Raises:
        InvalidMessage: it is not valid R4, or writes an object as a text of JSON, which `fhir.resources` would read; each
            finding names path and fault, and nothing of the content.
    """
    resource: Any = plain_resource(kind, content) or _read_by_the_library(kind, _without_nulls(content), place)
    if getattr(resource, "id", None) and not _ID.fullmatch(resource.id):
        raise InvalidMessage([Finding(f"{place}.id", "id", "letters, digits, dot and hyphen, at most 64")])
    return resource


def _without_nulls(content: Json) -> Json:
    """FHIR has no null members, and the library takes one for a value that is there."""
    found = _said(content)
    assert isinstance(found, dict)
    return found


def _said(value: object) -> object:
    if isinstance(value, list):
        return [_said(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: _said(each) for key, each in value.items() if each is not None}


def _read_by_the_library(kind: str, content: Json, place: str) -> Any:
    try:
        resource: Any = get_fhir_model_class(kind).model_validate(content)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        raise InvalidMessage([_fault(place, fault["loc"], fault["type"]) for fault in faults[:FINDINGS_MAX]]) from None
    except (AttributeError, TypeError, ValueError):
        # fhir.resources reads a text where an object belongs as JSON, and trips over one that is no object.
        raise InvalidMessage([Finding(place, "fhir-r4", "a value is of another kind than R4 has there")]) from None
    if _JSON_IN_TEXT.search(json.dumps(content, default=str)) and _has_text_for_object(content, resource):
        raise InvalidMessage([Finding(place, "json-in-text", "an object is written as one, not in a text")])
    return resource


def _has_text_for_object(content: object, model: object) -> bool:
    """Whether anything that the model has as an object was a text."""
    if isinstance(model, list):
        parts = zip(content, model, strict=False) if isinstance(content, list) else ()
        return any(_has_text_for_object(*each) for each in parts)
    if not isinstance(model, BaseModel):
        return False
    if not isinstance(content, dict):
        return True
    fields = type(model).model_fields.items()
    named = ((content.get(info.alias or name), getattr(model, name)) for name, info in fields)
    return any(_has_text_for_object(*each) for each in named)


def _said_in(content: Json) -> bytes:
    told = {key: value for key, value in content.items() if key not in ("id", "meta", "text")}
    return _IN_ONE_FORM.encode(told).encode()


@dataclass(frozen=True, slots=True)
class _Told:
    """A resource as it came; equal to one that came with the same members in the same order, wherever that stood."""

    kind: str
    text: str
    content: Json = field(compare=False)
    place: str = field(compare=False)

    def read(self) -> tuple[Any, bytes]:
        """Raises InvalidMessage where it is not valid."""
        return validated(self.kind, self.content, self.place), _said_in(self.content)


def _from_address_book(kind: str, content: Json, place: str) -> tuple[Any, bytes]:
    """The resource and what it says: these come again and again as they were, and hold nothing of a patient."""
    told = _Told(kind, repr(content), content, place)
    return _known(told) if len(told.text) <= KEPT_CHARACTERS_MAX else told.read()


@lru_cache(RESOURCES_KEPT_MAX)
def _known(told: _Told) -> tuple[Any, bytes]:
    return told.read()


def _fault(place: str, path: Sequence[object], kind: str) -> Finding:
    """Where a resource does not fit and how, without any of its content."""
    shown = [str(part) if isinstance(part, int) or _NAME.fullmatch(str(part)) else "?" for part in path]
    return Finding(".".join([place, *shown]), "fhir-r4", kind.replace("_", "-"))


def identifier_in(identifiers: Sequence[Any] | None, system: str) -> str:
    """The value of the first identifier of this system."""
    for identifier in identifiers or ():
        if identifier.system == system and identifier.value:
            return str(identifier.value)
    return ""


def code_in(concept: Any, systems: Sequence[str] = ()) -> str:
    """The code of the first coding of one of `systems`, or of the first coding where none is of them."""
    codings = (concept.coding if concept else None) or ()
    return code_of(concept, systems) or (str(codings[0].code or "") if codings else "")


def code_of(concept: Any, systems: Sequence[str]) -> str:
    """The code of the first coding of one of `systems`; empty where none is."""
    codings = (concept.coding if concept else None) or ()
    return next((str(coding.code) for coding in codings if coding.system in systems and coding.code), "")


def diagnosis_in(concept: Any) -> str:
    """The ICD-10-CM code, with its dot; empty where the concept has only codes of other systems."""
    codings = (concept.coding if concept else None) or ()
    found = (coding for coding in codings if coding.code and (not coding.system or coding.system in DIAGNOSIS_SYSTEMS))
    code = next((str(coding.code).upper() for coding in found), "")
    return f"{code[:3]}.{code[3:]}" if len(code) > 3 and "." not in code else code


def day_of(value: object) -> date | None:
    """The calendar day of a FHIR date or dateTime, in the zone that it was written in."""
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None
