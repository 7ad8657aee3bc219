"""NACHA files: reads the entries with their addenda, and refuses a file whose counts, hashes or totals are wrong.

Source: Nacha Operating Rules, Appendix Three (ACH record formats) and Appendix Four (return entries).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from canonical.money import USD, Money

from payments.adapters.bank_texts import BankFileRefused

RECORD_BYTES = 94
RECORDS_PER_BLOCK = 10
SIZE_BYTES_MAX = 50_000_000
HASH_MODULUS = 10**10
PAYMENT, RETURN, CHANGE = "05", "99", "98"
MIXED, CREDITS_ONLY, DEBITS_ONLY = "200", "220", "225"
_CHECK_WEIGHTS = (3, 7, 1, 3, 7, 1, 3, 7)
_LOAN_DEBITS = (55, 56)


@dataclass(slots=True)
class NachaEntry:
    """One entry with its addenda. `account` is the receiver's; of a return that is somebody else's, so it is not shown."""

    number: int
    account: str = field(repr=False)
    on: date
    transaction_code: int
    amount: Money
    trace_number: str
    company_id: str
    span_start: int
    span_length: int = RECORD_BYTES
    texts: list[str] = field(default_factory=list)
    return_reason: str = ""
    change_code: str = ""
    original_trace: str = ""

    @property
    def is_credit(self) -> bool:
        """Codes ending in 1 to 4 are credits, the others debits; of loan accounts 55 and 56 are debits."""
        return 1 <= self.transaction_code % 10 <= 4 and self.transaction_code not in _LOAN_DEBITS

    @property
    def text(self) -> str:
        """What its addenda say, together."""
        return "".join(self.texts)


@dataclass(slots=True)
class _Record:
    number: int
    text: str
    start: int

    @property
    def code(self) -> str:
        return self.text[0]

    def part(self, first: int, last: int) -> str:
        """Positions `first` to `last`, counted from 1 as the format does."""
        return self.text[first - 1 : last]

    def whole_number(self, first: int, last: int) -> int:
        text = self.part(first, last)
        if not re.fullmatch("[0-9]+", text):
            raise self.refused(f"positions {first} to {last} are not a number")
        return int(text)

    def refused(self, why: str) -> BankFileRefused:
        return BankFileRefused(f"record {self.number} ({self.code}): {why}")

    def same(self, what: str, stated: int, found: int) -> None:
        if stated != found:
            raise self.refused(f"{what} is {stated}, the records add up to {found}")


@dataclass(slots=True)
class _Sums:
    """What a control record states of what it closes."""

    entries: int = 0
    hash: int = 0
    debits: int = 0
    credits: int = 0

    def add(self, other: _Sums) -> None:
        self.entries += other.entries
        self.hash += other.hash
        self.debits += other.debits
        self.credits += other.credits

    def compare(self, record: _Record, places: tuple[tuple[int, int], ...]) -> None:
        """Refuses a control record that states otherwise; `places` are count, hash, debits and credits."""
        found = (self.entries, self.hash % HASH_MODULUS, self.debits, self.credits)
        names = ("the entry and addenda count", "the entry hash", "the total of debits", "the total of credits")
        for name, place, own in zip(names, places, found, strict=True):
            record.same(name, record.whole_number(*place), own)


@dataclass(slots=True)
class _Reader:
    file_date: date = date.min
    batch: _Record | None = None
    batch_sums: _Sums = field(default_factory=_Sums)
    file_sums: _Sums = field(default_factory=_Sums)
    batches: int = 0
    records: int = 0
    entry: NachaEntry | None = None
    wants_addenda: bool = False
    found: list[NachaEntry] = field(default_factory=list)
    ended: bool = False


def read_nacha(raw: bytes) -> list[NachaEntry]:
    """Every entry of the file, in order, once all of its controls have been checked.

    Raises:
        BankFileRefused: not NACHA, truncated, over the limit, a count, hash or total that differs.
    """
    if len(raw) > SIZE_BYTES_MAX:
        raise BankFileRefused(f"a bank file may have {SIZE_BYTES_MAX} bytes")
    reader = _Reader()
    for record in _records(raw):
        if reader.ended:
            if record.text != "9" * RECORD_BYTES:
                raise record.refused("nothing but filler may follow the file control (9)")
            continue
        handler = _HANDLERS.get(record.code)
        if handler is None or (record.number == 1) != (record.code == "1"):
            raise record.refused("a file starts with its header (1), and has records 5 to 9 after it")
        reader.records += 1
        handler(reader, record)
    if not reader.ended:
        raise BankFileRefused("the file control (9) is missing: the file is truncated")
    return reader.found


def _records(raw: bytes) -> Iterator[_Record]:
    """Records of 94 characters, each on its line or all in one."""
    text = raw.decode("ascii", errors="replace")
    at = number = 0
    while at < len(text):
        if text[at] in "\r\n":
            at += 1
            continue
        number += 1
        record = _Record(number, text[at : at + RECORD_BYTES], at)
        if len(record.text) < RECORD_BYTES or not re.fullmatch("[ -~]+", record.text):
            raise BankFileRefused(f"record {number}: a record has {RECORD_BYTES} printable characters")
        yield record
        at += RECORD_BYTES


def _day(record: _Record, first: int, last: int) -> date:
    try:
        return datetime.strptime(record.part(first, last), "%y%m%d").date()  # noqa: DTZ007 - a business date has no zone
    except ValueError:
        raise record.refused(f"positions {first} to {last} are not a date") from None


def _file_header(reader: _Reader, record: _Record) -> None:
    if (record.part(2, 3), record.part(35, 40)) != ("01", "094101"):
        raise record.refused("priority code 01, record size 094, blocking factor 10 and format code 1 are wanted")
    reader.file_date = _day(record, 24, 29)


def _batch_header(reader: _Reader, record: _Record) -> None:
    if reader.batch is not None:
        raise record.refused("the batch before it has no control record (8)")
    if record.part(2, 4) not in (MIXED, CREDITS_ONLY, DEBITS_ONLY):
        raise record.refused("the service class is none of 200, 220 and 225")
    reader.batch, reader.batch_sums = record, _Sums()


def _entry(reader: _Reader, record: _Record) -> None:
    if reader.batch is None:
        raise record.refused("an entry outside a batch")
    _refuse_addenda_missing(reader, record)
    routing = record.whole_number(4, 11)
    if (sum(map(int.__mul__, _CHECK_WEIGHTS, map(int, record.part(4, 11)))) + record.whole_number(12, 12)) % 10:
        raise record.refused("the check digit of the routing number is wrong")
    has_day = reader.batch.part(70, 75).strip()
    entry = NachaEntry(
        number=record.number,
        account=record.part(13, 29).strip(),
        on=_day(reader.batch, 70, 75) if has_day else reader.file_date,
        transaction_code=record.whole_number(2, 3),
        amount=Money(record.whole_number(30, 39), USD),
        trace_number=record.part(80, 94),
        company_id=reader.batch.part(41, 50).strip(),
        span_start=record.start,
    )
    sums = reader.batch_sums
    sums.add(
        _Sums(1, routing, 0 if entry.is_credit else entry.amount.minor, entry.amount.minor if entry.is_credit else 0)
    )
    reader.wants_addenda = record.part(79, 79) == "1"
    reader.entry = entry
    reader.found.append(entry)


def _refuse_addenda_missing(reader: _Reader, record: _Record) -> None:
    if reader.wants_addenda and reader.entry is not None and reader.entry.span_length == RECORD_BYTES:
        raise record.refused("the entry before it says that it has addenda (7), and has none")


def _addenda(reader: _Reader, record: _Record) -> None:
    entry = reader.entry
    if reader.batch is None or entry is None or not reader.wants_addenda:
        raise record.refused("an addenda record of no entry that has any")
    reader.batch_sums.entries += 1
    entry.span_length = record.start + RECORD_BYTES - entry.span_start
    kind = record.part(2, 3)
    if kind == PAYMENT:
        if record.whole_number(84, 87) != len(entry.texts) + 1 or record.part(88, 94) != entry.trace_number[-7:]:
            raise record.refused("its sequence is not the next one of its entry")
        entry.texts.append(record.part(4, 83).rstrip())
    elif kind in (RETURN, CHANGE):
        entry.original_trace = record.part(7, 21)
        if kind == RETURN:
            entry.return_reason = record.part(4, 6)
        else:
            entry.change_code = record.part(4, 6)


def _batch_control(reader: _Reader, record: _Record) -> None:
    if reader.batch is None:
        raise record.refused("a batch control without a batch header (5)")
    _refuse_addenda_missing(reader, record)
    if (record.part(2, 4), record.part(80, 94)) != (reader.batch.part(2, 4), reader.batch.part(80, 94)):
        raise record.refused("service class, originating bank or batch number differ from the batch header's")
    sums = reader.batch_sums
    sums.compare(record, ((5, 10), (11, 20), (21, 32), (33, 44)))
    if (sums.debits and record.part(2, 4) == CREDITS_ONLY) or (sums.credits and record.part(2, 4) == DEBITS_ONLY):
        raise record.refused(f"service class {record.part(2, 4)} has entries of the other side")
    reader.file_sums.add(sums)
    reader.batches += 1
    reader.batch = reader.entry = None
    reader.wants_addenda = False


def _file_control(reader: _Reader, record: _Record) -> None:
    if reader.batch is not None:
        raise record.refused("the last batch has no control record (8)")
    record.same("the batch count", record.whole_number(2, 7), reader.batches)
    blocks = -(-reader.records // RECORDS_PER_BLOCK)
    record.same("the block count", record.whole_number(8, 13), blocks)
    reader.file_sums.compare(record, ((14, 21), (22, 31), (32, 43), (44, 55)))
    reader.ended = True


_HANDLERS: dict[str, Callable[[_Reader, _Record], None]] = {
    "1": _file_header,
    "5": _batch_header,
    "6": _entry,
    "7": _addenda,
    "8": _batch_control,
    "9": _file_control,
}
