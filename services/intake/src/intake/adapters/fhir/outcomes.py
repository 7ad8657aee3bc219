"""Answers in FHIR: OperationOutcome for what was made of a message, and the entries of a bundle's answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC
from email.utils import format_datetime

from starlette.responses import Response

from intake.adapters.fhir.message import LEFT_OUT
from intake.adapters.fhir.negotiation import MEDIA_TYPE, Preference
from intake.adapters.fhir.strict_json import Json, written
from intake.application.deliveries import Outcome
from intake.domain.source_reference import Fate, ResourceVersion

REFUSED = 422
STATUS_OF_RULE = {
    "ChargeChanged": 409,
    "ChargeMoved": 409,
    "Defect": 500,
    "EncounterMoved": 409,
    "json": 400,
    "json-object": 400,
    "too-large": 413,
    "scope": 403,
    "utf-8": 400,
    "identity-changed": 409,
    "version-conflict": 412,
}
_CODES = {
    "ChargeChanged": "conflict",
    "ChargeMoved": "conflict",
    "Defect": "exception",
    "EncounterMoved": "conflict",
    "address": "invalid",
    "condition": "not-supported",
    "duplicate-key": "structure",
    "fhir-r4": "structure",
    "fhir-version": "not-supported",
    "identity-changed": "conflict",
    "json": "structure",
    "json-object": "structure",
    "number": "value",
    "request-method": "not-supported",
    "required": "required",
    "resource-type": "not-supported",
    "too-deep": "too-long",
    "too-large": "too-long",
    "unknown-reference": "not-found",
    "utf-8": "structure",
    "version-conflict": "conflict",
}
_PHRASES = {200: "200 OK", 201: "201 Created"}


def fhir_response(status: int, content: Json | None, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON, or without a body."""
    body = written(content).encode() if content is not None else b""
    return Response(body, status, dict(headers or {}), media_type=MEDIA_TYPE if body else None)


def refused(status: int, code: str, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of one issue."""
    return fhir_response(status, operation_outcome([issue("error", code, text)]), headers)


def issue(severity: str, code: str, text: str, place: str = "") -> Json:
    """One issue; `place` is a path in the message."""
    content: Json = {"severity": severity, "code": code, "diagnostics": text}
    return content | {"expression": [place]} if place else content


def operation_outcome(issues: Iterable[Json]) -> Json:
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def outcome_of(outcome: Outcome) -> Json:
    """What was refused, by path and rule; or the message's id, and why an encounter of it waits for a person."""
    if not outcome.accepted:
        return operation_outcome(finding_issue(finding) for finding in outcome.findings)
    said = "kept already" if outcome.repeated else "kept"
    issues = [issue("information", "informational", f"message {outcome.message_id} is {said}")]
    issues += [_warning(note) for note in outcome.notes]
    return operation_outcome(issues)


def _warning(note: str) -> Json:
    """What was left out, at its place, or why an encounter is held."""
    place, rule, text = (*note.split(": ", 2), "", "")[:3]
    if rule == LEFT_OUT:
        return issue("warning", "informational", f"{LEFT_OUT}: {text}", place)
    return issue("warning", "business-rule", f"held: {note}")


def finding_issue(finding: str) -> Json:
    """A finding (`place: rule: note`) as an issue."""
    place, rule, note = (*finding.split(": ", 2), "", "")[:3]
    return issue("error", _CODES.get(rule, "business-rule"), f"{rule}: {note}".strip(": "), place)


def status_of(outcome: Outcome) -> int:
    """The HTTP status for one resource."""
    if not outcome.accepted:
        return STATUS_OF_RULE.get(outcome.rule, REFUSED)
    return 201 if any(version.fate is Fate.CREATED for version in outcome.resources) else 200


def version_headers(version: ResourceVersion) -> dict[str, str]:
    """Which version it is, and since when."""
    headers = {"ETag": f'W/"{version.version}"'}
    if version.changed_at is not None:
        headers["Last-Modified"] = format_datetime(version.changed_at.astimezone(UTC), usegmt=True)
    return headers


def location_headers(version: ResourceVersion, base: str) -> dict[str, str]:
    """Where the resource is, and in which version."""
    location = f"{base}/{version.reference}/_history/{version.version}"
    return version_headers(version) | {"Location": location}


def history_bundle(entries: Iterable[tuple[ResourceVersion, Json | None]], total: int, following: str) -> Json:
    """Versions of one resource, those without content gone; `following` is the address of the next page, if there is one."""
    told: list[Json] = []
    for version, content in entries:
        entry = _entry_of(version, _PHRASES[200] if content else "410 Gone")
        told.append(entry | {"request": {"method": "PUT", "url": version.reference}})
        if content:
            told[-1]["resource"] = content
    links: Json = {"link": [{"relation": "next", "url": following}]} if following else {}
    return _bundle("history", told) | {"total": total} | links


def transaction_response(outcome: Outcome, preference: Preference, contents: Mapping[int, Json]) -> Json:
    """The answer to a transaction of which every entry was taken; the first entry tells of the message."""
    entries: list[Json] = [
        _entry_of(version, _PHRASES[201 if version.fate is Fate.CREATED else 200]) for version in outcome.resources
    ]
    if entries and preference.returns == "OperationOutcome":
        _response_of(entries[0])["outcome"] = outcome_of(outcome)
    if preference.returns == "representation":
        for entry, version in zip(entries, outcome.resources, strict=True):
            entry["resource"] = represented(contents[version.entry], version)
    return _bundle("transaction-response", entries)


def batch_response(answers: Iterable[tuple[int, Json, ResourceVersion | None]], preference: Preference) -> Json:
    """The answer to a batch: status, outcome and version of each entry, in their order."""
    entries: list[Json] = []
    for status, outcome, version in answers:
        phrase = _PHRASES.get(status, str(status))
        alone: Json = {"response": {"status": phrase}}
        entry = _entry_of(version, phrase) if version else alone
        if status >= REFUSED or not version or preference.returns != "minimal":
            _response_of(entry)["outcome"] = outcome
        entries.append(entry)
    return _bundle("batch-response", entries)


def _bundle(kind: str, entries: list[Json]) -> Json:
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def _entry_of(version: ResourceVersion, phrase: str) -> Json:
    response: Json = {
        "status": phrase,
        "location": f"{version.reference}/_history/{version.version}",
        "etag": f'W/"{version.version}"',
    }
    if version.changed_at is not None:
        response["lastModified"] = version.changed_at.isoformat()
    return {"response": response}


def _response_of(entry: Json) -> Json:
    response = entry["response"]
    assert isinstance(response, dict)
    return response


def represented(content: Json, version: ResourceVersion) -> Json:
    """A resource under the id and version that it has here."""
    meta = content.get("meta")
    told: Json = dict(meta) if isinstance(meta, dict) else {}
    told |= {"versionId": str(version.version)}
    if version.changed_at is not None:
        told |= {"lastUpdated": version.changed_at.isoformat()}
    return content | {"id": version.reference.partition("/")[2], "meta": told}
