"""Every real HL7 v2 file is accepted or refused for a right reason, and gives the charges that a biller expects."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from canonical.events.intake import EncounterCharged
from canonical.money import Money
from chassis.inbound import read_raw
from intake.adapters.hl7v2 import read_message, read_profiles
from intake.domain.facts import ChargeSeen, CoverageSeen, EncounterCancelled, EncounterSeen, PatientSeen, PatientsMerged

from .test_any_input import corpus
from .world import IntakeUnderTest, only

PAGE = Path(__file__).resolve().parents[3] / "docs" / "hl7-verdicts.md"
SITE = read_profiles(Path(__file__).with_name("site_profiles.toml"))
FILES = [path for path in corpus("hl7v2") if path.suffix == ".hl7"]
NO_CHARGE_ID = "FT1[2]-2: required: the source's id of the charge"
NOT_BILLED = "DG1-3: diagnosis-system: codes of ICD-10-CM are billed; this one is kept in the message alone"
WORDS = tuple(f"PV1-{number}: code: a code has at most 20 characters" for number in (14, 36))
ALL_FACTS = {
    "ADT-A01-01": ("PatientSeen", "EncounterSeen", "CoverageSeen"),
    "ADT-A03-02": ("PatientSeen", "EncounterSeen"),
    "ADT-A04-02": ("PatientSeen", "EncounterSeen"),
    "ADT-A08-02": ("PatientSeen", "EncounterSeen"),
    "ADT-A31-02": ("PatientSeen",),
    "ADT-A40-01": ("PatientSeen", "PatientsMerged"),
    "ADT01-23": ("PatientSeen", "EncounterSeen", "CoverageSeen", "CoverageSeen"),
    "ADT04-251": (),
    "BAR-P01-01": ("PatientSeen", "EncounterSeen", "CoverageSeen"),
    "BAR-P02-01": ("EncounterCancelled", "EncounterCancelled"),
    "DFT-P03-01": (),
    "DFT-P11-01": (),
}
REFUSED = {
    "ADT04-251": ("MSH-11: processing-id: profile default takes P",),
    "DFT-P03-01": (NO_CHARGE_ID,),
    "DFT-P11-01": (NO_CHARGE_ID,),
}
WHY = {
    "ADT04-251": "MSH-11 says T: a training message must not make charges in production.",
    "DFT-P03-01": "Its second charge has no FT1-2. Without an id nobody could correct it, or tell it from a repetition.",
    "DFT-P11-01": "As DFT-P03-01.",
}
LEFT_OUT = {
    **dict.fromkeys(("ADT-A01-01", "BAR-P01-01"), (NOT_BILLED, *WORDS)),
    **dict.fromkeys(("ADT-A03-02", "ADT-A04-02", "ADT-A08-02"), WORDS),
    "ADT01-23": (NOT_BILLED,),
}


def name_of(path: Path) -> str:
    return path.stem.removeprefix("msfhir__")


def file(name: str) -> bytes:
    return next(path for path in FILES if name_of(path) == name).read_bytes()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_file_has_the_verdict_and_the_facts_that_it_should(path: Path) -> None:
    delivery = read_message(path.read_bytes(), actor="door").delivery
    assert tuple(map(str, delivery.findings)) == REFUSED.get(name_of(path), ())
    assert tuple(type(fact).__name__ for fact in delivery.facts) == ALL_FACTS[name_of(path)]
    if not delivery.findings:
        assert sorted(delivery.notes) == sorted(LEFT_OUT.get(name_of(path), ()))


def money_of_peer(name: str) -> list[tuple[str, Decimal, Money, str]]:
    """The charges of the bundle that a peer made of the file: id, quantity, extended amount and day."""
    folder = next(path for path in corpus("hl7v2") if path.suffix == ".json").parent
    bundle = json.loads((folder / f"msfhir__{name}-expected.json").read_text(), parse_float=Decimal)
    items = [each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == "ChargeItem"]
    return [
        (
            item["identifier"][0]["value"] if "identifier" in item else "",
            Decimal(item["quantity"]["value"]),
            Money.of(str(item["priceOverride"]["value"]), item["priceOverride"].get("currency", "USD")),
            item["occurrenceDateTime"],
        )
        for item in items
    ]


@pytest.mark.parametrize("name", ["DFT-P03-01", "DFT-P11-01"])
def test_a_profile_that_takes_charges_without_ids_gives_the_money_that_a_peer_reads(name: str) -> None:
    charges = read_message(file(name), actor="door", profiles=SITE).delivery.facts
    ours = [
        (each.units, each.amount, each.service_date.isoformat()) for each in charges if isinstance(each, ChargeSeen)
    ]
    assert ours == [(units, amount, day) for _, units, amount, day in money_of_peer(name)]


@pytest.mark.parametrize(
    ("name", "charges"),
    [
        ("DFT-P03-01", [("71045", ("26",), "100.00", "RAD-1"), ("99011", (), "120.00", "")]),
        ("DFT-P11-01", [("71045", ("26",), "100.00", "RAD-1"), ("92002", (), "70.00", "")]),
    ],
)
def test_a_biller_finds_procedure_modifiers_amount_and_department(
    name: str, charges: list[tuple[str, tuple[str, ...], str, str]]
) -> None:
    facts = read_message(file(name), actor="door", profiles=SITE).delivery.facts
    assert [
        (each.procedure_code, each.modifiers, each.amount and each.amount.decimal_text, each.department)
        for each in facts
        if isinstance(each, ChargeSeen)
    ] == charges
    drug = next(each.drug for each in facts if isinstance(each, ChargeSeen))
    assert drug is not None
    assert drug.ndc == "00182106105"


def test_charges_of_a_patient_who_is_still_in_are_kept_and_not_billed() -> None:
    service = IntakeUnderTest()
    delivery = read_message(file("DFT-P03-01"), actor="door", profiles=SITE).delivery
    (outcome,) = service.receive(delivery)
    assert outcome.accepted
    assert not [event for event in service.events() if isinstance(event, EncounterCharged)]
    assert read_raw(service.store, service.sealer, outcome.message_id) == file("DFT-P03-01")


def test_a_visit_has_its_number_its_patient_and_its_payers_in_order() -> None:
    facts = read_message(file("ADT01-23"), actor="door").delivery.facts
    assert only(facts, PatientSeen).details.family_name == "DUCK"
    assert only(facts, EncounterSeen).account_number == "40007716"
    payers = [(each.rank, each.payer.code) for each in facts if isinstance(each, CoverageSeen)]
    assert payers == [(1, "3"), (2, "9")]


def test_the_merge_and_the_purge_name_whom_the_files_name() -> None:
    merged = only(read_message(file("ADT-A40-01"), actor="door").delivery.facts, PatientsMerged)
    assert merged.survivor.id != merged.retired.id
    purge = read_message(file("BAR-P02-01"), actor="door").delivery
    assert len({fact.encounter.id for fact in purge.facts if isinstance(fact, EncounterCancelled)}) == 2
    assert len({patient for _, _, patient in purge.patient_spans}) == 2


def page() -> str:
    rows = [
        "# HL7 v2 files of other systems, and what intake says to them",
        "",
        "Kept by `services/intake/tests/test_hl7_corpus.py`; the profile is the shipped one. With `charge_id_from_place` the",
        "two refused batches of charges give 220.00 and 170.00, as the bundles that a peer made of them.",
        "",
        "| file | verdict | facts | why, or what is left out |",
        "|---|---|---|---|",
    ]
    for path in FILES:
        name, delivery = name_of(path), read_message(path.read_bytes(), actor="door").delivery
        verdict = f"refused: {delivery.findings[0]}" if delivery.findings else "accepted"
        facts = ", ".join(type(fact).__name__ for fact in delivery.facts)
        reasons = [WHY[name]] if name in WHY else list(delivery.notes)
        rows.append(f"| {path.name} | {verdict} | {facts} | {'; '.join(reasons)} |")
    return "\n".join([*rows, ""])


def test_the_page_of_verdicts_says_what_the_reader_does() -> None:
    if os.environ.get("THROUGHLINE_WRITE_VERDICTS"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew with THROUGHLINE_WRITE_VERDICTS=1, and look at it"
