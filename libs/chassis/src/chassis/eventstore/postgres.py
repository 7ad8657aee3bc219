"""The event store on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self
from uuid import UUID

import psycopg
from eventsourcing.persistence import (
    IntegrityError,
    InterfaceError,
    OperationalError,
    StoredEvent,
)
from eventsourcing.utils import retry
from psycopg import Cursor
from psycopg.rows import TupleRow, tuple_row

from chassis.domain import Event, Transient
from chassis.eventstore import migrations, queries
from chassis.eventstore.chain import GENESIS, ChainedEvent, verify
from chassis.eventstore.columns import packed
from chassis.eventstore.datastore import Datastore
from chassis.eventstore.port import Commit, History, LoggedEvent, ParkedMessage, RawSpan, SnapshotRow, VersionConflict
from chassis.eventstore.projecting import Projecting
from chassis.eventstore.rebuild import rebuild
from chassis.eventstore.recorder import ATTEMPTS_MAX, RETRY_WAIT_SECONDS, ChainedRecorder, LockTimeout, Statement
from chassis.eventstore.registry import EventRegistry
from chassis.eventstore.statements import ChangeWriter, batch_of
from chassis.eventstore.tables import Order, Projection, Question, Row, Table, Where, coalesce, hash_rows
from chassis.postgres import UnsafeSetting, refuse_unsafe_values
from chassis.postgres.settings import NEEDED

VERIFY_BATCH = 5_000
HASH_BATCH = 5_000


class PostgresEventStore:
    """One service's store. `tables` are all its read models; the schema is there already (`migrations.migrate`).

    Connections are opened when first needed. `channel` is what commits with events notify.
    """

    def __init__(
        self,
        dsn: str,
        registry: EventRegistry,
        projections: Sequence[Projection] = (),
        tables: Sequence[Table] = (),
        *,
        pool_size: int = 2,
        pool_overflow: int = 8,
    ) -> None:
        self.registry = registry
        self._projecting = Projecting(projections)
        self.tables = tuple(tables)
        self.datastore = Datastore(dsn, pool_size=pool_size, pool_overflow=pool_overflow)
        self.recorder = ChainedRecorder(self.datastore)
        self.channel = self.recorder.channel_name
        self._writer = ChangeWriter(self.tables)
        self._has_snapshots = any(kind.snapshot_every for kind in registry.aggregates)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.datastore.close()

    def save(self, commit: Commit) -> int:
        """See `EventStore.save`. Lost connections are tried again, ten times within the call."""
        stored = [self.registry.encode(event) for event in commit.events]
        changes = coalesce(self._projecting.changes(commit.events))
        batch = batch_of(commit, self._writer.statements(changes))
        with technical_failures():
            positions = self.recorder.insert_events(stored, batch=batch)
        return positions[-1] if positions else 0

    def load(self, ids: Iterable[UUID]) -> dict[UUID, History]:
        wanted = packed("uuid", list(ids))
        if self._has_snapshots:
            found = self._ask(queries.HISTORIES_AND_SNAPSHOTS, {"ids": wanted})
        else:
            found = self._ask(queries.HISTORIES, (wanted,))
        histories: dict[UUID, History] = {}
        for identity, version, topic, state, is_snapshot in found:
            if is_snapshot:
                histories[identity] = History(SnapshotRow(identity, version, topic, state), [])
                continue
            history = histories.get(identity) or histories.setdefault(identity, History(None, []))
            history.events.append(self.registry.decode(StoredEvent(identity, version, topic, state)))
        return histories

    def story(self, identity: UUID, *, after: int = 0, limit: int | None = None) -> list[Event]:
        return [
            self.registry.decode(StoredEvent(owner, version, topic, state))
            for owner, version, topic, state in self._ask(queries.STORY, (identity, after, limit))
        ]

    def answered(self, ids: Iterable[UUID]) -> dict[UUID, bytes]:
        return dict(self._ask(queries.ANSWERED, (packed("uuid", list(ids)),)))

    def log(self, after: int, limit: int) -> Sequence[LoggedEvent]:
        return [
            self.registry.logged(position, StoredEvent(identity, version, topic, state))
            for identity, version, topic, state, position in self._ask(queries.LOG, queries.log_after(after, limit))
        ]

    def last_position(self) -> int:
        return int(self._ask(queries.LAST_POSITION)[0][0])

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
        question = queries.parked(keys, waiting_for, message_ids, consumer, only_waiting, limit)
        return [ParkedMessage(*row) for row in self._answer(question)]

    def spans(self, message_id: UUID) -> list[RawSpan]:
        return [RawSpan(*row) for row in self._ask(queries.SPANS, (message_id,))]

    def rows(
        self, table: Table, where: Where, *, order: Order = (), limit: int = 1000, after: Row | None = None
    ) -> list[Row]:
        names = list(table.columns)
        return [
            dict(zip(names, row, strict=True)) for row in self._answer(queries.rows(table, where, order, limit, after))
        ]

    def rows_of_each(self, questions: Sequence[Question]) -> list[list[Row]]:
        if len(questions) <= 1:
            return [self.rows(each.table, each.where, order=each.order, limit=each.limit) for each in questions]
        statements = [queries.rows(each.table, each.where, each.order, each.limit) for each in questions]
        with technical_failures():
            answers: list[list[TupleRow]] = self._asked_at_once(statements)
        return [
            [dict(zip(each.table.columns, row, strict=True)) for row in found]
            for each, found in zip(questions, answers, strict=True)
        ]

    def sums(self, table: Table, columns: Sequence[str], group_by: Sequence[str], where: Where) -> list[Row]:
        names = [*group_by, *columns, "count"]
        found = self._answer(queries.sums(table, columns, group_by, where))
        return [dict(zip(names, row, strict=True)) for row in found]

    def relay_position(self) -> int:
        return int(self._ask(queries.RELAY_POSITION)[0][0])

    def record_relay_position(self, position: int) -> None:
        """Keeps the greatest position ever recorded."""
        self._ask(queries.RECORD_RELAY_POSITION, (position,))

    def rebuild_read_models(self) -> int:
        """Drops every row and makes it again from the events, in one transaction; gives how many were read.

        Commits wait meanwhile, and so do readers of the read models.
        """
        with technical_failures(), self.datastore.get_connection() as connection:
            return rebuild(connection, self.datastore, self.registry, self._projecting, self._writer, self.tables)

    def read_model_hash(self, table: Table) -> str:
        """The hash of a whole read model, the same on every store that holds the same rows."""
        with technical_failures(), self._cursor() as cursor, cursor.connection.transaction():
            question = queries.rows(table, {}, (), 2**62)
            with cursor.connection.cursor("hashed", row_factory=tuple_row) as streamed:
                streamed.itersize = HASH_BATCH
                streamed.execute(question.query, question.parameters)
                return hash_rows(table, (dict(zip(table.columns, row, strict=True)) for row in streamed))

    def verify_chain(self) -> tuple[int, bytes]:
        """Follows the chain from the first event; gives the last position and link.

        Raises:
            BrokenChain: names the first position that does not hold.
        """
        position, previous = 0, GENESIS
        while found := self._ask(queries.CHAINED_LOG, (position, VERIFY_BATCH)):
            events = [ChainedEvent(row[4], StoredEvent(row[0], row[1], row[2], row[3]), row[5]) for row in found]
            position, previous = verify(events, position=position, previous=previous)
        return position, previous

    def stale_read_models(self) -> list[str]:
        """The read models to rebuild before the service may start."""
        with technical_failures(), self._cursor() as cursor:
            return migrations.stale_read_models(cursor)

    def refuse_missing_schema(self) -> None:
        """Raises SchemaMissing where the migration step has not run for this version of the code."""
        with technical_failures(), self._cursor() as cursor:
            migrations.refuse_missing_schema(cursor, self.tables)

    @contextmanager
    def _cursor(self) -> Iterator[Cursor[TupleRow]]:
        with self.datastore.get_connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
            yield cursor

    def _answer(self, question: Statement) -> list[TupleRow]:
        return self._ask(question.query, question.parameters)

    def _ask(self, query: Any, parameters: Any = ()) -> list[TupleRow]:
        with technical_failures():
            rows: list[TupleRow] = self._asked(query, parameters)
        return rows

    @retry((InterfaceError, OperationalError), max_attempts=ATTEMPTS_MAX, wait=RETRY_WAIT_SECONDS)
    def _asked(self, query: Any, parameters: Any) -> list[TupleRow]:
        with self._cursor() as cursor:
            cursor.execute(query, parameters or None, prepare=True, binary=True)
            return cursor.fetchall() if cursor.description else []

    @retry((InterfaceError, OperationalError), max_attempts=ATTEMPTS_MAX, wait=RETRY_WAIT_SECONDS)
    def _asked_at_once(self, statements: Sequence[Statement]) -> list[list[TupleRow]]:
        with self.datastore.get_connection() as connection, connection.pipeline():
            cursors = [connection.cursor(row_factory=tuple_row) for _ in statements]
            for cursor, statement in zip(cursors, statements, strict=True):
                cursor.execute(statement.query, statement.parameters, prepare=True, binary=True)
            return [cursor.fetchall() for cursor in cursors]


@contextmanager
def technical_failures() -> Iterator[None]:
    """The library's and the driver's errors by our names. What is neither a conflict nor technical passes: it is a bug."""
    try:
        yield
    except IntegrityError as error:
        cause = error.__cause__
        if cause is not None and not isinstance(cause, psycopg.errors.UniqueViolation):
            raise
        raise VersionConflict(_constraint(cause) or str(error)) from error
    except (InterfaceError, OperationalError, LockTimeout) as error:
        raise Transient(f"PostgreSQL: {error}") from error


def _constraint(cause: BaseException | None) -> str:
    """Which constraint refused, without the values."""
    if not isinstance(cause, psycopg.Error) or cause.diag.constraint_name is None:
        return ""
    return f"{cause.diag.constraint_name} is taken"


def refuse_unsafe_settings(store: PostgresEventStore) -> None:
    """What a starting service asserts of its store.

    Raises:
        UnsafeSetting: names the setting, its value and what is needed.
    """
    if store.datastore.enable_db_functions:
        raise UnsafeSetting(
            "POSTGRES_ENABLE_DB_FUNCTIONS", "on", "off: its inserts take no lock, and readers skip events"
        )
    refuse_unsafe_values(dict(store._ask(queries.SETTINGS, (list(NEEDED),))))
