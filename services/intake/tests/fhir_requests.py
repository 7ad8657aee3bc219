"""Requests that an EHR would send: whole resources with small changes, at the addresses where they belong."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .fuzz_fhir.mutator import mutate
from .world import Wire, bundle, encounters, resources

ENCOUNTER = next(each for each in encounters(Wire.FHIR) if each.source == "ehr-north")
SOURCE = ENCOUNTER.source
CPT, ICD = "http://www.ama-assn.org/go/cpt", "http://hl7.org/fhir/sid/icd-10-cm"
PATIENT = {"reference": f"Patient/{resources(bundle(ENCOUNTER), 'Patient')[0]['id']}"}
VISIT = {"reference": f"Encounter/{resources(bundle(ENCOUNTER), 'Encounter')[0]['id']}"}
PAYER = {"identifier": {"system": "urn:sandbox:payer", "value": "ACME"}}
PROVIDER = {"identifier": {"system": "urn:sandbox:provider", "value": ENCOUNTER.provider}}
ENTITY = {"identifier": {"system": "urn:sandbox:entity", "value": ENCOUNTER.entity}}
FOLDER_FILE = "Patient.ndjson"


def coded(code: str, system: str = "") -> dict[str, Any]:
    return {"coding": [{"code": code} | ({"system": system} if system else {})]}


def other_resources() -> list[dict[str, Any]]:
    """Of the types that no bundle of the sandbox's EHR holds, one each."""
    item = {
        "sequence": 1,
        "productOrService": coded("99213", CPT),
        "servicedDate": "2026-02-06",
        "net": {"value": 124, "currency": "USD"},
        "diagnosisSequence": [1],
    }
    claim = {
        "identifier": [{"system": f"urn:sandbox:{SOURCE}:claim", "value": "CLM1"}],
        "status": "active",
        "use": "claim",
        "type": coded("professional"),
        "patient": PATIENT,
        "created": "2026-02-07",
        "provider": ENTITY,
        "priority": coded("normal"),
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/x"}}],
        "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": coded("E11.9", ICD)}],
        "item": [item],
        "total": {"value": 124, "currency": "USD"},
    }
    procedure_system = "http://www.cms.gov/Medicare/Coding/ICD10"
    procedure = {"status": "completed", "subject": PATIENT, "encounter": VISIT, "performedDateTime": "2026-02-06"}
    return [
        {"resourceType": "Claim", "id": "CLM1"} | claim,
        {"resourceType": "Account", "id": "A1", "status": "active", "subject": [PATIENT]},
        {"resourceType": "Condition", "id": "C1", "subject": PATIENT, "encounter": VISIT, "code": coded("J45.20", ICD)},
        {"resourceType": "Procedure", "id": "P1", "code": coded("02703DZ", procedure_system)} | procedure,
        {"resourceType": "PractitionerRole", "id": "R1", "practitioner": PROVIDER, "organization": ENTITY},
        {"resourceType": "Location", "id": "L1", "identifier": [{"system": "urn:sandbox:location", "value": "N-MAIN"}]},
    ]


@dataclass(frozen=True)
class Requests:
    """Requests by the dice, most of them of what a door should take; `job` is an import that runs."""

    dice: random.Random
    job: str
    pool: Sequence[dict[str, Any]] = field(
        default_factory=lambda: [each["resource"] for each in bundle(ENCOUNTER)["entry"]] + other_resources()
    )

    def resource(self) -> dict[str, Any]:
        return self.changed(self.dice.choice(self.pool))

    def changed(self, resource: dict[str, Any]) -> dict[str, Any]:
        """A resource of the source, as it is or with a change that leaves its meaning, or with one that need not."""
        chosen = json.loads(json.dumps(resource))
        chosen["meta"] = {"source": SOURCE}
        chosen |= self.dice.choice([{}, {"language": "en"}, {"extension": [{"url": "urn:x", "valueString": "y"}]}])
        if self.dice.randrange(5) == 0:
            chosen = self._mutated(chosen)
        return chosen  # type: ignore[no-any-return]

    def _mutated(self, content: dict[str, Any]) -> dict[str, Any]:
        raw = json.dumps(content).encode()
        try:
            found = json.loads(mutate(self.dice, raw, [raw]))
        except (ValueError, RecursionError):
            return content
        return found if isinstance(found, dict) else content

    def bundle(self) -> dict[str, Any]:
        content = bundle(ENCOUNTER)
        content["identifier"] = {"value": f"B{self.dice.getrandbits(64)}"}
        content["type"] = self.dice.choice(["transaction", "batch"])
        if self.dice.randrange(4) == 0:
            content["entry"] = [self.dice.choice(content["entry"])]
        return self._mutated(content) if self.dice.randrange(5) == 0 else content

    def manifest(self) -> dict[str, Any]:
        inputs = [{"type": "Patient", "url": FOLDER_FILE}]
        return {"inputFormat": "application/fhir+ndjson", "inputSource": SOURCE, "input": inputs}

    def fit(self, case: Any) -> None:
        """Makes a generated request one of these."""
        path, method = case.operation.path, case.operation.method.upper()
        case.headers, case.query = {}, {}
        if path == "/fhir":
            case.body = self.bundle()
        elif path == "/fhir/$import":
            case.body, case.headers = self.manifest(), {"Prefer": "respond-async"}
        elif "{job}" in path:
            case.path_parameters = {"job": self.job, "page": 0}
        elif method == "GET" and "{type}" in path:
            known = self.dice.choice(bundle(ENCOUNTER)["entry"])["resource"]
            case.path_parameters = {"type": known["resourceType"], "id": known["id"], "version": 1}
        elif "{type}" in path:
            self._fit_write(case)

    def _fit_write(self, case: Any) -> None:
        resource = self.resource()
        if case.operation.method.upper() == "PUT" and "{id}" not in case.operation.path:
            named = self.dice.choice([each for each in self.pool if each.get("identifier")])
            identifier = named["identifier"][0]
            case.query = {"identifier": f"{identifier['system']}|{identifier['value']}"}
            resource = self.changed(named)
        case.path_parameters = {"type": str(resource.get("resourceType")), "id": str(resource.get("id", "x"))}
        case.body = resource
