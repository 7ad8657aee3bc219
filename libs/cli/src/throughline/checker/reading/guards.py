"""What keeps a log from being changed: triggers that refuse, rights that are not given, writes that reach the disk."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import Connection
from psycopg.rows import TupleRow

GUARDED = ("stored_events", "inbox", "raw_spans")
BEFORE = 2
CHANGES = {8: "DELETE", 16: "UPDATE", 32: "TRUNCATE"}
"""Bits of `pg_trigger.tgtype`."""

_TRIGGERS = """
SELECT c.relname, t.tgtype::int, t.tgenabled::text, p.prosrc
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE c.relname = ANY(%s) AND c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal
"""
_RIGHTS = """
SELECT c.relname, a.privilege_type, a.grantee::regrole::text
FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
WHERE c.relname = ANY(%s) AND c.relnamespace = 'public'::regnamespace AND a.grantee <> c.relowner
  AND a.privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER')
"""
_SETTINGS = """
SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit')
"""


def guard_faults(connection: Connection[TupleRow]) -> Iterable[str]:
    """Every way in which the append-only tables of a store could be changed, or a commit be lost."""
    yield from unguarded(connection.execute(_TRIGGERS, (list(GUARDED),)).fetchall())
    for table, right, role in connection.execute(_RIGHTS, (list(GUARDED),)):
        yield f"{table}: {role} has the right to {right}"
    settings = connection.execute(_SETTINGS).fetchone()
    assert settings is not None
    yield from unsafe_settings(*settings)


def unguarded(triggers: Iterable[tuple[str, int, str, str]]) -> Iterable[str]:
    """Changes that no trigger refuses, from (table, type bits, enabled, source of its function)."""
    refused: dict[str, int] = dict.fromkeys(GUARDED, 0)
    for table, bits, enabled, source in triggers:
        if enabled == "A" and bits & BEFORE and "RAISE EXCEPTION" in source.upper():
            refused[table] |= bits
    for table, bits in refused.items():
        open_to = [word for bit, word in CHANGES.items() if not bits & bit]
        if open_to:
            yield f"{table}: no trigger that is always enabled refuses {', '.join(open_to)}"


def unsafe_settings(fsync: str, full_page_writes: str, synchronous_commit: str) -> Iterable[str]:
    """Settings under which a commit that was answered may be lost."""
    if fsync != "on":
        yield f"fsync is {fsync}"
    if full_page_writes != "on":
        yield f"full_page_writes is {full_page_writes}"
    if synchronous_commit in ("off", "local"):
        yield f"synchronous_commit is {synchronous_commit}"
