"""The two files that a legacy ERP and we exchange: a batch of journal documents, and its acknowledgement.

Both are CSV with a header, a trailer and control totals. A batch:

    H,<batch>,<company>,<journal>
    D,<number>,<date>,<account>,<party>,<debit>,<credit>
    T,<batch>,<documents>,<lines>,<debit total>,<credit total>,<sha256 of the lines above>

Its acknowledgement, one row a document, `ACCEPTED` or a reason code:

    H,<batch>
    A,<number>,ACCEPTED,<document id>,<lines>,<debit total>
    A,<number>,PERIOD_CLOSED|INVALID|<other>,,0,0.00
    T,<batch>,<accepted>,<refused>,<debit total of the accepted>
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from canonical.money import Money

ACCEPTED = "ACCEPTED"


class FileRefused(ValueError):
    """A file that is not what its trailer says; nothing of it is believed."""


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One line by the ERP's own codes; debits positive."""

    account: str
    party: str
    amount: Money


@dataclass(frozen=True, slots=True)
class BatchDocument:
    number: str
    effective_date: date
    lines: tuple[BatchLine, ...]

    @property
    def debit_total(self) -> Money:
        return Money.total(line.amount for line in self.lines if line.amount.minor > 0)


@dataclass(frozen=True, slots=True)
class Batch:
    """`name` follows from the documents and how often they were sent, so that one batch never has two contents."""

    name: str
    company: str
    journal: str
    documents: tuple[BatchDocument, ...]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What became of one document; `code` is ACCEPTED or why not."""

    code: str
    document_id: str
    line_count: int
    debit_total: Money


def write_batch(batch: Batch) -> bytes:
    """The bytes of a batch file."""
    rows: list[list[str]] = [["H", batch.name, batch.company, batch.journal]]
    for document in batch.documents:
        for line in document.lines:
            debit, credit = (line.amount, Money(0)) if line.amount.minor > 0 else (Money(0), -line.amount)
            day = document.effective_date.isoformat()
            rows.append(["D", document.number, day, line.account, line.party, debit.decimal_text, credit.decimal_text])
    body = _csv(rows)
    trailer = ["T", batch.name, str(len(batch.documents)), str(len(rows) - 1), *_totals(batch), _digest(body)]
    return body + _csv([trailer])


def read_batch(content: bytes) -> Batch:
    """A batch file back.

    Raises:
        FileRefused: it does not hold what its trailer says.
    """
    rows = _rows(content, "H", "D", "T")
    head, trailer = rows[0], rows[-1]
    body = content[: content.rindex(b"T,")]
    try:
        documents = _documents(rows[1:-1])
        batch = Batch(head[1], head[2], head[3], documents)
        expected = ["T", batch.name, str(len(documents)), str(len(rows) - 2), *_totals(batch), _digest(body)]
    except (IndexError, ValueError) as error:
        raise FileRefused("a row of the batch cannot be read") from error
    if trailer != expected:
        raise FileRefused(f"batch {batch.name}: the trailer does not fit the lines")
    return batch


def write_acknowledgement(name: str, answers: Mapping[str, Acknowledged]) -> bytes:
    """The bytes of an acknowledgement file, as a legacy ERP writes it."""
    rows = [["H", name]]
    for number, answer in answers.items():
        total = answer.debit_total.decimal_text
        rows.append(["A", number, answer.code, answer.document_id, str(answer.line_count), total])
    return _csv([*rows, _acknowledgement_trailer(name, answers)])


def read_acknowledgement(content: bytes) -> tuple[str, Mapping[str, Acknowledged]]:
    """The batch that is acknowledged, and what became of each document.

    Raises:
        FileRefused: it does not hold what its trailer says.
    """
    rows = _rows(content, "H", "A", "T")
    try:
        answers = {row[1]: Acknowledged(row[2], row[3], int(row[4]), Money.of(row[5])) for row in rows[1:-1]}
        name = rows[0][1]
    except (IndexError, ValueError) as error:
        raise FileRefused("a row of the acknowledgement cannot be read") from error
    if len(answers) != len(rows) - 2 or rows[-1] != _acknowledgement_trailer(name, answers):
        raise FileRefused(f"acknowledgement of {name}: the trailer does not fit the rows")
    return name, answers


def _acknowledgement_trailer(name: str, answers: Mapping[str, Acknowledged]) -> list[str]:
    accepted = [answer for answer in answers.values() if answer.code == ACCEPTED]
    total = Money.total(answer.debit_total for answer in accepted)
    return ["T", name, str(len(accepted)), str(len(answers) - len(accepted)), total.decimal_text]


def _documents(rows: Sequence[Sequence[str]]) -> tuple[BatchDocument, ...]:
    lines: dict[tuple[str, date], list[BatchLine]] = {}
    for row in rows:
        _, number, day, account, party, debit, credit = row
        amount = Money.of(debit) - Money.of(credit)
        lines.setdefault((number, date.fromisoformat(day)), []).append(BatchLine(account, party, amount))
    return tuple(BatchDocument(number, day, tuple(found)) for (number, day), found in lines.items())


def _totals(batch: Batch) -> tuple[str, str]:
    lines = [line.amount for document in batch.documents for line in document.lines]
    debit = Money.total(amount for amount in lines if amount.minor > 0)
    credit = -Money.total(amount for amount in lines if amount.minor < 0)
    return debit.decimal_text, credit.decimal_text


def _rows(content: bytes, first: str, middle: str, last: str) -> list[list[str]]:
    try:
        rows = list(csv.reader(io.StringIO(content.decode("ascii"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise FileRefused("not a CSV file in ASCII") from error
    kinds = [row[0] if row else "" for row in rows]
    if len(rows) < 2 or kinds != [first, *[middle] * (len(rows) - 2), last]:
        raise FileRefused("header, rows and trailer are not in place")
    return rows


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("ascii")


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
