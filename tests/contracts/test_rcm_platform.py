"""An external platform works the claims of every entity: its decisions make the same books as if we had worked them."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from canonical.money import Money
from claims.application.comparing_balances import DIFFERS_CASE
from claims.domain.access import PlatformDisclosure
from sandbox.world.payer import Answer

from .platform_road import PAID_ON, PLATFORM, Road


@pytest.fixture(scope="module")
def ours() -> Road:
    return Road("").charge().pay()


@pytest.fixture
def theirs() -> Road:
    return Road(PLATFORM).charge()


def test_the_same_decisions_make_the_same_books_whoever_works_the_claims(ours: Road, theirs: Road) -> None:
    assert {row["worked_by"] for row in theirs.claims() if row["interchange_id"]} == {PLATFORM}
    assert theirs.pay().books() == ours.books()
    assert {row["state"] for row in theirs.claims()} >= {"adjudicated"}
    assert theirs.cases() == ours.cases()


def test_a_report_that_comes_again_or_in_another_order_changes_nothing(ours: Road) -> None:
    road = Road(PLATFORM).charge()
    _, paid = road.desk.settle(PAID_ON)
    assert paid is not None
    again = Answer(paid.kind, "other-name.jsonl", paid.content)
    road.tell(paid, paid, again)
    assert road.books() == ours.books()


def test_what_was_sent_without_an_answer_is_found_and_not_sent_again(ours: Road) -> None:
    road = Road(PLATFORM)
    road.way.swallows_reply = True
    road.charge().pay()
    assert road.books() == ours.books()


def test_every_batch_that_leaves_has_a_disclosure_of_its_claims(theirs: Road) -> None:
    store = theirs.cores["claims"].store
    given = [each.event for each in store.log(0, 100_000) if isinstance(each.event, PlatformDisclosure.Given)]
    assert len(given) == len(theirs.way.sent)
    assert {claim for event in given for claim in event.claim_ids} == {
        row["claim_id"] for row in theirs.claims() if row["interchange_id"]
    }
    assert {event.digest for event in given} == {hashlib.sha256(each).hexdigest() for each in theirs.way.sent.values()}


def test_a_balance_that_differs_is_a_case_and_a_break_that_name_the_claim_until_it_agrees(theirs: Road) -> None:
    theirs.pay()
    row = next(row for row in theirs.claims() if row["state"] == "adjudicated" and not row["denied_minor"])
    number = str(row["patient_control_number"])
    before = theirs.cases()
    assert theirs.proved() == []
    theirs.tell(theirs.desk.balance(number, Money.of("12.00"), date(2026, 3, 21)))
    assert [each for each in theirs.cases() if each not in before] == [(DIFFERS_CASE, -1200)]
    assert theirs.proved() == [(PLATFORM, -1200, row["claim_id"])]
    theirs.tell(theirs.desk.balance(number, Money(0), date(2026, 3, 22)))
    assert theirs.cases() == before
    assert theirs.proved() == []


def test_what_patients_paid_the_platform_is_booked_once_and_its_adjustments_wait_for_a_person(theirs: Road) -> None:
    before = theirs.pay().accounts()
    number = next(str(row["patient_control_number"]) for row in theirs.claims() if row["patient_minor"])
    paid = theirs.desk.patient_paid("P-1", number, Money.of("5.00"), PAID_ON)
    theirs.tell(paid, Answer(paid.kind, "again.jsonl", paid.content))
    moved = {account: minor - before[account] for account, minor in theirs.accounts().items()}
    assert sorted(minor for minor in moved.values() if minor) == [-500, 500]
    theirs.tell(theirs.desk.adjusted("A-1", number, Money.of("3.00"), "SMALL", PAID_ON))
    assert ("ReportedAdjustment", 300) in theirs.cases()
    assert {account: minor - before[account] for account, minor in theirs.accounts().items()} == moved


def test_money_that_breaks_a_rule_is_a_case_with_the_reason_and_is_not_booked(theirs: Road) -> None:
    before = theirs.pay().accounts()
    number = next(str(row["patient_control_number"]) for row in theirs.claims() if row["patient_minor"])
    theirs.tell(theirs.desk.patient_paid("P-2", number, Money(-500), PAID_ON))
    theirs.tell(theirs.desk.adjusted("A-3", number, Money(0), "SMALL", PAID_ON))
    told = [each for each in theirs.cases() if each[0] in ("PlatformMoneyUnplaced", "ReportedAdjustment")]
    assert told == [("PlatformMoneyUnplaced", -500)]
    assert theirs.accounts() == before


def test_a_platform_says_nothing_of_an_entity_that_it_does_not_work(ours: Road) -> None:
    road = Road("")
    road.charge()
    before = road.books()
    _, report = road.desk.settle(PAID_ON)
    assert report is not None
    road.tell(report)
    assert road.books() == before
    assert {code for code, _ in road.cases()} >= {"NotThePlatformsEntity"}


@pytest.mark.parametrize("wrong", [lambda raw: raw[:-40], lambda raw: raw.replace(b'"records": ', b'"records": 1')])
def test_a_report_that_is_cut_short_or_miscounted_goes_no_further(theirs: Road, wrong: object) -> None:
    assert callable(wrong)
    _, report = theirs.desk.settle(PAID_ON)
    assert report is not None
    before = theirs.books()
    theirs.tell(Answer(report.kind, report.name, wrong(report.content)))
    assert theirs.books() == before
    assert "UnreadableFile" in {code for code, _ in theirs.cases()}
