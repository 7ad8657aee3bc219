"""GT1: who answers for what the payers leave, where the message says so."""

from __future__ import annotations

from datetime import UTC
from uuid import UUID

from canonical.ids import derive
from canonical.party import Address, Guarantor

from intake.adapters.hl7v2.context import Reading
from intake.adapters.hl7v2.coverages import relationship_of
from intake.adapters.hl7v2.segments import Message, Segment
from intake.adapters.hl7v2.stamps import day_of
from intake.domain.identities import SELF

TEXT_CHARACTERS_MAX = 200
_NO_PRIORITY = "999"


def guarantor(message: Message, patient_id: UUID | None, encounter_id: UUID, reading: Reading) -> Guarantor | None:
    """The guarantor of the visit: of several that still hold the first by GT1-15, then by GT1-1."""
    rows = [row for row in message.in_order("GT1") if not _has_ended(row, reading)]
    first = min(rows, key=lambda row: (row.field(15) or _NO_PRIORITY).zfill(len(_NO_PRIORITY)), default=None)
    if first is None:
        return None
    relationship = relationship_of(first.field(11), reading) if first.field(11) else ""
    found = Guarantor(
        guarantor_id=_identity(first, relationship, patient_id, encounter_id, reading),
        relationship=relationship,
        family_name=_text(first.field(3)),
        given_name=_text(first.field(3, 2)),
        organization=_text(first.field(21)),
        birth_date=day_of(first.field(8)),
        address=Address(
            line=_text(first.field(5)),
            city=_text(first.field(5, 3)),
            state=_text(first.field(5, 4)),
            postal_code=_text(first.field(5, 5)),
        ),
        phone=_phone(first),
    )
    if not found.family_name and not found.organization:
        reading.leave_out("GT1-3", "guarantor", "a name, or an organization in GT1-21")
        return None
    return found


def _identity(gt1: Segment, relationship: str, patient_id: UUID | None, encounter_id: UUID, reading: Reading) -> UUID:
    """Who guarantees for themselves is the patient; a guarantor without a number is one of this visit alone."""
    if relationship == SELF and patient_id is not None:
        return patient_id
    number = gt1.field(2)
    return reading.guarantor_id(number) if number else derive("guarantor", encounter_id)


def _has_ended(gt1: Segment, reading: Reading) -> bool:
    ended, said_at = day_of(gt1.field(14)), reading.said_at
    return ended is not None and said_at is not None and ended < said_at.astimezone(reading.profile.zone or UTC).date()


def _phone(gt1: Segment) -> str:
    """As it is printed; else area code and number by themselves."""
    return _text(gt1.field(6) or gt1.field(6, 12) or f"{gt1.field(6, 6)}{gt1.field(6, 7)}")


def _text(value: str) -> str:
    return value[:TEXT_CHARACTERS_MAX]
