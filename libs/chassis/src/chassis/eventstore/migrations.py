"""Makes and renews the tables of an event store, as their owner; a service only asks whether they are there."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import Cursor, sql
from psycopg.rows import TupleRow

from chassis.eventstore.schema import GRANTS, STEPS, create_read_model, fingerprint
from chassis.eventstore.tables import Table
from chassis.postgres import SchemaMissing, applied_version, apply_steps
from chassis.postgres.migration import Owner

SCHEMA_VERSION = STEPS[-1].version
_WHAT_TO_DO = "run `python -m chassis.runtime.operate migrate` as its owner first"


def migrate(owner_dsn: str, tables: Sequence[Table], app_role: str) -> list[int]:
    """Brings the database to this code's schema and gives the application's role exactly what it needs.

    A read model whose declaration has changed is dropped and made anew, empty; `stale_read_models` names it until the
    store has rebuilt it. Doing it again changes nothing. Gives the versions applied.
    """

    def afterwards(connection: Owner) -> None:
        app = sql.Identifier(app_role)
        for grant in GRANTS:
            connection.execute(sql.SQL(grant).format(app=app))
        for table in tables:
            _ensure_read_model(connection, table, app)

    return apply_steps(owner_dsn, STEPS, afterwards)


def _ensure_read_model(connection: Owner, table: Table, app: sql.Identifier) -> None:
    name = sql.Identifier(table.name)
    have = connection.execute("SELECT fingerprint FROM read_models WHERE name = %s", (table.name,)).fetchone()
    if have != (fingerprint(table),):
        connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name))
        for statement in create_read_model(table):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO read_models (name, fingerprint, is_built)"
            " VALUES (%s, %s, NOT EXISTS (SELECT FROM stored_events)) ON CONFLICT (name)"
            " DO UPDATE SET fingerprint = EXCLUDED.fingerprint, is_built = EXCLUDED.is_built",
            (table.name, fingerprint(table)),
        )
    connection.execute(sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON {} TO {}").format(name, app))


def refuse_missing_schema(cursor: Cursor[TupleRow], tables: Sequence[Table]) -> None:
    """What a starting service asks of its database.

    Raises:
        SchemaMissing: the migration step has not run for this version of the code; names what is missing.
    """
    found = applied_version(cursor)
    if found < SCHEMA_VERSION:
        raise SchemaMissing(f"schema version {SCHEMA_VERSION} is needed, found {found}: {_WHAT_TO_DO}")
    known: dict[str, str] = dict(cursor.execute("SELECT name, fingerprint FROM read_models").fetchall())
    for table in tables:
        if known.get(table.name) != fingerprint(table):
            raise SchemaMissing(f"read model {table.name} is not as this version needs it: {_WHAT_TO_DO}")


def stale_read_models(cursor: Cursor[TupleRow]) -> list[str]:
    """The read models that were made after events had been stored and have not been rebuilt since."""
    found = cursor.execute("SELECT name FROM read_models WHERE NOT is_built ORDER BY name").fetchall()
    return [name for (name,) in found]
