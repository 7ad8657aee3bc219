"""HL7 v2 messages to facts about one patient: where each field of ours sits in PID, PV1, FT1, DG1 and IN1."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from uuid import UUID

from canonical.money import Money, MoneyRefused
from canonical.party import Address, CoverageDetails, PatientDetails

from intake.adapters.hl7v2.segments import Message, Segment, day_of, parse
from intake.adapters.hl7v2.stays import diagnoses_and_stay, revenue_and_department
from intake.application.deliveries import InboundDelivery
from intake.domain.facts import (
    NOWHERE,
    ChargesComplete,
    ChargeSeen,
    CoverageSeen,
    EncounterSeen,
    Fact,
    Link,
    PatientSeen,
    SelfPayAssumed,
)
from intake.domain.identities import charge_id_of, encounter_id_of, patient_id_of
from intake.domain.next_coverage import FIRST_RANK, RANKS_MAX
from intake.domain.refusals import Finding, InvalidMessage

FORMAT = "hl7v2"
DISCHARGE = ("ADT", "A03")
REGISTRATIONS = (("ADT", "A01"), DISCHARGE, ("ADT", "A04"), ("ADT", "A08"))
CHARGES = ("DFT", "P03")
NAME_CHARACTERS_MAX = 64
UNIT_CHARACTERS_MAX = 12
RELATIONSHIPS = {"SEL": "self", "": "self", "SPO": "01", "CHD": "19", "PAR": "32"}


@dataclass(frozen=True, slots=True)
class Hl7Reading:
    """What a message needs for its answer, and the delivery made of it. `rejected`: not even its header is usable."""

    delivery: InboundDelivery
    control_id: str = ""
    sender: tuple[str, str] = ("", "")
    receiver: tuple[str, str] = ("", "")
    rejected: bool = False


def read_message(raw: bytes, *, actor: str) -> Hl7Reading:
    """One message as a delivery; what is wrong with it stands in its findings."""
    try:
        message = parse(raw)
    except InvalidMessage as invalid:
        return Hl7Reading(
            InboundDelivery("unknown", "none", FORMAT, raw, actor, findings=invalid.findings), "", rejected=True
        )
    header = _Header(message)
    application, facility = (value if _is_name(value) else "" for value in header.sender)
    control_id = header.control_id if _is_name(header.control_id) else "none"
    delivery_key = "|".join((application, facility, control_id))
    source = application or "unknown"
    translation = _Translation(message, source, facility)
    findings = tuple(header.findings)
    facts: tuple[Fact, ...] = ()
    if not findings:
        facts = translation.facts(header.kind)
        findings = tuple(translation.findings)
    delivery = InboundDelivery(
        source,
        delivery_key,
        FORMAT,
        raw,
        actor,
        facts=() if findings else facts,
        findings=findings,
        patient=translation.patient,
        entity=facility,
    )
    return Hl7Reading(delivery, header.control_id, header.sender, header.receiver, rejected=bool(header.findings))


def _is_name(value: str) -> bool:
    """Whether the header's value may stand in keys, indexes and events; what may not is kept only in the sealed bytes."""
    return 0 < len(value) <= NAME_CHARACTERS_MAX and value.isprintable()


class _Header:
    """MSH: who sends what to whom."""

    def __init__(self, message: Message) -> None:
        msh = message.segments("MSH")[0]
        self.sender = (msh.field(3), msh.field(4))
        self.receiver = (msh.field(5), msh.field(6))
        self.kind = (msh.field(9, 1), msh.field(9, 2))
        self.control_id = msh.field(10)
        self.findings: list[Finding] = []
        if len(message.segments("MSH")) > 1:
            self._refuse("MSH", "one-message", "one message in a frame")
        for number, value in ((3, self.sender[0]), (4, self.sender[1]), (10, self.control_id)):
            if not _is_name(value):
                self._refuse(f"MSH-{number}", "required", f"1 to {NAME_CHARACTERS_MAX} printable characters")
        if self.kind not in (*REGISTRATIONS, CHARGES):
            self._refuse("MSH-9", "message-type", "ADT^A01, ADT^A03, ADT^A04, ADT^A08 or DFT^P03")
        if not msh.field(12).startswith("2."):
            self._refuse("MSH-12", "version", "HL7 version 2")

    def _refuse(self, field: str, rule: str, note: str) -> None:
        self.findings.append(Finding(field, rule, note))


class _Translation:
    """The facts of one message; what it lacks is noted in `findings`."""

    def __init__(self, message: Message, source: str, entity: str) -> None:
        self._message = message
        self._source = source
        self._entity = entity
        self.findings: list[Finding] = []
        pid = message.first("PID")
        number = _medical_record_number(pid) if pid else ""
        self.patient = Link(id=patient_id_of(source, number)) if number else NOWHERE

    def facts(self, kind: tuple[str, str]) -> tuple[Fact, ...]:
        """In the order in which they are to be taken."""
        pid = self._message.first("PID")
        if pid is None:
            self._need("PID", "the patient")
            return ()
        facts: list[Fact] = list(self._patient(pid))
        pv1 = self._message.first("PV1")
        visit = (pv1.field(19) if pv1 else "") or pid.field(18)
        if not visit:
            if kind == CHARGES:
                self._need("PV1-19", "the visit number")
            return (*facts, *self._coverage(NOWHERE))
        encounter_id = encounter_id_of(self._source, visit)
        facts.append(self._encounter(encounter_id, visit, pv1, finished=kind == DISCHARGE))
        facts += self._coverage(Link(id=encounter_id))
        if kind == CHARGES:
            facts += self._charges(Link(id=encounter_id))
        return tuple(facts)

    def _need(self, field: str, note: str) -> None:
        self.findings.append(Finding(field, "required", note))

    def _patient(self, pid: Segment) -> list[Fact]:
        born = day_of(pid.field(7))
        needs = (
            ("PID-3", self.patient.id, "a medical record number"),
            ("PID-5.1", pid.field(5), "the family name"),
            ("PID-5.2", pid.field(5, 2), "the given name"),
            ("PID-7", born, "the day of birth, as YYYYMMDD"),
        )
        for field, value, note in needs:
            if not value:
                self._need(field, note)
        if born is None or self.patient.id is None:
            return []
        details = PatientDetails(
            family_name=pid.field(5),
            given_name=pid.field(5, 2),
            birth_date=born,
            sex=pid.field(8) if pid.field(8) in ("M", "F") else "U",
            address=Address(
                line=pid.field(11), city=pid.field(11, 3), state=pid.field(11, 4), postal_code=pid.field(11, 5)
            ),
            identifiers=tuple(pid.repetitions(3)),
        )
        return [PatientSeen("PID", self.patient.id, details)]

    def _encounter(self, encounter_id: UUID, visit: str, pv1: Segment | None, *, finished: bool) -> EncounterSeen:
        diagnoses, stay = diagnoses_and_stay(self._message, self.findings)
        provider = pv1.field(7) if pv1 else ""
        return EncounterSeen(
            "PV1",
            encounter_id,
            self.patient,
            Link(code=self._entity),
            location=pv1.field(3) if pv1 else "",
            rendering_provider=Link(code=provider),
            finished=finished,
            diagnosis_codes=diagnoses,
            account_number=visit,
            stay=stay,
        )

    def _coverage(self, encounter: Link) -> list[Fact]:
        """The IN1s in their order; without any, a batch of charges is self-pay unless something else is known."""
        insurances = sorted(self._message.segments("IN1"), key=lambda in1: in1.field(1).zfill(8))
        if not insurances:
            return [SelfPayAssumed("IN1", encounter)] if self._message.first("FT1") and not encounter.is_empty else []
        return [self._insurance(rank, in1, encounter) for rank, in1 in enumerate(insurances[:RANKS_MAX], FIRST_RANK)]

    def _insurance(self, rank: int, in1: Segment, encounter: Link) -> CoverageSeen:
        if not in1.field(3):
            self._need("IN1-3", "the payer's code")
        relationship = RELATIONSHIPS.get(in1.field(17), "G8")
        details = CoverageDetails(
            member_id=in1.field(36),
            group_number=in1.field(8),
            plan=in1.field(35),
            relationship=relationship,
            subscriber_family_name="" if relationship == "self" else in1.field(16),
            subscriber_given_name="" if relationship == "self" else in1.field(16, 2),
        )
        return CoverageSeen("IN1", self.patient, encounter, Link(code=in1.field(3)), details, rank)

    def _charges(self, encounter: Link) -> list[Fact]:
        transactions = self._message.segments("FT1")
        if not transactions:
            self._need("FT1", "at least one charge")
        found = [self._charge(ft1, f"FT1[{place}]", encounter) for place, ft1 in enumerate(transactions, 1)]
        return [*(charge for charge in found if charge), ChargesComplete("FT1", encounter)]

    def _charge(self, ft1: Segment, place: str, encounter: Link) -> ChargeSeen | None:
        number, day = ft1.field(2), day_of(ft1.field(4))
        revenue, department, procedure = revenue_and_department(ft1)
        if ft1.field(6) != "CG":
            self.findings.append(Finding(f"{place}-6", "transaction-type", "only charges (CG) are taken yet"))
        needs = (
            (2, number, "the source's id of the charge"),
            (4, day, "the day of service, as YYYYMMDD"),
            (25, procedure or revenue, "the procedure, or the revenue code of a room"),
            (11, ft1.field(11), "the extended amount; a unit amount is not multiplied"),
        )
        lacking = [(field, note) for field, value, note in needs if not value]
        for field, note in lacking:
            self._need(f"{place}-{field}", note)
        units, amount = self._units(ft1, place), self._amount(ft1, place)
        if lacking or day is None or units is None or amount is None:
            return None
        return ChargeSeen(
            place,
            charge_id_of(self._source, number),
            encounter,
            procedure,
            tuple(ft1.repetitions(26)),
            units,
            amount,
            day,
            department,
            Link(code=ft1.field(20)),
            tuple(ft1.repetitions(19)),
            revenue_code=revenue,
        )

    def _units(self, ft1: Segment, place: str) -> Decimal | None:
        text = ft1.field(10) or "1"
        if len(text) <= UNIT_CHARACTERS_MAX and text.isascii() and text.replace(".", "", 1).isdigit():
            try:
                return Decimal(text)
            except InvalidOperation:
                pass
        self.findings.append(Finding(f"{place}-10", "number", "a plain decimal number"))
        return None

    def _amount(self, ft1: Segment, place: str) -> Money | None:
        try:
            return Money.of(ft1.field(11), ft1.field(11, part=2) or "USD") if ft1.field(11) else None
        except MoneyRefused as refused:
            self.findings.append(Finding(f"{place}-11", "money", str(refused)))
            return None


def _medical_record_number(pid: Segment) -> str:
    """The first repetition of PID-3 of type MR, or the first of all."""
    for place in range(1, len(pid.repetitions(3)) + 1):
        if pid.field(3, 5, repetition=place) == "MR":
            return pid.field(3, repetition=place)
    return pid.field(3)
