"""Validated R4 resources, and the places where billing looks for things in them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from intake.adapters.fhir.strict_json import Json
from intake.domain.refusals import Finding, InvalidMessage

TAKEN = ("Organization", "Practitioner", "Patient", "Encounter", "Condition", "Procedure", "Coverage", "ChargeItem")
ENTRIES_MAX = 1000
FINDINGS_MAX = 20
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,40}")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource and its place. `resource` is of `fhir.resources`, which has no useful static types."""

    place: str
    type: str
    resource: Any = field(repr=False)
    full_url: str = field(default="", repr=False)

    @property
    def reference(self) -> str:
        """How others of the same source refer to it, empty where it has no id."""
        return f"{self.type}/{self.resource.id}" if self.resource.id else ""


def entries_of(content: Json) -> list[Entry]:
    """The resources of a bundle or the one resource.

    Raises:
        InvalidMessage: not valid R4, a type that is not taken, or a bundle that asks for more than storing.
    """
    kind = content.get("resourceType")
    if kind == "Bundle":
        return _bundle_entries(content)
    if kind not in TAKEN:
        raise InvalidMessage([_unsupported("resourceType")])
    return [Entry(str(kind), str(kind), _validated(str(kind), content, str(kind)))]


def _bundle_entries(content: Json) -> list[Entry]:
    raw_entries = content.get("entry")
    if content.get("type") not in ("transaction", "batch"):
        raise InvalidMessage([Finding("Bundle.type", "bundle-type", "transaction or batch")])
    if not isinstance(raw_entries, list) or not 0 < len(raw_entries) <= ENTRIES_MAX:
        raise InvalidMessage([Finding("Bundle.entry", "entry-count", f"1 to {ENTRIES_MAX} entries")])
    head = {key: value for key, value in content.items() if key != "entry"}
    _validated("Bundle", head, "Bundle")
    entries: list[Entry] = []
    findings: list[Finding] = []
    for index, raw in enumerate(raw_entries):
        try:
            entries.append(_entry(f"Bundle.entry[{index}]", raw))
        except InvalidMessage as invalid:
            findings += invalid.findings
    if findings:
        raise InvalidMessage(findings[:FINDINGS_MAX])
    return entries


def _entry(place: str, raw: object) -> Entry:
    if not isinstance(raw, dict) or not isinstance(raw.get("resource"), dict):
        raise InvalidMessage([Finding(f"{place}.resource", "required", "each entry holds a resource")])
    request = raw.get("request")
    method = request.get("method") if isinstance(request, dict) else None
    if method not in ("PUT", "POST"):
        raise InvalidMessage([Finding(f"{place}.request.method", "request-method", "PUT or POST")])
    content = raw["resource"]
    kind = content.get("resourceType")
    if kind not in TAKEN:
        raise InvalidMessage([_unsupported(f"{place}.resource.resourceType")])
    full_url = raw.get("fullUrl")
    resource = _validated(kind, content, f"{place}.{kind}")
    return Entry(f"{place}.{kind}", kind, resource, full_url if isinstance(full_url, str) else "")


def _unsupported(place: str) -> Finding:
    return Finding(place, "resource-type", f"one of {', '.join(TAKEN)}")


def _validated(kind: str, content: Json, place: str) -> Any:
    try:
        resource: Any = get_fhir_model_class(kind).model_validate(content)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        raise InvalidMessage([_fault(place, fault["loc"], fault["type"]) for fault in faults[:FINDINGS_MAX]]) from None
    if getattr(resource, "id", None) and not _ID.fullmatch(resource.id):
        raise InvalidMessage([Finding(f"{place}.id", "id", "letters, digits, dot and hyphen, at most 64")])
    return resource


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


def day_of(value: object) -> date | None:
    """The calendar day of a FHIR date or dateTime, in the zone that it was written in."""
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None
