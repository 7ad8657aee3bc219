"""What the tests of intake share: a made-up EHR's messages, master data, and values of one encounter."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from canonical.encounter import ChargeLine
from canonical.envelope import PublicEvent
from canonical.ids import derive
from canonical.master_data import MasterData
from canonical.money import Money
from canonical.sealed import Sealed
from chassis.eventstore import EventStore, Row
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.exceptions import CASES
from chassis.inbound.giving_way import GivingWay
from chassis.inbound.refused_files import report_refused_files
from chassis.inbound.taken_files import TakenFiles
from chassis.keys import MemoryKeyStore, Sealer
from chassis.testing import FixedClock
from intake.adapters.fhir import FhirNames, Sender, read_submission
from intake.adapters.hl7v2 import SiteProfiles, read_message
from intake.adapters.keyed_files import KeyedFiles
from intake.adapters.rereading import Rereading
from intake.adapters.x12_files import X12File
from intake.application.deliveries import FileOutcome, InboundDelivery, Outcome
from intake.application.reprocessing import Reprocessing
from intake.domain.encounter_content import CapturedCharge, EncounterFacts
from intake.domain.facts import Fact
from intake.main import SHAPE, Intake, assemble
from sandbox.world.ehr import Delivery, DeliveryKind, deliveries
from sandbox.world.known_world import sandbox_master_data
from sandbox.world.scenario import Scenario, SimulatedEncounter, Wire
from x12.policy import PolicyOf, strict

_F = TypeVar("_F")
TODAY = date(2026, 3, 1)
STORY = Scenario.tell(1, 80, TODAY)
PATIENT = derive("test", "patient")
MESSAGE = derive("test", "message")


class IntakeUnderTest:
    """Intake on a store, with a clock that stands on the evening of `TODAY` and master data that a test may change."""

    def __init__(self, store: EventStore | None = None) -> None:
        self.store = store or MemoryEventStore(SHAPE.registry(), SHAPE.all_projections)
        self.clock = FixedClock(datetime(2026, 3, 1, 20, tzinfo=UTC))
        self.keys = MemoryKeyStore(random.Random(1).randbytes)
        self.crash: CrashPoint = no_crash
        self.sealer = Sealer(self.keys)
        self.master_data: MasterData = sandbox_master_data()
        self.report = report_refused_files(self.store, self.clock, "intake")
        self.intake: Intake = assemble(
            self.store,
            self.clock,
            self.sealer,
            lambda: self.master_data,
            keyed_file=KeyedFiles(lambda: self.master_data, lambda: strict),
            crash_point=lambda step: self.crash(step),
        )

    def receive(self, *raws: bytes | InboundDelivery) -> list[Outcome]:
        """One batch of messages, FHIR or HL7 by their first character."""
        return self.intake.messages.receive([read(each) if isinstance(each, bytes) else each for each in raws])

    def receive_encounters(self, encounters: Iterable[SimulatedEncounter]) -> list[Outcome]:
        return self.receive(*(raw for delivery in deliveries(encounters) for raw in delivery.messages))

    def receive_file(self, content: bytes, name: str = "a.835") -> FileOutcome:
        return self.intake.files.receive(X12File(name, content, source="file-drop"))

    def reprocessing(self, profiles: SiteProfiles, policies: PolicyOf = strict) -> Reprocessing:
        """As the service has it, with the readers of a test."""
        known = TakenFiles(self.store, self.clock, self.sealer, "file-drop")
        reading = Rereading(profiles, FhirNames("urn:sandbox"), lambda: policies, GivingWay())
        files = self.intake.files
        return Reprocessing(self.store, self.clock, self.sealer, lambda: self.master_data, reading, files, known)

    def sweep(self) -> None:
        """Runs every sweep until there is nothing left to do."""
        while sum(sweep.run() for sweep in self.intake.core.sweeps):
            pass

    def events(self) -> list[PublicEvent]:
        """Everything announced so far."""
        announced: list[PublicEvent] = []
        position = 0
        while logged := self.store.log(position, 100_000):
            announced += [public for entry in logged for public in SHAPE.publishing(entry.event)]
            position = logged[-1].position
        return announced

    def cases(self) -> list[Row]:
        return self.store.rows(CASES, {}, order=["raised_at", "code"])


def read(raw: bytes) -> InboundDelivery:
    """A message as its door reads it."""
    if raw.startswith(b"{"):
        return read_submission(raw, FhirNames(), Sender("service:ehr")).deliveries[0]
    return read_message(raw, actor="door:mllp").delivery


def only(facts: Iterable[Fact], kind: type[_F]) -> _F:
    """The one fact of a kind."""
    (found,) = [fact for fact in facts if isinstance(fact, kind)]
    return found


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
