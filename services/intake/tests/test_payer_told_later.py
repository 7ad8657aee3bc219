"""An encounter that says nothing of its payer waits, and goes out once the source tells who pays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from canonical.events.intake import EncounterCharged
from canonical.party import CoverageDetails
from chassis.eventstore.work import CrashPoint
from intake.application.deliveries import InboundDelivery
from intake.domain.facts import CoverageSeen, Fact, Link, PatientSeen

from .test_moved_charges import delivery
from .test_revisions import DETAILS, VISIT, charge, visit
from .world import PATIENT, IntakeUnderTest

KNOWN = delivery("patient", PatientSeen("patient", PATIENT, DETAILS))
CHARGED = delivery("visit", visit(), charge())
COVERAGE = CoverageSeen("coverage", Link(id=PATIENT), Link(), Link(code="ACME"), CoverageDetails(member_id="M1"))
COVERED = delivery("coverage", COVERAGE)


def open_cases(service: IntakeUnderTest) -> list[object]:
    return [row["code"] for row in service.cases() if row["state"] == "open"]


def billed(service: IntakeUnderTest) -> list[tuple[object, str]]:
    """Payer and total of what was announced."""
    return [(each.payer, each.total.decimal_text) for each in service.events() if isinstance(each, EncounterCharged)]


def waiting() -> IntakeUnderTest:
    service = IntakeUnderTest()
    service.receive(KNOWN)
    return service


def test_it_waits_with_a_case_until_a_coverage_of_its_patient_comes() -> None:
    service = waiting()
    (outcome,) = service.receive(CHARGED)
    assert outcome.accepted
    assert "payer-not-stated" in outcome.notes[0]
    assert (open_cases(service), billed(service)) == (["PayerNotStated"], [])
    assert service.receive(COVERED)[0].accepted
    assert (open_cases(service), billed(service)) == ([], [("ACME", "100.00")])


@pytest.mark.parametrize(
    "told",
    [
        CoverageSeen("coverage", Link(id=PATIENT), VISIT, Link(code="ACME"), CoverageDetails(member_id="M1")),
        replace(COVERAGE, payer=Link(), details=None),
    ],
    ids=["of the encounter itself", "that the patient pays"],
)
def test_any_word_on_who_pays_releases_it(told: Fact) -> None:
    service = waiting()
    service.receive(CHARGED)
    assert service.receive(delivery("who pays", told))[0].accepted
    assert (open_cases(service), len(billed(service))) == ([], 1)


def test_a_coverage_in_the_same_batch_releases_it_too() -> None:
    service = waiting()
    assert all(outcome.accepted for outcome in service.receive(CHARGED, COVERED))
    assert billed(service) == [("ACME", "100.00")]
    assert open_cases(service) == []


def test_a_coverage_whose_payer_nobody_knows_holds_it_for_that_alone() -> None:
    service = waiting()
    service.receive(CHARGED)
    service.receive(delivery("strange", replace(COVERAGE, payer=Link(code="NOBODY-KNOWS"))))
    assert open_cases(service) == ["UnmappedCode"]


@pytest.mark.parametrize(("ours", "theirs"), [(CHARGED, COVERED), (COVERED, CHARGED)], ids=["charge", "coverage"])
def test_two_processes_that_take_both_at_once_do_not_miss_each_other(
    ours: InboundDelivery, theirs: InboundDelivery
) -> None:
    service = waiting()
    service.crash = once(lambda: service.receive(theirs))
    assert service.receive(ours)[0].accepted
    assert billed(service) == [("ACME", "100.00")]
    assert open_cases(service) == []


def once(meanwhile: Callable[[], object]) -> CrashPoint:
    """Does something else before the next commit."""
    left = [meanwhile]

    def at(step: str) -> None:
        if step == "before-commit" and left:
            left.pop()()

    return at
