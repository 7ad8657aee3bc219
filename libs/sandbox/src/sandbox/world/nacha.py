"""NACHA files as a receiving bank hands them on: CCD+ credits with the addenda of payers, and returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from canonical.money import Money

RECORD = 94
ROUTING = "09990002"
_WEIGHTS = (3, 7, 1, 3, 7, 1, 3, 7)
CREDIT, RETURNED_DEBIT = 22, 26
_MIXED = "200"


@dataclass(frozen=True, slots=True)
class AchEntry:
    """One entry. `text` is a payment's addenda; a return has a `reason` and the trace of the entry that came back."""

    account: str
    amount: Money
    text: str = ""
    code: int = CREDIT
    reason: str = ""
    original_trace: str = ""


def ach_file(day: date, moment: datetime, entries: Sequence[AchEntry]) -> bytes:
    """One file with one batch, which settles on `day`."""
    records = [
        f"101 099900024 091000019{moment:%y%m%d%H%M}A094101{'SANDBOX BANK':<23}{'CLEARING':<23}{'':8}",
        f"5{_MIXED}{'PAYERS':<16}{'':20}1999999999CCD{'HCCLAIMPMT':<10}{day:%y%m%d}{day:%y%m%d}   1{ROUTING}0000001",
    ]
    count, debits, credited = 0, Money(0), Money(0)
    for number, entry in enumerate(entries, start=1):
        records += _entry(number, entry)
        count += 2
        if entry.code == CREDIT:
            credited += entry.amount
        else:
            debits += entry.amount
    digest = int(ROUTING) * len(entries) % 10**10
    sums = f"{count:06d}{digest:010d}{debits.minor:012d}{credited.minor:012d}"
    records.append(f"8{_MIXED}{sums}1999999999{'':25}{ROUTING}0000001")
    blocks = -(-(len(records) + 1) // 10)
    totals = f"{count:08d}{digest:010d}{debits.minor:012d}{credited.minor:012d}"
    records.append(f"9{1:06d}{blocks:06d}{totals}{'':39}")
    records += ["9" * RECORD] * (blocks * 10 - len(records))
    return "".join(f"{record}\n" for record in records).encode("ascii")


def _entry(number: int, entry: AchEntry) -> list[str]:
    check = -sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, ROUTING, strict=True)) % 10
    trace = f"{ROUTING}{number:07d}"
    first = (
        f"6{entry.code}{ROUTING}{check}{entry.account:<17}{entry.amount.minor:010d}{'':15}{'RECEIVER':<22}  1{trace}"
    )
    if entry.reason:
        return [first, f"799{entry.reason}{entry.original_trace:<15}{'':6}{ROUTING}{'':44}{trace}"]
    return [first, f"705{entry.text:<80}0001{number:07d}"]
