"""The patient: a pseudonym, the sealed details, and the other ids that mean the same person."""

from __future__ import annotations

from uuid import UUID

from canonical.classes import Public
from canonical.sealed import Sealed
from chassis.domain import Aggregate, Event

from intake.domain.next_coverage import NextCoverage

PATIENT_KIND = "patient.v1"
COVERAGE_KIND = "coverage.v1"


class Patient(Aggregate):
    """Id: source system and medical record number. `fingerprint` is keyed, and tells whether details changed."""

    def start(self) -> None:
        self.details: Sealed | None = None
        self.fingerprint = ""
        self.linked_ids: set[UUID] = set()
        self.payer: str | None = None
        self.coverage: Sealed | None = None
        self.coverage_fingerprint = ""
        self.next_coverages: dict[int, NextCoverage] = {}

    class Registered(Event):
        TOPIC = "intake.patient.registered"
        details: Sealed
        fingerprint: Public[str]

        def apply(self, patient: Patient) -> None:
            patient.details = self.details
            patient.fingerprint = self.fingerprint

    class DetailsChanged(Event):
        TOPIC = "intake.patient.details-changed"
        details: Sealed
        fingerprint: Public[str]

        def apply(self, patient: Patient) -> None:
            patient.details = self.details
            patient.fingerprint = self.fingerprint

    class IdentifierLinked(Event):
        """`linked_id` is the derived id of another identifier of the same person."""

        TOPIC = "intake.patient.identifier-linked"
        linked_id: UUID

        def apply(self, patient: Patient) -> None:
            patient.linked_ids.add(self.linked_id)

    class CoverageNamed(Event):
        """A coverage that names no encounter; an encounter without its own is billed to it. Empty payer: self-pay."""

        TOPIC = "intake.patient.coverage-named"
        payer: Public[str]
        coverage: Sealed | None
        fingerprint: Public[str]

        def apply(self, patient: Patient) -> None:
            patient.payer = self.payer
            patient.coverage = self.coverage
            patient.coverage_fingerprint = self.fingerprint

    class NextCoverageNamed(Event):
        """As `CoverageNamed`, for a coverage that pays after those of lower rank."""

        TOPIC = "intake.patient.next-coverage-named"
        rank: int
        coverage: NextCoverage

        def apply(self, patient: Patient) -> None:
            patient.next_coverages[self.rank] = self.coverage

    def see(self, details: Sealed, fingerprint: str) -> None:
        """Registers the patient, or takes changed details; the same details again change nothing."""
        if not self.exists:
            self.trigger_event(self.Registered, details=details, fingerprint=fingerprint)
        elif fingerprint != self.fingerprint:
            self.trigger_event(self.DetailsChanged, details=details, fingerprint=fingerprint)

    def link(self, linked_id: UUID) -> None:
        if linked_id not in self.linked_ids:
            self.trigger_event(self.IdentifierLinked, linked_id=linked_id)

    def name_coverage(self, payer: str, coverage: Sealed | None, fingerprint: str) -> None:
        if (payer, fingerprint) != (self.payer, self.coverage_fingerprint):
            self.trigger_event(self.CoverageNamed, payer=payer, coverage=coverage, fingerprint=fingerprint)

    def name_next_coverage(self, rank: int, coverage: NextCoverage) -> None:
        if not coverage.says_the_same_as(self.next_coverages.get(rank)):
            self.trigger_event(self.NextCoverageNamed, rank=rank, coverage=coverage)
