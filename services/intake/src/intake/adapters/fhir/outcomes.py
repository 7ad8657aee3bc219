"""Answers in FHIR: OperationOutcome, transaction responses, and the CapabilityStatement."""

from __future__ import annotations

from collections.abc import Iterable

from intake.adapters.fhir.resources import TAKEN
from intake.adapters.fhir.strict_json import Json
from intake.application.deliveries import Outcome

_CODES = {
    "required": "required",
    "duplicate-key": "structure",
    "json": "structure",
    "fhir-r4": "structure",
    "resource-type": "not-supported",
    "unknown-reference": "not-found",
    "too-large": "too-long",
    "ChargeChanged": "conflict",
    "EncounterMoved": "conflict",
}


def issue(severity: str, code: str, text: str, place: str = "") -> Json:
    """One issue; `place` is a path in the message."""
    content: Json = {"severity": severity, "code": code, "diagnostics": text}
    return content | {"expression": [place]} if place else content


def operation_outcome(issues: Iterable[Json]) -> Json:
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def refusal(outcome: Outcome) -> Json:
    """What was refused, by path and rule."""
    return operation_outcome(_refused(finding) for finding in outcome.findings)


def _refused(finding: str) -> Json:
    place, rule, note = (*finding.split(": ", 2), "", "")[:3]
    return issue("error", _CODES.get(rule, "business-rule"), f"{rule}: {note}".strip(": "), place)


def acceptance(outcome: Outcome) -> Json:
    """The message's id, and why an encounter of it waits for a person."""
    said = "kept already" if outcome.repeated else "kept"
    issues = [issue("information", "informational", f"message {outcome.message_id} is {said}")]
    issues += [issue("warning", "business-rule", f"held: {note}") for note in outcome.notes]
    return operation_outcome(issues)


def transaction_response(outcome: Outcome, entries: int) -> Json:
    """The answer to a bundle: all of its entries were taken."""
    response: Json = {"status": "200 OK"}
    first = response | {"outcome": acceptance(outcome)}
    answers = [first, *([response] * (entries - 1))]
    return {
        "resourceType": "Bundle",
        "type": "transaction-response",
        "entry": [{"response": answer} for answer in answers],
    }


def capability_statement() -> Json:
    """What this door takes."""
    interactions = [{"code": "create"}, {"code": "update"}]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-01-01",
        "kind": "instance",
        "software": {"name": "Throughline intake"},
        "implementation": {"description": "Charges from the EHR"},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "resource": [{"type": kind, "interaction": interactions} for kind in TAKEN],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }
