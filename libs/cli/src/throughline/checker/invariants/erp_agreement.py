"""I6: the ERP's books and the confirmed journal entries are the same, in both directions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from throughline.checker.amounts import shown
from throughline.checker.books.ledger import Journal, LedgerBook
from throughline.checker.expected import Place
from throughline.checker.result import Failures, Result, judged
from throughline.checker.vocabulary import CHART, PARTY_ACCOUNTS

STOPPED = {"rejected": "was refused", "held-for-period": "is held for its period", "differs": "differs at the ERP"}


@dataclass(frozen=True, slots=True)
class ErpMove:
    """One document of the ERP; lines by account code and party code, debits positive, cents."""

    document: str
    number: str
    entity: str
    day: str
    is_posted: bool
    lines: Mapping[Place, int]


@dataclass(frozen=True, slots=True)
class ErpBooks:
    """What the ERP holds: its documents, and by entity its own balances by account code and party code."""

    moves: tuple[ErpMove, ...]
    balances: Mapping[str, Mapping[Place, int]]
    chart: Mapping[str, str] = field(default_factory=lambda: CHART)


def books_of_all(several: Iterable[ErpBooks]) -> ErpBooks:
    """One set of books of several ERPs; an entity may be in more than one, as after it has moved."""
    moves: list[ErpMove] = []
    balances: dict[str, dict[Place, int]] = {}
    for books in several:
        moves += books.moves
        for entity, held in books.balances.items():
            sums = balances.setdefault(entity, {})
            for place, amount in held.items():
                sums[place] = sums.get(place, 0) + amount
    return ErpBooks(tuple(moves), balances)


def erp_agrees(book: LedgerBook, erp: ErpBooks, open_cases: set[str], *, settled: bool = True) -> Result:
    """I6. `open_cases` are the subjects of the ledger's open cases: an entry that has stopped must be one of them."""
    failures = Failures()
    by_number: dict[tuple[str, str], list[ErpMove]] = {}
    foreign = 0
    for move in erp.moves:
        if move.number:
            by_number.setdefault((move.entity, move.number), []).append(move)
        else:
            foreign += 1
    ours = {(journal.entity, journal.number): journal for journal in book.journals.values()}
    for place, moves in by_number.items():
        failures.extend(_strangers(place, moves, ours))
    confirmed = 0
    for identity, journal in book.journals.items():
        moves = by_number.get((journal.entity, journal.number), [])
        confirmed += journal.state == "confirmed"
        failures.extend(
            _entry_faults(journal, moves, erp.chart, stopped_in_sight=identity in open_cases, settled=settled)
        )
    failures.extend(_trial_balance(book, erp))
    return judged(
        "I6",
        "The ERP holds the confirmed entries, each once, and no others",
        failures,
        documents=len(erp.moves),
        confirmed=confirmed,
        not_confirmed=len(book.journals) - confirmed,
        without_our_number=foreign,
    )


def _strangers(place: tuple[str, str], moves: list[ErpMove], ours: Mapping[tuple[str, str], Journal]) -> Iterable[str]:
    entity, number = place
    documents = ", ".join(move.document for move in moves)
    if len(moves) > 1:
        yield f"{entity} {number}: {len(moves)} documents at the ERP: {documents}"
    if place not in ours:
        yield f"{entity} {number}: document {documents} at the ERP, no entry of that number here"


def _entry_faults(
    journal: Journal, moves: list[ErpMove], chart: Mapping[str, str], *, stopped_in_sight: bool, settled: bool
) -> Iterable[str]:
    name = f"{journal.entity} {journal.number}"
    if journal.state == "confirmed":
        if not moves and (journal.document or at_erp(journal.confirmed or {}, chart)):
            yield f"{name}: confirmed here, not at the ERP"
        for move in moves:
            yield from _differences(name, journal, move, chart)
        return
    if journal.state in STOPPED:
        if not stopped_in_sight:
            yield f"{name}: {STOPPED[journal.state]}, and no case is open for it"
    elif journal.state == "uncertain":
        yield f"{name}: its outcome at the ERP is unknown"
    elif settled:
        yield f"{name}: is {journal.state}, not confirmed"
    if moves and settled and journal.state in ("rejected", "held-for-period", "intended"):
        yield f"{name}: is {journal.state} here, and document {moves[0].document} at the ERP"


def _differences(name: str, journal: Journal, move: ErpMove, chart: Mapping[str, str]) -> Iterable[str]:
    if not move.is_posted:
        yield f"{name}: document {move.document} is not posted"
    if move.document != journal.document:
        yield f"{name}: confirmed as document {journal.document}, at the ERP it is {move.document}"
    if move.day != journal.booked_on:
        yield f"{name}: dated {journal.booked_on} here, {move.day} at the ERP"
    wanted = at_erp(journal.confirmed or {}, chart)
    for account, party in sorted(wanted.keys() | move.lines.keys()):
        left, right = wanted.get((account, party), 0), move.lines.get((account, party), 0)
        if left != right:
            yield f"{name}: account {account} {party}: {shown(left)} here, {shown(right)} at the ERP"


def at_erp(lines: Mapping[Place, int], chart: Mapping[str, str]) -> dict[Place, int]:
    """Lines by role as lines by account code; only receivables carry a party there."""
    return {
        (chart.get(role, f"no account for {role}"), party if role in PARTY_ACCOUNTS else ""): amount
        for (role, party), amount in lines.items()
        if amount
    }


def _trial_balance(book: LedgerBook, erp: ErpBooks) -> Iterable[str]:
    """The ERP's own balances against the sums of the confirmed entries, account by account."""
    expected: dict[str, dict[Place, int]] = {entity: {} for entity in erp.balances}
    for journal in book.journals.values():
        if journal.confirmed is None:
            continue
        sums = expected.setdefault(journal.entity, {})
        for place, amount in at_erp(journal.confirmed, erp.chart).items():
            sums[place] = sums.get(place, 0) + amount
    for entity, sums in sorted(expected.items()):
        theirs = erp.balances.get(entity, {})
        for account, party in sorted(sums.keys() | theirs.keys()):
            left, right = sums.get((account, party), 0), theirs.get((account, party), 0)
            if left != right:
                yield f"{entity} account {account} {party}: {shown(left)} confirmed, {shown(right)} in the ERP's books"
