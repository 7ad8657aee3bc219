"""Departments, cost centers, locations and payer classes: on the income statement, as far as an entity's books keep them."""

from __future__ import annotations

from collections.abc import Collection

from canonical.codes import AccountRole, Dimension
from canonical.encounter import ChargeLine
from canonical.ids import derive
from canonical.journal import JournalLine
from canonical.master_data import MasterData
from canonical.money import Money
from ledger_adapter.adapters.fake_erp import FakeErp
from ledger_adapter.application.queries import JOURNALS
from ledger_adapter.application.summaries import kept

from .examples import DAY, MASTER, charged
from .revision_examples import revised
from .world import World

DEPARTMENTS = (("RADIOLOGY", "CC-30"), ("SURGERY", "CC-40"))
KNOWING = MasterData.model_validate(
    MASTER.model_dump(mode="json")
    | {"departments": [{"code": code, "entity": "NORTH", "cost_center": center} for code, center in DEPARTMENTS]}
)


def line(department: str, amount: str, number: int) -> ChargeLine:
    return ChargeLine(
        charge_id=derive("test-dimension-charge", number),
        procedure_code="99213",
        amount=Money.of(amount),
        service_date=DAY,
        department=department,
    )


def world_with(charges: tuple[ChargeLine, ...], dimensions: Collection[Dimension] = ()) -> World:
    world = World(erp=FakeErp(kept_dimensions=frozenset(dimensions)), master=KNOWING)
    total = Money.total(charge.amount for charge in charges)
    world.deliver(charged().model_copy(update={"charges": charges, "total": total, "location": "MAIN"}))
    world.settle()
    return world


def lines_of(world: World) -> list[JournalLine]:
    (row,) = world.rows(JOURNALS)
    lines = row["lines"]
    assert isinstance(lines, list)
    return [JournalLine.model_validate(each) for each in lines]


TWO = (line("RADIOLOGY", "60.00", 1), line("SURGERY", "40.00", 2), line("", "5.00", 3))


def test_revenue_is_told_apart_by_department_cost_center_location_and_payer_class() -> None:
    found = {
        (each.department, each.cost_center, each.location, each.payer_class): each.amount.minor
        for each in lines_of(world_with(TWO))
        if each.account is AccountRole.GROSS_REVENUE
    }
    assert found == {
        ("RADIOLOGY", "CC-30", "MAIN", "commercial"): -6000,
        ("SURGERY", "CC-40", "MAIN", "commercial"): -4000,
        ("", "", "MAIN", "commercial"): -500,
    }


def test_what_several_departments_earned_together_has_no_department() -> None:
    (allowance,) = [each for each in lines_of(world_with(TWO)) if each.account is AccountRole.CONTRACTUAL_ALLOWANCE]
    assert (allowance.department, allowance.cost_center, allowance.location) == ("", "", "MAIN")


def test_accounts_of_the_balance_sheet_have_no_dimension() -> None:
    of_balance = [each for each in lines_of(world_with(TWO)) if not each.account.is_of_income]
    assert of_balance
    assert all((each.department, each.location, each.payer_class) == ("", "", "") for each in of_balance)


def test_the_erp_gets_the_dimensions_that_its_books_keep_and_no_others() -> None:
    world = world_with(TWO, [Dimension.DEPARTMENT])
    (document,) = world.erp.documents
    revenue = [each for each in document.lines if each.account is AccountRole.GROSS_REVENUE]
    assert {each.department: each.amount.minor for each in revenue} == {"RADIOLOGY": -6000, "SURGERY": -4000, "": -500}
    assert all((each.cost_center, each.location, each.payer_class) == ("", "", "") for each in document.lines)
    assert world.journals() == {"charges": ["confirmed"]}
    balances = world.erp.dimension_balances("NORTH")
    assert {each.value: each.amount.minor for each in balances if each.account is AccountRole.GROSS_REVENUE} == {
        "RADIOLOGY": -6000,
        "SURGERY": -4000,
        "": -500,
    }


def test_books_without_dimensions_get_one_line_an_account_and_the_entry_is_confirmed_all_the_same() -> None:
    world = world_with(TWO)
    (document,) = world.erp.documents
    assert [each.amount.minor for each in document.lines if each.account is AccountRole.GROSS_REVENUE] == [-10500]
    assert world.journals() == {"charges": ["confirmed"]}


def test_an_entry_that_the_erp_booked_under_another_department_differs() -> None:
    erp = FakeErp(kept_dimensions=frozenset({Dimension.DEPARTMENT}))
    world = World(erp=erp, master=KNOWING)
    world.deliver(charged().model_copy(update={"charges": (line("SURGERY", "40.00", 1),), "total": Money.of("40.00")}))
    erp.misplaces = "RADIOLOGY"
    world.settle()
    assert world.journals() == {"charges": ["differs"]}
    assert world.cases() == ["ErpDiffers"]


def test_what_is_kept_adds_up_to_what_there_was() -> None:
    lines = lines_of(world_with(TWO))
    for dimensions in ((), (Dimension.LOCATION,), tuple(Dimension)):
        assert Money.total(each.amount for each in kept(lines, dimensions)) == Money(0)
    assert list(kept(lines, tuple(Dimension))) == lines


def test_an_entry_that_moves_nothing_at_its_books_ends_without_a_document_and_keeps_no_other_waiting() -> None:
    world = World(master=KNOWING)
    before = charged(1, ("40.00",), departments=("SURGERY",))
    world.deliver(before)
    world.settle()
    world.deliver(revised(before, ("40.00",), departments=("RADIOLOGY",)))
    world.settle()
    world.deliver(charged(2))
    world.settle()
    assert world.journals() == {"charges": ["confirmed"] * 3}
    assert len(world.erp.documents) == 2
    assert world.balances("confirmed_minor") == world.at_the_erp()
