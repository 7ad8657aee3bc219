"""The ERP's books against the confirmed entries, in both directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from throughline.checker.books.ledger import LedgerBook
from throughline.checker.invariants.erp_agreement import ErpBooks, ErpMove, erp_agrees
from throughline.checker.reading.erp import ErpUnreadable, cents_of, day_of

from .small_world import SmallWorld, erp_of


@pytest.fixture(scope="module")
def book() -> LedgerBook:
    return SmallWorld().read().ledger


def with_first(erp: ErpBooks, **changes: object) -> ErpBooks:
    return replace(erp, moves=(replace(erp.moves[0], **changes), *erp.moves[1:]))  # type: ignore[arg-type]


def with_balance(erp: ErpBooks, account: str, by: int) -> ErpBooks:
    balances = dict(erp.balances["NORTH"])
    balances[account, ""] = balances.get((account, ""), 0) + by
    return replace(erp, balances={"NORTH": balances})


def cent_less(erp: ErpBooks) -> ErpBooks:
    place = next(iter(erp.moves[0].lines))
    return with_first(erp, lines={**erp.moves[0].lines, place: erp.moves[0].lines[place] - 1})


def other_party(erp: ErpBooks) -> ErpBooks:
    lines = {(account, "OTHER" if party else ""): amount for (account, party), amount in erp.moves[0].lines.items()}
    return with_first(erp, lines=lines)


def doubled(erp: ErpBooks) -> ErpBooks:
    return replace(erp, moves=(*erp.moves, replace(erp.moves[0], document="99")))


def strange(erp: ErpBooks) -> ErpBooks:
    return replace(erp, moves=(*erp.moves, replace(erp.moves[0], number="TLNOTOURS0000000000", document="99")))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda erp: replace(erp, moves=erp.moves[1:]), "confirmed here, not at the ERP"),
        (doubled, "2 documents at the ERP"),
        (strange, "no entry of that number here"),
        (cent_less, "99.99 at the ERP"),
        (other_party, "account 1100 OTHER"),
        (lambda erp: with_first(erp, day="2026-03-03"), "dated 2026-03-02 here, 2026-03-03 at the ERP"),
        (lambda erp: with_first(erp, is_posted=False), "is not posted"),
        (lambda erp: with_first(erp, document="77"), "at the ERP it is 77"),
        (lambda erp: with_balance(erp, "1000", 1), "NORTH account 1000"),
        (lambda erp: with_balance(erp, "6100", -100), "1.00 confirmed, 0.00 in the ERP's books"),
        (lambda erp: with_first(erp, entity="SOUTH"), "not at the ERP"),
    ],
)
def test_each_difference_is_found(book: LedgerBook, change: Callable[[ErpBooks], ErpBooks], said: str) -> None:
    assert erp_agrees(book, erp_of(book), set()).holds
    result = erp_agrees(book, change(erp_of(book)), set())
    assert not result.holds
    assert any(said in failure for failure in result.failures), result.failures


def stopped(state: str) -> tuple[LedgerBook, str]:
    small = SmallWorld()
    journal = small.find("ledger", "ledger.journal-entry.intended")["head"]["journal_id"]
    small.drop("ledger", "ledger.journal-entry.confirmed")
    small.drop("ledger", "ledger.journal-entry.posted")
    small.record("ledger", f"ledger.journal-entry.{state}", journal, {"code": "x", "reason": "y"})
    return small.read().ledger, journal


@pytest.mark.parametrize("state", ["rejected", "held-for-period"])
def test_an_entry_that_was_stopped_needs_an_open_case(state: str) -> None:
    book, journal = stopped(state)
    erp = erp_of(book)
    erp = replace(erp, moves=erp.moves[1:])
    assert erp_agrees(book, erp, {journal}).holds
    assert "no case is open for it" in erp_agrees(book, erp, set()).failures[0]


def test_an_entry_that_was_refused_and_is_at_the_erp_all_the_same_is_found() -> None:
    book, journal = stopped("rejected")
    there = ErpMove("9", book.journals[journal].number, "NORTH", "2026-03-02", is_posted=True, lines={})
    erp = replace(erp_of(book), moves=(there, *erp_of(book).moves[1:]))
    assert any("is rejected here, and document 9 at the ERP" in f for f in erp_agrees(book, erp, {journal}).failures)


def test_an_entry_under_way_is_no_failure_while_the_suite_works() -> None:
    small = SmallWorld()
    small.drop("ledger", "ledger.journal-entry.confirmed")
    book = small.read().ledger
    erp = erp_of(book)
    assert not erp_agrees(book, erp, set()).holds
    assert erp_agrees(book, replace(erp, moves=erp.moves), set(), settled=False).holds


def test_amounts_of_tryton_are_whole_cents() -> None:
    assert cents_of({"__class__": "Decimal", "decimal": "12.3"}) == 1230
    assert cents_of({"__class__": "Decimal", "decimal": "-605.0000"}) == -60500
    assert day_of({"__class__": "date", "year": 2026, "month": 3, "day": 2}) == "2026-03-02"
    for wrong in ({"decimal": "1.001"}, {"decimal": "1E+2"}, {"decimal": "NaN"}, 12.3, None):
        with pytest.raises(ErpUnreadable):
            cents_of(wrong)
