"""Releases a held encounter: bills it by today's master data, or says again what is missing."""

from __future__ import annotations

from uuid import UUID

from canonical.master_data import MasterData
from chassis.domain import Context
from chassis.eventstore import EventStore, Work, transact
from chassis.keys import Sealer

from intake.application.billing import bill
from intake.application.envelopes import Envelopes
from intake.domain.encounter import Encounter
from intake.domain.encounter_content import EncounterState
from intake.domain.refusals import NothingHeld, StillHeld


def release_encounter(
    store: EventStore, context: Context, sealer: Sealer, master_data: MasterData, encounter_id: UUID, *, reason: str
) -> int:
    """Bills what the hold kept back, and ends its case; gives the number of the newest posting.

    Raises:
        UnknownAggregate: there is no such encounter.
        NothingHeld: it is not held.
        StillHeld: master data does not clear it either; nothing has changed.
    """

    def decide(work: Work) -> int:
        encounter = work.require(Encounter, encounter_id)
        if encounter.state is not EncounterState.HELD:
            raise NothingHeld(f"encounter {encounter_id} is {encounter.state}")
        missing = bill(work, encounter, Envelopes(sealer), master_data, release_reason=reason)
        if missing:
            raise StillHeld("; ".join(missing))
        return encounter.postings

    return transact(store, context, decide)
