"""What the messages of one batch share."""

from __future__ import annotations

from dataclasses import dataclass

from canonical.master_data import MasterData
from chassis.eventstore import Work

from intake.application.charge_places import ChargePlaces
from intake.application.envelopes import Envelopes


@dataclass(frozen=True, slots=True)
class Batch:
    """One unit of work, what it seals, where its charges were captured before, and the master data that it goes by."""

    work: Work
    envelopes: Envelopes
    places: ChargePlaces
    master_data: MasterData
