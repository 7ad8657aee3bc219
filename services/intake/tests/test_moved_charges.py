"""A charge that moves to another encounter is billed there alone; what is no correction goes to a person."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from canonical.ids import derive
from canonical.party import CoverageDetails
from intake.application.deliveries import InboundDelivery
from intake.domain.encounter import Encounter
from intake.domain.facts import CoverageSeen, EncounterCancelled, Fact, Link

from .test_revisions import ENCOUNTER, Source, charge, credit, visit
from .world import PATIENT

OTHER = derive("test-encounter", "moved-to")
THERE = Link(id=OTHER)


def two_visits() -> Source:
    source = Source()
    coverage = CoverageSeen("coverage", Link(id=PATIENT), THERE, Link(code="ACME"), CoverageDetails(member_id="M1"))
    source.tell(visit(encounter_id=OTHER), coverage)
    return source


def billed(source: Source) -> dict[str, str]:
    """What each visit comes to, by the newest word on its postings."""
    newest = {(event.encounter_id, event.posting): event.total.decimal_text for event in source.said}
    names = {ENCOUNTER: "here", OTHER: "there"}
    return {names[encounter_id]: total for (encounter_id, _), total in newest.items()}


def test_a_correction_that_names_another_visit_moves_the_charge() -> None:
    source = two_visits()
    source.tell(charge())
    assert source.tell(charge(encounter=THERE, corrects=True)).accepted
    assert billed(source) == {"here": "0.00", "there": "100.00"}
    assert source.open_cases() == []


@pytest.mark.parametrize("hours", [(None, None, None), (1, 2, 3)], ids=["without hours", "with hours"])
def test_a_charge_that_comes_back_stands_where_it_stood(hours: tuple[int | None, ...]) -> None:
    source = two_visits()
    source.tell(charge(hour=hours[0]))
    source.tell(charge(hour=hours[1], encounter=THERE, corrects=True))
    source.tell(charge(hour=hours[2], corrects=True))
    newest = {(event.encounter_id, event.posting): event.total.minor for event in source.said}
    assert sum(total for (visit_id, _), total in newest.items() if visit_id == ENCOUNTER) == 10000
    assert sum(total for (visit_id, _), total in newest.items() if visit_id == OTHER) == 0


def test_a_charge_of_another_visit_that_is_no_correction_is_a_conflict() -> None:
    source = two_visits()
    source.tell(charge())
    outcome = source.tell(charge(encounter=THERE))
    assert (outcome.accepted, outcome.rule) == (False, "ChargeMoved")
    assert source.open_cases() == ["ChargeMoved"]
    assert billed(source) == {"here": "100.00"}


def test_both_visits_in_one_batch_are_a_conflict_too() -> None:
    source = two_visits()
    told = [(f"m{number}", charge(encounter=Link(id=each))) for number, each in enumerate((ENCOUNTER, OTHER))]
    outcomes = source.service.receive(*(delivery(key, fact) for key, fact in told))
    assert [each.accepted for each in outcomes] == [True, False]


def test_two_processes_that_take_a_charge_for_two_visits_at_once_bill_it_once() -> None:
    source = two_visits()
    meanwhile = [delivery("theirs", charge(encounter=THERE))]

    def another_process_is_quicker(step: str) -> None:
        if step == "before-commit" and meanwhile:
            assert source.service.receive(meanwhile.pop())[0].accepted

    source.service.crash = another_process_is_quicker
    (outcome,) = source.service.receive(delivery("ours", charge()))
    assert (outcome.accepted, outcome.rule) == (False, "ChargeMoved")
    assert billed(source) == {"there": "100.00"}
    assert source.open_cases() == ["ChargeMoved"]


def test_a_refused_message_leaves_no_trace_of_where_its_charge_stood() -> None:
    source = two_visits()
    lost = replace(charge(2), encounter=Link(id=derive("test-encounter", "unknown")))
    outcomes = source.service.receive(delivery("m1", charge(), lost), delivery("m2", charge(encounter=THERE)))
    assert [each.accepted for each in outcomes] == [False, True]
    assert billed(source) == {"there": "100.00"}


@pytest.mark.parametrize("order", tuple(permutations(range(3))), ids=str)
def test_words_of_two_visits_end_the_same_in_any_order(order: tuple[int, ...]) -> None:
    source = two_visits()
    words = (
        charge(hour=1, corrects=True),
        charge(hour=2, encounter=THERE, corrects=True),
        replace(credit(amount="30.00", hour=3), encounter=THERE),
    )
    for number in order:
        assert source.tell(words[number]).accepted
    assert {name: total for name, total in billed(source).items() if total != "0.00"} == {"there": "70.00"}
    assert source.open_cases() == []


def test_a_credit_for_the_visit_that_a_charge_left_is_a_conflict() -> None:
    source = two_visits()
    source.tell(charge(hour=1))
    source.tell(charge(hour=2, encounter=THERE, corrects=True))
    assert source.tell(credit(hour=3)).rule == "ChargeMoved"
    assert "older-word" in source.tell(replace(credit(), said_at=charge(hour=1).said_at)).notes[0]
    assert billed(source)["there"] == "100.00"


def test_a_charge_of_a_cancelled_visit_may_come_under_another() -> None:
    source = two_visits()
    source.tell(charge())
    source.tell(EncounterCancelled("visit", Link(id=ENCOUNTER)))
    assert source.tell(charge(encounter=THERE)).accepted
    assert billed(source) == {"here": "0.00", "there": "100.00"}
    assert source.service.store.story(ENCOUNTER)[-1].TOPIC == Encounter.ChargeVoided.TOPIC


def delivery(key: str, *facts: Fact) -> InboundDelivery:
    return InboundDelivery(
        "ehr-north", key, "test", key.encode(), "test", facts, patient=Link(id=PATIENT), entity="NORTH"
    )
