"""PV1, DG1, GT1 and PID-18: the visits of a message, and what happened to them."""

from __future__ import annotations

from collections.abc import Iterator

from intake.adapters.hl7v2.context import Reading, first_value
from intake.adapters.hl7v2.guarantors import guarantor
from intake.adapters.hl7v2.segments import Message
from intake.adapters.hl7v2.stamps import day_of
from intake.adapters.hl7v2.stays import diagnoses_and_stay, lists_diagnoses, withdrawn_diagnoses
from intake.adapters.hl7v2.triggers import Trigger
from intake.domain.facts import (
    ChargesComplete,
    EncounterCancelled,
    EncounterReopened,
    EncounterSeen,
    Fact,
    Link,
)


def visit_number(message: Message, reading: Reading) -> str:
    """The number by which the source knows the visit; empty where it names none."""
    return first_value(reading.profile.visit_number, message)


def encounter_seen(message: Message, visit: str, patient: Link, trigger: Trigger, reading: Reading) -> EncounterSeen:
    """The visit as the message has it; one of charges may list the diagnoses of those alone."""
    pv1 = message.first("PV1")
    diagnoses, stay = diagnoses_and_stay(message, reading)
    return EncounterSeen(
        "PV1",
        reading.visit_id(visit),
        patient,
        Link(code=reading.facility),
        location=pv1.field(3) if pv1 else "",
        rendering_provider=Link(code=pv1.field(7) if pv1 else ""),
        finished=trigger is Trigger.VISIT_ENDED,
        diagnosis_codes=diagnoses,
        lists_diagnoses=lists_diagnoses(message, trigger),
        withdrawn_codes=withdrawn_diagnoses(message, reading),
        account_number=visit,
        stay=stay,
        starts_on=day_of(reading.local(pv1.field(44))) if pv1 else None,
        ends_on=day_of(reading.local(pv1.field(45))) if pv1 else None,
        guarantor=guarantor(message, patient.id, reading.visit_id(visit), reading),
        said_at=reading.said_at,
    )


def visits_changed(message: Message, trigger: Trigger, reading: Reading) -> Iterator[Fact]:
    """What a message says of visits that are known already; a BAR may name several accounts, each behind its own PID."""
    for group in message.groups("PID"):
        visit = visit_number(group, reading)
        if not visit:
            reading.need(reading.profile.visit_number[0], "the visit number")
            continue
        link = reading.visit(visit)
        if trigger in (Trigger.VISIT_CANCELLED, Trigger.ACCOUNTS_PURGED):
            yield EncounterCancelled("PV1", link, reading.said_at)
        elif trigger is Trigger.END_CANCELLED:
            yield EncounterReopened("PV1", link, reading.said_at)
        else:
            yield ChargesComplete("PV1", link, reading.said_at)
