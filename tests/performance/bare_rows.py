"""The bare baseline of everything that writes: the same rows, copied in batches into tables without any of our care."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from throughline.stack.roster import MEMBERS

from tests.performance.world import World

ROWS_PER_COMMIT = 500
PLAIN_TABLES = ("stored_events", "inbox", "raw_spans")
JSONB = psycopg.adapters.types["jsonb"].oid
ALL = sql.SQL("true")

Connection = psycopg.Connection[tuple[object, ...]]


def transaction_marks(world: World) -> dict[str, int]:
    """Each service's database at this moment, for `bare_insert_seconds`."""
    found = {}
    for service in (member.name for member in MEMBERS):
        mark = world.ask(service, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")[0][0]
        assert isinstance(mark, int)
        found[service] = mark
    return found


def bare_insert_seconds(world: World, since: Mapping[str, int]) -> float:
    """Seconds to write again every row that was written since: events, inbox ids, raw bytes and read models.

    A commit each 500 rows, with the indexes of the originals; nothing is looked up or decided.
    """
    seconds = 0.0
    for service, mark in since.items():
        newer = sql.SQL("xmin::text::bigint >= {}").format(sql.Literal(mark))
        with psycopg.connect(world.running.database(service).owner_dsn) as connection:
            for table in (*PLAIN_TABLES, *read_model_names(connection)):
                seconds += copy_again_seconds(connection, table, newer)
    return seconds


def read_model_names(connection: Connection) -> list[str]:
    """The tables that are made from events."""
    return [str(row[0]) for row in connection.execute("SELECT name FROM read_models").fetchall()]


def copy_again_seconds(connection: Connection, table: str, where: sql.Composable = ALL) -> float:
    """Seconds to copy rows that were read beforehand into an empty table of the same make."""
    name, bare = sql.Identifier(table), sql.Identifier(f"bare_{table}")
    connection.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING INDEXES)").format(bare, name))
    cursor = connection.execute(sql.SQL("SELECT * FROM {} WHERE {}").format(name, where))
    columns = [sql.Identifier(column.name) for column in cursor.description or ()]
    oids = [column.type_code for column in cursor.description or ()]
    rows = [_writable(row, oids) for row in cursor]
    connection.commit()
    copy = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(bare, sql.SQL(", ").join(columns))
    began = perf_counter()
    for start in range(0, len(rows), ROWS_PER_COMMIT):
        _copy(connection, copy, oids, rows[start : start + ROWS_PER_COMMIT])
        connection.commit()
    seconds = perf_counter() - began
    connection.execute(sql.SQL("DROP TABLE {}").format(bare))
    connection.commit()
    return seconds


def _writable(row: tuple[object, ...], oids: Sequence[int]) -> tuple[object, ...]:
    return tuple(Jsonb(value) if oid == JSONB else value for value, oid in zip(row, oids, strict=True))


def _copy(
    connection: Connection, statement: sql.Composed, oids: Sequence[int], rows: Sequence[tuple[object, ...]]
) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(oids)
        for row in rows:
            copy.write_row(row)
