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
    """The last word stands: that of the highest revision, and of these of the last posting."""

    def start(self) -> None:
        self.said = (-1, -1)

    class Named(Event):
        TOPIC = "payments.visit-guarantor.named"
        encounter_id: UUID
        entity: Public[str]
        patient_id: UUID
        guarantor_id: UUID
        revision: int
        posting: int

        def apply(self, visit: VisitGuarantor) -> None:
            visit.said = (self.revision, self.posting)

    def name(
        self, *, encounter_id: UUID, entity: str, patient_id: UUID, guarantor_id: UUID, revision: int, posting: int
    ) -> None:
        """Keeps a word that is later than what is known."""
        if (revision, posting) > self.said:
            self.trigger_event(
                self.Named,
                encounter_id=encounter_id,
                entity=entity,
                patient_id=patient_id,
                guarantor_id=guarantor_id,
                revision=revision,
                posting=posting,
            )
