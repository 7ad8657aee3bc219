"""Patients whom the EHR has registered twice: one pair it merges itself, one it leaves for a person to find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sandbox.world.ehr import Delivery, DeliveryKind
from sandbox.world.scenario import SimulatedEncounter, SimulatedPatient

MERGED_AT_HOUR, FORMER_STREET = 17, "12 Former Road"
_ADT = {
    "A04": (0, "ADT_A01"),
    "A11": (10, "ADT_A09"),
    "A28": (0, "ADT_A05"),
    "A40": (30, "ADT_A39"),
    "A37": (40, "ADT_A37"),
}
"""Minute and structure of each event."""


def registered_twice(encounters: Sequence[SimulatedEncounter]) -> tuple[Delivery, ...]:
    """Of two patients of the story, other than stays: one is registered again and merged, one only registered again."""
    chosen: dict[str, SimulatedEncounter] = {}
    for encounter in encounters:
        if encounter.billable and not encounter.stay:
            chosen.setdefault(encounter.patient.mrn, encounter)
    merged, doubtful = list(chosen.values())[:2]
    return (_delivery(merged, "merged", is_merged=True), _delivery(doubtful, "again", is_merged=False))


def other_number(patient: SimulatedPatient) -> str:
    """The medical record number under which the patient is registered again."""
    return f"{patient.mrn}B"


def _delivery(encounter: SimulatedEncounter, word: str, *, is_merged: bool) -> Delivery:
    again = replace(encounter.patient, mrn=other_number(encounter.patient), street=FORMER_STREET)
    messages = [adt_message(encounter, "A28", person_of(encounter, again))]
    if is_merged:
        retired = retired_number(encounter, again)
        messages.append(adt_message(encounter, "A40", person_of(encounter, encounter.patient), retired))
    return Delivery(DeliveryKind.MLLP, f"{encounter.visit_number}-{word}", encounter.source, tuple(messages))


def adt_message(encounter: SimulatedEncounter, trigger: str, *segments: str, number: str = "") -> bytes:
    """An ADT of the evening of an encounter's last day, known by its visit or by another `number`."""
    minute, structure = _ADT[trigger]
    stamp = f"{encounter.service_to:%Y%m%d}{MERGED_AT_HOUR}{minute:02d}00"
    sender = f"{encounter.source}|{encounter.entity}|THROUGHLINE|BILLING"
    control_id = f"{number or encounter.visit_number}-{trigger}"
    header = f"MSH|^~\\&|{sender}|{stamp}||ADT^{trigger}^{structure}|{control_id}|P|2.5.1"
    return "".join(f"{segment}\r" for segment in (header, f"EVN|{trigger}|{stamp}", *segments)).encode("ascii")


def retired_number(encounter: SimulatedEncounter, patient: SimulatedPatient) -> str:
    """The number that a merge gives up."""
    return f"MRG|{patient.mrn}^^^{encounter.source}^MR"


def person_of(encounter: SimulatedEncounter, patient: SimulatedPatient) -> str:
    """The patient as a message without a visit has them."""
    number = f"{patient.mrn}^^^{encounter.source}^MR"
    address = f"{patient.street}^^{patient.city}^{patient.state}^{patient.postal_code}^USA"
    name = f"{patient.family_name}^{patient.given_name}"
    return f"PID|1||{number}||{name}||{patient.birth_date:%Y%m%d}|{patient.sex}|||{address}"
