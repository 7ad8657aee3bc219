"""The EHR: its bundles and messages are valid, carry each fact where the docstring says, and can go astray on request."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from decimal import Decimal
from typing import Any

import hl7
import pytest
from fhir.resources.R4B.bundle import Bundle
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message
from sandbox.world.ehr import deliveries, hl7_messages, send_mllp, transaction_bundle
from sandbox.world.hl7_messages import MISTAKEN
from sandbox.world.misbehaviour import Fault, Misbehaviour
from sandbox.world.scenario import Flaw, Scenario, SimulatedEncounter, Wire

STORY = Scenario.demo(date(2026, 11, 20))
BILLABLE = STORY.billable


def one(flaw: Flaw) -> SimulatedEncounter:
    return next(encounter for encounter in STORY.encounters if encounter.flaw is flaw)


def resources(encounter: SimulatedEncounter, kind: str) -> list[dict[str, Any]]:
    bundle = json.loads(transaction_bundle(encounter), parse_float=Decimal)
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def charge_message(encounter: SimulatedEncounter) -> Any:
    return hl7.parse(hl7_messages(encounter)[-1].decode())


@pytest.mark.parametrize("encounter", STORY.encounters[:40], ids=lambda each: each.visit_number)
def test_every_bundle_is_valid_fhir_r4(encounter: SimulatedEncounter) -> None:
    bundle = Bundle.model_validate_json(transaction_bundle(encounter))
    assert bundle.type == "transaction"
    assert bundle.entry is not None
    assert len({entry.fullUrl for entry in bundle.entry}) == len(bundle.entry)


def test_a_bundle_carries_exact_extended_amounts_with_two_decimals() -> None:
    for encounter in BILLABLE[:40]:
        prices = [item["priceOverride"]["value"] for item in resources(encounter, "ChargeItem")]
        assert prices == [charge.amount.decimal for charge in encounter.charges]
        assert all(isinstance(price, Decimal) and price.as_tuple().exponent == -2 for price in prices)


def test_a_bundle_refers_only_to_resources_it_holds() -> None:
    for encounter in STORY.encounters[:40]:
        text = transaction_bundle(encounter).decode()
        held = {entry["request"]["url"] for entry in json.loads(text)["entry"]}
        named = {part.split('"')[0] for part in text.split('"reference": "')[1:]}
        assert named <= held
        assert f"Organization/entity-{encounter.entity}" in named


def test_a_bundle_without_member_id_lacks_it_and_one_with_unknown_payer_names_it() -> None:
    missing = resources(one(Flaw.MISSING_MEMBER_ID), "Coverage")[0]
    unknown = resources(one(Flaw.UNKNOWN_PAYER), "Coverage")[0]
    assert "subscriberId" not in missing
    assert unknown["payor"] == [{"reference": "Organization/payer-NOSUCHPAYER"}]


def test_a_self_pay_bundle_says_so() -> None:
    (coverage,) = resources(STORY.self_pay[0], "Coverage")
    assert coverage["type"]["coding"][0]["code"] == "pay"
    assert "subscriberId" not in coverage


@pytest.mark.parametrize("encounter", STORY.encounters[:25], ids=lambda each: each.visit_number)
def test_every_hl7_message_passes_strict_validation(encounter: SimulatedEncounter) -> None:
    for message in hl7_messages(encounter):
        parsed = parse_message(message.decode(), validation_level=VALIDATION_LEVEL.STRICT, find_groups=True)
        assert parsed.validate() is True


def test_charges_stand_in_the_fields_that_the_docstring_names() -> None:
    for encounter in BILLABLE[:40]:
        message = charge_message(encounter)
        assert str(message.segment("MSH")[3]) == encounter.source
        assert str(message.segment("MSH")[4]) == encounter.entity
        assert str(message.segment("PV1")[19]) == encounter.visit_number
        transactions = [each for each in message.segments("FT1") if not str(each[2]).endswith(f"-{MISTAKEN}")]
        assert [str(each[2]) for each in transactions] == [charge.transaction_id for charge in encounter.charges]
        for segment, charge in zip(transactions, encounter.charges, strict=True):
            assert str(segment[11]) == f"{charge.amount.decimal_text}&USD"
            assert str(segment[25]).split("^")[0] == charge.procedure_code or charge.revenue_code
            assert str(segment[10]) == str(charge.units)
            assert str(segment[13]) == charge.source_department
            assert str(segment[4]) == charge.service_date.strftime("%Y%m%d")
            assert str(segment[20]).split("^")[0] == encounter.provider


def test_some_charges_are_credited_in_their_own_batch_and_some_stays_go_on() -> None:
    messages = [message.decode() for encounter in STORY.encounters for message in hl7_messages(encounter)]
    told = [row.split("|") for message in messages for row in message.split("\r") if row.startswith("FT1")]
    mistaken = [fields for fields in told if fields[2].endswith(f"-{MISTAKEN}")]
    assert [fields[6] for fields in mistaken] == ["CG", "CD"] * (len(mistaken) // 2)
    assert mistaken
    assert {kind for kind in ("DFT^P03", "DFT^P11") if any(kind in message for message in messages)} == {
        "DFT^P03",
        "DFT^P11",
    }


def test_insurance_stands_in_in1_3_and_in1_36() -> None:
    for encounter in BILLABLE[:40]:
        assert encounter.coverage is not None
        insurance = charge_message(encounter).segment("IN1")
        assert (str(insurance[3]), str(insurance[36])) == (encounter.coverage.payer, encounter.coverage.member_id)


def test_a_missing_member_id_leaves_no_policy_number() -> None:
    assert len(charge_message(one(Flaw.MISSING_MEMBER_ID)).segment("IN1")) <= 37
    assert str(charge_message(one(Flaw.MISSING_MEMBER_ID)).segment("IN1")[36]) == ""


def test_a_self_pay_message_has_no_insurance() -> None:
    assert "IN1" not in hl7_messages(STORY.self_pay[0])[-1].decode()


def test_message_control_ids_are_unique_and_some_patients_moved() -> None:
    messages = [hl7.parse(each.decode()) for encounter in STORY.encounters for each in hl7_messages(encounter)]
    control_ids = [str(message.segment("MSH")[10]) for message in messages]
    assert len(set(control_ids)) == len(control_ids)
    assert any("ADT^A08" in str(message.segment("MSH")) for message in messages)


def test_without_faults_every_encounter_is_delivered_once_in_its_own_format() -> None:
    sent = deliveries(STORY.encounters)
    assert [each.visit_number for each in sent] == [each.visit_number for each in STORY.encounters]
    assert [each.kind == "bundle" for each in sent] == [each.wire is Wire.FHIR for each in STORY.encounters]


def test_a_duplicate_is_sent_again_byte_for_byte() -> None:
    faults = Misbehaviour()
    faults.request(Fault.DUPLICATE, target="mllp", times=2)
    sent = deliveries(STORY.encounters[:20], faults)
    twice = [each for each in sent if sent.count(each) == 2]
    assert len(sent) == 22
    assert {each.kind for each in twice} == {"mllp"}


def test_a_delayed_encounter_comes_after_all_others() -> None:
    faults = Misbehaviour()
    faults.request(Fault.DELAY)
    sent = deliveries(STORY.encounters[:5], faults)
    assert [each.visit_number for each in sent] == [STORY.encounters[n].visit_number for n in (1, 2, 3, 4, 0)]


def test_one_cent_off_comes_as_a_second_delivery_under_the_same_ids() -> None:
    faults = Misbehaviour()
    faults.request(Fault.CORRUPT_ONE_CENT)
    first, second, *_ = deliveries(STORY.encounters[:3], faults)
    assert first.visit_number == second.visit_number
    assert first.messages != second.messages
    assert len(faults.struck) == 1


def test_mllp_frames_each_message_and_waits_for_its_acknowledgement() -> None:
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while message := await reader.readuntil(b"\x1c\x0d"):
            seen.append(message)
            writer.write(b"\x0bMSA|AA|%d\r\x1c\x0d" % len(seen))

    async def run() -> list[bytes]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            return await send_mllp("127.0.0.1", server.sockets[0].getsockname()[1], [b"MSH|1\r", b"MSH|2\r"])

    assert asyncio.run(run()) == [b"MSA|AA|1\r", b"MSA|AA|2\r"]
    assert seen == [b"\x0bMSH|1\r\x1c\x0d", b"\x0bMSH|2\r\x1c\x0d"]


def test_a_second_insurance_comes_as_coverage_of_order_two_and_as_a_second_in1() -> None:
    seen = [encounter for encounter in BILLABLE if encounter.next_coverages]
    assert seen
    for encounter in seen[:20]:
        (second,) = encounter.next_coverages
        coverages = resources(encounter, "Coverage")
        assert [each["order"] for each in coverages] == [1, 2]
        assert coverages[1]["subscriberId"] == second.member_id
        assert coverages[1]["beneficiary"] == coverages[0]["beneficiary"]
        _, insurance = charge_message(encounter).segments("IN1")
        assert [str(insurance[field]) for field in (1, 3, 36)] == ["2", second.payer, second.member_id]
