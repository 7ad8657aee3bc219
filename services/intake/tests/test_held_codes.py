"""A code that master data does not know: one work item for all that wait, which are billed by themselves once it is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from canonical.events.intake import EncounterCharged
from canonical.master_data import ChargeMasterRow, Crosswalk, Location
from canonical.money import Money
from canonical.party import CoverageDetails
from chassis.eventstore import transact
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.port import History
from chassis.eventstore.work import no_crash
from chassis.exceptions.case import CaseState, ExceptionCase
from chassis.testing import context
from intake.application.held_codes import HELD_FOR_CODES, UNMAPPED_CODES
from intake.application.queries import ENCOUNTERS
from intake.application.releasing_mapped import RELEASED_PER_BATCH
from intake.domain.facts import ChargeSeen, CoverageSeen, EncounterCancelled, EncounterSeen, Fact, Link
from intake.domain.identities import encounter_id_of
from intake.main import SHAPE

from .people import SOURCE, message, person, seen, visit
from .world import IntakeUnderTest

NEW_PLAN = "HARBOR"


class NotingStore(MemoryEventStore):
    """Notes which aggregates are loaded from it."""

    def __init__(self) -> None:
        super().__init__(SHAPE.registry(), SHAPE.all_projections)
        self.loaded: list[UUID] = []

    def load(self, ids: Iterable[UUID]) -> dict[UUID, History]:
        asked = list(ids)
        self.loaded += asked
        return super().load(asked)


class Died(BaseException):
    """The process is gone."""


def wait_for(service: IntakeUnderTest, number: str, *, payer: str = NEW_PLAN, location: str = "N-MAIN") -> UUID:
    """One person with one visit and one charge of 100.00, whose payer and location are called so."""
    covered = CoverageSeen(
        "IN1",
        Link(id=person(number)),
        Link(id=encounter_id_of(SOURCE, number)),
        Link(code=payer),
        details=CoverageDetails(member_id="M1"),
    )
    facts: list[Fact] = [
        replace(fact, location=location) if isinstance(fact, EncounterSeen) else fact
        for fact in visit(number, number, 10_000)
    ]
    facts = [covered if isinstance(fact, CoverageSeen) else fact for fact in facts]
    service.receive(message(f"M{number}", seen(number), *facts))
    return encounter_id_of(SOURCE, number)


def know(service: IntakeUnderTest, ours: str = "ACME") -> None:
    row = Crosswalk(code=NEW_PLAN, source=SOURCE, kind="payer", ours=ours)
    content = service.master_data
    others = [Crosswalk(code=payer.code, source=SOURCE, kind="payer", ours=payer.code) for payer in content.payers]
    service.master_data = content.model_copy(update={"crosswalks": (*content.crosswalks, row, *others)})


def charged(service: IntakeUnderTest) -> list[EncounterCharged]:
    return [event for event in service.events() if isinstance(event, EncounterCharged)]


def states(service: IntakeUnderTest) -> list[object]:
    return [row["state"] for row in service.store.rows(ENCOUNTERS, {}, order=("opened_at",))]


def test_all_that_waits_for_one_code_hangs_on_one_work_item() -> None:
    service = IntakeUnderTest()
    for number in ("1", "2", "3"):
        wait_for(service, number)
    (case,) = service.cases()
    assert (case["code"], case["subject"], case["state"]) == ("UnmappedCode", "unmapped-code", "open")
    assert f"{SOURCE} sends payer {NEW_PLAN!r}" in str(case["summary"])
    (held,) = service.store.sums(HELD_FOR_CODES, ("amount_minor",), ("code_id",), {})
    assert (held["code_id"], held["count"], held["amount_minor"]) == (case["subject_id"], 3, 30_000)


def test_the_mapping_releases_what_waited_for_it_and_ends_the_work_item() -> None:
    service = IntakeUnderTest()
    for number in ("1", "2"):
        wait_for(service, number)
    service.sweep()
    assert charged(service) == []
    know(service)
    service.sweep()
    assert [(event.payer, event.total) for event in charged(service)] == [("ACME", Money(10_000))] * 2
    assert [case["state"] for case in service.cases()] == ["corrected"]
    assert service.store.rows(HELD_FOR_CODES, {}) == []
    assert [row["is_open"] for row in service.store.rows(UNMAPPED_CODES, {})] == [False]


def test_what_waits_for_something_else_too_stays_held_for_that_alone() -> None:
    service = IntakeUnderTest()
    wait_for(service, "1", location="NOWHERE")
    assert len(service.cases()) == 2
    know(service)
    service.sweep()
    (encounter,) = service.store.rows(ENCOUNTERS, {})
    assert (encounter["state"], encounter["hold_reasons"]) == (
        "held",
        "location: unknown-location: no location 'NOWHERE' on 2026-02-06",
    )
    assert sorted((case["state"], "payer" in str(case["summary"])) for case in service.cases()) == [
        ("corrected", True),
        ("open", False),
    ]
    there = Location(code="NOWHERE", entity="NORTH")
    service.master_data = service.master_data.model_copy(update={"locations": (*service.master_data.locations, there)})
    service.sweep()
    assert [event.total for event in charged(service)] == [Money(10_000)]
    assert {case["state"] for case in service.cases()} == {"corrected"}


def test_the_work_item_says_how_many_wait_and_what_they_charge() -> None:
    service = IntakeUnderTest()
    for number in ("1", "2", "3"):
        wait_for(service, number)
    service.sweep()
    (case,) = service.cases()
    assert str(case["summary"]).endswith("; 3 encounters wait for it")
    assert case["amount_minor"] == 30_000
    stored = service.store.last_position()
    service.clock.advance(minutes=1)
    service.sweep()
    assert service.store.last_position() == stored, "what is no news is not said again"
    wait_for(service, "4")
    service.sweep()
    assert service.cases()[0]["amount_minor"] == 30_000, "it is said now and then"
    service.clock.advance(minutes=1)
    service.sweep()
    assert service.cases()[0]["amount_minor"] == 40_000


def test_a_case_that_a_person_dismissed_is_not_looked_at_again() -> None:
    store = NotingStore()
    service = IntakeUnderTest(store)
    wait_for(service, "1")
    service.sweep()
    case_id = service.cases()[0]["case_id"]
    assert isinstance(case_id, UUID)
    transact(store, context(), lambda work: work.require(ExceptionCase, case_id).end(CaseState.DISMISSED, "long gone"))
    store.loaded.clear()
    service.clock.advance(minutes=1)
    service.sweep()
    assert store.loaded == []


def charge_without_price(service: IntakeUnderTest, number: str, department: str = "") -> None:
    """One self-pay visit, whose charge comes without a price and the charge master knows nothing of."""
    facts = [
        replace(fact, amount=None, procedure_code="99999", department=department)
        if isinstance(fact, ChargeSeen)
        else fact
        for fact in visit(number, number, 10_000)
    ]
    service.receive(message(f"M{number}", seen(number), *facts))


def price(service: IntakeUnderTest, cents: int, department: str = "") -> None:
    row = ChargeMasterRow(code="99999", price=Money(cents), department=department)
    content = service.master_data
    service.master_data = content.model_copy(update={"charge_master": (*content.charge_master, row)})


def test_charges_without_a_price_hang_on_one_work_item_and_go_with_the_charge_masters_row() -> None:
    service = IntakeUnderTest()
    for number in ("1", "2", "3"):
        charge_without_price(service, number)
    service.sweep()
    (case,) = service.cases()
    said = f"{SOURCE} charges '99999' without a price, and the charge master has none; 3 encounters wait for it"
    assert (case["code"], case["summary"]) == ("UnmappedCode", said)
    price(service, 4_500)
    service.sweep()
    assert [event.total for event in charged(service)] == [Money(4_500)] * 3
    assert [case["state"] for case in service.cases()] == ["corrected"]


def test_a_price_of_one_department_releases_its_charges_alone() -> None:
    service = IntakeUnderTest()
    charge_without_price(service, "1", "FAMMED")
    charge_without_price(service, "2")
    assert len(service.cases()) == 2
    department = service.master_data.translate(SOURCE, "department", "FAMMED", date(2026, 2, 6))
    price(service, 4_500, department)
    service.sweep()
    assert [event.total for event in charged(service)] == [Money(4_500)]
    assert sorted(str(case["state"]) for case in service.cases()) == ["corrected", "open"]


def test_a_cancelled_encounter_no_longer_waits() -> None:
    service = IntakeUnderTest()
    wait_for(service, "1")
    service.receive(message("C1", EncounterCancelled("PV1", Link(id=encounter_id_of(SOURCE, "1")))))
    service.sweep()
    assert service.store.rows(HELD_FOR_CODES, {}) == []
    assert [case["state"] for case in service.cases()] == ["corrected"]


def test_a_code_that_is_met_again_has_a_work_item_of_its_own() -> None:
    service = IntakeUnderTest()
    wait_for(service, "1")
    known = service.master_data
    know(service)
    service.sweep()
    service.master_data = known
    wait_for(service, "2")
    assert sorted(str(case["state"]) for case in service.cases()) == ["corrected", "open"]


def test_more_than_a_batch_is_released_batch_by_batch() -> None:
    service = IntakeUnderTest()
    count = RELEASED_PER_BATCH + 5
    for number in range(count):
        wait_for(service, str(number))
    know(service)
    (releasing,) = [sweep for sweep in service.intake.core.sweeps if sweep.name == "release-mapped"]
    assert releasing.run() == RELEASED_PER_BATCH
    assert states(service).count("held") == 5
    service.sweep()
    assert len(charged(service)) == count


@pytest.mark.parametrize("reached", ["before-commit", "after-commit"])
def test_a_kill_while_releasing_bills_everything_once(reached: str) -> None:
    service = IntakeUnderTest()
    for number in ("1", "2"):
        wait_for(service, number)
    know(service)

    def die(step: str) -> None:
        if step == reached:
            raise Died

    service.crash = die
    with pytest.raises(Died):
        service.sweep()
    service.crash = no_crash
    service.sweep()
    assert [event.total for event in charged(service)] == [Money(10_000)] * 2
    assert [case["state"] for case in service.cases()] == ["corrected"]
