"""How fast the event store saves a batch, beside bare inserts of the same rows."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import uuid4

import psycopg
from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import InboxEntry, Work
from chassis.eventstore.migrations import migrate
from chassis.eventstore.postgres import PostgresEventStore
from chassis.testing import context, sample
from sandbox.servers.postgres import PostgresServer

from tests.performance.figures import Baseline, Figure, Sums

SIZE = 500
_EVENT_COLUMNS = "originator_version, topic, state, chain"


def saving(folder: Path, batches: int) -> Figure:
    """The row: events a second, in batches of 500 events, 500 inbox ids and 500 rows of a read model."""
    with PostgresServer(folder / "saving") as server:
        server.ensure_database("speed", owner_role="o", owner_password="o", app_role="a", app_password="a")
        migrate(server.dsn("speed", "o", "o"), sample.TABLES, "a")
        dsn = server.dsn("speed", "a", "a")
        with PostgresEventStore(dsn, sample.registry(), [sample.project_purses], sample.TABLES) as store:
            seconds = median(_save(store, number) for number in range(batches))
            position, _ = store.verify_chain()
            with psycopg.connect(dsn) as connection:
                bare = median(_bare_insert(connection, number) for number in range(batches))
    return Figure(
        row="save",
        work=f"batch of {SIZE} events, inbox ids and rows saved, chained, in one transaction",
        value=SIZE / seconds,
        unit="events/s",
        baseline=Baseline("COPY of the same events and ids, one UPDATE of the rows", SIZE / bare),
        sums=(Sums("events in the chain", str(SIZE * batches), str(position)),),
    )


def _save(store: PostgresEventStore, number: int) -> float:
    work = Work(store, context())
    identities = [sample.purse_id((number % 8, place)) for place in range(SIZE)]
    work.prefetch(identities)
    for place, identity in enumerate(identities):
        purse = work.get_or_new(sample.Purse, identity)
        if purse.exists:
            purse.fill(Money(1))
        else:
            purse.open("owner")
        work.answer(InboxEntry(derive("speed", number, place), bytes(32)))
    began = perf_counter()
    work.commit()
    return perf_counter() - began


def _bare_insert(connection: psycopg.Connection[tuple[object, ...]], number: int) -> float:
    rows = connection.execute(f"SELECT {_EVENT_COLUMNS} FROM stored_events LIMIT {SIZE}".encode()).fetchall()
    purses = [row[0] for row in connection.execute(f"SELECT purse_id FROM purses LIMIT {SIZE}".encode()).fetchall()]
    connection.commit()
    began = perf_counter()
    with connection.cursor() as cursor:
        statement = f"COPY stored_events (originator_id, notification_id, {_EVENT_COLUMNS}) FROM STDIN"
        with cursor.copy(statement.encode()) as out:
            for place, row in enumerate(rows):
                out.write_row((uuid4(), 10**9 + number * SIZE + place, *row))
        with cursor.copy("COPY inbox (id, content_hash) FROM STDIN") as out:
            for _ in rows:
                out.write_row((uuid4(), bytes(32)))
        cursor.execute("UPDATE purses SET fills = fills + 1 WHERE purse_id = ANY(%s)", (purses,))
    connection.commit()
    return perf_counter() - began
