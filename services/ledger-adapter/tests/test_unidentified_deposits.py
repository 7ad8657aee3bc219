"""Money in the bank that nobody can name is a liability with a name of its own, until its remittance comes."""

from __future__ import annotations

from datetime import date
from itertools import permutations

from canonical.events.payments import DepositUnidentified
from canonical.ids import derive
from ledger_adapter.application.queries import CLEARING
from ledger_adapter.domain import fact_lines as lines

from .examples import REMITTANCE, deposit, money
from .world import World

DEPOSIT = derive("test-deposit", REMITTANCE)


def unidentified(amount: str = "60.00") -> DepositUnidentified:
    return DepositUnidentified(
        deposit_id=DEPOSIT, entity="NORTH", amount=money(amount), effective_date=date(2026, 3, 17)
    )


MATCHED = deposit("60.00").model_copy(update={"was_unidentified": True})


def test_the_journal_of_a_deposit_that_nobody_can_name_is_j27_and_that_of_its_remittance_too() -> None:
    told = [
        [f"{line.rule} {line.account.value} {line.amount}" for line in booked]
        for booked in (lines.lines_for_unidentified_deposit(unidentified()), lines.lines_for_deposit(MATCHED))
    ]
    assert told == [
        ["J27 cash 60.00 USD", "J27 unidentified-receipts -60.00 USD"],
        ["J27 unidentified-receipts 60.00 USD", "J27 eft-clearing -60.00 USD"],
    ]


def test_a_deposit_ends_in_cash_and_clearing_whether_it_was_nobodys_or_not_and_in_every_order() -> None:
    for order in permutations((unidentified(), MATCHED)):
        world = World()
        world.deliver(*order, *order)
        assert world.balances() == {"NORTH cash": 6000, "NORTH eft-clearing": -6000}
        assert world.cases() == []


def test_unidentified_receipts_are_cleared_deposit_by_deposit() -> None:
    world = World()
    world.deliver(unidentified(), MATCHED)
    items = {(row["account"], row["item_id"]): row["amount_minor"] for row in world.rows(CLEARING)}
    assert items == {("unidentified-receipts", DEPOSIT): 0, ("eft-clearing", REMITTANCE): -6000}
