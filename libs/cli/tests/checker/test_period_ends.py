"""What the checker says of credit balances that are shown at the end of a period."""

from __future__ import annotations

from dataclasses import replace

import pytest
from canonical.ids import derive
from throughline.checker.books.ledger import LedgerBook, Posting
from throughline.checker.invariants.period_ends import presented_and_taken_back

RECEIVABLE, OWED = ("ar-payer", "ACME"), ("credit-balances", "")


def side(step: str, day: str, amount: int) -> Posting:
    group = str(derive("credit-balances", "NORTH", "2026-03-31", step))
    sums = {RECEIVABLE: amount, OWED: -amount}
    return Posting("credit-balances", group, group, "NORTH", day, group, 0, sums)


SHOWN, TAKEN_BACK = side("presented", "2026-03-31", 500), side("reversed", "2026-04-01", -500)


def faults(*postings: Posting) -> list[str]:
    book = LedgerBook()
    book.postings = {f"p{number}": posting for number, posting in enumerate(postings)}
    return list(presented_and_taken_back(book))


def test_a_credit_balance_that_is_shown_and_taken_back_is_right() -> None:
    assert faults(SHOWN, TAKEN_BACK) == []


@pytest.mark.parametrize(
    ("postings", "told"),
    [
        pytest.param((SHOWN,), "is not taken back", id="never taken back"),
        pytest.param((SHOWN, side("reversed", "2026-04-01", -400)), "1.00 on ar-payer ACME", id="only in part"),
        pytest.param((SHOWN, replace(TAKEN_BACK, effective_date="2026-04-02")), "has its group", id="on another day"),
        pytest.param((SHOWN, replace(TAKEN_BACK, source="else")), "has its group", id="of another source"),
        pytest.param((side("presented", "2026-03-31", -500),), "is shown as", id="a debit shown as a credit"),
        pytest.param(
            (replace(SHOWN, sums={("cash", ""): 500, OWED: -500}), TAKEN_BACK), "is shown as", id="out of no receivable"
        ),
    ],
)
def test_what_is_wrong_with_one_is_named(postings: tuple[Posting, ...], told: str) -> None:
    assert any(told in fault for fault in faults(*postings))
