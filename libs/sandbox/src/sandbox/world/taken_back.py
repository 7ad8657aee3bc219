"""What the EHR says by mistake and takes back: a visit that never was (A11), and two persons taken for one (A37)."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.world.ehr import Delivery, DeliveryKind
from sandbox.world.identities import adt_message, person_of, retired_number
from sandbox.world.scenario import SimulatedEncounter

NEVER_WAS = "X"
PATIENTS_NEEDED = 4
"""The first two patients of a story are those who are registered twice."""


def taken_back(encounters: Sequence[SimulatedEncounter]) -> tuple[Delivery, ...]:
    """A visit that is cancelled before anything is charged, and a merge of two patients that is undone by the next message.

    Nothing of it shows in any balance.
    """
    patients: dict[str, SimulatedEncounter] = {}
    for encounter in encounters:
        if encounter.billable and not encounter.stay:
            patients.setdefault(encounter.patient.mrn, encounter)
    like, *others = list(patients.values())[PATIENTS_NEEDED - 2 :]
    other = next((each for each in others if each.source == like.source), None)
    cancelled = _delivery(like, "cancelled", _visit(like, "A04"), _visit(like, "A11"))
    return (cancelled, _delivery(like, "parted", *_merge_and_parting(like, other))) if other else (cancelled,)


def cancelled_number(encounter: SimulatedEncounter) -> str:
    """The number of the visit that never was."""
    return f"{encounter.visit_number}-{NEVER_WAS}"


def _delivery(encounter: SimulatedEncounter, word: str, *messages: bytes) -> Delivery:
    return Delivery(DeliveryKind.MLLP, f"{encounter.visit_number}-{word}", encounter.source, messages)


def _visit(encounter: SimulatedEncounter, trigger: str) -> bytes:
    number = cancelled_number(encounter)
    visit = f"PV1|1|O|{encounter.location}^^^{encounter.entity}{'|' * 16}{number}"
    return adt_message(encounter, trigger, person_of(encounter, encounter.patient), visit, number=number)


def _merge_and_parting(one: SimulatedEncounter, other: SimulatedEncounter) -> tuple[bytes, bytes]:
    first, second = person_of(one, one.patient), person_of(other, other.patient)
    merged = adt_message(one, "A40", first, retired_number(other, other.patient))
    return merged, adt_message(one, "A37", first, second)
