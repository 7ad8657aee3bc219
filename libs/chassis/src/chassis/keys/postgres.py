"""The key database: wrapped keys and aliases of all services, in a database of their own."""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import LiteralString, Self
from uuid import UUID, uuid4

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

from chassis.domain import Transient
from chassis.keys.cache import KeyCache
from chassis.keys.master import MasterKey
from chassis.keys.store import DEPLOYMENT_KEY, KEY_BYTES, ErasedKey, refuse_deployment_key
from chassis.postgres import SchemaMissing, Step, applied_version, apply_steps
from chassis.postgres.migration import Owner

CACHED_KEYS_MAX = 50_000
CACHED_SECONDS = 300.0
POOL_MAX = 4
CONNECT_TIMEOUT_SECONDS = 5.0
ATTEMPTS_MAX = 3

STEPS = (
    Step(
        1,
        "keys",
        (
            "CREATE TABLE patient_keys (key_id uuid PRIMARY KEY, wrapped bytea NOT NULL,"
            " created_at timestamptz NOT NULL DEFAULT now())",
            "CREATE TABLE key_aliases (alias bytea PRIMARY KEY, key_id uuid NOT NULL)",
            "CREATE INDEX key_aliases_key_id_idx ON key_aliases (key_id)",
            "CREATE TABLE erased_keys (key_id uuid PRIMARY KEY, erased_at timestamptz NOT NULL DEFAULT now())",
        ),
    ),
)

_APP_GRANTS: tuple[LiteralString, ...] = (
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, INSERT ON patient_keys, key_aliases TO {role}",
    "GRANT SELECT ON erased_keys, schema_migrations TO {role}",
)
_ERASURE_GRANTS: tuple[LiteralString, ...] = (
    "GRANT USAGE ON SCHEMA public TO {role}",
    "GRANT SELECT, DELETE ON patient_keys, key_aliases TO {role}",
    "GRANT SELECT, INSERT ON erased_keys TO {role}",
    "GRANT SELECT ON schema_migrations TO {role}",
)

_EXISTING = "SELECT key_id, wrapped FROM patient_keys WHERE key_id = ANY(%b)"
# In one order everywhere, so that two callers that make the same keys do not wait for each other in a circle.
_CREATE = """
INSERT INTO patient_keys (key_id, wrapped)
SELECT made.key_id, made.wrapped FROM unnest(%b::uuid[], %b::bytea[]) AS made (key_id, wrapped)
WHERE NOT EXISTS (SELECT FROM erased_keys e WHERE e.key_id = made.key_id)
ORDER BY made.key_id ON CONFLICT DO NOTHING
"""
_ALIASES = "SELECT alias, key_id FROM key_aliases WHERE alias = ANY(%b)"
_LINK = """
INSERT INTO key_aliases (alias, key_id) SELECT * FROM unnest(%b::bytea[], %b::uuid[]) AS made (alias, key_id)
ORDER BY made.alias ON CONFLICT DO NOTHING
"""


def migrate_keys(owner_dsn: str, app_roles: Sequence[str], erasure_role: str | None = None) -> list[int]:
    """Makes the key database's tables. Services may add and read; the erasure role alone may delete."""

    def afterwards(connection: Owner) -> None:
        database = sql.Identifier(connection.info.dbname)
        granted = [(role, _APP_GRANTS) for role in app_roles]
        if erasure_role is not None:
            granted.append((erasure_role, _ERASURE_GRANTS))
        for role, grants in granted:
            name = sql.Identifier(role)
            connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, name))
            for grant in grants:
                connection.execute(sql.SQL(grant).format(role=name))

    return apply_steps(owner_dsn, STEPS, afterwards)


class PostgresKeyStore:
    """Keys in PostgreSQL, wrapped by a master key; unwrapped ones are kept in memory for at most five minutes.

    Aliases are stored as their HMAC under the deployment key, so that the database alone does not tell them.
    """

    def __init__(self, dsn: str, master: MasterKey, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._master = master
        self._alias_key: bytes | None = None
        self._cache = KeyCache(CACHED_KEYS_MAX, CACHED_SECONDS, monotonic)
        self._pool = ConnectionPool(
            dsn,
            min_size=0,
            max_size=POOL_MAX,
            timeout=CONNECT_TIMEOUT_SECONDS,
            reconnect_timeout=CONNECT_TIMEOUT_SECONDS,
            kwargs={"autocommit": True},
            open=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._pool.close()

    def refuse_missing_schema(self) -> None:
        """Raises SchemaMissing where the key database's migration has not run."""
        with self._connection() as connection:
            found = applied_version(connection.cursor())
        if found < STEPS[-1].version:
            raise SchemaMissing(f"key database: schema version {STEPS[-1].version} is needed, found {found}")

    def keys_for(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        wanted = list(dict.fromkeys(key_ids))
        found = self.existing(wanted)
        if len(found) == len(wanted):
            return found
        missing = [key_id for key_id in wanted if key_id not in found]
        made = [self._master.wrap(os.urandom(KEY_BYTES)) for _ in missing]
        self._ask(_CREATE, (missing, made))
        found |= self.existing(missing)
        for key_id in wanted:
            if key_id not in found:
                raise ErasedKey(key_id)
        return found

    def existing(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        wanted = list(key_ids)
        found = self._cache.find(wanted)
        missing = [key_id for key_id in wanted if key_id not in found] if len(found) < len(wanted) else ()
        if missing:
            rows = self._ask(_EXISTING, (missing,))
            read = {key_id: self._master.unwrap(wrapped) for key_id, wrapped in rows}
            self._cache.keep(read)
            found |= read
        return found

    def key_ids_for_aliases(self, aliases: Iterable[str]) -> dict[str, UUID]:
        wanted = {alias: self._blinded(alias) for alias in aliases}
        found: dict[bytes, UUID] = dict(self._ask(_ALIASES, (list(wanted.values()),)))
        fresh = {alias: uuid4() for alias, blinded in wanted.items() if blinded not in found}
        linked = self.link_aliases(fresh) if fresh else {}
        return {alias: linked.get(alias) or found[blinded] for alias, blinded in wanted.items()}

    def link_aliases(self, links: Mapping[str, UUID]) -> dict[str, UUID]:
        blinded = {alias: self._blinded(alias) for alias in links}
        self._ask(_LINK, (list(blinded.values()), list(links.values())))
        found: dict[bytes, UUID] = dict(self._ask(_ALIASES, (list(blinded.values()),)))
        return {alias: found[hidden] for alias, hidden in blinded.items()}

    def link_alias(self, alias: str, key_id: UUID) -> UUID:
        return self.link_aliases({alias: key_id})[alias]

    def erase(self, key_id: UUID) -> None:
        refuse_deployment_key(key_id)
        with self._connection() as connection, connection.transaction():
            connection.execute("INSERT INTO erased_keys (key_id) VALUES (%s) ON CONFLICT DO NOTHING", (key_id,))
            connection.execute("DELETE FROM key_aliases WHERE key_id = %s", (key_id,))
            connection.execute("DELETE FROM patient_keys WHERE key_id = %s", (key_id,))
        self._cache.forget(key_id)

    def _blinded(self, alias: str) -> bytes:
        if self._alias_key is None:  # asked for once, not once an alias: it is never erased
            self._alias_key = self.keys_for([DEPLOYMENT_KEY])[DEPLOYMENT_KEY]
        return hmac.digest(self._alias_key, b"alias|" + alias.encode(), "sha256")

    def _ask(self, query: LiteralString, parameters: Sequence[object]) -> list[TupleRow]:
        """Every statement here may be repeated, so a lost connection is tried again."""
        for attempt in range(1, ATTEMPTS_MAX + 1):
            try:
                with self._connection() as connection:
                    cursor = connection.execute(query, parameters, prepare=True, binary=True)
                    return cursor.fetchall() if cursor.description else []
            except Transient:
                if attempt == ATTEMPTS_MAX:
                    raise
        raise AssertionError("unreachable")

    @contextmanager
    def _connection(self) -> Iterator[Connection[TupleRow]]:
        try:
            self._pool.open()
            with self._pool.connection() as connection:
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise Transient(f"key database: {error}") from error
