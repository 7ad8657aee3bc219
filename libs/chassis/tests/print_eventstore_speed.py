"""Prints how fast the event store is on this machine, beside bare inserts of the same rows in the same run.

Run it by hand: `python libs/chassis/tests/print_eventstore_speed.py [batches]`.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
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

SIZE = 500


def save_batch(store: PostgresEventStore, number: int) -> tuple[float, float]:
    """Seconds to load and decide, and to save, 500 events of 500 aggregates with 500 inbox ids and 500 rows."""
    started = perf_counter()
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
    decided = perf_counter()
    work.commit()
    return decided - started, perf_counter() - decided


def bare_insert(connection: psycopg.Connection[tuple[object, ...]], number: int) -> float:
    """Seconds to copy and commit the same events and inbox ids, and to change as many rows, without any of our care."""
    columns = "originator_version, topic, state, chain"
    rows = connection.execute(f"SELECT {columns} FROM stored_events LIMIT {SIZE}".encode()).fetchall()
    purses = connection.execute(f"SELECT purse_id FROM purses LIMIT {SIZE}".encode()).fetchall()
    connection.commit()
    started = perf_counter()
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY stored_events (originator_id, notification_id, {columns}) FROM STDIN".encode()) as out:
            for place, row in enumerate(rows):
                out.write_row((uuid4(), 10**9 + number * SIZE + place, *row))
        with cursor.copy("COPY inbox (id, content_hash) FROM STDIN") as out:
            for _ in rows:
                out.write_row((uuid4(), bytes(32)))
        cursor.execute("UPDATE purses SET fills = fills + 1 WHERE purse_id = ANY(%s)", ([p for (p,) in purses],))
    connection.commit()
    return perf_counter() - started


def timed(task: Callable[[], object]) -> float:
    started = perf_counter()
    task()
    return perf_counter() - started


def show(what: str, amount: int, seconds: float, note: str = "") -> None:
    sys.stdout.write(f"{what:<34}{seconds * 1000:>10.1f} ms{amount / seconds:>12,.0f}/s  {note}\n")


def main(batches: int) -> None:
    with tempfile.TemporaryDirectory() as folder, PostgresServer(Path(folder)) as server:
        server.ensure_database("speed", owner_role="o", owner_password="o", app_role="a", app_password="a")
        migrate(server.dsn("speed", "o", "o"), sample.TABLES, "a")
        dsn = server.dsn("speed", "a", "a")
        with PostgresEventStore(dsn, sample.registry(), [sample.project_purses], sample.TABLES) as store:
            times = [save_batch(store, number) for number in range(batches)]
            load, save = median(t for t, _ in times), median(t for _, t in times)
            total = store.last_position()
            verify = timed(store.verify_chain)
            log = timed(lambda: store.log(0, total))
            rebuild = timed(store.rebuild_read_models)
            with psycopg.connect(dsn) as connection:
                bare = median(bare_insert(connection, number) for number in range(batches))
        show("save 500 events, ids and rows", SIZE, save, f"{save / bare:.1f} times bare inserts")
        show("bare inserts of the same", SIZE, bare)
        show("load and decide 500", SIZE, load)
        show("read and decode the log", total, log)
        show("verify the chain", total, verify)
        show("rebuild all read models", total, rebuild)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
