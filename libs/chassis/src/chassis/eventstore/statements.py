"""What a commit changes beside its events, as a few statements of many rows each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import itemgetter

from psycopg import sql

from chassis.domain import Bug
from chassis.eventstore import queries
from chassis.eventstore.columns import packed
from chassis.eventstore.port import Commit, ParkedMessage
from chassis.eventstore.recorder import Batch, Statement
from chassis.eventstore.tables import Change, SqlType, Table

_SPANS = """
INSERT INTO raw_spans (message_id, ordinal, start, length, key_id, ciphertext)
SELECT * FROM unnest(%b::uuid[], %b::integer[], %b::bigint[], %b::bigint[], %b::uuid[], %b::bytea[])
"""
_INBOX = "INSERT INTO inbox (id, content_hash) SELECT * FROM unnest(%b::uuid[], %b::bytea[])"
_UNPARK = "DELETE FROM parked_messages WHERE message_id = ANY(%b)"
_EXPIRE = "SELECT expire_raw_spans(%b::uuid[])"
_PARK = """
INSERT INTO parked_messages
    (message_id, consumer, key, waiting_for, case_id, subject, headers, data, parked_at, reason)
SELECT * FROM unnest(%b::uuid[], %b::text[], %b::uuid[], %b::uuid[], %b::uuid[], %b::text[], %b::jsonb[], %b::bytea[],
    %b::timestamptz[], %b::text[])
ON CONFLICT (message_id) DO UPDATE SET consumer = EXCLUDED.consumer, key = EXCLUDED.key,
    waiting_for = EXCLUDED.waiting_for, case_id = EXCLUDED.case_id, subject = EXCLUDED.subject,
    headers = EXCLUDED.headers, data = EXCLUDED.data, parked_at = EXCLUDED.parked_at, reason = EXCLUDED.reason
"""
_SNAPSHOTS = """
INSERT INTO snapshots (aggregate_id, version, topic, state)
SELECT * FROM unnest(%b::uuid[], %b::bigint[], %b::text[], %b::bytea[])
ON CONFLICT (aggregate_id) DO UPDATE SET version = EXCLUDED.version, topic = EXCLUDED.topic, state = EXCLUDED.state
WHERE snapshots.version < EXCLUDED.version
"""
_MOVED = """
SELECT 1 FROM unnest(%b::uuid[], %b::bigint[]) AS seen (id, version)
JOIN stored_events e ON e.originator_id = seen.id AND e.originator_version > seen.version LIMIT 1
"""

_PARKED_KINDS: tuple[SqlType, ...] = (
    "uuid",
    "text",
    "uuid",
    "uuid",
    "uuid",
    "text",
    "jsonb",
    "bytea",
    "timestamptz",
    "text",
)

Shape = tuple[str, tuple[str, ...], tuple[str, ...], bool]


def batch_of(commit: Commit, changes: Iterable[Statement]) -> Batch:
    """The statements of a commit. Spans are many and large, and go in before the log is locked.

    What was seen is counted again under the lock, before the commit's own changes.
    """
    return Batch(unlocked=tuple(_spans(commit)), locked=(*_seen(commit), *_marks(commit), *changes))


def _seen(commit: Commit) -> Iterable[Statement]:
    for seen in commit.seen:
        asked = seen.question
        yield replace(queries.rows(asked.table, asked.where, asked.order, asked.limit), rows_expected=seen.count)
    if commit.unmoved:
        yield replace(_many(_MOVED, ("uuid", "bigint"), list(commit.unmoved.items())), rows_expected=0)


def _spans(commit: Commit) -> Iterable[Statement]:
    """In one order everywhere, so that two commits with the same messages cannot wait for each other."""
    if commit.spans:
        spans = sorted(commit.spans, key=lambda span: (span.message_id, span.ordinal))
        rows = [(s.message_id, s.ordinal, s.start, s.length, s.key_id, s.ciphertext) for s in spans]
        yield _many(_SPANS, ("uuid", "integer", "bigint", "bigint", "uuid", "bytea"), rows)


def _marks(commit: Commit) -> Iterable[Statement]:
    if commit.inbox:
        yield _many(_INBOX, ("uuid", "bytea"), [(entry.id, entry.content_hash) for entry in commit.inbox])
    if commit.unparked:
        gone = list(dict.fromkeys(commit.unparked))
        yield Statement(_UNPARK.encode(), (packed("uuid", gone),), rows_expected=len(gone))
    if commit.parked:
        latest = {message.message_id: message for message in commit.parked}
        yield _many(_PARK, _PARKED_KINDS, [_parked_row(message) for message in latest.values()])
    if commit.expired:
        yield Statement(_EXPIRE.encode(), (packed("uuid", commit.expired),))
    if commit.snapshots:
        rows = [(s.aggregate_id, s.version, s.topic, s.state) for s in commit.snapshots]
        yield _many(_SNAPSHOTS, ("uuid", "bigint", "text", "bytea"), rows)


def _parked_row(message: ParkedMessage) -> tuple[object, ...]:
    return (
        message.message_id,
        message.consumer,
        message.key,
        message.waiting_for,
        message.case_id,
        message.subject,
        dict(message.headers),
        message.data,
        message.parked_at,
        message.reason,
    )


def _many(query: str, kinds: Sequence[SqlType], rows: Sequence[tuple[object, ...]]) -> Statement:
    columns = zip(*rows, strict=True)
    return Statement(query.encode(), [packed(kind, column) for kind, column in zip(kinds, columns, strict=True)])


class ChangeWriter:
    """Turns changes of read-model rows into one statement for each shape of change."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._tables = {table.name: table for table in tables}
        self._queries: dict[Shape, bytes] = {}

    def statements(self, changes: Iterable[Change]) -> list[Statement]:
        """Of changes that name each row at most once.

        Raises:
            Bug: a change of a table that was not declared.
        """
        grouped: dict[Shape, list[Change]] = {}
        for change in changes:
            shape = (change.table.name, tuple(change.put), tuple(change.add), change.remove)
            grouped.setdefault(shape, []).append(change)
        return [self._statement(shape, group) for shape, group in grouped.items()]

    def _statement(self, shape: Shape, group: Sequence[Change]) -> Statement:
        table = self._tables.get(shape[0])
        if table is None:
            raise Bug(f"a projection changes {shape[0]}, which is not among the store's tables")
        query = self._queries.get(shape)
        if query is None:
            query = self._queries[shape] = _query(table, shape).as_bytes()
        _, put_columns, add_columns, _ = shape
        kinds = table.columns
        keys = [change.key for change in group]
        parameters = [packed(kinds[name], list(map(itemgetter(name), keys))) for name in table.key]
        # Changes of one shape name the same columns in the same order, so their values stand in rows already.
        for names, rows in (
            (put_columns, [change.put.values() for change in group]),
            (add_columns, [change.add.values() for change in group]),
        ):
            columns = zip(*rows, strict=True)
            parameters += [packed(kinds[name], values) for name, values in zip(names, columns, strict=True)]
        return Statement(query, parameters)


def _query(table: Table, shape: Shape) -> sql.Composed:
    _, put_columns, add_columns, is_removal = shape
    columns = (*table.key, *put_columns, *add_columns)
    arrays = sql.SQL(", ").join(sql.SQL("%b::{}[]").format(sql.SQL(table.columns[name])) for name in columns)
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    keys = sql.SQL(", ").join(map(sql.Identifier, table.key))
    name = sql.Identifier(table.name)
    if is_removal:
        template = sql.SQL("DELETE FROM {table} WHERE ({keys}) IN (SELECT * FROM unnest({arrays}))")
        return template.format(table=name, keys=keys, arrays=arrays)
    sets = [sql.SQL("{c} = EXCLUDED.{c}").format(c=sql.Identifier(c)) for c in put_columns]
    sets += [
        sql.SQL("{c} = COALESCE({t}.{c}, 0) + EXCLUDED.{c}").format(t=name, c=sql.Identifier(c)) for c in add_columns
    ]
    action = sql.SQL("UPDATE SET {}").format(sql.SQL(", ").join(sets)) if sets else sql.SQL("NOTHING")
    template = sql.SQL("INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays}) ON CONFLICT ({keys}) DO {action}")
    return template.format(table=name, names=names, arrays=arrays, keys=keys, action=action)
