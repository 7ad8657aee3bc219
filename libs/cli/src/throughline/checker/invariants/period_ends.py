"""A part of I2: what the ledger books by itself at the end of a period is shown once, and taken back to the cent the day after."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from throughline.checker.amounts import shown
from throughline.checker.books.ledger import LedgerBook, Posting
from throughline.checker.expected import Place
from throughline.checker.identity import derive

CREDIT_BALANCES = "credit-balances"
OWED: Place = ("credit-balances", "")
RECEIVABLES = frozenset({"ar-payer", "ar-patient"})

Side = tuple[str, str, str]
"""Entity, last day of the period, and which side of it."""


def presented_and_taken_back(book: LedgerBook) -> Iterable[str]:
    """J25: each posting is of one side of an entity and period, and both sides of each cancel out by account and party."""
    sums: dict[tuple[str, str], dict[Place, int]] = {}
    for identity, posting in book.postings.items():
        if posting.kind != CREDIT_BALANCES:
            continue
        side = _side_of(posting)
        if side is None:
            yield f"posting {identity}: no presentation of {posting.entity} on {posting.effective_date} has its group"
            continue
        yield from _shape(identity, posting, 1 if side[2] == "presented" else -1)
        left = sums.setdefault(side[:2], {})
        for place, amount in posting.sums.items():
            left[place] = left.get(place, 0) + amount
    for (entity, day), left in sorted(sums.items()):
        for place, amount in sorted(left.items()):
            if amount:
                yield f"credit balances of {entity} on {day}: {shown(amount)} on {' '.join(place).strip()} is not taken back"


def _side_of(posting: Posting) -> Side | None:
    day = date.fromisoformat(posting.effective_date)
    for end, step in ((day, "presented"), (day - timedelta(days=1), "reversed")):
        group = derive("credit-balances", posting.entity, end, step)
        if (posting.group_id, posting.source) == (group, group):
            return posting.entity, end.isoformat(), step
    return None


def _shape(identity: str, posting: Posting, sign: int) -> Iterable[str]:
    """Out of one receivable into what is owed, or the mirror."""
    debits = [(place, amount) for place, amount in posting.sums.items() if amount * sign > 0]
    if len(debits) != 1 or debits[0][0][0] not in RECEIVABLES or posting.sums.get(OWED) != -debits[0][1]:
        told = ", ".join(f"{' '.join(place).strip()} {shown(amount)}" for place, amount in sorted(posting.sums.items()))
        yield f"posting {identity}: a credit balance is shown as {told}"
