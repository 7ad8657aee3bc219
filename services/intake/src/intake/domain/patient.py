"""The patient: a pseudonym, the sealed details, and the other ids that mean the same person."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from canonical.classes import Public
from canonical.sealed import Sealed
from chassis.domain import Aggregate, Event
from pydantic import AwareDatetime

from intake.domain.match_keys import MatchKeys
from intake.domain.next_coverage import NextCoverage

PATIENT_KIND = "patient.v1"
COVERAGE_KIND = "coverage.v1"


class Patient(Aggregate):
    """Id: source system and medical record number. `fingerprint` is keyed, and tells whether details changed.

    A merge is a layer: it says whose another record of the same person is, and moves nothing.
    """

    def start(self) -> None:
        self.details: Sealed | None = None
        self.fingerprint = ""
        self.match_keys: MatchKeys | None = None
        self.linked_ids: set[UUID] = set()
        self.merged_into: UUID | None = None
        self.words: dict[UUID, datetime] = {}
        self.payer: str | None = None
        self.coverage: Sealed | None = None
        self.coverage_fingerprint = ""
        self.next_coverages: dict[int, NextCoverage] = {}

    class Registered(Event):
        TOPIC = "intake.patient.registered"
        details: Sealed
        fingerprint: Public[str]
        match_keys: MatchKeys | None = None

        def apply(self, patient: Patient) -> None:
            patient.take_details(self)

    class DetailsChanged(Event):
        """`match_keys` only where they have changed."""

        TOPIC = "intake.patient.details-changed"
        details: Sealed
        fingerprint: Public[str]
        match_keys: MatchKeys | None = None

        def apply(self, patient: Patient) -> None:
            patient.take_details(self)

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

    class Merged(Event):
        """This record is of the same person as `into`. `reason` is a person's own; without one, the source said so."""

        TOPIC = "intake.patient.merged"
        into: UUID
        reason: Public[str] = ""
        said_at: AwareDatetime | None = None

        def apply(self, patient: Patient) -> None:
            patient.merged_into = self.into
            patient.take_word(self.into, self.said_at)

    class Absorbed(Event):
        """The person as whom this record stands has one more record; two merges at once would meet here."""

        TOPIC = "intake.patient.absorbed"
        retired_id: UUID

        def apply(self, patient: Patient) -> None:
            """What the group is made of is said by the records that were merged."""

    class Unmerged(Event):
        """This record is of another person than `parted_from`; `was_merged` is false where the merge has not come yet."""

        TOPIC = "intake.patient.unmerged"
        parted_from: UUID
        was_merged: bool
        reason: Public[str] = ""
        said_at: AwareDatetime | None = None

        def apply(self, patient: Patient) -> None:
            if self.was_merged:
                patient.merged_into = None
            patient.take_word(self.parted_from, self.said_at)

    @property
    def is_registered(self) -> bool:
        """Whether the patient came in; one that was only named in a merge has not."""
        return self.details is not None

    def take_details(self, event: Registered | DetailsChanged) -> None:
        self.details = event.details
        self.fingerprint = event.fingerprint
        self.match_keys = event.match_keys or self.match_keys

    def take_word(self, other_id: UUID, said_at: datetime | None) -> None:
        if said_at is not None:
            self.words[other_id] = said_at

    def is_older(self, other_id: UUID, said_at: datetime | None) -> bool:
        """Whether something newer than `said_at` is known of the pair."""
        newest = self.words.get(other_id)
        return said_at is not None and newest is not None and said_at < newest

    def see(self, details: Sealed, fingerprint: str, match_keys: MatchKeys | None = None) -> None:
        """Registers the patient, or takes changed details; the same details again change nothing."""
        changed = match_keys if match_keys != self.match_keys else None
        if not self.is_registered:
            self.trigger_event(self.Registered, details=details, fingerprint=fingerprint, match_keys=changed)
        elif fingerprint != self.fingerprint or changed is not None:
            self.trigger_event(self.DetailsChanged, details=details, fingerprint=fingerprint, match_keys=changed)

    def merge_into(self, survivor_id: UUID, reason: str, said_at: datetime | None) -> None:
        """Says that this record is of the same person; who asks has looked that no circle comes of it."""
        if self.merged_into != survivor_id or (said_at is not None and said_at != self.words.get(survivor_id)):
            self.trigger_event(self.Merged, into=survivor_id, reason=reason, said_at=said_at)

    def absorb(self, retired_id: UUID) -> None:
        self.trigger_event(self.Absorbed, retired_id=retired_id)

    def part_from(self, other_id: UUID, reason: str, said_at: datetime | None) -> None:
        """Takes the merge back; remembered with its instant where the merge has not come yet."""
        was_merged = self.merged_into == other_id
        if was_merged or said_at is not None:
            self.trigger_event(
                self.Unmerged, parted_from=other_id, was_merged=was_merged, reason=reason, said_at=said_at
            )

    def link(self, linked_id: UUID) -> None:
        if linked_id not in self.linked_ids:
            self.trigger_event(self.IdentifierLinked, linked_id=linked_id)

    def name_coverage(self, payer: str, coverage: Sealed | None, fingerprint: str) -> None:
        if (payer, fingerprint) != (self.payer, self.coverage_fingerprint):
            self.trigger_event(self.CoverageNamed, payer=payer, coverage=coverage, fingerprint=fingerprint)

    def name_next_coverage(self, rank: int, coverage: NextCoverage) -> None:
        if not coverage.says_the_same_as(self.next_coverages.get(rank)):
            self.trigger_event(self.NextCoverageNamed, rank=rank, coverage=coverage)
