"""A legacy ERP of one's own: takes batches from the outbox, books them, acknowledges, and writes its balances."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from canonical.money import Money
from ledger_adapter.adapters.file_batches import (
    ACCEPTED,
    Acknowledged,
    BatchDocument,
    read_batch,
    write_acknowledgement,
)


@dataclass
class LegacyErp:
    """Books by file; it ignores a batch name that it has read before."""

    root: Path
    closed_months: set[tuple[int, int]] = field(default_factory=set)
    ledger: dict[tuple[str, str], BatchDocument] = field(default_factory=dict)
    batches_read: list[str] = field(default_factory=list)
    alters_totals: bool = False

    def run(self) -> None:
        """Its nightly import."""
        for path in sorted((self.root / "outbox").glob("*.csv")):
            batch = read_batch(path.read_bytes())
            path.unlink()
            if batch.name in self.batches_read:
                continue
            self.batches_read.append(batch.name)
            answers = {document.number: self._book(batch.company, document) for document in batch.documents}
            (self.root / "acknowledgements" / path.name).write_bytes(write_acknowledgement(batch.name, answers))
        self._extract_balances()

    def _book(self, company: str, document: BatchDocument) -> Acknowledged:
        code = self._verdict(company, document)
        if code != ACCEPTED:
            return Acknowledged(code, "", 0, Money(0))
        self.ledger[company, document.number] = document
        total = document.debit_total - Money(1) if self.alters_totals else document.debit_total
        return Acknowledged(code, f"L{len(self.ledger)}", len(document.lines), total)

    def _verdict(self, company: str, document: BatchDocument) -> str:
        if (company, document.number) in self.ledger:
            return "DUPLICATE"
        if (document.effective_date.year, document.effective_date.month) in self.closed_months:
            return "PERIOD_CLOSED"
        if Money.total(line.amount for line in document.lines):
            return "INVALID"
        receivable = ("1100", "1110", "1120")
        return ACCEPTED if all(line.party for line in document.lines if line.account in receivable) else "INVALID"

    def _extract_balances(self) -> None:
        sums: dict[tuple[str, str, str], Money] = {}
        for (company, _), document in self.ledger.items():
            for line in document.lines:
                place = (company, line.account, line.party)
                sums[place] = sums.get(place, Money(0)) + line.amount
        for company in {place[0] for place in sums}:
            rows = [f"{a},{p},{total.decimal_text}" for (c, a, p), total in sorted(sums.items()) if c == company]
            (self.root / "balances" / f"{company}.csv").write_text("\n".join(rows) + "\n")
