"""Questions about pairs of patients end by what answers them: details that change, merges, or a person who dismisses them."""

from __future__ import annotations

import pytest
from billing.operations.v1 import operations_pb2 as operations
from chassis.domain import Refusal
from chassis.eventstore import transact
from chassis.rpc.operations import Operations
from chassis.telemetry.correlation import caused_by, incoming
from chassis.testing import context
from intake.application.merging import BY_OTHER_MERGES, merge_by_person, unmerge
from intake.application.patient_rows import MATCHES, matches_of
from intake.domain.facts import PatientIdentifier
from intake.domain.patient import Patient

from .people import JANE, OTHER_SOURCE, merged, message, person, seen, somebody
from .world import IntakeUnderTest

HOSPITAL = PatientIdentifier("HOSP", "MR", "4711")
MARRIED = JANE.model_copy(update={"family_name": "Smith"})
STRANGER = somebody("Z")


def contradicting() -> IntakeUnderTest:
    service = IntakeUnderTest()
    service.receive(message("1", seen("A", JANE, HOSPITAL)))
    service.receive(message("2", seen("Z", STRANGER, HOSPITAL, source=OTHER_SOURCE), source=OTHER_SOURCE))
    return service


def probable() -> IntakeUnderTest:
    service = IntakeUnderTest()
    service.receive(message("1", seen("A", JANE)), message("2", seen("B", JANE)))
    return service


def case_states(service: IntakeUnderTest) -> list[tuple[object, object]]:
    return [(case["code"], case["state"]) for case in service.cases()]


def match_states(service: IntakeUnderTest) -> list[object]:
    return [row["state"] for row in service.store.rows(MATCHES, {})]


def test_a_contradiction_ends_when_corrected_details_agree_and_the_patients_are_linked() -> None:
    service = contradicting()
    service.receive(message("3", seen("Z", MARRIED, HOSPITAL, source=OTHER_SOURCE), source=OTHER_SOURCE))
    assert case_states(service) == [("IdentifierContradiction", "corrected")]
    assert match_states(service) == ["linked"]
    events = service.store.load([person("A")])[person("A")].events
    assert [event.linked_id for event in events if isinstance(event, Patient.IdentifierLinked)] == [
        person("Z", OTHER_SOURCE)
    ]


def test_a_contradiction_that_comes_back_is_another_case() -> None:
    service = contradicting()
    for key, details in (("3", JANE), ("4", STRANGER)):
        service.receive(message(key, seen("Z", details, HOSPITAL, source=OTHER_SOURCE), source=OTHER_SOURCE))
    assert sorted(str(state) for _, state in case_states(service)) == ["corrected", "open"]
    assert match_states(service) == ["open"]


def test_a_probable_match_ends_when_changed_details_make_it_unlikely() -> None:
    service = probable()
    service.receive(message("3", seen("B", STRANGER)))
    assert case_states(service) == [("ProbableMatch", "corrected")]
    (row,) = matches_of(service.store, person("A"))
    assert (row["state"], row["score"]) == ("unlikely", 0)


def test_a_probable_match_ends_when_an_identifier_says_that_they_are_one() -> None:
    service = IntakeUnderTest()
    service.receive(message("1", seen("A", JANE, HOSPITAL)))
    service.receive(message("2", seen("Z", JANE, source=OTHER_SOURCE), source=OTHER_SOURCE))
    assert case_states(service) == [("ProbableMatch", "open")]
    service.receive(message("3", seen("Z", JANE, HOSPITAL, source=OTHER_SOURCE), source=OTHER_SOURCE))
    assert case_states(service) == [("ProbableMatch", "corrected")]
    assert match_states(service) == ["linked"]


def test_merges_into_a_third_record_end_the_question_about_the_pair() -> None:
    service = probable()
    service.receive(message("3", seen("C"), merged("C", "A")))
    assert case_states(service) == [("ProbableMatch", "open")]
    service.receive(message("4", merged("C", "B")))
    assert case_states(service) == [("ProbableMatch", "corrected")]
    (row,) = matches_of(service.store, person("A"))
    assert (row["state"], row["reason"]) == ("merged", BY_OTHER_MERGES)


def test_merges_of_one_batch_end_it_as_well() -> None:
    service = probable()
    chain = [merged("D", "C"), merged("C", "A"), merged("E", "D"), merged("E", "B")]
    service.receive(message("3", *map(seen, "CDE")), message("4", *chain))
    assert case_states(service) == [("ProbableMatch", "corrected")]


def test_a_person_who_merges_by_way_of_others_ends_it_as_well() -> None:
    service = probable()
    service.receive(message("3", seen("C", somebody("C")), merged("C", "A")))
    transact(service.store, context(), lambda work: merge_by_person(work, person("B"), person("C"), reason="passport"))
    assert ("ProbableMatch", "corrected") in case_states(service)


def test_patients_who_are_parted_again_are_asked_about_when_they_are_compared_again() -> None:
    service = probable()
    service.receive(message("3", seen("C"), merged("C", "A"), merged("C", "B")))
    transact(service.store, context(), lambda work: unmerge(work, person("C"), person("B"), reason="two passports"))
    service.receive(message("4", seen("B", MARRIED.model_copy(update={"family_name": "Dow"}))))
    assert case_states(service) == [("ProbableMatch", "corrected"), ("ProbableMatch", "open")]


@pytest.fixture
def desk() -> tuple[IntakeUnderTest, Operations]:
    service = probable()
    return service, Operations(service.intake.core)


def dismissed(service: IntakeUnderTest, desk: Operations, reason: str = "two passports were shown") -> object:
    (case,) = service.cases()
    asked = operations.DismissCaseRequest(case_id=str(case["case_id"]), reason=reason)
    with caused_by(incoming("user:registrar", None, None)):
        return desk.DismissCase(asked, None).case.state  # type: ignore[arg-type]  # no call of the network


def test_dismissing_a_probable_match_tells_the_pair_apart_for_good(desk: tuple[IntakeUnderTest, Operations]) -> None:
    service, operations_desk = desk
    assert dismissed(service, operations_desk) == "dismissed"
    (row,) = matches_of(service.store, person("A"))
    assert (row["state"], row["reason"]) == ("distinct", "two passports were shown")
    service.receive(message("3", seen("B", JANE.model_copy(update={"sex": "U"}))))
    assert case_states(service) == [("ProbableMatch", "dismissed")]


def test_dismissing_without_a_reason_decides_nothing(desk: tuple[IntakeUnderTest, Operations]) -> None:
    service, operations_desk = desk
    with pytest.raises(Refusal):
        dismissed(service, operations_desk, "")
    assert match_states(service) == ["open"]


def test_dismissing_a_contradiction_tells_the_pair_apart_too() -> None:
    service = contradicting()
    assert dismissed(service, Operations(service.intake.core)) == "dismissed"
    assert match_states(service) == ["distinct"]
