"""Sealed details and the links from patient control numbers to patients' keys."""

from __future__ import annotations

from canonical.ids import derive
from chassis.keys import MemoryKeyStore, Sealer
from claims.adapters.patient_details import SealedDetails

from .world import person

PATIENTS = [derive("test-patient", number) for number in range(3)]


def test_details_open_in_order_and_erased_ones_stay_closed() -> None:
    sealer = Sealer(MemoryKeyStore())
    sealed = sealer.seal_many(
        (person(number), patient, "encounter.v1", derive("fact", number)) for number, patient in enumerate(PATIENTS)
    )
    moved = sealed[2].model_copy(update={"fact": derive("another fact")})
    sealer.keys.erase(PATIENTS[1])

    opened = SealedDetails(sealer).open_details([sealed[0], sealed[1], moved])

    assert opened == [person(0), None, None]


def test_a_control_number_leads_to_its_patients_key() -> None:
    sealer = Sealer(MemoryKeyStore())

    SealedDetails(sealer).link_control_numbers({"TPCN1": PATIENTS[0]})

    assert sealer.keys.key_ids_for_aliases(["pcn:TPCN1"]) == {"pcn:TPCN1": PATIENTS[0]}
