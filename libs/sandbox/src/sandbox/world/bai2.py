"""BAI2 statements: deposits by account, with the control totals and record counts that the format demands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from canonical.money import Money

ACH_CREDIT = "165"
_OPENING_LEDGER = "010"
_CLOSING_LEDGER = "015"
_TOTAL_CREDITS = "100"


@dataclass(frozen=True, slots=True)
class Credit:
    """One 16 record: the first text stands on it, further ones on 88 records."""

    amount: Money
    bank_reference: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountPart:
    """One account on a statement, with its balance before the credits."""

    account: str
    opening: Money
    credits: tuple[Credit, ...]


def statement(
    sender: str, receiver: str, file_number: int, day: date, moment: datetime, parts: Sequence[AccountPart]
) -> bytes:
    """One file with one group, in which `day` is the as-of date. Amounts are whole cents without a point."""
    group: list[str] = []
    group_total = 0
    for part in parts:
        records, total = _account(part)
        group += records
        group_total += total
    group.insert(0, f"02,{receiver},{sender},1,{day:%y%m%d},2359,USD,2/")
    group.append(f"98,{group_total},{len(parts)},{len(group) + 1}/")
    header = f"01,{sender},{receiver},{moment:%y%m%d},{moment:%H%M},{file_number},,,2/"
    trailer = f"99,{group_total},1,{len(group) + 2}/"
    return "".join(f"{record}\n" for record in [header, *group, trailer]).encode("ascii")


def _account(part: AccountPart) -> tuple[list[str], int]:
    """The records of one account and its control total: the sum of every amount on them."""
    credited = Money.total(credit.amount for credit in part.credits)
    closing = part.opening + credited
    summary = (
        f"{_OPENING_LEDGER},{part.opening.minor},,,{_CLOSING_LEDGER},{closing.minor},,,"
        f"{_TOTAL_CREDITS},{credited.minor},{len(part.credits)},"
    )
    records = [f"03,{part.account},USD,{summary}/"]
    for credit in part.credits:
        first, *more = credit.texts
        records.append(f"16,{ACH_CREDIT},{credit.amount.minor},0,{credit.bank_reference},,{first}/")
        records += [f"88,{text}/" for text in more]
    total = part.opening.minor + closing.minor + 2 * credited.minor
    records.append(f"49,{total},{len(records) + 1}/")
    return records, total
