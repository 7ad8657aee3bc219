"""Payers' deposits are tied to remittances to the cent, in whatever order both come, or are visibly nobody's."""

from __future__ import annotations

from itertools import permutations
from uuid import UUID

import pytest
from canonical.events.payments import DepositMatched, DepositUnidentified
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Refusal
from chassis.eventstore import transact
from chassis.testing.contexts import context
from payments.application.balances import entity_balances
from payments.application.doors import BankFile
from payments.application.publishing import publish
from payments.application.queries import DEPOSITS, REMITTANCES
from payments.application.recording_deposits import ReportedDeposit
from payments.application.tying import DepositOfOtherEntity, SeveralOfSeveral, tie
from payments.domain.deposit import DepositKind, DepositTaken
from payments.domain.remittance import DepositDiffers

from .examples import DAY, summary
from .world import World, remittance

OTHER_PAYER = derive("remittance", "2999", "TRACE1")


def told(name: str, minor: int, trace: str = "TRACE1", entity: str = "NORTH", **changes: object) -> ReportedDeposit:
    facts: dict[str, object] = {
        "deposit_id": derive("test-deposit", name),
        "entity": entity,
        "kind": DepositKind.REMITTANCE,
        "amount": Money(minor),
        "on": DAY,
        "reference": trace,
        "span_start": 0,
        "span_length": 10,
    }
    return ReportedDeposit(**(facts | changes))  # type: ignore[arg-type]


def bank(world: World, *deposits: ReportedDeposit) -> None:
    for one in deposits:
        world.doors.receive_bank_file(BankFile(str(one.deposit_id), repr(one).encode(), (one,)))
        world.sweep()


def announced(world: World) -> list[tuple[str, int, bool]]:
    """What moved the books: kind, cents, and whether it had been nobody's."""
    found = []
    for logged in world.memory.log(0, 10_000):
        for public in publish(logged.event):
            if isinstance(public, DepositMatched):
                found.append(("matched", public.amount.minor, public.was_unidentified))
            elif isinstance(public, DepositUnidentified):
                found.append(("unidentified", public.amount.minor, False))
    return found


def person_ties(world: World, deposits: list[str], remittances: list[UUID]) -> None:
    ids = [derive("test-deposit", name) for name in deposits]
    transact(world.store, context(), lambda work: tie(work, ids, remittances))


def test_what_nobody_can_name_is_booked_after_the_time_allowed_and_once() -> None:
    world = World()
    bank(world, told("a", 8000))
    assert announced(world) == []
    world.clock.advance(hours=2)
    world.sweep()
    world.sweep()
    assert announced(world) == [("unidentified", 8000, False)]
    assert world.rows(DEPOSITS)[0]["booked_as"] == "unidentified-receipts"
    assert world.open_cases() == ["DepositWithoutRemittance"]


def test_a_remittance_that_comes_later_takes_it_from_the_receipts_that_nobody_could_name() -> None:
    world = World()
    bank(world, told("a", 8000))
    world.clock.advance(hours=2)
    world.sweep()
    world.deliver(*remittance(summary()))
    world.sweep()
    assert announced(world) == [("unidentified", 8000, False), ("matched", 8000, True)]
    assert world.open_cases() == []


def test_a_payouts_deposit_is_never_booked_as_nobodys() -> None:
    world = World()
    bank(world, told("a", 8000, "po_1", kind=DepositKind.PAYOUT))
    world.clock.advance(hours=2)
    world.sweep()
    assert announced(world) == []


def test_two_deposits_of_one_remittance_are_its_money_in_every_order() -> None:
    ends = set()
    for order in permutations(("a", "b", "remittance")):
        world = World()
        for name in order:
            if name == "remittance":
                world.deliver(*remittance(summary()))
            else:
                bank(world, told(name, 5000 if name == "a" else 3000))
            world.sweep()
        rows = {str(row["matched_to"]) for row in world.rows(DEPOSITS)}
        assert sorted(announced(world)) == [("matched", 3000, False), ("matched", 5000, False)]
        ends.add((frozenset(rows), world.rows(REMITTANCES)[0]["settlement"], tuple(world.open_cases())))
    assert len(ends) == 1
    assert next(iter(ends))[1:] == ("deposited", ())


def test_one_deposit_pays_the_remittances_that_it_names_once_all_of_them_have_come() -> None:
    world = World()
    bank(world, told("a", 10000, further_references=("TRACE2",)))
    world.deliver(*remittance(summary(paid=8000)))
    world.sweep()
    assert announced(world) == []
    world.deliver(*remittance(summary("TRACE2", paid=2000)))
    world.sweep()
    assert sorted(announced(world)) == [("matched", 2000, False), ("matched", 8000, False)]
    assert {str(row["deposit_id"]) for row in world.rows(REMITTANCES)} == {str(derive("test-deposit", "a"))}


def test_a_difference_is_a_case_that_says_how_much_and_ends_when_the_rest_has_come() -> None:
    world = World()
    world.deliver(*remittance(summary()))
    bank(world, told("a", 5000))
    assert world.open_cases() == ["DepositDiffers"]
    bank(world, told("b", 3000))
    assert world.open_cases() == []
    _, sums = entity_balances(world.store, "NORTH")
    assert sums == {}


def test_a_remittance_whose_money_does_not_come_is_a_case_until_it_does() -> None:
    world = World()
    world.deliver(*remittance(summary()))
    world.clock.advance(hours=24 * 4)
    world.sweep()
    assert world.open_cases() == []
    world.clock.advance(hours=24 * 2)
    world.sweep()
    assert world.open_cases() == ["RemittanceWithoutDeposit"]
    bank(world, told("a", 8000))
    assert world.open_cases() == []


def test_a_remittance_that_pays_nothing_waits_for_no_deposit() -> None:
    world = World()
    world.deliver(*remittance(summary(paid=0)))
    world.clock.advance(hours=24 * 6)
    world.sweep()
    assert world.open_cases() == []


def test_a_person_ties_a_deposit_without_a_trace() -> None:
    world = World()
    world.deliver(*remittance(summary()))
    bank(world, told("check", 8000, "LOCKBOX 12", kind=DepositKind.OTHER))
    person_ties(world, ["check"], [summary().remittance_id])
    assert announced(world) == [("matched", 8000, False)]
    assert world.open_cases() == []


@pytest.mark.parametrize(
    ("deposits", "remittances", "refusal"),
    [
        (["a"], ["TRACE1"], DepositDiffers),
        (["a", "b"], ["TRACE1", "TRACE2"], SeveralOfSeveral),
        (["a"], ["TRACE1", "TRACE2"], DepositDiffers),
        (["south"], ["TRACE1"], DepositOfOtherEntity),
        (["taken"], ["TRACE1"], DepositTaken),
    ],
)
def test_a_person_cannot_tie_what_does_not_add_up(
    deposits: list[str], remittances: list[str], refusal: type[Refusal]
) -> None:
    world = World()
    others = [told("a", 5000, "X"), told("b", 5000, "Y"), told("south", 8000, "Z", "SOUTH"), told("taken", 8000, "T")]
    bank(world, *others)
    world.deliver(*remittance(summary("T", paid=8000)))
    world.sweep()
    for trace in ("TRACE1", "TRACE2"):
        world.deliver(*remittance(summary(trace, content=trace)))
    ids = [summary(trace).remittance_id for trace in remittances]
    with pytest.raises(refusal):
        person_ties(world, deposits, ids)
