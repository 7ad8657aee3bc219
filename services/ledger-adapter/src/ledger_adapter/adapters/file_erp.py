"""A legacy ERP that takes files: batches go out, acknowledgements come back, and no document is sent twice.

Folders below its root:
    sent/             our own record of every batch, written first
    outbox/           the same files, for the ERP to take
    delivered/        one empty mark per batch that has been put into the outbox
    reported/         one empty mark per refusal that a person has been told of; only then may a number be sent again
    acknowledgements/ `<batch>.csv`, written by the ERP
    balances/         `<company>.csv`, the ERP's extract: account, party, amount

Every file is written under another name, flushed and renamed. A crash between record and outbox is mended by the next
`find`; the ERP's import ignores a batch name that it has read before.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from canonical.codes import AccountRole, Dimension
from canonical.journal import JournalLine
from canonical.money import Money, MoneyRefused
from chassis.domain import Unavailable
from chassis.whole_files import replace_whole

from ledger_adapter.adapters.books import Books, ErpSettings
from ledger_adapter.adapters.file_batches import (
    ACCEPTED,
    Acknowledged,
    Batch,
    BatchDocument,
    BatchLine,
    FileRefused,
    read_acknowledgement,
    read_batch,
    write_batch,
)
from ledger_adapter.application.ports import (
    NO_DIMENSIONS,
    AccountBalance,
    DimensionBalance,
    ErpDocument,
    ErpJournal,
    FiscalPeriod,
    Pending,
    Posted,
    RefusalKind,
    Refused,
)

_KINDS = {"PERIOD_CLOSED": RefusalKind.PERIOD_CLOSED, "INVALID": RefusalKind.INVALID}
_FOLDERS = ("sent", "outbox", "delivered", "reported", "acknowledgements", "balances")


@dataclass(frozen=True, slots=True)
class _Sending:
    """One document in one batch."""

    batch: Batch
    document: BatchDocument


class FileErp:
    """One legacy ERP that keeps the books of some entities."""

    def __init__(self, name: str, root: Path, books: Mapping[str, Books]) -> None:
        self._name = name
        self._root = root
        self._books = books
        self._read: set[str] = set()
        self._sendings: dict[tuple[str, str], list[_Sending]] = {}
        for folder in _FOLDERS:
            (root / folder).mkdir(parents=True, exist_ok=True)

    @classmethod
    def configured(cls, name: str, settings: ErpSettings, books: Mapping[str, Books]) -> FileErp:
        """From the books configuration; needs `folder`."""
        if settings.folder is None:
            raise ValueError(f"ERP {name}: a file ERP needs a folder")
        return cls(name, settings.folder, books)

    @property
    def name(self) -> str:
        return self._name

    def find(self, entity: str, numbers: Sequence[str]) -> Mapping[str, ErpDocument | Pending]:
        self._read_record()
        found: dict[str, ErpDocument | Pending] = {}
        answered: dict[str, Mapping[str, Acknowledged] | None] = {}
        for number in numbers:
            sending = self._latest(entity, number)
            if sending is None:
                continue
            if sending.batch.name not in answered:
                self._deliver(sending.batch)
                answered[sending.batch.name] = self._acknowledgement(sending.batch)
            answers = answered[sending.batch.name]
            if answers is None:
                found[number] = Pending()
            elif number in answers and answers[number].code == ACCEPTED:
                found[number] = self._as_held(entity, sending.document, answers[number])
        return found

    def post(self, entity: str, documents: Sequence[ErpJournal]) -> Mapping[str, Posted | Refused | Pending]:
        self._read_record()
        answers: dict[str, Posted | Refused | Pending] = {}
        to_send: list[ErpJournal] = []
        for document in documents:
            answer = self._answer_to(document.number, self._latest(entity, document.number))
            if answer is None:
                to_send.append(document)
                answer = Pending()
            answers[document.number] = answer
        if to_send:
            self._send(entity, to_send)
        return answers

    def dimensions(self, entity: str) -> frozenset[Dimension]:
        return NO_DIMENSIONS

    def dimension_balances(self, entity: str) -> Sequence[DimensionBalance]:
        return ()

    def periods(self, entity: str) -> Sequence[FiscalPeriod]:
        """None: these files tell nothing of periods; a refusal in an acknowledgement does."""
        return ()

    def balances(self, entity: str) -> Sequence[AccountBalance]:
        """From the ERP's own extract; never from what we sent it."""
        books = self._books[entity]
        path = self._root / "balances" / f"{books.company}.csv"
        try:
            rows = list(csv.reader(path.read_text(encoding="ascii").splitlines(), strict=True))
            return [
                AccountBalance(_role(books, account), books.chart.our_party(party), Money.of(amount))
                for account, party, amount in rows
                if books.chart.role_of(account) is not None
            ]
        except FileNotFoundError as missing:
            raise Unavailable(f"{self._name} has given no balances of {books.company} yet") from missing
        except (csv.Error, ValueError, MoneyRefused) as error:
            raise Unavailable(f"{self._name}: the balances of {books.company} cannot be read") from error

    def _answer_to(self, number: str, sending: _Sending | None) -> Refused | Pending | None:
        """What is known of a number that may have been sent before; None when it may be sent."""
        if sending is None:
            return None
        batch = sending.batch
        try:
            acknowledged = self._acknowledged(batch)
        except FileRefused as error:
            return Refused(RefusalKind.UNCLASSIFIED, str(error))
        if acknowledged is None:
            return Pending()
        answer = acknowledged.get(number)
        if answer is None:
            return Refused(RefusalKind.UNCLASSIFIED, f"the acknowledgement of {batch.name} leaves {number} out")
        if answer.code == ACCEPTED:
            return Refused(RefusalKind.NUMBER_TAKEN, f"{number} was accepted as {answer.document_id}")
        reported = self._reported(batch, number)
        if reported.exists():
            return None
        reported.touch()
        return Refused(_KINDS.get(answer.code, RefusalKind.UNCLASSIFIED), answer.code)

    def _send(self, entity: str, documents: Sequence[ErpJournal]) -> None:
        books = self._books[entity]
        rows = tuple(_document(books, document) for document in documents)
        before = {
            sending.batch.name
            for document in documents
            for sending in self._sendings.get((books.company, document.number), ())
        }
        named = hashlib.sha256(" ".join([*(row.number for row in rows), "after", *sorted(before)]).encode()).hexdigest()
        batch = Batch(f"TL{named[:14].upper()}", books.company, books.journal, rows)
        replace_whole(self._root / "sent" / f"{batch.name}.csv", write_batch(batch))
        self._deliver(batch)

    def _deliver(self, batch: Batch) -> None:
        """Puts a recorded batch into the outbox, once."""
        mark = self._root / "delivered" / batch.name
        if mark.exists() or self._acknowledgement_file(batch).exists():
            return
        replace_whole(self._root / "outbox" / f"{batch.name}.csv", write_batch(batch))
        mark.touch()

    def _read_record(self) -> None:
        """Reads the batches that are new in `sent`; a batch file never changes."""
        for path in sorted((self._root / "sent").glob("*.csv")):
            if path.stem in self._read:
                continue
            batch = read_batch(path.read_bytes())
            self._read.add(path.stem)
            for document in batch.documents:
                self._sendings.setdefault((batch.company, document.number), []).append(_Sending(batch, document))

    def _latest(self, entity: str, number: str) -> _Sending | None:
        """The sending that speaks for a number: the one whose refusal no person has been told of, where there is one."""
        sendings = self._sendings.get((self._books[entity].company, number), [])
        if len(sendings) < 2:
            return next(iter(sendings), None)
        unsettled = [sending for sending in sendings if not self._reported(sending.batch, number).exists()]
        return next(iter(unsettled or sendings), None)

    def _reported(self, batch: Batch, number: str) -> Path:
        return self._root / "reported" / f"{batch.name}-{number}"

    def _acknowledgement(self, batch: Batch) -> Mapping[str, Acknowledged] | None:
        """The answers to a batch; none where there is no file, or one that cannot be believed: posting reports that."""
        try:
            return self._acknowledged(batch)
        except FileRefused:
            return {}

    def _acknowledged(self, batch: Batch) -> Mapping[str, Acknowledged] | None:
        path = self._acknowledgement_file(batch)
        if not path.exists():
            return None
        name, answers = read_acknowledgement(path.read_bytes())
        if name != batch.name:
            raise FileRefused(f"{path.name} acknowledges another batch")
        return answers

    def _acknowledgement_file(self, batch: Batch) -> Path:
        return self._root / "acknowledgements" / f"{batch.name}.csv"

    def _as_held(self, entity: str, document: BatchDocument, answer: Acknowledged) -> ErpDocument:
        """The document as acknowledged: our own lines when the ERP's count and total are ours, else none of them."""
        books = self._books[entity]
        same = answer.line_count == len(document.lines) and answer.debit_total == document.debit_total
        lines = tuple(
            JournalLine(account=_role(books, line.account), amount=line.amount, party=books.chart.our_party(line.party))
            for line in document.lines
            if same
        )
        return ErpDocument(document.number, answer.document_id, document.effective_date, lines)


def _document(books: Books, document: ErpJournal) -> BatchDocument:
    return BatchDocument(
        document.number,
        document.effective_date,
        tuple(
            BatchLine(books.chart.account_of(line.account), books.chart.party_of(line.party), line.amount)
            for line in document.lines
        ),
    )


def _role(books: Books, account: str) -> AccountRole:
    role = books.chart.role_of(account)
    assert role is not None, f"account {account} is not in the chart that wrote it"
    return role
