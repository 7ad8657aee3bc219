"""Finds resources again in the message that brought them."""

from __future__ import annotations

from intake.adapters.fhir.strict_json import Json, parse_object


def resource_in(content: Json, entry: int) -> Json:
    """The resource of this number in a message: of a transaction, of one entry of a batch, or the message itself."""
    entries = content.get("entry")
    if isinstance(entries, list) and entry >= 0:
        return resource_in(entries[entry], -1)
    resource = content.get("resource")
    return resource if isinstance(resource, dict) and "resourceType" not in content else content


def contents_of(raw: bytes) -> dict[int, Json]:
    """Every resource of a message that has been read before, by its number."""
    content = parse_object(raw)
    entries = content.get("entry")
    numbers = range(len(entries)) if content.get("resourceType") == "Bundle" and isinstance(entries, list) else (-1,)
    return {number: resource_in(content, number) for number in numbers}
