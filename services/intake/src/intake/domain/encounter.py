"""The encounter: what was done for a patient, charge by charge, until it can be billed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from canonical.money import Money
from canonical.sealed import Sealed
from chassis.domain import Event
from pydantic import AwareDatetime

from intake.domain.charge_words import is_older
from intake.domain.encounter_content import EncounterFacts, EncounterState, HoldReason
from intake.domain.kept_charges import KeptCharges
from intake.domain.next_coverage import NextCoverage
from intake.domain.refusals import EncounterMoved, NothingHeld
from intake.domain.unmapped_code import SourceCode

CLINICAL_KIND = "clinical.v1"
ENCOUNTER_KIND = "encounter.v1"


class Encounter(KeptCharges):
    """Id: source system and visit number. Each posting announces charges once; a charge is in one posting at most."""

    def start(self) -> None:
        super().start()
        self.state = EncounterState.OPEN
        self.clinical: Sealed | None = None
        self.fingerprint = ""
        self.payer: str | None = None
        self.has_member_id = False
        self.coverage: Sealed | None = None
        self.coverage_fingerprint = ""
        self.next_coverages: dict[int, NextCoverage] = {}
        self.reasons: tuple[HoldReason, ...] = ()
        self.holds = 0
        self.state_said_at: datetime | None = None
        self.noted_end: datetime | None = None

    class Opened(Event):
        TOPIC = "intake.encounter.opened"
        facts: EncounterFacts
        clinical: Sealed
        diagnosis_count: int
        fingerprint: Public[str]

        def apply(self, encounter: Encounter) -> None:
            encounter.facts = self.facts
            encounter.clinical = self.clinical
            encounter.diagnosis_count = self.diagnosis_count
            encounter.fingerprint = self.fingerprint

    class DetailsChanged(Event):
        TOPIC = "intake.encounter.details-changed"
        facts: EncounterFacts
        clinical: Sealed
        diagnosis_count: int
        fingerprint: Public[str]

        def apply(self, encounter: Encounter) -> None:
            encounter.facts = self.facts
            encounter.clinical = self.clinical
            encounter.diagnosis_count = self.diagnosis_count
            encounter.fingerprint = self.fingerprint

    class CoverageAttached(Event):
        """Whom to bill, in the source's code; an empty payer is self-pay."""

        TOPIC = "intake.encounter.coverage-attached"
        payer: Public[str]
        has_member_id: bool
        coverage: Sealed | None
        fingerprint: Public[str]

        def apply(self, encounter: Encounter) -> None:
            encounter.payer = self.payer
            encounter.has_member_id = self.has_member_id
            encounter.coverage = self.coverage
            encounter.coverage_fingerprint = self.fingerprint

    class NextCoverageAttached(Event):
        """Who pays after the payers of lower rank; the secondary payer has rank 2."""

        TOPIC = "intake.encounter.next-coverage-attached"
        rank: int
        coverage: NextCoverage

        def apply(self, encounter: Encounter) -> None:
            encounter.next_coverages[self.rank] = self.coverage

    class Finished(Event):
        TOPIC = "intake.encounter.finished"
        said_at: AwareDatetime | None = None

        def apply(self, encounter: Encounter) -> None:
            encounter.state = EncounterState.FINISHED
            encounter.state_said_at = self.said_at or encounter.state_said_at

    class Held(Event):
        """`cleared`, here and below, are the codes that it no longer waits for."""

        TOPIC = "intake.encounter.held"
        reasons: tuple[HoldReason, ...]
        amount: Money
        cleared: tuple[SourceCode, ...] = ()

        def apply(self, encounter: Encounter) -> None:
            encounter.state = EncounterState.HELD
            encounter.reasons = self.reasons
            encounter.holds += 1

    class Released(Event):
        TOPIC = "intake.encounter.released"
        reason: Public[str]
        cleared: tuple[SourceCode, ...] = ()

        def apply(self, encounter: Encounter) -> None:
            encounter.state = EncounterState.FINISHED
            encounter.reasons = ()

    class Cancelled(Event):
        """The source says that it never was; nothing of it is billed."""

        TOPIC = "intake.encounter.cancelled"
        cleared: tuple[SourceCode, ...] = ()
        said_at: AwareDatetime | None = None

        def apply(self, encounter: Encounter) -> None:
            encounter.state = EncounterState.CANCELLED
            encounter.reasons = ()
            encounter.state_said_at = self.said_at or encounter.state_said_at

    class Reopened(Event):
        """Its end or its cancellation was taken back: its charges wait until it is complete again."""

        TOPIC = "intake.encounter.reopened"
        cleared: tuple[SourceCode, ...] = ()
        said_at: AwareDatetime | None = None

        def apply(self, encounter: Encounter) -> None:
            encounter.state = EncounterState.OPEN
            encounter.reasons = ()
            encounter.state_said_at = self.said_at or encounter.state_said_at

    class StateSaidAgain(Event):
        """The source said again, later, what it had said of whether the encounter goes on: what lies between is old."""

        TOPIC = "intake.encounter.state-said-again"
        said_at: AwareDatetime

        def apply(self, encounter: Encounter) -> None:
            encounter.state_said_at = self.said_at

    class EndNoted(Event):
        """The source ended what it had cancelled before: that counts where it takes the cancellation back."""

        TOPIC = "intake.encounter.end-noted"
        said_at: AwareDatetime

        def apply(self, encounter: Encounter) -> None:
            encounter.noted_end = self.said_at

    @property
    def is_complete(self) -> bool:
        """Whether charges that are here may be billed, if nothing holds them."""
        return self.state not in (EncounterState.OPEN, EncounterState.CANCELLED)

    @property
    def _awaited(self) -> tuple[SourceCode, ...]:
        return tuple(dict.fromkeys(reason.unmapped for reason in self.reasons if reason.unmapped))

    @property
    def hold_cause(self) -> UUID:
        """What the case of the present hold follows from."""
        return derive("encounter-hold", self.id, self.holds)

    def see(self, facts: EncounterFacts, clinical: Sealed, diagnosis_count: int, fingerprint: str) -> None:
        """Opens the encounter, or takes changed details; the same again changes nothing.

        Raises:
            EncounterMoved: it was another patient's or another entity's.
        """
        content = {
            "facts": facts,
            "clinical": clinical,
            "diagnosis_count": diagnosis_count,
            "fingerprint": fingerprint,
        }
        if self.facts is None:
            self.trigger_event(self.Opened, **content)
            return
        if (facts.patient_id, facts.entity) != (self.facts.patient_id, self.facts.entity):
            raise EncounterMoved(f"encounter {self.id} came again for another patient or entity")
        if fingerprint != self.fingerprint:
            self.trigger_event(self.DetailsChanged, **content)

    def attach_coverage(self, payer: str, has_member_id: bool, coverage: Sealed | None, fingerprint: str) -> None:
        if (payer, fingerprint) != (self.payer, self.coverage_fingerprint):
            self.trigger_event(
                self.CoverageAttached,
                payer=payer,
                has_member_id=has_member_id,
                coverage=coverage,
                fingerprint=fingerprint,
            )

    def attach_next_coverage(self, rank: int, coverage: NextCoverage) -> None:
        """Takes a coverage of rank 2 or more; the same again changes nothing."""
        if not coverage.says_the_same_as(self.next_coverages.get(rank)):
            self.trigger_event(self.NextCoverageAttached, rank=rank, coverage=coverage)

    def finish(self, said_at: datetime | None = None) -> None:
        """Its end; of a cancelled one it is only noted."""
        if self.state is EncounterState.OPEN:
            self.trigger_event(self.Finished, said_at=said_at)
        elif self.state is not EncounterState.CANCELLED:
            self._say_again(said_at)
        elif said_at is not None and not is_older(said_at, self.noted_end) and said_at != self.noted_end:
            self.trigger_event(self.EndNoted, said_at=said_at)

    def is_outdated(self, said_at: datetime | None) -> bool:
        """Whether a word on its end, cancellation or going on is surely older than the one that stands."""
        return is_older(said_at, self.state_said_at)

    def hold(self, reasons: Sequence[HoldReason]) -> bool:
        """Holds it for these reasons; whether that is new."""
        if self.state is EncounterState.HELD and self.reasons == tuple(reasons):
            return False
        amount = Money.total(charge.line.amount for charge in self.waiting)
        self.trigger_event(self.Held, reasons=tuple(reasons), amount=amount, cleared=self._awaited)
        return True

    def release(self, reason: str) -> None:
        """Takes the hold off.

        Raises:
            NothingHeld: it is not held.
        """
        if self.state is not EncounterState.HELD:
            raise NothingHeld(f"encounter {self.id} is {self.state}")
        self.trigger_event(self.Released, reason=reason, cleared=self._awaited)

    def cancel(self, said_at: datetime | None = None) -> None:
        if self.state is not EncounterState.CANCELLED:
            self.trigger_event(self.Cancelled, cleared=self._awaited, said_at=said_at)
        else:
            self._say_again(said_at)

    def reopen(self, said_at: datetime | None = None) -> None:
        if self.state is not EncounterState.OPEN:
            self.trigger_event(self.Reopened, cleared=self._awaited, said_at=said_at)
            if is_older(said_at, self.noted_end):
                self.trigger_event(self.Finished, said_at=self.noted_end)
        else:
            self._say_again(said_at)

    def _say_again(self, said_at: datetime | None) -> None:
        if said_at is not None and said_at != self.state_said_at:
            self.trigger_event(self.StateSaidAgain, said_at=said_at)
