"""Stays whose codes nobody knows hang on one work item for each code, which is PHI and stands nowhere in the clear."""

from __future__ import annotations

import json

from canonical.events.intake import EncounterCharged
from canonical.master_data import Crosswalk
from intake.application.held_codes import HELD_FOR_CODES, HELD_TABLES

from .test_stays import PATIENT, coded, stay_bundle
from .world import IntakeUnderTest, resources

ODD = "ZZ-ASAP-ODD"
VISIT = "V0001000000"


def with_odd_code(number: int) -> bytes:
    """One stay whose type of admission is called so; its visit has a number of its own."""
    content = stay_bundle()
    (encounter,) = resources(content, "Encounter")
    encounter["priority"] = coded(ODD)
    told = json.dumps(content).replace(VISIT, f"V{number:010d}")
    for name in ("c1", "c2", "c3", "p1"):
        told = told.replace(f'"{name}"', f'"{name}-{number}"').replace(f'/{name}"', f'/{name}-{number}"')
    return told.encode()


def translate(service: IntakeUnderTest, ours: str) -> None:
    row = Crosswalk(code=ODD, source=PATIENT.source, kind="admission-type", ours=ours)
    known = service.master_data
    service.master_data = known.model_copy(update={"crosswalks": (*known.crosswalks, row)})


def charged(service: IntakeUnderTest) -> list[EncounterCharged]:
    return [event for event in service.events() if isinstance(event, EncounterCharged)]


def held(count: int = 2) -> IntakeUnderTest:
    service = IntakeUnderTest()
    for number in range(1, count + 1):
        (outcome,) = service.receive(with_odd_code(number))
        assert outcome.accepted
    service.sweep()
    return service


def test_stays_with_one_unknown_code_hang_on_one_work_item() -> None:
    service = held()
    (case,) = service.cases()
    assert (case["code"], case["subject"]) == ("UnmappedCode", "unmapped-code")
    assert "a code of kind admission-type" in str(case["summary"])
    assert str(case["summary"]).endswith("; 2 encounters wait for it")
    assert len(service.store.rows(HELD_FOR_CODES, {})) == 2


def test_the_crosswalks_row_releases_them_and_another_meaning_does_not() -> None:
    service = held()
    translate(service, "no code of the NUBC")
    service.sweep()
    assert charged(service) == []
    service.master_data = IntakeUnderTest().master_data
    translate(service, "2")
    service.sweep()
    assert len({event.encounter_id for event in charged(service)}) == 2
    assert [case["state"] for case in service.cases()] == ["corrected"]


def test_the_code_stands_nowhere_in_the_clear() -> None:
    service = held()
    kept = " ".join(entry.event.model_dump_json() for entry in service.store.log(0, 1000))
    rows = " ".join(str(service.store.rows(table, {})) for table in HELD_TABLES)
    assert ODD not in kept + rows + str(service.cases()) + str(service.events())
