"""Who answers for what payers leave of one visit, where the source said so: an opaque id, often not the patient's."""

from __future__ import annotations

from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event


def visit_guarantor_id(encounter_id: UUID) -> UUID:
    """The id of what is known of a visit's guarantor."""
    return derive("visit-guarantor", encounter_id)


class VisitGuarantor(Aggregate):
    """The last word of the visit stands, by the `sequence` in which its source's words were taken."""

    def start(self) -> None:
        self.sequence = -1

    class Named(Event):
        """`revision` and `posting` are those of the posting that said so, -1 where it was told by itself. Words of old have
        no `sequence`: whatever comes after them is later.
        """

        TOPIC = "payments.visit-guarantor.named"
        encounter_id: UUID
        entity: Public[str]
        patient_id: UUID
        guarantor_id: UUID
        revision: int
        posting: int
        sequence: int = 0

        def apply(self, visit: VisitGuarantor) -> None:
            visit.sequence = self.sequence

    def name(
        self,
        *,
        encounter_id: UUID,
        entity: str,
        patient_id: UUID,
        guarantor_id: UUID,
        place: tuple[int, int],
        sequence: int,
    ) -> None:
        """Keeps a word that is later than what is known; `place` is revision and posting."""
        if sequence > self.sequence:
            self.trigger_event(
                self.Named,
                encounter_id=encounter_id,
                entity=entity,
                patient_id=patient_id,
                guarantor_id=guarantor_id,
                revision=place[0],
                posting=place[1],
                sequence=sequence,
            )
