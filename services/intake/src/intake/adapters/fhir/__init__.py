"""The FHIR R4 door: strict JSON to resources, resources to facts, outcomes to answers."""

from intake.adapters.fhir.door import fhir_app
from intake.adapters.fhir.names import FhirNames
from intake.adapters.fhir.translation import read_delivery

__all__ = ["FhirNames", "fhir_app", "read_delivery"]
