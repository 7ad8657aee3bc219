"""Releases a held encounter: bills it by today's master data, or says again what is missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from canonical.ids import derive
from chassis.domain import Context, Meta
from chassis.eventstore import EventStore, Work, transact
from chassis.keys import Sealer

from intake.application.billing import bill
from intake.application.envelopes import Envelopes
from intake.application.ports import MasterDataSource
from intake.domain.encounter import Encounter, EncounterState
from intake.domain.refusals import NothingHeld, StillHeld


def release_encounter(
    store: EventStore,
    clock: Callable[[], datetime],
    sealer: Sealer,
    master_data: MasterDataSource,
    encounter_id: UUID,
    *,
    actor: str,
    reason: str,
) -> int:
    """Bills what the hold kept back; gives the number of the newest posting.

    Raises:
        UnknownAggregate: there is no such encounter.
        NothingHeld: it is not held.
        StillHeld: master data does not clear it either; nothing has changed.
    """
    cause = derive("release-encounter", encounter_id, clock().isoformat())
    meta = Meta(correlation_id=cause, causation_id=cause, actor=actor)

    def decide(work: Work) -> int:
        encounter = work.require(Encounter, encounter_id)
        if encounter.state is not EncounterState.HELD:
            raise NothingHeld(f"encounter {encounter_id} is {encounter.state}")
        missing = bill(work, encounter, Envelopes(sealer), master_data(), release_reason=reason)
        if missing:
            raise StillHeld("; ".join(missing))
        return encounter.postings

    return transact(store, Context(clock(), meta), decide)
