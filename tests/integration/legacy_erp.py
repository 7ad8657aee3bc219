"""A legacy ERP that takes files: it imports every batch once, acknowledges it, and keeps books of its own."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

from canonical.money import Money
from ledger_adapter.adapters.file_batches import (
    ACCEPTED,
    Acknowledged,
    BatchDocument,
    read_batch,
    write_acknowledgement,
)

POLL_SECONDS = 0.1


class LegacyErp:
    """Works through the outbox until stopped; `documents` is what it has booked, by company and number."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.documents: dict[tuple[str, str], BatchDocument] = {}
        self.booked_twice: list[str] = []
        self._batches: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="legacy-erp", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def balances(self) -> Counter[tuple[str, str, str]]:
        """Cents by company, account code and party."""
        sums: Counter[tuple[str, str, str]] = Counter()
        for (company, _), document in self.documents.items():
            for line in document.lines:
                sums[company, line.account, line.party] += line.amount.minor
        return sums

    def _run(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            outbox = self.root / "outbox"
            for path in sorted(outbox.glob("*.csv")) if outbox.is_dir() else ():
                self._import(path)

    def _import(self, path: Path) -> None:
        batch = read_batch(path.read_bytes())
        path.unlink()
        if batch.name in self._batches:
            return
        self._batches.add(batch.name)
        answers = {document.number: self._book(batch.company, document) for document in batch.documents}
        self._extract_balances(batch.company)
        _write(self.root / "acknowledgements" / path.name, write_acknowledgement(batch.name, answers))

    def _book(self, company: str, document: BatchDocument) -> Acknowledged:
        if (company, document.number) in self.documents:
            self.booked_twice.append(document.number)
            return Acknowledged("DUPLICATE", "", 0, Money(0))
        self.documents[company, document.number] = document
        return Acknowledged(ACCEPTED, f"L{len(self.documents)}", len(document.lines), document.debit_total)

    def lose_a_cent(self, company: str, account: str) -> None:
        """From now on, one account of its extract is a cent off."""
        self._extract_balances(company, account)

    def _extract_balances(self, company: str, off_by_a_cent: str = "") -> None:
        rows = [
            f"{account},{party},{Money(minor + (account == off_by_a_cent)).decimal_text}\n"
            for (of, account, party), minor in sorted(self.balances().items())
            if of == company
        ]
        _write(self.root / "balances" / f"{company}.csv", "".join(rows).encode("ascii"))


def _write(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_bytes(content)
    unfinished.rename(path)
