"""Every fact once more through the same reactions, into a store in memory, and what that books beside what is booked.

Nothing is posted and nothing is written. Which facts are in which entry is taken from the stored log, for that follows from
when they came; what they book is decided anew.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from chassis.eventstore import EventStore, Row
from chassis.messaging import BatchConsumer
from chassis.messaging.delivery import Delivery
from chassis.messaging.reactions import Reaction

from ledger_adapter.application.dry_run import rows_of
from ledger_adapter.application.summaries import summarised_rows
from ledger_adapter.domain.charge_batches import ChargeBatches
from ledger_adapter.domain.journal_digest import (
    BookedJournal,
    JournalDifference,
    PlaceDifference,
    digest_of_journals,
    journal_differences,
    place_differences,
)
from ledger_adapter.domain.journal_entry import JournalEntry
from ledger_adapter.domain.subledger import GroupKind, SubledgerPosting

BATCH = 500
LOG_PAGE = 2000
RELEASES_MAX = 100_000
UPSTREAMS = ("intake", "claims", "payments")
_REPLAYED_AT = datetime(2000, 1, 1, tzinfo=UTC)
_KEPT_TOPICS = frozenset({SubledgerPosting.Drafted.TOPIC, ChargeBatches.Closed.TOPIC, JournalEntry.Intended.TOPIC})


@dataclass(slots=True)
class Log:
    """What a ledger's log says was booked: postings, the batches of charges, and journal entries."""

    postings: dict[UUID, SubledgerPosting.Drafted] = field(default_factory=dict)
    batched: dict[UUID, tuple[UUID, ...]] = field(default_factory=dict)
    intended: dict[UUID, JournalEntry.Intended] = field(default_factory=dict)
    _by_group: dict[tuple[GroupKind, UUID], list[UUID]] = field(default_factory=dict)

    @classmethod
    def of(cls, store: EventStore) -> Log:
        """Read page by page; events of other kinds are not decoded."""
        log, position, end = cls(), 0, store.last_position()
        while position < end:
            page = store.log(position, LOG_PAGE)
            if not page:
                break
            for each in page:
                if each.topic in _KEPT_TOPICS:
                    log._take(each.event)
            position = page[-1].position
        return log

    def _take(self, event: object) -> None:
        if isinstance(event, SubledgerPosting.Drafted):
            self.postings[event.originator_id] = event
            self._by_group.setdefault((event.group_kind, event.group_id), []).append(event.originator_id)
        elif isinstance(event, ChargeBatches.Closed):
            self.batched[event.journal_id] = event.posting_ids
        elif isinstance(event, JournalEntry.Intended):
            self.intended[event.originator_id] = event

    def members(self, entry: JournalEntry.Intended) -> Sequence[UUID]:
        """The postings of an entry."""
        if entry.group_kind is GroupKind.CHARGES:
            return self.batched[entry.originator_id]
        return self._by_group.get((entry.group_kind, entry.group_id), ())

    def journals(self) -> dict[UUID, BookedJournal]:
        """The entries as they were intended."""
        return {
            identity: BookedJournal(identity, each.head.entity, each.head.kind, each.head.effective_date, each.lines)
            for identity, each in self.intended.items()
        }


@dataclass(frozen=True, slots=True)
class Replayed:
    """Both sides. `unposted` are postings that only the stored log has, `unstored` those that only the replay has."""

    stored_hash: str
    replayed_hash: str
    stored_count: int
    replayed_count: int
    places: tuple[PlaceDifference, ...]
    journals: tuple[JournalDifference, ...]
    unposted: tuple[UUID, ...]
    unstored: tuple[UUID, ...]
    fact_count: int
    seconds: float

    @property
    def is_same(self) -> bool:
        return self.stored_hash == self.replayed_hash and not self.unposted and not self.unstored


def replay(
    stored: EventStore,
    scratch: EventStore,
    facts: Mapping[str, Iterable[Delivery]],
    reactions: Mapping[str, Iterable[Reaction[Any]]],
    entity: str = "",
) -> Replayed:
    """Runs the facts of each upstream into `scratch`, which must be empty, and compares; `entity` limits what is compared."""
    assert not scratch.last_position(), "a replay starts from nothing"
    started = time.perf_counter()
    count = _run(scratch, facts, reactions)
    before, after = Log.of(stored), Log.of(scratch)
    left = _of_entity(before.journals().values(), entity)
    right = _of_entity(_composed(before, after), entity)
    return Replayed(
        stored_hash=digest_of_journals(left.values()),
        replayed_hash=digest_of_journals(right.values()),
        stored_count=len(left),
        replayed_count=len(right),
        places=place_differences(left.values(), right.values()),
        journals=journal_differences(left, right),
        unposted=_only_in(before, after, entity),
        unstored=_only_in(after, before, entity),
        fact_count=count,
        seconds=time.perf_counter() - started,
    )


def _run(
    scratch: EventStore, facts: Mapping[str, Iterable[Delivery]], reactions: Mapping[str, Iterable[Reaction[Any]]]
) -> int:
    consumers = {
        upstream: BatchConsumer(f"replay-{upstream}", scratch, reactions[upstream], lambda: _REPLAYED_AT)
        for upstream in UPSTREAMS
    }
    count = 0
    for upstream, consumer in consumers.items():
        for batch in _batches(facts.get(upstream, ())):
            count += len(batch)
            touched = consumer.handle(batch).touched
            for _ in range(RELEASES_MAX):
                if not touched:
                    break
                touched = set().union(*(each.release(touched).touched for each in consumers.values()))
    return count


def _batches(deliveries: Iterable[Delivery]) -> Iterator[list[Delivery]]:
    source = iter(deliveries)
    while batch := list(islice(source, BATCH)):
        yield batch


def _composed(before: Log, after: Log) -> Iterator[BookedJournal]:
    """The stored entries with what their postings book now, and what the replay books that no stored entry has.

    What people ordered at the end of a period is no fact of another service, and stands as it was booked.
    """
    for identity, entry in before.intended.items():
        source = before if entry.group_kind is GroupKind.CREDIT_BALANCES else after
        found = [source.postings[each] for each in before.members(entry) if each in source.postings]
        journal = _summed(identity, entry.group_kind, found)
        if journal is not None:
            yield journal
    for identity, entry in after.intended.items():
        if identity not in before.intended:
            head = entry.head
            yield BookedJournal(identity, head.entity, head.kind, head.effective_date, entry.lines)


def _summed(identity: UUID, kind: GroupKind, postings: Sequence[SubledgerPosting.Drafted]) -> BookedJournal | None:
    rows: list[Row] = [row for posting in postings for row in rows_of(posting)]
    lines = summarised_rows(rows)
    if not lines:
        return None
    return BookedJournal(identity, postings[0].entity, kind.value, postings[0].effective_date, lines)


def _of_entity(journals: Iterable[BookedJournal], entity: str) -> dict[UUID, BookedJournal]:
    return {each.journal_id: each for each in journals if not entity or each.entity == entity}


def _only_in(one: Log, other: Log, entity: str) -> tuple[UUID, ...]:
    found = (
        identity
        for identity, posting in one.postings.items()
        if identity not in other.postings
        and posting.group_kind is not GroupKind.CREDIT_BALANCES
        and (not entity or posting.entity == entity)
    )
    return tuple(sorted(found, key=lambda each: each.bytes))
