"""Patients who are one person: merged by their source or by a person, in any order, and parted again exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from canonical.envelope import PublicEvent
from canonical.events.intake import PatientsMerged, PatientsUnmerged
from chassis.eventstore import VersionConflict, Work, transact
from chassis.merged_patients import group_of
from chassis.testing import context
from intake.application.merging import mark_distinct, merge, unmerge
from intake.domain.encounter import Encounter
from intake.domain.facts import Fact
from intake.domain.identities import encounter_id_of
from intake.domain.refusals import MergedPatients, NotMerged, SelfMerge

from .people import SOURCE, merged, message, person, seen, unmerged, visit
from .world import IntakeUnderTest

T1 = datetime(2026, 3, 1, 9, tzinfo=UTC)
T2, T3 = T1 + timedelta(hours=1), T1 + timedelta(hours=2)


def known(*numbers: str) -> IntakeUnderTest:
    service = IntakeUnderTest()
    service.receive(message("known", *(seen(number) for number in numbers)))
    return service


def say(service: IntakeUnderTest, *facts: Fact) -> list[str]:
    """Each fact in a message and a batch of its own; the rules that were broken."""
    count = service.store.last_position()
    outcomes = [service.receive(message(f"m{count}-{place}", fact))[0] for place, fact in enumerate(facts)]
    return [outcome.rule for outcome in outcomes if not outcome.accepted]


def persons(service: IntakeUnderTest, *numbers: str) -> dict[str, str]:
    """As whom each of them stands."""
    names = {person(number): number for number in numbers}
    return {number: names[group_of(service.store, person(number))[0]] for number in numbers}


def announced(service: IntakeUnderTest) -> list[PublicEvent]:
    return [event for event in service.events() if isinstance(event, PatientsMerged | PatientsUnmerged)]


def test_a_merge_is_announced_with_ids_alone_and_parting_takes_it_back() -> None:
    service = known("A", "B")
    assert say(service, merged("B", "A")) == []
    assert persons(service, "A", "B") == {"A": "B", "B": "B"}
    assert say(service, unmerged("B", "A")) == []
    assert persons(service, "A", "B") == {"A": "A", "B": "B"}
    pair = {"survivor_id": person("B"), "retired_id": person("A"), "by_source": True}
    assert announced(service) == [PatientsMerged(**pair), PatientsUnmerged(**pair)]


def test_a_patient_is_not_merged_into_itself() -> None:
    service = known("A")
    assert say(service, merged("A", "A")) == ["SelfMerge"]
    assert service.cases() == []


def test_the_inverse_of_a_merge_is_refused_with_a_case() -> None:
    service = known("A", "B")
    assert say(service, merged("B", "A"), merged("A", "B")) == ["CircularMerge"]
    assert [case["code"] for case in service.cases()] == ["CircularMerge"]
    assert persons(service, "A", "B") == {"A": "B", "B": "B"}


def test_a_circle_over_three_is_refused_with_a_case() -> None:
    service = known("A", "B", "C")
    assert say(service, merged("B", "A"), merged("C", "B"), merged("A", "C")) == ["CircularMerge"]
    assert persons(service, "A", "B", "C") == {"A": "C", "B": "C", "C": "C"}


def test_a_circle_within_one_batch_is_refused_too() -> None:
    service = known("A", "B")
    outcomes = service.receive(message("1", merged("B", "A")), message("2", merged("A", "B")))
    assert [outcome.accepted for outcome in outcomes] == [True, False]


@pytest.mark.parametrize(
    ("before", "first", "second"),
    [
        ((), ("B", "A"), ("A", "B")),
        ((("B", "A"), ("D", "C")), ("C", "B"), ("A", "D")),
    ],
)
def test_two_merges_at_once_cannot_close_a_circle_between_them(
    before: tuple[tuple[str, str], ...], first: tuple[str, str], second: tuple[str, str]
) -> None:
    service = known("A", "B", "C", "D")
    say(service, *(merged(*pair) for pair in before))
    works = [Work(service.store, context()) for _ in range(2)]
    for work, (survivor, retired) in zip(works, (first, second), strict=True):
        merge(work, person(survivor), person(retired))
    works[0].commit()
    with pytest.raises(VersionConflict):
        works[1].commit()


def test_who_is_merged_into_a_retired_patient_stands_as_the_last_survivor() -> None:
    service = known("A", "B", "C")
    assert say(service, merged("C", "B"), merged("B", "A")) == []
    assert persons(service, "A", "B", "C") == {"A": "C", "B": "C", "C": "C"}
    assert set(group_of(service.store, person("A"))) == {person("A"), person("B"), person("C")}


def test_parting_the_middle_of_a_chain_leaves_each_part_whole() -> None:
    service = known("A", "B", "C")
    say(service, merged("B", "A"), merged("C", "B"))
    assert say(service, unmerged("C", "B")) == []
    assert persons(service, "A", "B", "C") == {"A": "B", "B": "B", "C": "C"}


def test_which_link_of_a_chain_was_wrong_is_not_guessed() -> None:
    service = known("A", "B", "C")
    say(service, merged("B", "A"), merged("C", "B"))
    assert say(service, unmerged("C", "A")) == ["UnclearUnmerge"]
    assert [case["code"] for case in service.cases()] == ["UnclearUnmerge"]


def test_a_patient_merged_twice_is_a_persons_to_judge() -> None:
    service = known("A", "B", "C")
    assert say(service, merged("B", "A"), merged("C", "A")) == ["MergedElsewhere"]
    assert say(service, merged("C", "B"), merged("C", "A")) == []
    assert len(announced(service)) == 2


def test_the_same_merge_again_changes_nothing() -> None:
    service = known("A", "B")
    assert say(service, merged("B", "A"), merged("B", "A")) == []
    assert len(announced(service)) == 1


def test_either_of_two_patients_may_be_named_the_survivor_when_they_are_parted() -> None:
    service = known("A", "B")
    say(service, merged("B", "A"), unmerged("A", "B"))
    assert persons(service, "A", "B") == {"A": "A", "B": "B"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_a_merge_and_its_end_the_newer_word_holds_in_any_order(order: tuple[int, int]) -> None:
    service = known("A", "B")
    words = (merged("B", "A", T1), unmerged("B", "A", T2))
    assert say(service, *(words[place] for place in order)) == []
    assert persons(service, "A", "B") == {"A": "A", "B": "B"}
    assert say(service, merged("B", "A", T3), unmerged("B", "A", T2)) == []
    assert persons(service, "A", "B") == {"A": "B", "B": "B"}


def test_a_merge_may_come_before_the_patient_it_retires() -> None:
    service = known("B")
    assert say(service, merged("B", "A"), seen("A")) == []
    assert persons(service, "A", "B") == {"A": "B", "B": "B"}


def test_a_survivor_who_never_came_in_is_an_unknown_reference() -> None:
    assert say(known("A"), merged("B", "A")) == ["unknown-reference"]


def test_an_encounter_of_the_retired_stays_its_own_when_it_comes_under_the_survivors_number() -> None:
    service = known("A", "B")
    service.receive(message("v", *visit("V1", "A", 12400)))
    say(service, merged("B", "A"))
    (outcome,) = service.receive(message("again", *visit("V1", "B", 12400)))
    assert outcome.accepted
    work = Work(service.store, context())
    facts = work.require(Encounter, encounter_id_of(SOURCE, "V1")).facts
    assert facts is not None
    assert facts.patient_id == person("A")


def test_without_a_merge_an_encounter_under_another_number_is_a_conflict() -> None:
    service = known("A", "B")
    service.receive(message("v", *visit("V1", "A", 12400)))
    (outcome,) = service.receive(message("again", *visit("V1", "B", 12400)))
    assert outcome.rule == "EncounterMoved"


def test_a_late_message_under_the_retired_number_is_taken() -> None:
    service = known("A", "B")
    say(service, merged("B", "A"))
    (outcome,) = service.receive(message("late", seen("A"), *visit("V2", "A", 5000)))
    assert outcome.accepted


def test_a_person_merges_with_a_reason_and_parts_again() -> None:
    service = known("A", "B")
    transact(service.store, context(), lambda work: merge(work, person("B"), person("A"), reason="same passport"))
    assert persons(service, "A", "B")["A"] == "B"
    transact(service.store, context(), lambda work: unmerge(work, person("A"), person("B"), reason="two passports"))
    assert persons(service, "A", "B")["A"] == "A"
    assert [getattr(event, "by_source", None) for event in announced(service)] == [False, False]


def test_a_person_is_told_why_nothing_can_be_done() -> None:
    service = known("A", "B")
    work = Work(service.store, context())
    with pytest.raises(NotMerged):
        unmerge(work, person("A"), person("B"), reason="a mistake")
    with pytest.raises(SelfMerge):
        mark_distinct(work, person("A"), person("A"), reason="a mistake")
    merge(work, person("B"), person("A"), reason="same passport")
    with pytest.raises(MergedPatients):
        mark_distinct(work, person("A"), person("B"), reason="a mistake")


def test_a_source_that_merges_whom_a_person_told_apart_is_followed_and_the_person_is_told() -> None:
    service = known("A", "B")
    transact(service.store, context(), lambda work: mark_distinct(work, person("A"), person("B"), reason="twins"))
    assert say(service, merged("B", "A")) == []
    assert persons(service, "A", "B")["A"] == "B"
    assert [case["code"] for case in service.cases()] == ["MergedAgainstDecision"]
