"""What the tests of intake share: a made-up EHR's messages, master data, and values of one encounter."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from canonical.encounter import ChargeLine
from canonical.ids import derive
from canonical.money import Money
from canonical.sealed import Sealed
from intake.domain.encounter import CapturedCharge, EncounterFacts
from sandbox.world.ehr import Delivery, DeliveryKind, deliveries
from sandbox.world.scenario import Scenario, SimulatedEncounter, Wire

TODAY = date(2026, 3, 1)
STORY = Scenario.tell(1, 80, TODAY)
PATIENT = derive("test", "patient")
MESSAGE = derive("test", "message")


def sealed(kind: str = "patient.v1", text: bytes = b"ciphertext") -> Sealed:
    return Sealed(key_id=PATIENT, kind=kind, fact=PATIENT, ciphertext=text)


def facts(**changes: Any) -> EncounterFacts:
    plain = {
        "patient_id": PATIENT,
        "source": "ehr-north",
        "entity": "NORTH",
        "location": "N-MAIN",
        "rendering_provider": "PRV01",
    }
    return EncounterFacts(**(plain | changes))


def line(number: int = 1, **changes: Any) -> ChargeLine:
    plain = {
        "charge_id": charge_id(number),
        "procedure_code": "99213",
        "units": Decimal(1),
        "amount": Money.of("124.00"),
        "service_date": date(2026, 2, 6),
        "department": "FAMMED",
    }
    return ChargeLine(**(plain | changes))


def charge_id(number: int) -> UUID:
    return derive("test", "charge", number)


def captured(number: int = 1, performer: str = "PRV01", **changes: Any) -> CapturedCharge:
    return CapturedCharge(line=line(number, **changes), performer=performer, message_id=MESSAGE)


def encounters(wire: Wire, *, self_pay: bool = False) -> list[SimulatedEncounter]:
    """Clean encounters of the story."""
    clean = STORY.self_pay if self_pay else STORY.billable
    return [each for each in clean if each.wire is wire]


def messages_of(encounter: SimulatedEncounter) -> Delivery:
    return deliveries([encounter])[0]


def bundle(encounter: SimulatedEncounter | None = None) -> dict[str, Any]:
    """A bundle as JSON, to be changed by a test; amounts are floats there, so tests write them as they need."""
    chosen = encounter or encounters(Wire.FHIR)[0]
    content: dict[str, Any] = json.loads(messages_of(chosen).messages[0])
    return content


def resources(content: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    found = (entry["resource"] for entry in content["entry"])
    return [resource for resource in found if resource["resourceType"] == kind]


def raw(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()


def charge_message() -> str:
    """A DFT^P03 of one insured encounter, with CR between its segments."""
    return messages_of(encounters(Wire.HL7)[0]).messages[-1].decode()


def replace_field(message: str, segment: str, number: int, value: str) -> bytes:
    """The message with one field of the first such segment replaced (MSH counts its separator)."""
    rows = message.split("\r")
    place = next(index for index, row in enumerate(rows) if row.startswith(segment))
    fields = rows[place].split("|")
    index = number - 1 if segment == "MSH" else number
    fields += [""] * (index + 1 - len(fields))
    fields[index] = value
    rows[place] = "|".join(fields)
    return "\r".join(rows).encode()


__all__ = ["DeliveryKind", "Scenario", "Wire"]
