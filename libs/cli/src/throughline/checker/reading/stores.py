"""One store in one snapshot: its log beside its stream, its inbox, what waits, its read models, its guards."""

from __future__ import annotations

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from throughline.checker.books.claims import ClaimsBook
from throughline.checker.books.every_store import Book
from throughline.checker.books.intake import IntakeBook
from throughline.checker.books.ledger import LedgerBook
from throughline.checker.books.payments import PaymentsBook
from throughline.checker.books.reconciliation import ReconciliationBook
from throughline.checker.folding import Sources, fold_log
from throughline.checker.invariants.secrets_kept import Search
from throughline.checker.reading.guards import guard_faults
from throughline.checker.reading.spans import check_spans
from throughline.checker.records import Parked, StoredEvent
from throughline.checker.result import Failures
from throughline.checker.rows import Comparison, Rebuilt, compare
from throughline.checker.world import Store

ROWS_AT_ONCE = 2000
CONNECT_SECONDS = 5

BOOKS: dict[str, type[Book]] = {
    "intake": IntakeBook,
    "claims": ClaimsBook,
    "payments": PaymentsBook,
    "ledger": LedgerBook,
    "reconciliation": ReconciliationBook,
}
_LOG = (
    "SELECT notification_id, originator_id, originator_version, topic, state, chain"
    " FROM stored_events ORDER BY notification_id"
)
_SPAN_KEYS = "SELECT DISTINCT key_id::text FROM raw_spans"
_PARKED = (
    "SELECT message_id::text, consumer, key::text, waiting_for::text, case_id::text,"
    " coalesce(headers->>'ce-type', subject), reason FROM parked_messages ORDER BY turn"
)


def read_store(service: str, dsn: str, sources: Sources) -> Store:
    """Everything of one store that the invariants need.

    Raises:
        psycopg.Error: it cannot be read.
    """
    with snapshot(dsn) as connection:
        store = Store(service, BOOKS.get(service, Book)())
        _read_log(connection, store, sources)
        _read_inbox(connection, store)
        store.parked = [Parked(*row) for row in connection.execute(_PARKED)]
        store.relay_position = _one_number(connection, "SELECT max(position) FROM relay_position")
        store.guards.extend(guard_faults(connection))
        store.span_count = check_spans(connection, store.book.inbound, store.spans)
        store.keys.update(str(row[0]) for row in connection.execute(_SPAN_KEYS))
        columns = _columns(connection)
        store.tables = [_compare(connection, table, columns) for table in store.book.tables()]
        if sources.search is not None:
            _search_tables(connection, service, columns, sources.search)
    return store


def snapshot(dsn: str) -> Connection[TupleRow]:
    """A connection whose every statement sees one and the same moment, and can change nothing."""
    connection = psycopg.connect(dsn, connect_timeout=CONNECT_SECONDS)
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return connection


def log_end(dsn: str) -> int:
    """The position of the last event of a store."""
    with snapshot(dsn) as connection:
        return _one_number(connection, "SELECT max(notification_id) FROM stored_events")


def _read_log(connection: Connection[TupleRow], store: Store, sources: Sources) -> None:
    with connection.cursor(name="log", binary=True) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(_LOG)
        fold_log((StoredEvent(*row) for row in cursor), store, sources)


def _read_inbox(connection: Connection[TupleRow], store: Store) -> None:
    with connection.cursor(name="inbox") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        for identity, content_hash in cursor.execute("SELECT id::text, content_hash FROM inbox"):
            if identity in store.inbox:
                store.inbox_twice.append(identity)
            store.inbox[identity] = bytes(content_hash)


def _columns(connection: Connection[TupleRow]) -> dict[str, dict[str, str]]:
    """Column types by table and column."""
    found: dict[str, dict[str, str]] = {}
    rows = connection.execute(
        "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c"
        " JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' ORDER BY c.table_name, c.ordinal_position"
    )
    for table, column, kind in rows:
        found.setdefault(table, {})[column] = kind
    return found


def _compare(connection: Connection[TupleRow], rebuilt: Rebuilt, columns: dict[str, dict[str, str]]) -> Comparison:
    missing = [name for name in (*rebuilt.key, *rebuilt.columns) if name not in columns.get(rebuilt.name, {})]
    if missing:
        failures = Failures()
        failures.add(f"{rebuilt.name}: no column {', '.join(missing)}")
        return Comparison(rebuilt.name, 0, failures)
    chosen = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(n)) for n in (*rebuilt.key, *rebuilt.columns))
    with connection.cursor(name="rows") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(sql.SQL("SELECT {} FROM {}").format(chosen, sql.Identifier(rebuilt.name)))
        return compare(rebuilt, cursor)


def _search_tables(
    connection: Connection[TupleRow], service: str, columns: dict[str, dict[str, str]], search: Search
) -> None:
    """Every table but the log, which has been searched; bytes as they are, everything else as text."""
    for table, kinds in columns.items():
        if table == "stored_events":
            continue
        kind = {"raw_spans": "sealed raw bytes", "parked_messages": "parked messages"}.get(table, "tables")
        with connection.cursor(name="search", binary=True) as cursor:
            cursor.itersize = ROWS_AT_ONCE
            cursor.execute(_everything_of(table, kinds))
            for first, *values in cursor:
                place = f"{service} {table} {first.decode(errors='replace')[:40]}"
                search.look(kind, place, b"\n".join(value for value in (first, *values) if value is not None))


def _everything_of(table: str, kinds: dict[str, str]) -> sql.Composed:
    chosen = [
        sql.Identifier(name)
        if kind == "bytea"
        else sql.SQL("convert_to({}::text, 'UTF8')").format(sql.Identifier(name))
        for name, kind in kinds.items()
    ]
    return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(chosen), sql.Identifier(table))


def _one_number(connection: Connection[TupleRow], query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row and row[0] is not None else 0
