"""Which patients are one person, for every service that keeps something by patient: a layer over what it keeps.

Intake decides it and says so by ids alone. Nothing moves between patients; whoever asks for a person sums the group.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from canonical.envelope import Envelope
from canonical.events.intake import PatientsMerged, PatientsUnmerged
from canonical.ids import derive

from chassis.domain import Aggregate, Event
from chassis.eventstore.port import EventStore
from chassis.eventstore.projecting import of
from chassis.eventstore.tables import Change, Question, Table, put
from chassis.eventstore.work import Work
from chassis.messaging.reactions import Reaction

GROUP_MAX = 1000

PATIENT_MERGES = Table(
    "patient_merges",
    {"retired_id": "uuid", "survivor_id": "uuid", "actor": "text", "told_at": "timestamptz"},
    key=("retired_id",),
    indexes=(("survivor_id",),),
)


class PatientMerge(Aggregate):
    """What intake said last of one retired patient. Words come more than once and in any order: the newest holds."""

    def start(self) -> None:
        self.survivor_id: UUID | None = None
        self.word = 0

    class Told(Event):
        """`survivor_id` is empty where the merge was taken back; `word` counts what intake recorded of the patient."""

        TOPIC = "chassis.patient-merge.told"
        retired_id: UUID
        survivor_id: UUID | None
        word: int

        def apply(self, merge: PatientMerge) -> None:
            merge.survivor_id = self.survivor_id
            merge.word = self.word

    def tell(self, retired_id: UUID, survivor_id: UUID | None, word: int) -> None:
        if word > self.word:
            self.trigger_event(self.Told, retired_id=retired_id, survivor_id=survivor_id, word=word)


def merge_id_of(retired_id: UUID) -> UUID:
    return derive("patient-merge", retired_id)


def when_patients_merged_note_it(work: Work, event: PatientsMerged, envelope: Envelope) -> None:
    """From now on the retired patient stands as the survivor."""
    merge = work.get_or_new(PatientMerge, merge_id_of(event.retired_id))
    merge.tell(event.retired_id, event.survivor_id, envelope.sequence)


def when_patients_unmerged_note_it(work: Work, event: PatientsUnmerged, envelope: Envelope) -> None:
    """From now on the retired patient stands for itself."""
    work.get_or_new(PatientMerge, merge_id_of(event.retired_id)).tell(event.retired_id, None, envelope.sequence)


MERGE_REACTIONS = (
    Reaction(PatientsMerged, when_patients_merged_note_it, lambda event: [merge_id_of(event.retired_id)]),
    Reaction(PatientsUnmerged, when_patients_unmerged_note_it, lambda event: [merge_id_of(event.retired_id)]),
)


@of(PatientMerge)
def project_merges(event: Event) -> Iterable[Change]:
    """The row that one stored event changes."""
    if isinstance(event, PatientMerge.Told):
        yield merge_row(event, event.retired_id, event.survivor_id)


def merge_row(event: Event, retired_id: UUID, survivor_id: UUID | None) -> Change:
    return put(
        PATIENT_MERGES,
        retired_id=retired_id,
        survivor_id=survivor_id,
        actor=event.meta.actor,
        told_at=event.timestamp,
    )


def group_of(store: EventStore, patient_id: UUID) -> tuple[UUID, ...]:
    """Every patient who is one person with this one: the survivor first, then those who stand as them.

    Most patients are merged with nobody, and cost one trip to the database.
    """
    up, down = store.rows_of_each([_above(patient_id), _below([patient_id])])
    person_id = patient_id
    while up and isinstance(above := up[0]["survivor_id"], UUID):
        person_id = above
        (up,) = store.rows_of_each([_above(person_id)])
    group = [person_id]
    if person_id != patient_id:
        (down,) = store.rows_of_each([_below([person_id])])
    while newest := [each for row in down if isinstance(each := row["retired_id"], UUID)]:
        group += newest
        (down,) = store.rows_of_each([_below(newest)])
    return tuple(group)


def _above(patient_id: UUID) -> Question:
    return Question(PATIENT_MERGES, {"retired_id": patient_id}, limit=1)


def _below(patient_ids: list[UUID]) -> Question:
    return Question(PATIENT_MERGES, {"survivor_id": patient_ids}, order=("retired_id",), limit=GROUP_MAX)
