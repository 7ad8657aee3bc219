"""Which encounters each charge was captured in: a charge is billed in one of them at most."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from chassis.domain import Event
from chassis.eventstore import Change, Table, Work, put
from chassis.eventstore.projecting import of

from intake.domain.encounter import Encounter

CHARGE_PLACES = Table("charge_places", {"charge_id": "uuid", "encounter_id": "uuid"}, key=("charge_id", "encounter_id"))
PLACES_MAX = 100_000


@of(Encounter)
def project_charge_places(event: Event) -> Iterable[Change]:
    """The rows that one stored event changes."""
    if isinstance(event, Encounter.ChargeCaptured):
        yield put(CHARGE_PLACES, charge_id=event.charge.line.charge_id, encounter_id=event.originator_id)


class ChargePlaces:
    """The places of the charges of one batch. What a refused message noted does no harm: the encounters decide.

    A place that another process adds meanwhile refuses the batch, which is decided again: else each of the two would
    bill the charge in an encounter of its own.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._places: dict[UUID, dict[UUID, None]] = {}

    def prefetch(self, charge_ids: Iterable[UUID]) -> None:
        """Asks for those that are not here yet, in one query."""
        missing = [charge_id for charge_id in dict.fromkeys(charge_ids) if charge_id not in self._places]
        if not missing:
            return
        self._places.update((charge_id, {}) for charge_id in missing)
        for row in self._work.rows_to_stay(CHARGE_PLACES, {"charge_id": missing}, limit=PLACES_MAX):
            charge_id, encounter_id = row["charge_id"], row["encounter_id"]
            assert isinstance(charge_id, UUID)
            assert isinstance(encounter_id, UUID)
            self._places[charge_id][encounter_id] = None

    def standing(self, charge_ids: Iterable[UUID]) -> list[tuple[UUID, Encounter]]:
        """Those of the charges that stand, each with its encounter; most of them may never have been."""
        asked = tuple(charge_ids)
        unknown = [charge_id for charge_id in asked if charge_id not in self._places]
        rows = self._work.rows(CHARGE_PLACES, {"charge_id": unknown}, limit=PLACES_MAX) if unknown else []
        self.prefetch(charge_id for row in rows if isinstance(charge_id := row["charge_id"], UUID))
        found = ((each, self._work.get(Encounter, place)) for each in asked for place in self._places.get(each, ()))
        return [(each, encounter) for each, encounter in found if encounter and each in encounter.charges]

    def note(self, charge_id: UUID, encounter_id: UUID) -> None:
        self.prefetch([charge_id])
        self._places[charge_id][encounter_id] = None

    def elsewhere(self, charge_id: UUID, encounter: Encounter) -> list[Encounter]:
        """The other encounters that have the charge, whether it stands there or not."""
        self.prefetch([charge_id])
        others = [identity for identity in self._places[charge_id] if identity != encounter.id]
        found = (self._work.get(Encounter, identity) for identity in others)
        return [other for other in found if other and charge_id in other.words and other.words[charge_id].charge]
