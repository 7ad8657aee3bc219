"""Patients' details opened through the key database, and patient control numbers that lead to patients' keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from canonical.encounter import EncounterPhi
from canonical.sealed import Sealed
from chassis.keys import ErasedKey, SealBroken, Sealer

ALIAS_PREFIX = "pcn:"


class SealedDetails:
    """A `PatientDetailsVault` on the chassis's sealer: a batch asks the key database once."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def open_details(self, sealed: Sequence[Sealed]) -> list[EncounterPhi | None]:
        try:
            return list(self._sealer.open_many(sealed, EncounterPhi))
        except (ErasedKey, SealBroken):
            return [self._open(each) for each in sealed]

    def _open(self, sealed: Sealed) -> EncounterPhi | None:
        try:
            return self._sealer.open(sealed, EncounterPhi)
        except (ErasedKey, SealBroken):
            return None

    def link_control_numbers(self, key_ids: Mapping[str, UUID]) -> None:
        self._sealer.keys.link_aliases({f"{ALIAS_PREFIX}{number}": key_id for number, key_id in key_ids.items()})
