"""I1, I4 and M1: debits equal credits, the read models of the ledger are its events' sum, entries are their postings'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from throughline.checker.amounts import shown
from throughline.checker.books.ledger import Journal, LedgerBook, Posting
from throughline.checker.expected import Place
from throughline.checker.identity import derive, external_number, posting_digest
from throughline.checker.result import Failures, Result, judged
from throughline.checker.rows import Comparison

FOLDED = ("subledger_lines", "journals")
STOPPED = ("rejected", "held-for-period", "differs")


def debits_equal_credits(book: LedgerBook) -> Result:
    """I1: every posting, every entry, every entity, and all together."""
    failures = Failures()
    debits = credited = 0
    by_entity: dict[str, int] = {}
    for name, entity, lines in _everything(book):
        residual = sum(lines.values())
        if residual:
            failures.add(f"{name}: debits and credits differ by {shown(residual)}")
        by_entity[entity] = by_entity.get(entity, 0) + residual
        debits += sum(amount for amount in lines.values() if amount > 0)
        credited -= sum(amount for amount in lines.values() if amount < 0)
    for entity, residual in by_entity.items():
        if residual:
            failures.add(f"entity {entity}: debits and credits differ by {shown(residual)}")
    return judged(
        "I1",
        "Debits equal credits",
        failures,
        postings=len(book.postings),
        journals=len(book.journals),
        debits=shown(debits),
        credits=shown(credited),
    )


def _everything(book: LedgerBook) -> Iterable[tuple[str, str, Mapping[Place, int]]]:
    for identity, posting in book.postings.items():
        yield f"posting {identity}", posting.entity, posting.sums
    for journal in book.journals.values():
        yield f"journal {journal.number}", journal.entity, journal.lines
        if journal.confirmed is not None:
            yield f"journal {journal.number} as confirmed", journal.entity, journal.confirmed


def ledger_is_its_events(book: LedgerBook, tables: Iterable[Comparison]) -> Result:
    """I4: lines and entries as shown are the events' fold; each entry is the sum of exactly its postings."""
    failures = Failures()
    rows = {}
    for table in tables:
        if table.name in FOLDED:
            rows[table.name] = table.rows
            failures.merge(table.failures)
    groups = _postings_by_journal(book)
    for identity, journal in book.journals.items():
        failures.extend(_entry_faults(identity, journal, groups.get(identity, []), book.postings))
    failures.extend(_loose(book, groups))
    for name in FOLDED:
        if name not in rows:
            failures.add(f"{name}: the table is not there")
    return judged("I4", "The ledger is the sum of its events", failures, **rows, entries_checked=len(book.journals))


def _postings_by_journal(book: LedgerBook) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for identity, posting in book.postings.items():
        for journal in _journals_of(book, identity, posting):
            groups.setdefault(journal, []).append(identity)
    return groups


def _journals_of(book: LedgerBook, identity: str, posting: Posting) -> list[str]:
    """The entries a posting is in: its batches', its remittance's, or its own."""
    if posting.kind == "charges":
        return book.batched.get(identity, [])
    if posting.kind == "remittance":
        manifest = book.manifests.get(posting.group_id)
        return [manifest.journal_id] if manifest is not None and manifest.journal_id else []
    return [derive("journal", posting.kind, posting.group_id, 1)] if any(posting.sums.values()) else []


def _entry_faults(
    identity: str, journal: Journal, posting_ids: list[str], postings: Mapping[str, Posting]
) -> Iterable[str]:
    name = f"journal {journal.number}"
    sums: dict[Place, int] = {}
    for posting_id in posting_ids:
        posting = postings[posting_id]
        if (posting.entity, posting.effective_date) != (journal.entity, journal.effective_date):
            yield f"{name}: posting {posting_id} is of {posting.entity} on {posting.effective_date}"
        for place, amount in posting.sums.items():
            sums[place] = sums.get(place, 0) + amount
    wanted = {place: amount for place, amount in sums.items() if amount}
    for place in sorted(wanted.keys() | journal.lines.keys()):
        if wanted.get(place, 0) != journal.lines.get(place, 0):
            have = shown(journal.lines.get(place, 0))
            yield f"{name}: {' '.join(place).strip()} is {have}, its postings make {shown(wanted.get(place, 0))}"
    if (len(posting_ids), posting_digest(posting_ids)) != (journal.posting_count, journal.posting_digest):
        yield f"{name}: it names {journal.posting_count} postings, {len(posting_ids)} are its own or others"
    if journal.number != external_number(identity):
        yield f"{name}: its number does not follow from its id {identity}"
    if journal.confirmed is not None and journal.confirmed != journal.lines:
        yield f"{name}: confirmed with other lines than intended"


def _loose(book: LedgerBook, groups: Mapping[str, list[str]]) -> Iterable[str]:
    for journal in groups:
        if journal not in book.journals and any(any(book.postings[p].sums.values()) for p in groups[journal]):
            yield f"postings name journal {journal}, which was never intended"
    for posting, journals in book.batched.items():
        if len(journals) > 1:
            yield f"posting {posting} is in {len(journals)} batches"
        if posting not in book.postings:
            yield f"a batch holds posting {posting}, which was never drafted"
    yield from book.miscounted


def journal_lines_sum_to_zero(book: LedgerBook) -> Result:
    """M1: all lines of all entries, per entity and together."""
    failures = Failures()
    totals: dict[str, int] = {}
    count = 0
    for journal in book.journals.values():
        totals[journal.entity] = totals.get(journal.entity, 0) + sum(journal.lines.values())
        count += len(journal.lines)
    for entity, total in totals.items():
        if total:
            failures.add(f"entity {entity}: all journal lines add up to {shown(total)}")
    entities = {entity: shown(total) for entity, total in sorted(totals.items())}
    return judged("M1", "All journal lines add up to zero", failures, lines=count, sums=entities)
