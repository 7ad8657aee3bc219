"""How the sources of a deployment name things of ours in FHIR identifiers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FhirNames:
    """The identifier systems by which a deployment's sources name things of ours, all below one namespace."""

    namespace: str = "urn:sandbox"

    def code_systems(self) -> tuple[str, ...]:
        """The systems of codes that master data knows, in order of preference."""
        return tuple(f"{self.namespace}:{kind}" for kind in ("entity", "payer", "provider"))

    def of_source(self, source: str, kind: str) -> str:
        return f"{self.namespace}:{source}:{kind}"

    @property
    def location_system(self) -> str:
        return f"{self.namespace}:location"

    @property
    def modifier_extension(self) -> str:
        return f"{self.namespace}:procedure-modifier"

    @property
    def present_on_admission_extension(self) -> str:
        return f"{self.namespace}:present-on-admission"
