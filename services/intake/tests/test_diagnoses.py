"""The diagnoses of a visit: listed, named by charges, and taken back, without a charge pointing at another than it named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from canonical.encounter import EncounterPhi
from canonical.events.intake import PostedCharges
from intake.domain.clinical import ClinicalDetails, SeenStay
from intake.domain.diagnoses import diagnosed_alone
from intake.domain.facts import DiagnosisSeen, EncounterSeen, Fact

from .test_hl7_stories import IN1, Sender, ft1
from .test_revisions import VISIT, Source, charge, credit, visit
from .world import IntakeUnderTest, Wire, bundle, encounters, only, raw, read, resources

EARLY, LATE = datetime(2026, 2, 6, 9, tzinfo=UTC), datetime(2026, 2, 6, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("known", "seen", "named", "is_whole", "billed"),
    [
        ((), ("A00.1", "B00.1"), None, False, ("A00.1", "B00.1")),
        (("A00.1",), ("B00.1", "A00.1"), None, False, ("B00.1", "A00.1")),
        (("A00.1",), ("B00.1", "A00.1"), (), False, ("A00.1", "B00.1")),
        (("A00.1",), (), None, True, ("A00.1",)),
        (("A00.1", "B00.1"), ("B00.1",), (), True, ("B00.1",)),
        (("A00.1", "B00.1"), ("B00.1", "A00.1"), (), True, ("B00.1", "A00.1")),
        (("A00.1", "B00.1"), ("C00.1",), ("B00.1",), True, ("C00.1", "B00.1")),
        (("A00.1",), (), (), True, ("A00.1",)),
    ],
)
def test_a_list_of_the_visit_takes_away_what_no_charge_names_and_one_of_charges_takes_nothing(
    known: tuple[str, ...],
    seen: tuple[str, ...],
    named: tuple[str, ...] | None,
    is_whole: bool,
    billed: tuple[str, ...],
) -> None:
    before = ClinicalDetails(diagnosis_codes=known)
    after = before.with_list(seen, named, is_whole=is_whole, said_at=None)
    assert after.billed_diagnoses == billed
    if named is not None:
        assert after.diagnosis_codes[: len(known)] == known


@pytest.mark.parametrize(
    ("pointers", "billed"), [((1,), (1,)), ((2,), ()), ((2, 3), (2,)), ((3, 1), (2,)), ((4,), (1,))]
)
def test_charges_point_at_what_they_named_where_it_stands(pointers: tuple[int, ...], billed: tuple[int, ...]) -> None:
    details = ClinicalDetails(diagnosis_codes=("A00.1", "B00.1", "C00.1", "D00.1"), withdrawn=("A00.1", "B00.1"))
    assert replace_principal(details, "D00.1").billed_pointers(pointers) == billed


def replace_principal(details: ClinicalDetails, code: str) -> ClinicalDetails:
    return details.model_copy(update={"principal": code})


def test_a_withdrawn_admitting_diagnosis_is_the_admissions_no_more() -> None:
    details = ClinicalDetails(stay=SeenStay(admitting_diagnosis="R07.9"))
    assert diagnosed_alone(details, DiagnosisSeen("d", VISIT, "R07.9", withdrawn=True)).stay == SeenStay()


def test_an_old_word_that_is_read_again_brings_nothing_back_and_takes_nothing_away() -> None:
    details = ClinicalDetails(diagnosis_codes=("A00.1", "B00.1"), withdrawn=("A00.1",))
    for code, withdrawn in (("A00.1", False), ("B00.1", True)):
        again = DiagnosisSeen("d", VISIT, code, withdrawn=withdrawn, is_old=True)
        assert diagnosed_alone(details, again) == details
    new = diagnosed_alone(details, DiagnosisSeen("d", VISIT, "C00.1", is_old=True))
    assert new.billed_diagnoses == ("B00.1", "C00.1")


def billed(source: Source) -> tuple[tuple[str, ...], list[tuple[int, ...]]]:
    """The diagnoses of the newest posting, and where its charges point."""
    said = source.said[-1]
    phi = source.service.sealer.open(said.details, EncounterPhi)
    assert said.diagnosis_count == len(phi.diagnosis_codes)
    return phi.diagnosis_codes, [each.diagnosis_pointers for each in said.charges]


def listed(*codes: str, **changes: Any) -> EncounterSeen:
    return visit(diagnosis_codes=codes, lists_diagnoses=True, **changes)


def test_a_diagnosis_that_left_the_visits_list_leaves_its_claim() -> None:
    source = Source()
    source.tell(listed("I10", "J06.9"), charge(1), charge(2, "40.00", diagnosis_codes=("I10", "E11.9")))
    assert billed(source) == (("I10", "J06.9", "E11.9"), [(1,), (1, 3)])
    source.tell(listed("I10"))
    assert billed(source) == (("I10", "E11.9"), [(1,), (1, 2)])
    assert [each.revision for each in source.revisions] == [1]
    source.tell(listed("I10"))
    assert len(source.revisions) == 1


def test_another_principal_diagnosis_takes_the_place_of_the_first() -> None:
    source = Source()
    source.tell(charge(1), charge(2, "40.00"))
    source.tell(listed("J20.9"))
    assert billed(source) == (("J20.9",), [(1,), (1,)])
    assert source.open_cases() == []


def test_a_list_takes_nothing_away_that_came_on_its_own() -> None:
    for told_first in (True, False):
        source = Source()
        facts: list[Fact] = [DiagnosisSeen("condition", VISIT, "E11.9"), charge(1)]
        for each in facts if told_first else reversed(facts):
            source.tell(each)
        source.tell(listed("J20.9"))
        assert billed(source)[0] == ("J20.9", "E11.9")


def test_a_list_of_charges_takes_nothing_off_the_visit() -> None:
    source = Source()
    source.tell(charge(1))
    source.tell(visit(diagnosis_codes=("E11.9",)), charge(2, "40.00"))
    assert billed(source)[0] == ("I10", "E11.9")


def test_an_older_list_takes_nothing_away_and_brings_nothing_back() -> None:
    source = Source()
    source.tell(charge(1))
    source.tell(listed("I10", "E11.9", said_at=LATE))
    source.tell(listed("I10", "J06.9", said_at=EARLY))
    assert billed(source)[0] == ("I10", "E11.9")


def test_a_charge_all_of_whose_diagnoses_were_taken_back_is_held_until_it_names_another() -> None:
    source = Source()
    source.tell(charge(1), charge(2, "40.00", diagnosis_codes=("E11.9",)))
    outcome = source.tell(DiagnosisSeen("condition", VISIT, "E11.9", withdrawn=True))
    assert [note.split(": ")[1] for note in outcome.notes] == ["diagnosis-withdrawn"]
    assert source.open_cases() == ["DiagnosisWithdrawn"]
    source.tell(charge(2, "40.00", diagnosis_codes=("E11.65",), corrects=True))
    assert billed(source) == (("I10", "E11.65"), [(1,), (2,)])
    assert source.open_cases() == []


def test_a_held_charge_that_is_voided_holds_no_diagnosis() -> None:
    source = Source()
    source.tell(charge(1), charge(2, "40.00", diagnosis_codes=("E11.9",)))
    source.tell(DiagnosisSeen("condition", VISIT, "E11.9", withdrawn=True))
    source.tell(credit(2))
    assert (billed(source), source.open_cases()) == ((("I10",), [(1,)]), [])


def test_a_diagnosis_that_is_told_again_after_it_was_taken_back_is_billed_again() -> None:
    source = Source()
    source.tell(charge(1))
    for withdrawn in (False, True, False):
        source.tell(DiagnosisSeen("condition", VISIT, "E11.9", withdrawn=withdrawn))
    assert billed(source)[0] == ("I10", "E11.9")
    assert len(source.revisions) == 3


def test_taking_back_what_never_came_is_no_fault() -> None:
    source = Source()
    elsewhere = replace(VISIT, id=None, reference="Encounter/unknown")
    assert source.tell(DiagnosisSeen("condition", elsewhere, "E11.9", withdrawn=True)).accepted
    assert source.tell(DiagnosisSeen("condition", VISIT, "E11.9", withdrawn=True)).accepted
    source.tell(charge(1))
    assert billed(source)[0] == ("I10",)


ENCOUNTER = next(each for each in encounters(Wire.FHIR) if each.source == "ehr-north")


ICD = "http://hl7.org/fhir/sid/icd-10-cm"


def coded(code: str, system: str = "") -> dict[str, Any]:
    return {"coding": [{"code": code} | ({"system": system} if system else {})]}


def condition(status: str, **more: Any) -> dict[str, Any]:
    """A diagnosis Z00.00 of the encounter, on its own."""
    content = {"resourceType": "Condition", "id": "extra", "meta": {"source": ENCOUNTER.source}}
    content |= {"subject": {"reference": f"Patient/{ENCOUNTER.patient.mrn}"}, "code": coded("Z00.00", ICD)}
    content |= {"encounter": {"reference": f"Encounter/{ENCOUNTER.visit_number}"}}
    return content | {"verificationStatus": coded(status)} | more


def diagnoses_of(service: IntakeUnderTest) -> tuple[str, ...]:
    said = [event for event in service.events() if isinstance(event, PostedCharges)][-1]
    return service.sealer.open(said.details, EncounterPhi).diagnosis_codes


def test_a_condition_in_error_takes_its_diagnosis_off_the_encounter_by_itself() -> None:
    service = IntakeUnderTest()
    assert service.receive(raw(bundle(ENCOUNTER)))[0].accepted
    before = diagnoses_of(service)
    for status, now in (
        ("confirmed", (*before, "Z00.00")),
        ("entered-in-error", before),
        ("confirmed", (*before, "Z00.00")),
    ):
        assert service.receive(raw(condition(status)))[0].accepted
        assert diagnoses_of(service) == now


def test_a_condition_in_error_need_not_say_what_it_was() -> None:
    unsaid = read(raw({key: value for key, value in condition("entered-in-error").items() if key != "code"}))
    assert (unsaid.facts, unsaid.findings) == ((), ())


def test_an_encounter_that_names_a_condition_in_error_takes_its_diagnosis_back() -> None:
    content = bundle(ENCOUNTER)
    (told,) = resources(content, "Encounter")
    told["diagnosis"] = [{"condition": {"reference": "Condition/extra"}}]
    for status, listed_now, gone in (("confirmed", ("Z00.00",), ()), ("refuted", (), ("Z00.00",))):
        entry = {"resource": condition(status), "request": {"method": "PUT", "url": "Condition/extra"}}
        seen = only(read(raw(content | {"entry": [*content["entry"], entry]})).facts, EncounterSeen)
        assert seen.lists_diagnoses is bool(listed_now)
        assert (seen.withdrawn_codes, "Z00.00" in seen.diagnosis_codes) == (gone, bool(listed_now))


def dg1(code: str, action: str = "") -> str:
    return f"DG1|1||{code}^Diagnosis^I10|||F" + ("|" * 15 + action if action else "")


def test_a_dg1_that_says_delete_takes_its_diagnosis_back_and_a_list_of_the_visit_is_whole() -> None:
    sender = Sender()
    for kind, rows, listed_now, gone in (
        ("ADT^A08", (dg1("E11.9"), dg1("I10")), ("E11.9", "I10"), ()),
        ("ADT^A08", (dg1("E11.9"), dg1("I10", "D")), ("E11.9",), ("I10",)),
        ("DFT^P03", (ft1("A", "100.00"), dg1("I10", "D"), IN1), (), ("I10",)),
    ):
        seen = only(sender.write(kind, *rows, number="1").facts, EncounterSeen)
        assert (seen.diagnosis_codes, seen.withdrawn_codes) == (listed_now, gone)
        assert seen.lists_diagnoses is kind.startswith("ADT")


def test_diagnoses_of_the_admission_alone_are_no_list_of_the_visit() -> None:
    delivery = Sender().write("ADT^A08", dg1("R07.9").replace("|||F", "|||A"))
    seen = only(delivery.facts, EncounterSeen)
    assert (seen.diagnosis_codes, seen.lists_diagnoses) == (("R07.9",), False)
