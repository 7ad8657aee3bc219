"""An encounter of a merged patient goes out by the coverage of the person, whichever comes first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from canonical.ids import derive
from canonical.party import CoverageDetails
from chassis.eventstore import transact
from chassis.testing import context
from intake.application.deliveries import InboundDelivery
from intake.application.envelopes import Envelopes
from intake.application.merging_by_person import PeopleMerging
from intake.domain.facts import CoverageSeen, Link, PatientSeen, PatientsMerged, PatientsUnmerged

from .test_moved_charges import delivery
from .test_payer_told_later import COVERAGE, billed, once, open_cases
from .test_revisions import DETAILS, charge, visit
from .world import PATIENT, IntakeUnderTest

BETWEEN, SURVIVOR, STRANGER = (derive("test-patient", name) for name in ("between", "survivor", "stranger"))
KNOWN = delivery(
    "known",
    PatientSeen("p0", PATIENT, DETAILS),
    *(
        PatientSeen("p", each, DETAILS.model_copy(update={"family_name": name, "given_name": name}))
        for each, name in ((BETWEEN, "B"), (SURVIVOR, "S"), (STRANGER, "T"))
    ),
)
CHARGED = delivery("visit", visit(), charge())


def coverage_of(patient: Link, code: str = "ACME") -> CoverageSeen:
    return CoverageSeen("coverage", patient, Link(), Link(code=code), CoverageDetails(member_id="M1"))


def merged(survivor: Link, retired: Link) -> InboundDelivery:
    return delivery(f"{retired.id} is {survivor.id}", PatientsMerged("MRG", survivor, retired))


OWN, MIDDLE, PERSON, OTHER = (Link(id=each) for each in (PATIENT, BETWEEN, SURVIVOR, STRANGER))
COVERED = delivery("covered", coverage_of(PERSON))
MERGED = merged(PERSON, OWN)


def known(*deliveries: InboundDelivery) -> IntakeUnderTest:
    """Patients who have come in, with what was told of them, each in a batch of its own."""
    service = IntakeUnderTest()
    for each in (KNOWN, *deliveries):
        assert service.receive(each)[0].accepted
    return service


@pytest.mark.parametrize(
    "told",
    [(CHARGED, MERGED, COVERED), (CHARGED, COVERED, MERGED), (MERGED, CHARGED, COVERED), (MERGED, COVERED, CHARGED)],
    ids=["coverage last", "merge last", "merged before", "charge last"],
)
def test_the_survivors_coverage_releases_what_its_retired_records_wait_with(told: tuple[InboundDelivery, ...]) -> None:
    service = known(*told)
    assert (billed(service), open_cases(service)) == ([("ACME", "100.00")], [])


def test_all_in_one_batch_ends_the_same() -> None:
    service = known()
    assert all(each.accepted for each in service.receive(CHARGED, MERGED, COVERED))
    assert (billed(service), open_cases(service)) == ([("ACME", "100.00")], [])


def test_a_chain_of_merges_is_followed_to_the_nearest_coverage() -> None:
    chained = (CHARGED, merged(MIDDLE, OWN), merged(PERSON, MIDDLE))
    assert billed(known(*chained, COVERED)) == [("ACME", "100.00")]
    nearer = delivery("self-pay", replace(coverage_of(MIDDLE), payer=Link(), details=None))
    assert [payer for payer, _ in billed(known(*chained[1:], COVERED, nearer, CHARGED))] == [""]


def test_the_coverage_of_somebody_else_releases_nothing() -> None:
    service = known(CHARGED, MERGED, delivery("of another", coverage_of(OTHER)))
    assert (billed(service), open_cases(service)) == ([], ["PayerNotStated"])


def test_a_patients_own_coverage_counts_before_the_survivors() -> None:
    own = delivery("self-pay", replace(COVERAGE, payer=Link(), details=None))
    service = known(own, MERGED, COVERED, CHARGED)
    assert [payer for payer, _ in billed(service)] == [""]


def merge_by_person(service: IntakeUnderTest) -> None:
    transact(service.store, context(), lambda work: merging(service, work).merge(SURVIVOR, PATIENT, reason="I asked"))


def merging(service: IntakeUnderTest, work: object) -> PeopleMerging:
    return PeopleMerging(work, Envelopes(service.sealer), service.master_data)  # type: ignore[arg-type]


def test_a_merge_by_a_person_bills_what_waited_too() -> None:
    service = known(CHARGED, COVERED)
    assert billed(service) == []
    merge_by_person(service)
    assert (billed(service), open_cases(service)) == ([("ACME", "100.00")], [])


def part_by_person(service: IntakeUnderTest) -> None:
    pair = (SURVIVOR, PATIENT)
    transact(service.store, context(), lambda work: merging(service, work).part(pair, reason="two after all"))


def part_by_source(service: IntakeUnderTest) -> None:
    assert service.receive(delivery("parted", PatientsUnmerged("PID", PERSON, OWN)))[0].accepted


PARTINGS = pytest.mark.parametrize("part", [part_by_person, part_by_source], ids=["a person", "the source"])


@PARTINGS
def test_a_person_is_told_of_what_was_billed_by_the_coverage_of_somebody_else(
    part: Callable[[IntakeUnderTest], None],
) -> None:
    service = known(MERGED, COVERED, CHARGED)
    part(service)
    (case,) = [row for row in service.cases() if row["state"] == "open"]
    assert (case["code"], case["amount_minor"]) == ("CoverageChangedAfterBilling", 10000)
    assert str(case["summary"]).startswith("ACME was billed by the coverage of somebody who is another person")


@PARTINGS
def test_what_waits_for_the_survivors_payer_waits_for_one_of_its_own_once_they_are_parted(
    part: Callable[[IntakeUnderTest], None],
) -> None:
    service = known(MERGED, delivery("strange", coverage_of(PERSON, "NOBODY-KNOWS")), CHARGED)
    assert open_cases(service) == ["UnmappedCode"]
    part(service)
    service.sweep()
    assert open_cases(service) == ["PayerNotStated"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (CHARGED, COVERED),
        (COVERED, CHARGED),
        (CHARGED, MERGED),
        (MERGED, CHARGED),
        (MERGED, COVERED),
        (COVERED, MERGED),
    ],
    ids=[
        "charge, coverage",
        "coverage, charge",
        "charge, merge",
        "merge, charge",
        "merge, coverage",
        "coverage, merge",
    ],
)
def test_two_processes_at_once_do_not_miss_each_other(ours: InboundDelivery, theirs: InboundDelivery) -> None:
    (third,) = {each.delivery_key: each for each in (CHARGED, COVERED, MERGED) if each not in (ours, theirs)}.values()
    service = known(third)
    service.crash = once(lambda: service.receive(theirs))
    assert service.receive(ours)[0].accepted
    assert (billed(service), open_cases(service)) == ([("ACME", "100.00")], [])


def test_a_second_coverage_that_comes_while_another_process_holds_for_the_first_is_not_missed() -> None:
    service = known(delivery("strange", replace(COVERAGE, payer=Link(code="NOBODY-KNOWS"))))
    service.crash = once(lambda: service.receive(delivery("known payer", COVERAGE)))
    assert service.receive(CHARGED)[0].accepted
    assert billed(service) == [("ACME", "100.00")]
