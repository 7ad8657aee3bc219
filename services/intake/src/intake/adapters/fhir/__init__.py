"""The FHIR R4 door: strict JSON to resources, resources to facts, outcomes to answers."""

from intake.adapters.fhir.door import FhirDoor, fhir_app, no_more_routes
from intake.adapters.fhir.names import FhirNames
from intake.adapters.fhir.reading import Sender, Submission, read_kept, read_submission

__all__ = [
    "FhirDoor",
    "FhirNames",
    "Sender",
    "Submission",
    "fhir_app",
    "no_more_routes",
    "read_kept",
    "read_submission",
]
