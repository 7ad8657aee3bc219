"""From a residual to the things that make it: two lists compared key by key, and what open exceptions explain of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from canonical.journal import JournalLine
from canonical.money import Money

from reconciliation.domain.books import ZERO, ErpDocument, OpenCase, line_total
from reconciliation.domain.findings import Divergence, ExplainingItem


@dataclass(frozen=True, slots=True)
class Entry:
    """One side's amount for one thing. `key` is what both sides call it, `subject_id` what a person looks it up by.

    `known_as` are further ids under which an exception may stand.
    """

    key: UUID
    amount: Money
    what: str
    subject_id: UUID
    on: date | None = None
    known_as: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing on which the sides differ, ours minus theirs; zero where only its parts differ."""

    amount: Money
    what: str
    subject_id: UUID
    on: date | None
    known_as: frozenset[UUID]
    note: str


def differences(ours: Iterable[Entry], theirs: Iterable[Entry]) -> tuple[Difference, ...]:
    """Everything that is not the same on both sides, the earliest first; our name for it where we have one."""
    left, right = _by_key(ours), _by_key(theirs)
    found = []
    for key in left.keys() | right.keys():
        entries = left.get(key, []) + right.get(key, [])
        ours_total = Money.total(entry.amount for entry in left.get(key, []))
        theirs_total = Money.total(entry.amount for entry in right.get(key, []))
        if ours_total == theirs_total:
            continue
        dates = [entry.on for entry in entries if entry.on is not None]
        found.append(
            Difference(
                amount=ours_total - theirs_total,
                what=entries[0].what,
                subject_id=entries[0].subject_id,
                on=min(dates, default=None),
                known_as=frozenset({key, *(i for entry in entries for i in (entry.subject_id, *entry.known_as))}),
                note=f"ours {ours_total}, theirs {theirs_total}",
            )
        )
    return tuple(sorted(found, key=lambda item: (item.on or date.max, str(item.subject_id))))


def _by_key(entries: Iterable[Entry]) -> dict[UUID, list[Entry]]:
    found: dict[UUID, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.key, []).append(entry)
    return found


def explained_by_cases(
    found: Sequence[Difference], cases: Iterable[OpenCase]
) -> tuple[tuple[ExplainingItem, ...], tuple[Divergence, ...]]:
    """What open exceptions explain, and the differences that nothing explains, in order."""
    codes = {case.subject_id: case.code for case in cases if case.subject_id is not None}
    items, left = [], []
    for difference in found:
        code = next((codes[known] for known in sorted(difference.known_as, key=str) if known in codes), None)
        if code is None:
            left.append(
                Divergence(
                    what=difference.what,
                    subject_id=difference.subject_id,
                    amount=difference.amount,
                    note=difference.note,
                )
            )
        else:
            items.append(
                ExplainingItem(
                    reason=f"in exception: {code}", amount=difference.amount, subject_id=difference.subject_id
                )
            )
    return tuple(items), tuple(left)


@dataclass(frozen=True, slots=True)
class ConfirmedJournal:
    """A journal entry that was confirmed, as it was announced."""

    journal_id: UUID
    external_number: str
    lines: tuple[JournalLine, ...]


def journal_divergences(
    journals: Iterable[ConfirmedJournal], held: Mapping[str, ErpDocument], account: str, party: str
) -> tuple[Divergence, ...]:
    """The confirmed entries that the ERP lacks, or holds with other lines, in the order they are given.

    An entry counts where it moves this account and party here, or does so at the ERP.
    """
    found = []
    for journal in journals:
        document = held.get(journal.external_number)
        ours = line_total(journal.lines, account, party)
        theirs = line_total(document.lines, account, party) if document else ZERO
        if ours == theirs:
            continue
        note = f"{journal.external_number}: ours {ours}, the ERP {theirs if document else 'does not hold it'}"
        found.append(Divergence(what="journal-entry", subject_id=journal.journal_id, amount=ours - theirs, note=note))
    return tuple(found)


def not_of_our_making(amount: Money) -> Divergence:
    """Every entry of ours is at the ERP as announced, so what differs was booked there by somebody else."""
    return Divergence(
        what="erp-document",
        subject_id=None,
        amount=amount,
        note="every confirmed entry is at the ERP as announced; the ERP holds something that is not ours",
    )
