"""HL7 v2 to facts, and back to acknowledgements."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from canonical.ids import derive
from intake.adapters.hl7v2 import acknowledgements, read_message
from intake.application.deliveries import Outcome
from intake.domain.facts import (
    ChargesComplete,
    ChargeSeen,
    ChargeVoided,
    CoverageSeen,
    EncounterSeen,
    PatientSeen,
)
from intake.domain.identities import charge_id_of, encounter_id_of, patient_id_of

from .world import Wire, charge_message, encounters, messages_of, only, replace_field

ENCOUNTER = encounters(Wire.HL7)[0]
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def rules(raw: bytes) -> list[tuple[str, str]]:
    return [(finding.field, finding.rule) for finding in read_message(raw, actor="door").delivery.findings]


@pytest.mark.parametrize("encounter", encounters(Wire.HL7)[:20], ids=lambda each: each.visit_number)
def test_a_batch_of_charges_is_read_to_the_cent(encounter: Any) -> None:
    delivery = read_message(messages_of(encounter).messages[-1], actor="door").delivery
    credited = {fact.charge_id for fact in delivery.facts if isinstance(fact, ChargeVoided)}
    seen = [fact for fact in delivery.facts if isinstance(fact, ChargeSeen)]
    charges = [fact for fact in seen if fact.charge_id not in credited]
    assert delivery.findings == ()
    assert [
        (
            each.charge_id,
            each.procedure_code,
            each.modifiers,
            each.units,
            each.amount,
            each.service_date,
            each.department,
        )
        for each in charges
    ] == [
        (
            charge_id_of(encounter.source, each.transaction_id),
            each.procedure_code,
            each.modifiers,
            Decimal(each.units),
            each.amount,
            each.service_date,
            each.source_department,
        )
        for each in encounter.charges
    ]
    assert [each.diagnosis_codes for each in charges] == [each.diagnosis_codes for each in encounter.charges]


def test_a_batch_of_charges_names_patient_encounter_and_coverage() -> None:
    delivery = read_message(charge_message().encode(), actor="door").delivery
    patient, encounter = only(delivery.facts, PatientSeen), only(delivery.facts, EncounterSeen)
    coverage = only(delivery.facts, CoverageSeen)
    assert (delivery.source, delivery.entity) == (ENCOUNTER.source, ENCOUNTER.entity)
    assert patient.patient_id == patient_id_of(ENCOUNTER.source, ENCOUNTER.patient.mrn)
    assert patient.details.birth_date == ENCOUNTER.patient.birth_date
    assert encounter.encounter_id == encounter_id_of(ENCOUNTER.source, ENCOUNTER.visit_number)
    assert encounter.diagnosis_codes == ENCOUNTER.diagnosis_codes
    assert ENCOUNTER.coverage is not None
    assert coverage.details is not None
    assert (coverage.payer.code, coverage.details.member_id) == (ENCOUNTER.coverage.payer, ENCOUNTER.coverage.member_id)
    assert isinstance(delivery.facts[-1], ChargesComplete)


def test_self_pay_is_said_by_the_financial_class_and_never_taken_from_silence() -> None:
    told = messages_of(encounters(Wire.HL7, self_pay=True)[0]).messages[-1]
    (said,) = [fact for fact in read_message(told, actor="door").delivery.facts if isinstance(fact, CoverageSeen)]
    assert (said.place, said.payer.is_empty, said.details) == ("PV1-20", True, None)
    silent = replace_field(told.decode(), "PV1", 20, "")
    assert CoverageSeen not in map(type, read_message(silent, actor="door").delivery.facts)


def test_an_insurance_counts_more_than_a_financial_class() -> None:
    told = replace_field(charge_message(), "PV1", 20, "SELF")
    (said,) = [fact for fact in read_message(told, actor="door").delivery.facts if isinstance(fact, CoverageSeen)]
    assert said.details is not None


def test_two_senders_may_use_one_control_id() -> None:
    one = read_message(charge_message().encode(), actor="door").delivery
    other = read_message(replace_field(charge_message(), "MSH", 4, "SOUTH"), actor="door").delivery
    assert one.delivery_key != other.delivery_key


def test_escapes_and_null_fields_are_read() -> None:
    raw = replace_field(charge_message(), "PID", 5, "O\\T\\Hara^\\S\\x")
    patient = next(f for f in read_message(raw, actor="door").delivery.facts if isinstance(f, PatientSeen))
    assert (patient.details.family_name, patient.details.given_name) == ("O&Hara", "^x")
    assert rules(replace_field(charge_message(), "PID", 7, '""')) == [("PID-7", "required")]


@pytest.mark.parametrize(
    ("segment", "number", "value", "field", "rule"),
    [
        ("MSH", 9, "ORU^R01", "MSH-9", "message-type"),
        ("MSH", 9, "ADT^A60", "MSH-9", "trigger-event"),
        ("MSH", 11, "T", "MSH-11", "processing-id"),
        ("MSH", 10, "", "MSH-10", "required"),
        ("MSH", 3, "", "MSH-3", "required"),
        ("MSH", 12, "3.0", "MSH-12", "version"),
        ("MSH", 12, "2.2", "MSH-12", "version"),
        ("PID", 3, "", "PID-3", "required"),
        ("PID", 7, "20261340", "PID-7", "required"),
        ("PV1", 19, "", "PV1-19", "required"),
        ("FT1", 2, "", "FT1[1]-2", "required"),
        ("FT1", 4, "yesterday", "FT1[1]-4", "required"),
        ("FT1", 6, "XX", "FT1[1]-6", "transaction-type"),
        ("FT1", 10, "1E5", "FT1[1]-10", "number"),
        ("FT1", 11, "12.345&USD", "FT1[1]-11", "money"),
        ("FT1", 11, "NaN&USD", "FT1[1]-11", "money"),
        ("IN1", 3, "", "IN1-3", "required"),
    ],
)
def test_what_is_wrong_is_named_by_field_and_rule(segment: str, number: int, value: str, field: str, rule: str) -> None:
    message = charge_message()
    if (segment, number) == ("PV1", 19):
        message = replace_field(message, "PID", 18, "").decode()
    assert (field, rule) in rules(replace_field(message, segment, number, value))


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", "header"),
        (b"PID|1", "header"),
        (b"MSH", "delimiters"),
        (b"MSH|^^^^|a", "delimiters"),
        (b"MSH|^~\\&|\xff\xfe", "character-set"),
        (b"MSH|^~\\&|" + b"a" * 1_000_001, "too-large"),
        (b"MSH|^~\\&|a\r" + b"Z\r" * 3_000, "segments"),
    ],
)
def test_what_is_no_message_is_rejected(raw: bytes, rule: str) -> None:
    assert [found for _, found in rules(raw)] == [rule]
    assert read_message(raw, actor="door").rejected


def answer(raw: bytes, outcome: Outcome) -> list[str]:
    reading = read_message(raw, actor="door")
    (told,) = acknowledgements(reading.header, outcome, NOW, rejected=reading.rejected)
    return told.decode().rstrip("\r").split("\r")


def test_an_acceptance_names_the_message_it_answers() -> None:
    message_id = derive("test", "message")
    header, said = answer(charge_message().encode(), Outcome(message_id, accepted=True))
    assert header.split("|")[2:6] == ["THROUGHLINE", "BILLING", ENCOUNTER.source, ENCOUNTER.entity]
    assert said == f"MSA|AA|{ENCOUNTER.visit_number}-P03"


def test_a_refusal_names_field_and_rule_in_err() -> None:
    raw = replace_field(charge_message(), "FT1", 4, "")
    findings = tuple(map(str, read_message(raw, actor="door").delivery.findings))
    _, said, error = answer(raw, Outcome(derive("test"), accepted=False, findings=findings))
    fields = error.split("|")
    assert said.startswith("MSA|AE|")
    assert (fields[2], fields[3].split("^")[0], fields[4]) == ("FT1^1^4", "101", "E")
    assert fields[8].startswith("FT1[1]-4: required")


def test_a_message_of_a_kind_that_is_not_taken_is_rejected() -> None:
    raw = replace_field(charge_message(), "MSH", 9, "ORU^R01")
    findings = tuple(map(str, read_message(raw, actor="door").delivery.findings))
    _, said, error = answer(raw, Outcome(derive("test"), accepted=False, findings=findings))
    assert said.startswith("MSA|AR|")
    assert error.split("|")[3].startswith("200^")
