"""BAI2 balance reporting: reads the credits of a bank file, and refuses one whose control totals or counts are wrong.

Source: Cash Management Balance Reporting Specifications, version 2 (BAI2).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from canonical.money import USD, Money

from payments.adapters.bank_texts import BankFileRefused

SIZE_BYTES_MAX = 50_000_000
RECORDS_MAX = 1_000_000
CREDIT_TYPES = range(100, 400)
_RECORD_START = re.compile(rb"(?:(?<=/)[ \t]*|(?<=\n)[ \t]*|\A[ \t]*)(01|02|03|16|49|88|98|99),")
_AMOUNT = re.compile(r"[+-]?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class BankTransaction:
    """One detail record (16): the amount is positive; `is_credit` says which way. The span is in bytes."""

    account: str
    on: date
    type_code: int
    amount: Money
    is_credit: bool
    bank_reference: str
    customer_reference: str
    text: str
    occurrence: int
    span_start: int
    span_length: int


@dataclass(slots=True)
class _Record:
    """A record with its continuations; `parts` counts them all, `line` is where it starts, from 1."""

    number: int
    code: str
    fields: list[str]
    start: int
    length: int
    line: int
    parts: int = 1

    @property
    def place(self) -> str:
        return f"line {self.line}, record {self.number} ({self.code})"


@dataclass(slots=True)
class _Reader:
    account: str = ""
    currency: str = USD
    account_currency: str = USD
    on: date | None = None
    account_sum: int = 0
    account_records: int = 0
    group_sum: int = 0
    group_accounts: int = 0
    group_records: int = 0
    file_sum: int = 0
    file_groups: int = 0
    file_records: int = 0
    seen: dict[tuple[object, ...], int] = field(default_factory=dict)
    found: list[BankTransaction] = field(default_factory=list)
    ended: bool = False


def read_bai2(raw: bytes) -> list[BankTransaction]:
    """Every transaction of the file, in order, once all of its control totals and counts have been checked.

    Raises:
        BankFileRefused: not BAI2, truncated, over the limits, a record out of its place, a control total or count that
            differs; it names line and record.
    """
    if len(raw) > SIZE_BYTES_MAX:
        raise BankFileRefused(f"a bank file may have {SIZE_BYTES_MAX} bytes")
    reader = _Reader()
    expected_first = True
    for record in _logical_records(raw):
        if expected_first != (record.code == "01"):
            raise BankFileRefused(f"{record.place}: a BAI2 file starts with one file header (01)")
        expected_first = False
        if reader.ended:
            raise BankFileRefused(f"{record.place}: nothing may follow the file trailer (99)")
        reader.account_records += record.parts
        reader.group_records += record.parts
        reader.file_records += record.parts
        _HANDLERS[record.code](reader, record)
    if not reader.ended:
        raise BankFileRefused("the file trailer (99) is missing: the file is truncated")
    return reader.found


def _logical_records(raw: bytes) -> Iterator[_Record]:
    """Records with their continuations (88) joined, in file order; fields without the closing slash."""
    starts = list(_RECORD_START.finditer(raw))
    if not starts or raw[: starts[0].start(1)].strip(b" \t\r\n\xef\xbb\xbf"):
        raise BankFileRefused("record 1: not a BAI2 record")
    if len(starts) > RECORDS_MAX:
        raise BankFileRefused(f"a bank file may have {RECORDS_MAX} records")
    pending: _Record | None = None
    line, before = 1, 0
    for number, match in enumerate(starts, start=1):
        begin = match.start(1)
        line, before = line + raw.count(b"\n", before, begin), begin
        end = starts[number].start(1) if number < len(starts) else len(raw)
        text = raw[begin:end].decode("ascii", errors="replace").rstrip(" \t\r\n")
        closed = text.endswith("/")
        body = text[3:-1] if closed else text[3:]
        if match.group(1) == b"88":
            if pending is None:
                raise BankFileRefused(f"line {line}, record {number} (88): a continuation continues nothing")
            _continue(pending, body)
            pending.length = begin + len(text) - pending.start
            pending.parts += 1
            continue
        if pending is not None:
            yield pending
        pending = _Record(number, match.group(1).decode(), body.split(","), begin, len(text), line)
    if pending is not None:
        yield pending


def _continue(record: _Record, body: str) -> None:
    if record.code == "16" and len(record.fields) > 5:
        record.fields[-1] = f"{record.fields[-1]} {body}".strip()
    else:
        record.fields.extend(body.split(","))


def _amount(record: _Record, index: int) -> int:
    text = record.fields[index].strip() if index < len(record.fields) else ""
    if not text:
        return 0
    if not _AMOUNT.fullmatch(text):
        raise BankFileRefused(f"{record.place}: field {index + 2} is not an amount")
    return int(text)


def _count(record: _Record, index: int) -> int:
    text = record.fields[index].strip() if index < len(record.fields) else ""
    if not re.fullmatch("[0-9]{1,9}", text):
        raise BankFileRefused(f"{record.place}: field {index + 2} is not a count")
    return int(text)


def _file_header(reader: _Reader, record: _Record) -> None:
    version = record.fields[7].strip() if len(record.fields) > 7 else ""
    if version != "2":
        raise BankFileRefused(f"{record.place}: field 9, the version, must be 2")


def _group_header(reader: _Reader, record: _Record) -> None:
    _refuse_where(record, reader.on is not None, "a group in a group, whose trailer (98) is missing")
    text = record.fields[3].strip() if len(record.fields) > 3 else ""
    try:
        reader.on = datetime.strptime(text, "%y%m%d").date()  # noqa: DTZ007 - a business date has no zone
    except ValueError:
        raise BankFileRefused(f"{record.place}: field 5 is not an as-of date") from None
    reader.currency = (record.fields[5].strip() if len(record.fields) > 5 else "") or USD
    reader.group_sum = reader.group_accounts = 0
    reader.group_records = record.parts


def _account_header(reader: _Reader, record: _Record) -> None:
    _refuse_where(record, reader.on is None, "an account outside a group")
    _refuse_where(record, bool(reader.account), "an account in an account, whose trailer (49) is missing")
    reader.account_records = record.parts
    reader.account = record.fields[0].strip()
    _refuse_where(record, not reader.account, "field 2, the number of the account, is empty")
    reader.account_currency = (record.fields[1].strip() if len(record.fields) > 1 else "") or reader.currency
    reader.account_sum = _summaries(record)


def _summaries(record: _Record) -> int:
    """The sum of an account header's amounts: type, amount, item count, funds type and what belongs to that, repeated."""
    total = 0
    index = 2
    while index < len(record.fields):
        total += _amount(record, index + 1)
        index += 4 + _funds_fields(record, index + 3)
    return total


def _funds_fields(record: _Record, index: int) -> int:
    """How many fields follow a funds type because of it."""
    kind = record.fields[index].strip() if index < len(record.fields) else ""
    if kind == "D":
        return 1 + 2 * _count(record, index + 1)
    return {"S": 3, "V": 2}.get(kind, 0)


def _transaction(reader: _Reader, record: _Record) -> None:
    if not reader.account or reader.on is None:
        raise BankFileRefused(f"{record.place}: a transaction outside an account")
    type_code = _count(record, 0)
    minor = _amount(record, 1)
    if minor < 0:
        raise BankFileRefused(f"{record.place}: field 3 is not an amount without a sign")
    reader.account_sum += minor
    rest = _after_funds_type(record)
    bank_reference, customer_reference, text = (*(part.strip() for part in rest[:2]), ",".join(rest[2:]).strip())
    key = (reader.account, reader.on, type_code, minor, bank_reference, customer_reference, text)
    occurrence = reader.seen.get(key, 0)
    reader.seen[key] = occurrence + 1
    reader.found.append(
        BankTransaction(
            account=reader.account,
            on=reader.on,
            type_code=type_code,
            amount=Money(minor, reader.account_currency),
            is_credit=type_code in CREDIT_TYPES,
            bank_reference=bank_reference,
            customer_reference=customer_reference,
            text=text,
            occurrence=occurrence,
            span_start=record.start,
            span_length=record.length,
        )
    )


def _after_funds_type(record: _Record) -> Sequence[str]:
    """The fields after the funds type and what belongs to it: at least bank reference, customer reference, text."""
    rest = record.fields[3 + _funds_fields(record, 2) :]
    return [*rest, *[""] * (3 - len(rest))] if len(rest) < 3 else rest


def _account_trailer(reader: _Reader, record: _Record) -> None:
    _refuse_where(record, not reader.account, "the trailer of no account")
    _same(record, "the account's control total", _amount(record, 0), reader.account_sum)
    _same(record, "the account's number of records", _count(record, 1), reader.account_records)
    reader.group_sum += reader.account_sum
    reader.group_accounts += 1
    reader.account = ""


def _group_trailer(reader: _Reader, record: _Record) -> None:
    _refuse_where(record, reader.on is None, "the trailer of no group")
    _refuse_where(record, bool(reader.account), "an account's trailer (49) is missing before it")
    _same(record, "the group's control total", _amount(record, 0), reader.group_sum)
    _same(record, "the number of accounts", _count(record, 1), reader.group_accounts)
    _same(record, "the group's number of records", _count(record, 2), reader.group_records)
    reader.file_sum += reader.group_sum
    reader.file_groups += 1
    reader.on = None


def _file_trailer(reader: _Reader, record: _Record) -> None:
    _refuse_where(record, reader.on is not None, "a group's trailer (98) is missing before it")
    _same(record, "the file's control total", _amount(record, 0), reader.file_sum)
    _same(record, "the number of groups", _count(record, 1), reader.file_groups)
    _same(record, "the file's number of records", _count(record, 2), reader.file_records)
    reader.ended = True


def _refuse_where(record: _Record, is_wrong: bool, why: str) -> None:
    if is_wrong:
        raise BankFileRefused(f"{record.place}: {why}")


def _same(record: _Record, what: str, stated: int, found: int) -> None:
    if stated != found:
        raise BankFileRefused(f"{record.place}: {what} is {stated}, the records add up to {found}")


_HANDLERS = {
    "01": _file_header,
    "02": _group_header,
    "03": _account_header,
    "16": _transaction,
    "49": _account_trailer,
    "98": _group_trailer,
    "99": _file_trailer,
}
