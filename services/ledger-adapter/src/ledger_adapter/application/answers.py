"""Questions about the books, answered from the read models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from uuid import UUID

from canonical.codes import AccountRole
from canonical.journal import JournalLine
from canonical.money import Money
from chassis.eventstore import EventStore, Row

from ledger_adapter.application.queries import BALANCES, CLEARING, JOURNALS, LINES, MANIFESTS, POSTINGS
from ledger_adapter.application.summaries import SUMMED_BY, minor, summarised_rows
from ledger_adapter.domain.manifest import ManifestState
from ledger_adapter.domain.subledger import GroupKind

ROWS_MAX = 1_000_000
OPEN_MAX = 100_000
READ_AGAIN_MAX = 3
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class AtPosition:
    """Rows read between two looks at the log; the same position twice means that nothing moved meanwhile."""

    rows: Sequence[Row]
    position: int
    position_after: int


@dataclass(frozen=True, slots=True)
class Parts:
    """One page of what a journal entry is made of: subledger lines, each with its posting's row."""

    lines: Sequence[tuple[Row, Row]]
    sums: tuple[JournalLine, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class OpenGroup:
    """Postings that no journal entry has taken up."""

    kind: GroupKind
    group_id: UUID
    reason: str
    posting_count: int
    lines: tuple[JournalLine, ...]


@dataclass(frozen=True, slots=True)
class Receivable:
    """What one encounter of one patient makes of a receivable account."""

    encounter_id: UUID | None
    patient_id: UUID | None
    amount: Money
    effective_date: date


def trial_balance(store: EventStore, entity: str = "") -> AtPosition:
    """Running balances by entity, account and party, at one position of the log where that can be had."""
    where = {"entity": entity} if entity else {}
    return _still(store, lambda: store.rows(BALANCES, where, limit=ROWS_MAX))


def _still(store: EventStore, read: Callable[[], list[Row]]) -> AtPosition:
    """Reads again, at most three times, while the log moves."""
    for _ in range(READ_AGAIN_MAX - 1):
        answer = _once(store, read)
        if answer.position == answer.position_after:
            return answer
    return _once(store, read)


def _once(store: EventStore, read: Callable[[], list[Row]]) -> AtPosition:
    before = store.last_position()
    rows = read()
    return AtPosition(rows, before, store.last_position())


def journals(store: EventStore, entity: str, states: Sequence[str], limit: int) -> list[Row]:
    """Journal entries, the oldest first."""
    where: dict[str, object] = {}
    if entity:
        where["entity"] = entity
    if states:
        where["state"] = list(states)
    return store.rows(JOURNALS, where, order=("intended_at",), limit=limit)


def journal(store: EventStore, *, journal_id: UUID | None = None, external_number: str = "") -> Row | None:
    """One journal entry by its id or its number at the ERP."""
    where: dict[str, object] = {"journal_id": journal_id} if journal_id else {"external_number": external_number}
    return next(iter(store.rows(JOURNALS, where, limit=1)), None)


def parts_of(store: EventStore, entry: Row, account: str, party: str | None, skip: int, size: int) -> Parts:
    """A page of the parts of an entry, and the sums of all parts asked for."""
    where = lines_of(store, entry)
    if account:
        where["account"] = account
    if party:
        where["party"] = party
    lines = store.rows(LINES, where, limit=skip + size + 1)[skip:]
    postings = {row["posting_id"]: row for row in store.rows(POSTINGS, _ids(lines[:size]), limit=size)}
    sums = store.sums(LINES, ["amount_minor"], SUMMED_BY, where)
    return Parts(
        [(line, postings[line["posting_id"]]) for line in lines[:size]], summarised_rows(sums), len(lines) > size
    )


def lines_of(store: EventStore, entry: Row) -> dict[str, object]:
    """Where the lines of an entry are: a batch of charges is a list of postings, everything else is one group."""
    if entry["kind"] != GroupKind.CHARGES.value:
        return {"group_id": entry["group_id"]}
    count = entry["posting_count"]
    assert isinstance(count, int)
    return _ids(store.rows(POSTINGS, {"journal_id": entry["journal_id"]}, limit=count))


def _ids(rows: Iterable[Row]) -> dict[str, object]:
    return {"posting_id": frozenset(row["posting_id"] for row in rows)}


def open_groups(store: EventStore, entity: str) -> list[OpenGroup]:
    """What is posted for an entity and in no journal entry: charges of open batches, remittances that are not whole."""
    return [*_open_charges(store, entity), *_open_remittances(store, entity)]


def _open_charges(store: EventStore, entity: str) -> list[OpenGroup]:
    waiting = store.rows(POSTINGS, {"batch": 0, "entity": entity}, limit=OPEN_MAX)
    counts = _counted(row["group_id"] for row in waiting)
    sums = _sums_by_group(store, _ids(waiting))
    return [
        OpenGroup(GroupKind.CHARGES, group_id, "batch not closed", counts[group_id], lines)
        for group_id, lines in sums.items()
    ]


def _open_remittances(store: EventStore, entity: str) -> list[OpenGroup]:
    """Also one of which nothing is posted yet: an accepted remittance is never out of sight."""
    states = [None, ManifestState.COLLECTING.value, ManifestState.DIFFERS.value]
    manifests = {
        group_id: row
        for row in store.rows(MANIFESTS, {"state": states}, limit=OPEN_MAX)
        if isinstance(group_id := row["remittance_id"], UUID)
    }
    if not manifests:
        return []
    sums = _sums_by_group(store, {"group_id": list(manifests), "entity": entity})
    return [
        OpenGroup(
            GroupKind.REMITTANCE,
            group_id,
            _why_open(manifest),
            minor(manifest, "postings"),
            sums.get(group_id, ()),
        )
        for group_id, manifest in manifests.items()
        if group_id in sums or manifest["entity"] == entity
    ]


def _why_open(manifest: Row) -> str:
    if manifest["state"] is None:
        return "remittance not accepted yet"
    if manifest["state"] == ManifestState.DIFFERS.value:
        return "remittance differs from its manifest"
    missing = minor(manifest, "missing_postings")
    return f"remittance not complete: {missing} postings missing" if missing else "remittance complete, entry due"


def _sums_by_group(store: EventStore, where: Mapping[str, object]) -> dict[UUID, tuple[JournalLine, ...]]:
    by_group: dict[UUID, list[Row]] = {}
    for row in store.sums(LINES, ["amount_minor"], ["group_id", *SUMMED_BY], where):
        group_id = row["group_id"]
        assert isinstance(group_id, UUID)
        by_group.setdefault(group_id, []).append(row)
    return {group_id: summarised_rows(rows) for group_id, rows in by_group.items()}


def receivables(store: EventStore, entity: str, account: AccountRole, party: str) -> list[Receivable]:
    """What a receivable account is made of, by encounter and patient; zero ones are left out."""
    where: dict[str, object] = {"entity": entity, "account": account.value}
    if party:
        where["party"] = party
    amounts: dict[tuple[UUID | None, UUID | None], tuple[int, date]] = {}
    for row in store.sums(LINES, ["amount_minor"], ["encounter_id", "patient_id", "effective_date"], where):
        encounter_id, patient_id, day = row["encounter_id"], row["patient_id"], row["effective_date"]
        assert encounter_id is None or isinstance(encounter_id, UUID)
        assert patient_id is None or isinstance(patient_id, UUID)
        assert isinstance(day, date)
        sum_before, first = amounts.get((encounter_id, patient_id), (0, day))
        amounts[encounter_id, patient_id] = (sum_before + minor(row, "amount_minor"), min(first, day))
    return [
        Receivable(encounter_id, patient_id, Money(amount), first)
        for (encounter_id, patient_id), (amount, first) in amounts.items()
        if amount
    ]


def open_items(store: EventStore, entity: str, account: str) -> list[Row]:
    """What does not cancel out on a clearing account, the oldest first."""
    rows = store.rows(CLEARING, {"entity": entity, "account": account}, order=("effective_date",), limit=ROWS_MAX)
    return [row for row in rows if row["amount_minor"]]


def _counted(keys: Iterable[object]) -> dict[object, int]:
    counts: dict[object, int] = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return counts
