"""An event store in memory, for simulation and unit tests: the same promises, the same contract tests as PostgreSQL."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterable, Sequence
from uuid import UUID

from eventsourcing.persistence import StoredEvent

from chassis.domain import Event
from chassis.eventstore.port import (
    Commit,
    History,
    LoggedEvent,
    ParkedMessage,
    RawSpan,
    SnapshotRow,
    VersionConflict,
)
from chassis.eventstore.projecting import Projecting
from chassis.eventstore.registry import EventRegistry
from chassis.eventstore.tables import (
    Change,
    Order,
    Projection,
    Question,
    Row,
    Table,
    Value,
    Where,
    coalesce,
    follows,
    hash_rows,
    in_order,
    matches,
    rank,
)


class MemoryEventStore:
    """Keeps encoded events, so that what cannot be stored cannot pass a test either."""

    def __init__(self, registry: EventRegistry, projections: Sequence[Projection] = ()) -> None:
        self.registry = registry
        self._projecting = Projecting(projections)
        self._log: list[StoredEvent] = []
        self._streams: dict[UUID, list[StoredEvent]] = {}
        self._inbox: dict[UUID, bytes] = {}
        self._parked: dict[UUID, ParkedMessage] = {}
        self._spans: dict[UUID, list[RawSpan]] = {}
        self._snapshots: dict[UUID, SnapshotRow] = {}
        self._tables: dict[str, dict[tuple[Value, ...], Row]] = {}
        self._relay_position = 0

    def load(self, ids: Iterable[UUID]) -> dict[UUID, History]:
        found: dict[UUID, History] = {}
        for identity in ids:
            stream = self._streams.get(identity)
            if stream:
                snapshot = self._snapshots.get(identity)
                after = snapshot.version if snapshot else 0
                found[identity] = History(snapshot, [self.registry.decode(stored) for stored in stream[after:]])
        return found

    def story(self, identity: UUID, *, after: int = 0, limit: int | None = None) -> list[Event]:
        wanted = [stored for stored in self._streams.get(identity, ()) if stored.originator_version > after]
        return [self.registry.decode(stored) for stored in wanted[:limit]]

    def answered(self, ids: Iterable[UUID]) -> dict[UUID, bytes]:
        return {identity: self._inbox[identity] for identity in ids if identity in self._inbox}

    def save(self, commit: Commit) -> int:
        self._refuse_conflicts(commit)
        for event in commit.events:
            stored = self.registry.encode(event)
            self._streams.setdefault(event.originator_id, []).append(stored)
            self._log.append(stored)
        for entry in commit.inbox:
            self._inbox[entry.id] = entry.content_hash
        for message_id in commit.unparked:
            self._parked.pop(message_id, None)
        for message in commit.parked:
            self._parked[message.message_id] = message
        for span in commit.spans:
            self._spans.setdefault(span.message_id, []).append(span)
        for message_id in commit.expired:
            self._spans.pop(message_id, None)
        for snapshot in commit.snapshots:
            self._snapshots[snapshot.aggregate_id] = snapshot
        self._change(self._projecting.changes(commit.events))
        return len(self._log) if commit.events else 0

    def _refuse_conflicts(self, commit: Commit) -> None:
        expected: dict[UUID, int] = {}
        for event in commit.events:
            version = expected.get(event.originator_id, len(self._streams.get(event.originator_id, ())))
            if event.originator_version != version + 1:
                raise VersionConflict(f"version {event.originator_version} is taken")
            expected[event.originator_id] = version + 1
        entries = [entry.id for entry in commit.inbox]
        if len(set(entries)) < len(entries) or not self._inbox.keys().isdisjoint(entries):
            raise VersionConflict("a message has been answered meanwhile")
        if any(message_id not in self._parked for message_id in commit.unparked):
            raise VersionConflict("a parked message has been handled meanwhile")
        if any(span.message_id in self._spans for span in commit.spans):
            raise VersionConflict("the raw message is kept already")
        found = self.rows_of_each([seen.question for seen in commit.seen])
        if [len(rows) for rows in found] != [seen.count for seen in commit.seen]:
            raise VersionConflict("rows that the batch was decided on have changed meanwhile")
        if any(len(self._streams.get(each, ())) != version for each, version in commit.unmoved.items()):
            raise VersionConflict("an aggregate that the batch was decided on has moved on meanwhile")

    def _change(self, changes: Iterable[Change]) -> None:
        for change in coalesce(changes):
            rows = self._tables.setdefault(change.table.name, {})
            key = change.table.key_of(change.key)
            if change.remove:
                rows.pop(key, None)
                continue
            row = rows.setdefault(key, dict.fromkeys(change.table.columns) | change.key)
            row.update(change.put)
            for column, amount in change.add.items():
                row[column] = int(row[column] or 0) + amount  # type: ignore[call-overload]

    def log(self, after: int, limit: int) -> Sequence[LoggedEvent]:
        window = self._log[after : after + limit]
        return [self.registry.logged(after + 1 + index, stored) for index, stored in enumerate(window)]

    def last_position(self) -> int:
        return len(self._log)

    def parked(
        self,
        *,
        keys: Iterable[UUID] | None = None,
        waiting_for: Iterable[UUID] | None = None,
        message_ids: Iterable[UUID] | None = None,
        consumer: str | None = None,
        only_waiting: bool = False,
        limit: int = 1000,
    ) -> list[ParkedMessage]:
        key_set = None if keys is None else set(keys)
        waits = None if waiting_for is None else set(waiting_for)
        chosen = None if message_ids is None else set(message_ids)
        found = [
            message
            for message in self._parked.values()
            if (key_set is None or message.key in key_set)
            and (waits is None or message.waiting_for in waits)
            and (chosen is None or message.message_id in chosen)
            and (consumer is None or message.consumer == consumer)
            and not (only_waiting and message.case_id is not None)
        ]
        return found[:limit]

    def spans(self, message_id: UUID) -> list[RawSpan]:
        return sorted(self._spans.get(message_id, ()), key=lambda span: span.ordinal)

    def rows(
        self, table: Table, where: Where, *, order: Order = (), limit: int = 1000, after: Row | None = None
    ) -> list[Row]:
        found = [copy.copy(row) for row in self._tables.get(table.name, {}).values() if matches(row, where)]
        return [row for row in in_order(table, found, order) if follows(table, row, order, after)][:limit]

    def rows_of_each(self, questions: Sequence[Question]) -> list[list[Row]]:
        return [self.rows(each.table, each.where, order=each.order, limit=each.limit) for each in questions]

    def sums(self, table: Table, columns: Sequence[str], group_by: Sequence[str], where: Where) -> list[Row]:
        groups: dict[tuple[Value, ...], Row] = {}
        for row in self._tables.get(table.name, {}).values():
            if not matches(row, where):
                continue
            key = tuple(row[column] for column in group_by)
            empty: Row = dict(zip(group_by, key, strict=True)) | dict.fromkeys(columns, 0) | {"count": 0}
            total = groups.setdefault(key, empty)
            total["count"] = int(total["count"]) + 1  # type: ignore[call-overload]
            for column in columns:
                total[column] = int(total[column]) + int(row[column] or 0)  # type: ignore[call-overload]
        return [groups[key] for key in sorted(groups, key=lambda parts: tuple(map(rank, parts)))]

    def relay_position(self) -> int:
        return self._relay_position

    def record_relay_position(self, position: int) -> None:
        self._relay_position = max(self._relay_position, position)

    def rebuild_read_models(self) -> int:
        """Drops every row and makes it again from the events; gives how many were read."""
        self._tables.clear()
        for stored in self._log:
            self._change(self._projecting.changes([self.registry.decode(stored)]))
        return len(self._log)

    def read_model_hash(self, table: Table) -> str:
        """The hash of a whole read model, the same on every store that holds the same rows."""
        return hash_rows(table, self.rows(table, {}, limit=sys.maxsize))
