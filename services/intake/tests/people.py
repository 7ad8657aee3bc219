"""Messages about made-up people, as a door hands them in: facts without a format."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from canonical.party import Address, PatientDetails
from intake.application.deliveries import InboundDelivery
from intake.domain.facts import (
    ChargesComplete,
    ChargeSeen,
    CoverageSeen,
    EncounterSeen,
    Fact,
    Link,
    PatientIdentifier,
    PatientSeen,
    PatientsMerged,
    PatientsUnmerged,
)
from intake.domain.identities import charge_id_of, encounter_id_of, patient_id_of

SOURCE, OTHER_SOURCE = "ehr-north", "ehr-south"
JANE = PatientDetails(
    family_name="Doe",
    given_name="Jane",
    birth_date=date(1980, 5, 17),
    sex="F",
    address=Address(line="1 Main St", city="Springfield", state="IL", postal_code="62701"),
)


def person(number: str, source: str = SOURCE) -> UUID:
    return patient_id_of(source, number)


def somebody(number: str, **changes: Any) -> PatientDetails:
    """Somebody whom nobody takes for another number's person."""
    told = derive("somebody", number)
    letters = "".join(chr(65 + int(digit, 16)) for digit in told.hex)
    plain = {
        "family_name": letters[:9],
        "given_name": letters[9:18],
        "birth_date": date(1940 + told.int % 70, 1 + told.int % 12, 1 + told.int % 28),
        "sex": "U",
    }
    return PatientDetails(**(plain | changes))


def seen(
    number: str,
    details: PatientDetails | None = None,
    *identifiers: PatientIdentifier,
    source: str = SOURCE,
) -> PatientSeen:
    return PatientSeen("PID", person(number, source), details or somebody(number), identifiers=identifiers)


def merged(survivor: str, retired: str, said_at: datetime | None = None) -> PatientsMerged:
    return PatientsMerged("MRG", Link(id=person(survivor)), Link(id=person(retired)), said_at)


def unmerged(survivor: str, retired: str, said_at: datetime | None = None) -> PatientsUnmerged:
    return PatientsUnmerged("PID", Link(id=person(survivor)), Link(id=person(retired)), said_at)


def visit(number: str, patient: str, cents: int) -> Sequence[Fact]:
    """A self-pay visit with one charge."""
    encounter = Link(id=encounter_id_of(SOURCE, number))
    whose = Link(id=person(patient))
    return (
        EncounterSeen(
            "PV1",
            encounter_id_of(SOURCE, number),
            whose,
            Link(code="NORTH"),
            "N-MAIN",
            Link(code="PRV01"),
            True,
            ("J02.9",),
        ),
        CoverageSeen("IN1", whose, encounter, Link()),
        ChargeSeen(
            "FT1",
            charge_id_of(SOURCE, number),
            encounter,
            "99213",
            (),
            Decimal(1),
            Money(cents),
            date(2026, 2, 6),
            "FAMMED",
            Link(code="PRV01"),
        ),
        ChargesComplete("FT1", encounter),
    )


def message(key: str, *facts: Fact, source: str = SOURCE) -> InboundDelivery:
    return InboundDelivery(
        source,
        key,
        "hl7v2",
        key.encode(),
        "door:mllp",
        facts=facts,
        patient=Link(id=person("key", source)),
        entity="NORTH",
    )
