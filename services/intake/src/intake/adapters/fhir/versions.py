"""Which FHIR a sender speaks: R4 is taken, every other release is refused by its name."""

from __future__ import annotations

from intake.adapters.fhir.strict_json import Json
from intake.domain.refusals import Finding

RELEASES = {"0": "DSTU1", "1": "DSTU2", "3": "STU3", "5": "R5", "6": "R6"}
R4_VERSIONS = ("4.0", "4.0.0", "4.0.1")
_R5 = {
    "Account": ("billingStatus", "calculatedAt", "currency", "diagnosis", "procedure", "relatedAccount"),
    "ChargeItem": ("encounter", "totalPriceComponent", "unitPriceComponent"),
    "Claim": ("diagnosisRelatedGroup", "encounter", "event", "patientPaid", "traceNumber"),
    "Condition": ("participant",),
    "Coverage": ("insurer", "kind", "paymentBy", "insurancePlan"),
    "Encounter": ("actualPeriod", "admission", "businessStatus", "plannedStartDate", "subjectStatus", "virtualService"),
    "Location": ("characteristic", "contact", "form", "virtualService"),
    "Organization": ("description", "qualification"),
    "PractitionerRole": ("characteristic", "communication", "contact"),
    "Procedure": ("focus", "occurrenceDateTime", "occurrencePeriod", "recorded", "reportedBoolean", "supportingInfo"),
}
_STU3 = {
    "ChargeItem": ("definition", "participant"),
    "Claim": ("employmentImpacted", "hospitalization", "information", "organization"),
    "Condition": ("assertedDate", "context"),
    "Coverage": ("grouping", "sequence"),
    "Encounter": ("incomingReferral",),
    "Patient": ("animal",),
    "Procedure": ("context", "definition", "notDone", "notDoneReason"),
}


def release_of(version: str) -> str:
    """The name of a release that is not taken, by its number (`5.0`); empty for R4."""
    if version in R4_VERSIONS:
        return ""
    return "R4B" if version.startswith("4.3") else RELEASES.get(version.split(".")[0], "another release")


def foreign_fields(kind: str, content: Json, place: str) -> list[Finding]:
    """What only a resource of another release has: a message that mixes releases would be misread."""
    found = [(name, "R5") for name in _R5.get(kind, ()) if name in content]
    found += [(name, "STU3") for name in _STU3.get(kind, ()) if name in content]
    if kind == "Encounter" and isinstance(content.get("class"), list):
        found.append(("class", "R5"))
    if kind == "Encounter" and "reason" in content:
        found.append(("reason", _release_of_reason(content["reason"])))
    note = "is not taken; send R4 (4.0.1)"
    return [Finding(f"{place}.{name}", "fhir-version", f"{release} {note}") for name, release in found]


def _release_of_reason(reason: object) -> str:
    first = reason[0] if isinstance(reason, list) and reason else None
    return "R5" if isinstance(first, dict) and ("use" in first or "value" in first) else "STU3"
