"""The recorder: one transaction for a whole batch, its events in one gap-free, chained order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import psycopg
from eventsourcing.persistence import IntegrityError, InterfaceError, OperationalError, PersistenceError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from eventsourcing.utils import retry
from psycopg import Cursor
from psycopg.rows import TupleRow, tuple_row
from psycopg.sql import SQL, Composed

from chassis.eventstore.chain import GENESIS, link
from chassis.eventstore.columns import Packed, packed
from chassis.eventstore.tables import SqlType

LOG_LOCK = int.from_bytes(sha256(b"throughline stored_events").digest()[:8], "big", signed=True)
LOCK_TIMEOUT_SECONDS = 5
ATTEMPTS_MAX = 10
RETRY_WAIT_SECONDS = 0.2

# An advisory lock and not the library's LOCK TABLE, which needs the right to update, delete or truncate: the
# application's role has none of these on its events. Each commit takes it before it reads the end of the log and holds
# it to its end, so positions have no holes and are in commit order. Should anything ever insert beside the lock, the
# unique index on positions refuses it.
TAKE_LOG_LOCK: tuple[str, ...] = (
    f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'",
    f"SELECT pg_advisory_xact_lock({LOG_LOCK})",
)
# Its own statement, not part of the one that takes the lock: a statement sees what was committed when it began.
_LAST = "SELECT notification_id, chain FROM stored_events ORDER BY notification_id DESC LIMIT 1"
_PREDECESSORS = """
SELECT count(*) FROM unnest(%b::uuid[], %b::bigint[]) AS wanted (id, version)
JOIN stored_events e ON e.originator_id = wanted.id AND e.originator_version = wanted.version
"""
_INSERT = """
INSERT INTO stored_events (originator_id, originator_version, topic, state, notification_id, chain)
SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[], %b::bigint[], %b::bytea[])
"""

_INSERTED: tuple[SqlType, ...] = ("uuid", "bigint", "text", "bytea", "bigint", "bytea")


class LockTimeout(PersistenceError):
    """Another commit held the log for too long. Not retried here: the caller has its own, longer patience."""


class HandledMeanwhile(IntegrityError):
    """Rows that this batch takes away, or was decided on, are others by now: another batch was quicker."""


class HistoryMoved(IntegrityError):
    """The event before the first new one of an aggregate is not there."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with its parameters, ready to run; with `rows_expected`, any other number of rows refuses the whole batch."""

    query: bytes | SQL | Composed
    parameters: Sequence[object]
    rows_expected: int | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What is saved together with events: statements that need no order first, the others under the lock of the log."""

    unlocked: Sequence[Statement] = field(default_factory=tuple)
    locked: Sequence[Statement] = field(default_factory=tuple)


class ChainedRecorder(PostgresApplicationRecorder):
    """The library's recorder with our insert; its reading methods and subscriptions work unchanged."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        super().__init__(datastore, events_table_name="stored_events")

    @retry((InterfaceError, OperationalError), max_attempts=ATTEMPTS_MAX, wait=RETRY_WAIT_SECONDS)
    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Inserts events and the `batch` beside them, everything or nothing; gives the events' positions.

        Raises:
            IntegrityError: a version, a message id or a raw message is taken, perhaps by an earlier attempt of this
                very call whose COMMIT was not answered.
            LockTimeout: another commit did not end in time.
        """
        batch: Batch = kwargs.get("batch") or Batch()
        with (
            self.datastore.get_connection() as connection,
            connection.pipeline() as pipeline,
            connection.transaction(),
        ):
            cursor = connection.cursor(row_factory=tuple_row)
            try:
                _execute(cursor, batch.unlocked)
                positions = _append(cursor, stored_events)
                counted = _execute(cursor, batch.locked)
                if positions:
                    self._notify_channel(connection.cursor())
                # Refusals come out here by their own names, not as a failed COMMIT.
                pipeline.sync()
                _refuse_other_counts(counted)
            except psycopg.errors.LockNotAvailable as error:
                raise LockTimeout(f"the log was locked for {LOCK_TIMEOUT_SECONDS} s") from error
        return positions


def _execute(cursor: Cursor[TupleRow], statements: Sequence[Statement]) -> list[tuple[Cursor[TupleRow], int]]:
    """Sends the statements; those whose rows are counted come back, each with its own cursor and the number expected."""
    counted = []
    for statement in statements:
        if statement.rows_expected is None:
            cursor.execute(statement.query, statement.parameters, prepare=True)
            continue
        own = cursor.connection.cursor(row_factory=tuple_row)
        own.execute(statement.query, statement.parameters, prepare=True)
        counted.append((own, statement.rows_expected))
    return counted


def _refuse_other_counts(counted: Sequence[tuple[Cursor[TupleRow], int]]) -> None:
    for cursor, expected in counted:
        if cursor.rowcount != expected:
            raise HandledMeanwhile("rows that the batch was decided on have changed meanwhile")


def _append(cursor: Cursor[TupleRow], stored_events: Sequence[StoredEvent]) -> Sequence[int]:
    before = _predecessors(stored_events)
    for query in TAKE_LOG_LOCK:
        cursor.execute(query, prepare=True)
    if not stored_events:
        return ()
    last = cursor.execute(_LAST, prepare=True).fetchone()
    if before:
        found = cursor.execute(_PREDECESSORS, _columns(before, ("uuid", "bigint")), prepare=True).fetchone()
        if found != (len(before),):
            raise HistoryMoved("an aggregate's earlier event is missing")
    position, chain = last or (0, GENESIS)
    rows = []
    for stored in stored_events:
        position += 1
        chain = link(chain, position, stored)
        rows.append((stored.originator_id, stored.originator_version, stored.topic, stored.state, position, chain))
    cursor.execute(_INSERT, _columns(rows, _INSERTED), prepare=True)
    return [row[4] for row in rows]


def _predecessors(stored_events: Sequence[StoredEvent]) -> list[tuple[object, int]]:
    """The events that must be there already: the one before the first new one of each aggregate."""
    versions: dict[object, int] = {}
    first: list[tuple[object, int]] = []
    for stored in stored_events:
        before = versions.get(stored.originator_id, stored.originator_version - 1)
        if stored.originator_version != before + 1:
            raise HistoryMoved("an aggregate's new events are not in a row")
        if stored.originator_id not in versions and before > 0:
            first.append((stored.originator_id, before))
        versions[stored.originator_id] = stored.originator_version
    return first


def _columns(rows: Sequence[tuple[object, ...]], kinds: Sequence[SqlType]) -> list[Packed]:
    return [packed(kind, column) for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)]
