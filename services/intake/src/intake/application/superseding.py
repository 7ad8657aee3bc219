"""Which words of an old message still count when it is read again: a newer message's word is never overwritten by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from chassis.domain import Event
from chassis.eventstore import Work
from chassis.inbound import INBOUND_MESSAGES

from intake.domain.encounter import Encounter
from intake.domain.facts import (
    ChargesComplete,
    ChargeSeen,
    ChargesWithdrawn,
    ChargeVoided,
    CoverageSeen,
    DiagnosisSeen,
    EncounterCancelled,
    EncounterReopened,
    EncounterSeen,
    Fact,
    Link,
    PatientSeen,
    PatientsMerged,
    PatientsUnmerged,
)
from intake.domain.identities import reference_id_of
from intake.domain.next_coverage import FIRST_RANK
from intake.domain.patient import Patient
from intake.domain.source_reference import SourceReference

NEWER_WORD = "newer-word: a message that came later says something of it, and stands"
REREAD_PLACE = "reprocessed"
_STATE = (Encounter.Finished, Encounter.Cancelled, Encounter.Reopened)
_DETAILS = (Encounter.Opened, Encounter.DetailsChanged)
_CHARGE = (Encounter.ChargeCaptured, Encounter.ChargeCorrected, Encounter.ChargeVoided)
_MERGE = (Patient.Merged, Patient.Unmerged)
_OWN: dict[type[object], type[Event]] = {
    EncounterCancelled: Encounter.Cancelled,
    EncounterReopened: Encounter.Reopened,
    ChargesComplete: Encounter.Finished,
    PatientsMerged: Patient.Merged,
    PatientsUnmerged: Patient.Unmerged,
}
"""What a fact that is done once, and not said again, leaves behind."""


class Standing:
    """Judges the facts of one message, received at an instant, against what is recorded by now; `notes` tell what is left."""

    def __init__(self, work: Work, source: str, message_id: UUID, received_at: datetime) -> None:
        self._work = work
        self._source = source
        self._message_id = message_id
        self._received_at = received_at
        self._received: dict[UUID, datetime | None] = {}
        self.notes: list[str] = []

    def of(self, facts: Sequence[Fact]) -> tuple[Fact, ...]:
        """The facts that count. Charges correct what the message said before."""
        return tuple(kept for fact in facts for kept in self._judged(fact))

    def withdrawn(self, facts: Sequence[Fact], encounters: Sequence[UUID]) -> tuple[Fact, ...]:
        """Credits for charges that the message brought to these encounters, and that its new reading does not bring there."""
        told = {(self._id(fact.encounter), fact.charge_id) for fact in facts if isinstance(fact, ChargeSeen)}
        touched = {identity for identity, _ in told if identity} | set(encounters)
        return tuple(
            ChargeVoided(REREAD_PLACE, charge_id, Link(id=encounter.id))
            for identity in sorted(touched, key=str)
            if (encounter := self._work.get(Encounter, identity))
            for charge_id, words in encounter.words.items()
            if words.charge and words.standing and words.charge.message_id == self._message_id
            if (identity, charge_id) not in told
        )

    def _judged(self, fact: Fact) -> Iterator[Fact]:
        match fact:
            case PatientSeen():
                yield from self._unless_newer(fact, fact.patient_id, (Patient.Registered, Patient.DetailsChanged))
            case EncounterSeen():
                is_over = fact.finished and not self._has_newer(fact.encounter_id, _STATE)
                yield from self._unless_newer(replace(fact, finished=is_over), fact.encounter_id, _DETAILS)
            case DiagnosisSeen():
                yield replace(fact, is_old=self._has_newer(self._id(fact.encounter), _DETAILS))
            case CoverageSeen():
                yield from self._coverage(fact)
            case ChargeSeen():
                if not self._has_newer_word(fact):
                    yield replace(fact, corrects=True)
            case ChargeVoided():
                if not self._did(self._id(fact.encounter), Encounter.ChargeVoided, fact.charge_id):
                    yield fact
            case ChargesWithdrawn():
                pass  # newer messages may have brought them since; what this one brought, `withdrawn` takes back
            case EncounterCancelled() | EncounterReopened() | ChargesComplete():
                yield from self._once(fact, self._id(fact.encounter), _STATE)
            case PatientsMerged() | PatientsUnmerged():
                yield from self._once(fact, self._id(fact.retired), _MERGE)
            case _:
                yield fact

    def _coverage(self, fact: CoverageSeen) -> Iterator[Fact]:
        is_first = fact.rank == FIRST_RANK
        if fact.encounter.is_empty:
            kinds = (Patient.CoverageNamed,) if is_first else (Patient.NextCoverageNamed,)
            yield from self._unless_newer(fact, self._id(fact.patient), kinds, fact.rank)
        else:
            attached = (Encounter.CoverageAttached,) if is_first else (Encounter.NextCoverageAttached,)
            yield from self._unless_newer(fact, self._id(fact.encounter), attached, fact.rank)

    def _unless_newer(
        self, fact: Fact, identity: UUID | None, kinds: tuple[type[Event], ...], rank: int = FIRST_RANK
    ) -> Iterator[Fact]:
        if self._has_newer(identity, kinds, rank):
            self.notes.append(f"{fact.place}: {NEWER_WORD}")
        else:
            yield fact

    def _once(self, fact: Fact, identity: UUID | None, kinds: tuple[type[Event], ...]) -> Iterator[Fact]:
        """A step is taken once: taken again it would undo what came after it."""
        own = _OWN[type(fact)]
        if not self._did(identity, own):
            yield from self._unless_newer(fact, identity, kinds)

    def _has_newer_word(self, fact: ChargeSeen) -> bool:
        newer = any(
            self._is_newer(event)
            for event in self._story(self._id(fact.encounter))
            if isinstance(event, _CHARGE) and _charge_id(event) == fact.charge_id
        )
        if newer:
            self.notes.append(f"{fact.place}: {NEWER_WORD}")
        return newer

    def _has_newer(self, identity: UUID | None, kinds: tuple[type[Event], ...], rank: int = FIRST_RANK) -> bool:
        found = (event for event in self._story(identity) if isinstance(event, kinds))
        return any(self._is_newer(event) for event in found if getattr(event, "rank", rank) == rank)

    def _did(self, identity: UUID | None, kind: type[Event], charge_id: UUID | None = None) -> bool:
        return any(
            isinstance(event, kind) and event.meta.causation_id == self._message_id
            for event in self._story(identity)
            if charge_id is None or getattr(event, "charge_id", None) == charge_id
        )

    def _is_newer(self, event: Event) -> bool:
        """Whether another message said it that came later, or a person did, later."""
        cause = event.meta.causation_id
        if cause == self._message_id:
            return False
        if cause not in self._received:
            rows = self._work.rows(INBOUND_MESSAGES, {"message_id": cause}, limit=1)
            found = rows[0]["received_at"] if rows else None
            self._received[cause] = found if isinstance(found, datetime) else None
        return (self._received[cause] or event.timestamp) > self._received_at

    def _story(self, identity: UUID | None) -> list[Event]:
        return self._work.store.story(identity) if identity else []

    def _id(self, link: Link) -> UUID | None:
        if link.id is not None or not link.reference:
            return link.id
        known = self._work.get(SourceReference, reference_id_of(self._source, link.reference))
        return known.target_id if known else None


def _charge_id(event: Event) -> UUID:
    if isinstance(event, Encounter.ChargeVoided):
        return event.charge_id
    assert isinstance(event, Encounter.ChargeCaptured | Encounter.ChargeCorrected)
    return event.charge.line.charge_id
