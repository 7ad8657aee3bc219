"""A small made-up world for the tests: one encounter and its variations, payments, and the service on a memory store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from canonical.codes import AdjustmentGroup, PayerClass
from canonical.encounter import ChargeLine, EncounterPhi
from canonical.envelope import Envelope, PublicEvent
from canonical.events.intake import AcknowledgementReceived, ClaimStatusLine, EncounterCharged
from canonical.events.payments import RemittanceChunkAccepted
from canonical.ids import derive
from canonical.master_data import MasterData
from canonical.money import Money
from canonical.party import Address, CoverageDetails, PatientDetails
from canonical.remittance import ClaimAdjustment, ClaimPayment
from canonical.sealed import Sealed
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.postgres import PostgresEventStore
from chassis.exceptions import CASES
from chassis.messaging import Delivery, Handled
from chassis.testing import FixedClock
from claims.adapters.rule_files import load_rules
from claims.adapters.x12_claims import X12ClaimFormat
from claims.application.ports import Inquiring, TransportUnavailable, TransportUncertain
from claims.application.read_models import CLAIMS
from claims.domain.claim_content import HoldReason, claim_id_of, control_number_of_posting
from claims.domain.rules.edits import ClaimEdits, EditRun
from claims.main import SHAPE, assemble
from sandbox.world.known_world import sandbox_master_data

DAY = date(2026, 3, 2)
MASTER_DATA = sandbox_master_data()
EDITS = ClaimEdits(load_rules(), MASTER_DATA)


def person(number: int = 1) -> EncounterPhi:
    """A made-up patient who is the subscriber."""
    return EncounterPhi(
        patient=PatientDetails(
            family_name="Sample",
            given_name=f"Robin{'ABCDEFGHIJ'[number % 10]}",
            birth_date=date(1980, 1, 2),
            sex="F",
            address=Address(line="2 Side Street", city="Springfield", state="OH", postal_code="45501"),
        ),
        coverage=CoverageDetails(member_id=f"M{number:06d}", group_number="G1"),
        diagnosis_codes=("R07.89", "I10"),
    )


def sealed_plainly(phi: EncounterPhi, patient_id: UUID, fact: UUID) -> Sealed:
    """Sealed for `PlainVault`: the plaintext itself, since these people are made up."""
    return Sealed(key_id=patient_id, kind="encounter.v1", fact=fact, ciphertext=phi.model_dump_json().encode())


def charged(number: int = 1, *, phi: EncounterPhi | None = None, **changes: Any) -> EncounterCharged:
    """Encounter `number`, charged with two lines, 250.00 in total."""
    encounter_id, patient_id = derive("test-encounter", number), derive("test-patient", number)
    charges = (
        ChargeLine(
            charge_id=derive("test-charge", number, 1),
            procedure_code="99213",
            modifiers=("25",),
            amount=Money.of("150.00"),
            service_date=DAY,
            diagnosis_pointers=(1, 2),
        ),
        ChargeLine(
            charge_id=derive("test-charge", number, 2),
            procedure_code="93000",
            units=Decimal(2),
            amount=Money.of("100.00"),
            service_date=DAY,
            diagnosis_pointers=(1,),
        ),
    )
    fields: dict[str, Any] = {
        "encounter_id": encounter_id,
        "posting": 1,
        "entity": "NORTH",
        "patient_id": patient_id,
        "payer": "ACME",
        "payer_class": PayerClass.COMMERCIAL,
        "location": "N-MAIN",
        "rendering_provider": "PRV01",
        "service_from": DAY,
        "service_to": DAY,
        "charges": charges,
        "total": Money.of("250.00"),
        "diagnosis_count": 2,
        "has_member_id": True,
        "details": sealed_plainly(phi or person(number), patient_id, encounter_id),
        "message_ids": (derive("test-message", number),),
    }
    return EncounterCharged(**(fields | changes))


def control_number(number: int = 1) -> str:
    return control_number_of_posting(derive("test-encounter", number), 1)


def claim_id(number: int = 1) -> UUID:
    return claim_id_of(control_number(number))


def adjustment(group: AdjustmentGroup, reason: str, amount: str) -> ClaimAdjustment:
    return ClaimAdjustment(group=group, reason=reason, amount=Money.of(amount))


CONTRACTUAL = adjustment(AdjustmentGroup.CONTRACTUAL, "45", "70.00")
COPAY = adjustment(AdjustmentGroup.PATIENT, "3", "30.00")
DENIAL = adjustment(AdjustmentGroup.CONTRACTUAL, "197", "250.00")


def paid(
    number: int = 1,
    position: int = 0,
    *,
    amount: str = "150.00",
    adjustments: tuple[ClaimAdjustment, ...] = (CONTRACTUAL, COPAY),
    **changes: Any,
) -> ClaimPayment:
    """The payment of encounter `number`: 250.00 charged, 150.00 paid, 70.00 contractual, 30.00 copay."""
    fields: dict[str, Any] = {
        "position": position,
        "patient_control_number": control_number(number),
        "status": "1",
        "charge": Money.of("250.00"),
        "paid": Money.of(amount),
        "patient_responsibility": Money.of("30.00"),
        "payer_control_number": f"ICN{number}",
        "adjustments": adjustments,
        "span_start": 400 + position * 300,
        "span_length": 300,
    }
    return ClaimPayment(**(fields | changes))


def chunk(*payments: ClaimPayment, remittance: object = 1, **changes: Any) -> RemittanceChunkAccepted:
    fields: dict[str, Any] = {
        "remittance_id": derive("test-remittance", remittance),
        "chunk": 0,
        "entity": "NORTH",
        "payer": "ACME",
        "effective_date": date(2026, 3, 20),
        "claims": payments,
    }
    return RemittanceChunkAccepted(**(fields | changes))


def status(number: int = 1, *, accepted: bool = True, **changes: Any) -> ClaimStatusLine:
    fields: dict[str, Any] = {
        "message_id": derive("test-277", number, accepted),
        "patient_control_number": control_number(number),
        "accepted": accepted,
        "payer_control_number": f"ICN{number}" if accepted else "",
        "category_codes": ("A2:20",) if accepted else ("A3:21",),
        "charge": Money.of("250.00"),
    }
    return ClaimStatusLine(**(fields | changes))


def acknowledged(kind: str, code: str, number: int = 1, **changes: Any) -> AcknowledgementReceived:
    fields: dict[str, Any] = {"message_id": derive("test-ack", kind, code, number), "kind": kind, "code": code}
    key = "interchange_control_number" if kind == "TA1" else "group_control_number"
    return AcknowledgementReceived(**(fields | {key: f"{number:09d}" if kind == "TA1" else str(number)} | changes))


def delivery(event: PublicEvent, key: UUID | None = None) -> Delivery:
    """The event as it arrives; the same event gives the same message."""
    content = event.model_dump_json().encode()
    identity = derive("test-event", hashlib.sha256(content).hexdigest())
    envelope = Envelope(
        id=identity,
        service=event.SERVICE,
        type=event.TYPE,
        key=key or identity,
        sequence=1,
        time=FixedClock().now,
        correlation_id=identity,
        causation_id=identity,
        actor="service:test",
    )
    return Delivery(envelope.subject, envelope.to_headers(), content)


def reasons_in(run: EditRun) -> tuple[HoldReason, ...]:
    """Why a run of the edits holds its claim."""
    return tuple(finding.reason for finding in run.findings)


class PlainVault:
    """A vault without secrets; `erased` key ids open no more."""

    def __init__(self) -> None:
        self.erased: set[UUID] = set()
        self.links: dict[str, UUID] = {}

    def open_details(self, sealed: Sequence[Sealed]) -> list[EncounterPhi | None]:
        return [
            None if each.key_id in self.erased else EncounterPhi.model_validate_json(each.ciphertext) for each in sealed
        ]

    def link_control_numbers(self, key_ids: Mapping[str, UUID]) -> None:
        self.links.update(key_ids)


class MemoryTransport:
    """Keeps what was sent. It can be down, or take a file and say nothing."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.sendings = 0
        self.is_down = False
        self.swallows_reply = False
        self.loses_file = False

    def probe(self, name: str) -> str | None:
        if self.is_down:
            raise TransportUnavailable("down")
        content = self.files.get(name)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def send(self, name: str, content: bytes) -> None:
        if self.is_down:
            raise TransportUnavailable("down")
        self.sendings += 1
        if not self.loses_file:
            assert self.files.setdefault(name, content) == content, "one name, one content"
        if self.swallows_reply or self.loses_file:
            raise TransportUncertain("no reply")


class ClaimsUnderTest:
    """The whole service on a memory store."""

    def __init__(
        self,
        master_data: MasterData = MASTER_DATA,
        store: MemoryEventStore | PostgresEventStore | None = None,
        transports: Mapping[str, MemoryTransport] | None = None,
        inquiring: Inquiring | None = None,
    ) -> None:
        self.clock = FixedClock()
        self.store: MemoryEventStore | PostgresEventStore = store or MemoryEventStore(
            SHAPE.registry(), SHAPE.all_projections
        )
        self.vault = PlainVault()
        self.transport = MemoryTransport()
        self.core = assemble(
            self.store,
            self.clock,
            master_data,
            X12ClaimFormat(),
            self.vault,
            transports or {"files": self.transport},
            inquiring=inquiring,
        )

    def receive(self, *events: PublicEvent) -> Handled:
        """Delivers events of one upstream in one batch."""
        (upstream,) = {event.SERVICE for event in events}
        return self.core.consumers[upstream].handle([delivery(event) for event in events])

    def sweep(self) -> None:
        """Runs every sweep until nothing is due."""
        for _ in range(100):
            if not sum(sweep.run() for sweep in self.core.sweeps):
                return
        raise AssertionError("the sweeps never end")

    def submitted(self, *numbers: int) -> ClaimsUnderTest:
        """With these encounters charged and their claims sent."""
        self.receive(*(charged(number) for number in numbers))
        self.sweep()
        return self

    def claim(self, number: int = 1) -> dict[str, Any]:
        """The claim's row."""
        (row,) = self.store.rows(CLAIMS, {"claim_id": claim_id(number)})
        return row

    def cases(self, **where: object) -> list[dict[str, Any]]:
        return self.store.rows(CASES, where)

    def public_events(self) -> list[PublicEvent]:
        """Everything announced so far."""
        return [public for entry in self.store.log(0, 100_000) for public in SHAPE.publishing(entry.event)]
