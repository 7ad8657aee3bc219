"""One message as its readers see it: resources, how they refer to each other, and what is found wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from intake.adapters.fhir.names import FhirNames
from intake.adapters.fhir.references import References
from intake.adapters.fhir.resources import Entry
from intake.domain.refusals import Finding

LEFT_OUT = "left-out"


@dataclass(slots=True)
class FhirMessage:
    """`told_at` is when the bundle was put together, for resources that do not say when they were changed."""

    entries: Sequence[Entry]
    source: str
    names: FhirNames
    references: References
    told_at: datetime | None = None
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _of: dict[str, list[Entry]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._of = {}
        for entry in self.entries:
            self._of.setdefault(entry.type, []).append(entry)

    def of(self, kind: str) -> Sequence[Entry]:
        return self._of.get(kind, ())

    def all_of(self, kind: str) -> list[Entry]:
        """Those that are contained in others as well."""
        return [*self.of(kind), *(inner for entry in self.entries for inner in entry.contained if inner.type == kind)]

    def find(self, place: str, rule: str, note: str) -> None:
        self.findings.append(Finding(place, rule, note))

    def need(self, place: str, note: str) -> None:
        self.find(place, "required", note)

    def leave_out(self, place: str) -> None:
        """Tells the sender of what nothing is made of."""
        self.notes.append(f"{place}: {LEFT_OUT}: kept in the message alone")

    def said_at(self, resource: Any) -> datetime | None:
        """When the source said what the resource says."""
        updated = resource.meta.lastUpdated if resource.meta else None
        return updated if isinstance(updated, datetime) else self.told_at


def instant(value: object) -> datetime | None:
    """A FHIR instant; None where it is none, or has no zone."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found.astimezone(UTC) if found and found.tzinfo else None
