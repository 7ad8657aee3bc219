"""Versioned schema changes: run by a migration step under one lock, never by a starting service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import LiteralString

import psycopg
from psycopg import Connection, Cursor, sql
from psycopg.rows import TupleRow

MIGRATION_LOCK = 0x7468_726F_7567_686C  # "throughl"
LOCK_TIMEOUT_SECONDS = 120

_VERSIONS_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class SchemaMissing(RuntimeError):
    """The database is behind the code; a service refuses to start on it, and says what to run."""


@dataclass(frozen=True)
class Step:
    """One change of the schema, applied once, in order of `version`. Applied steps are never edited."""

    version: int
    name: str
    statements: tuple[LiteralString, ...]


Owner = Connection[TupleRow]


def apply_steps(owner_dsn: str, steps: Sequence[Step], afterwards: Callable[[Owner], None]) -> list[int]:
    """Applies the steps that are missing and then `afterwards` (grants, read models), all in one transaction.

    Two runs at once are safe: the second waits for the first and finds everything done. Gives the versions applied.
    """
    with psycopg.connect(owner_dsn) as connection, connection.transaction():
        connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(f"{LOCK_TIMEOUT_SECONDS}s"))
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        connection.execute(_VERSIONS_TABLE)
        present = {version for (version,) in connection.execute("SELECT version FROM schema_migrations")}
        missing = [step for step in steps if step.version not in present]
        for step in missing:
            for statement in step.statements:
                connection.execute(statement)
            connection.execute(
                "INSERT INTO schema_migrations (version, name) VALUES (%s, %s)", (step.version, step.name)
            )
        afterwards(connection)
    return [step.version for step in missing]


def applied_version(cursor: Cursor[TupleRow]) -> int:
    """The newest schema version of a database, 0 where no migration ever ran for this role."""
    try:
        row = cursor.execute("SELECT max(version) FROM schema_migrations").fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        return 0
    return int(row[0] or 0) if row else 0
