"""Read models made again from the events."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresDatastore
from psycopg import Connection, Cursor, sql
from psycopg.rows import DictRow, TupleRow, tuple_row

from chassis.domain import Event
from chassis.eventstore import queries
from chassis.eventstore.projecting import Projecting
from chassis.eventstore.recorder import TAKE_LOG_LOCK
from chassis.eventstore.registry import EventRegistry
from chassis.eventstore.statements import ChangeWriter
from chassis.eventstore.tables import Gathered, Table

BATCH = 2_500
ROWS_AT_ONCE = 5_000
VALUES_GATHERED_MAX = 2_000_000
"""A row changes a few times over the log, far apart: the more are held in memory, the fewer are written twice. As values,
for rows of three columns and of forty take very different room: so many are some 120 MB."""


def rebuild(
    connection: Connection[DictRow],
    datastore: PostgresDatastore,
    registry: EventRegistry,
    projecting: Projecting,
    writer: ChangeWriter,
    tables: Sequence[Table],
) -> int:
    """Empties the tables and replays the whole log into them, in one transaction under the lock of the log.

    The log is read on a second connection, so that the server writes one batch while the next is decoded.
    """
    replayed = 0
    with _no_collections(), connection.pipeline(), connection.transaction(), datastore.get_connection() as reader:
        cursor = connection.cursor(row_factory=tuple_row)
        for query in TAKE_LOG_LOCK:
            cursor.execute(query)
        cursor.fetchall()
        if tables:
            names = sql.SQL(", ").join(sql.Identifier(table.name) for table in tables)
            cursor.execute(sql.SQL("TRUNCATE {}").format(names))
        gathered = Gathered()
        for events in _batches(reader.cursor(row_factory=tuple_row), registry):
            gathered.take(projecting.changes(events))
            replayed += len(events)
            if gathered.values >= VALUES_GATHERED_MAX:
                _write(cursor, writer, gathered)
        _write(cursor, writer, gathered)
        cursor.execute("UPDATE read_models SET is_built = true WHERE name = ANY(%s)", ([t.name for t in tables],))
    return replayed


def _write(cursor: Cursor[TupleRow], writer: ChangeWriter, gathered: Gathered) -> None:
    """Piece by piece, so that the server writes one while the next is put together."""
    changes = iter(gathered.drain())
    while piece := list(islice(changes, ROWS_AT_ONCE)):
        for statement in writer.statements(piece):
            cursor.execute(statement.query, statement.parameters, prepare=True)


def _batches(cursor: Cursor[TupleRow], registry: EventRegistry) -> Iterator[list[Event]]:
    """The log from its first event; while one batch is taken, a thread waits for the next."""
    with ThreadPoolExecutor(1, "rebuild-reader") as reader:
        begun = reader.submit(_read, cursor, 0)
        while found := begun.result():
            begun = reader.submit(_read, cursor, found[-1][4])
            yield [registry.decode(StoredEvent(row[0], row[1], row[2], row[3])) for row in found]


def _read(cursor: Cursor[TupleRow], after: int) -> list[TupleRow]:
    return cursor.execute(queries.LOG, queries.log_after(after, BATCH), prepare=True, binary=True).fetchall()


@contextmanager
def _no_collections() -> Iterator[None]:
    """Decoding makes millions of objects without one cycle; looking for cycles among them takes half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
