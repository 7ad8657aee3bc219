"""What a person here decides about who is one person, and what is billed or held otherwise by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from canonical.master_data import MasterData
from chassis.eventstore import Work

from intake.application.billing import bill
from intake.application.envelopes import Envelopes
from intake.application.held_payers import tell_of_parted_coverage, waiting_for_coverage
from intake.application.merging import merge_by_person, unmerge
from intake.domain.encounter import Encounter


@dataclass(frozen=True, slots=True)
class PeopleMerging:
    """Merges and parts patients in one unit of work, and bills what waited for a payer."""

    work: Work
    envelopes: Envelopes
    master_data: MasterData

    def merge(self, survivor_id: UUID, retired_id: UUID, *, reason: str) -> UUID:
        """The patient as whom the person stands. Raises as `merge_by_person` does."""
        person_id = merge_by_person(self.work, survivor_id, retired_id, reason=reason)
        self._bill([retired_id])
        return person_id

    def part(self, pair: tuple[UUID, UUID], *, reason: str) -> None:
        """Raises as `unmerge` does."""
        unmerge(self.work, *pair, reason=reason)
        for each in pair:
            tell_of_parted_coverage(self.work, each)
        self._bill(pair)

    def _bill(self, patient_ids: Sequence[UUID]) -> None:
        for encounter_id in dict.fromkeys(each for one in patient_ids for each in waiting_for_coverage(self.work, one)):
            bill(self.work, self.work.require(Encounter, encounter_id), self.envelopes, self.master_data)
