"""The few questions one may ask of the store, as SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from uuid import UUID

from psycopg import sql

from chassis.eventstore.recorder import Statement
from chassis.eventstore.tables import Above, Order, Row, Table, Where

HISTORIES = """
SELECT originator_id, originator_version, topic, state, false FROM stored_events
WHERE originator_id = ANY(%b) ORDER BY originator_id, originator_version
"""
STORY = """
SELECT originator_id, originator_version, topic, state FROM stored_events
WHERE originator_id = %s AND originator_version > %s ORDER BY originator_version LIMIT %s
"""
# One statement, so that a snapshot and the events after it are of one moment.
HISTORIES_AND_SNAPSHOTS = """
WITH kept AS (SELECT aggregate_id, version, topic, state FROM snapshots WHERE aggregate_id = ANY(%(ids)b))
SELECT aggregate_id, version, topic, state, true FROM kept
UNION ALL
SELECT e.originator_id, e.originator_version, e.topic, e.state, false
FROM stored_events e LEFT JOIN kept ON kept.aggregate_id = e.originator_id
WHERE e.originator_id = ANY(%(ids)b) AND e.originator_version > COALESCE(kept.version, 0)
ORDER BY 1, 5 DESC, 2
"""
ANSWERED = "SELECT id, content_hash FROM inbox WHERE id = ANY(%b)"
# Ids as texts, for they go into the JSON that is read. At least one event, and no more once their states are so many bytes.
LOG = """
SELECT originator_id::text, originator_version, topic, state, notification_id FROM (
    SELECT *, sum(octet_length(state)) OVER (ORDER BY notification_id) - octet_length(state) AS bytes_before FROM (
        SELECT originator_id, originator_version, topic, state, notification_id FROM stored_events
        WHERE notification_id > %(after)s ORDER BY notification_id LIMIT %(limit)s
    ) AS next
) AS measured
WHERE bytes_before < %(bytes_max)s ORDER BY notification_id
"""
LOG_BYTES_MAX = 4_000_000
CHAINED_LOG = """
SELECT originator_id, originator_version, topic, state, notification_id, chain FROM stored_events
WHERE notification_id > %s ORDER BY notification_id LIMIT %s
"""
LAST_POSITION = "SELECT COALESCE(max(notification_id), 0) FROM stored_events"
SPANS = """
SELECT message_id, ordinal, start, length, key_id, ciphertext FROM raw_spans WHERE message_id = %s ORDER BY ordinal
"""
RELAY_POSITION = "SELECT COALESCE(max(position), 0) FROM relay_position"
RECORD_RELAY_POSITION = """
INSERT INTO relay_position (position) VALUES (%s)
ON CONFLICT (one) DO UPDATE SET position = GREATEST(relay_position.position, EXCLUDED.position)
"""
SETTINGS = "SELECT name, current_setting(name, true) FROM unnest(%s::text[]) AS name"
QUERIES_REMEMBERED = 1024
Columns = tuple[str, ...]
Kinds = tuple[tuple[str, str], ...]
_TEMPLATES = {
    "{} IS NULL": sql.SQL("{} IS NULL"),
    "{} = %s": sql.SQL("{} = %s"),
    "{} > 0": sql.SQL("{} > 0"),
    "{} = ANY(%s)": sql.SQL("{} = ANY(%s)"),
    "({} = ANY(%s) OR {} IS NULL)": sql.SQL("({} = ANY(%s) OR {} IS NULL)"),
}
_PARKED = """
SELECT message_id, consumer, key, waiting_for, case_id, subject, headers, data, parked_at, reason
FROM parked_messages WHERE {where} ORDER BY turn LIMIT %s
"""


def log_after(position: int, limit: int) -> dict[str, int]:
    """The parameters of `LOG`."""
    return {"after": position, "limit": limit, "bytes_max": LOG_BYTES_MAX}


def parked(
    keys: Iterable[UUID] | None,
    waiting_for: Iterable[UUID] | None,
    message_ids: Iterable[UUID] | None,
    consumer: str | None,
    only_waiting: bool,
    limit: int,
) -> Statement:
    """Parked messages by every filter that is given."""
    conditions: list[sql.SQL] = [sql.SQL("true")]
    parameters: list[object] = []
    for column, wanted in (
        (sql.SQL("key = ANY(%s)"), keys),
        (sql.SQL("waiting_for = ANY(%s)"), waiting_for),
        (sql.SQL("message_id = ANY(%s)"), message_ids),
    ):
        if wanted is not None:
            conditions.append(column)
            parameters.append(list(wanted))
    if consumer is not None:
        conditions.append(sql.SQL("consumer = %s"))
        parameters.append(consumer)
    if only_waiting:
        conditions.append(sql.SQL("case_id IS NULL"))
    return Statement(sql.SQL(_PARKED).format(where=sql.SQL(" AND ").join(conditions)), [*parameters, limit])


def rows(table: Table, where: Where, order: Order, limit: int, after: Row | None = None) -> Statement:
    """Rows of a read model, ordered as asked and then by key; with `after`, those that follow it in this order."""
    by = (*order, *table.key)
    query = _rows_query(table.name, tuple(table.columns), _kinds(where), by, after is not None)
    place = [after[column] for column in by] if after is not None else []
    return Statement(query, [*_parameters(where), *place, limit])


@lru_cache(QUERIES_REMEMBERED)
def _rows_query(name: str, columns: Columns, kinds: Kinds, order: Columns, is_next_page: bool) -> bytes:
    """Made once: to put a query together takes the driver longer than to ask it."""
    query = sql.SQL("SELECT {} FROM {} WHERE {}{} ORDER BY {} LIMIT %s").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.Identifier(name),
        _condition(columns, kinds),
        _following(columns, order) if is_next_page else sql.SQL(""),
        _order(columns, order),
    )
    return query.as_bytes()


def sums(table: Table, columns: Sequence[str], group_by: Sequence[str], where: Where) -> Statement:
    """The groups' own columns, then the sums, then the count."""
    known = tuple(table.columns)
    totals = [sql.SQL("COALESCE(sum({}), 0)::bigint").format(sql.Identifier(_known(known, c))) for c in columns]
    groups = [sql.Identifier(_known(known, column)) for column in group_by]
    query = sql.SQL("SELECT {} FROM {} WHERE {}").format(
        sql.SQL(", ").join([*groups, *totals, sql.SQL("count(*)")]),
        sql.Identifier(table.name),
        _condition(known, _kinds(where)),
    )
    if groups:
        by = sql.SQL(", ").join(groups)
        query += sql.SQL(" GROUP BY {} ORDER BY {}").format(by, by)
    return Statement(query + sql.SQL(" HAVING count(*) > 0") if not groups else query, _parameters(where))


def _kinds(where: Where) -> Kinds:
    """By which columns, and how each is compared."""
    return tuple((column, _kind(wanted)) for column, wanted in where.items())


def _kind(wanted: object) -> str:
    if wanted is None:
        return "{} IS NULL"
    if wanted is Above.ZERO:
        return "{} > 0"
    if not isinstance(wanted, list | tuple | set | frozenset):
        return "{} = %s"
    return "({} = ANY(%s) OR {} IS NULL)" if None in wanted else "{} = ANY(%s)"


def _parameters(where: Where) -> list[object]:
    return [
        [value for value in wanted if value is not None]
        if isinstance(wanted, list | tuple | set | frozenset)
        else wanted
        for wanted in where.values()
        if wanted is not None and wanted is not Above.ZERO
    ]


def _condition(columns: Columns, kinds: Kinds) -> sql.Composable:
    conditions: list[sql.Composable] = [sql.SQL("true")]
    for column, kind in kinds:
        name = sql.Identifier(_known(columns, column))
        conditions.append(_TEMPLATES[kind].format(*[name] * kind.count("{}")))
    return sql.SQL(" AND ").join(conditions)


def _following(columns: Columns, order: Columns) -> sql.Composed:
    """Compared as a whole: what is equal in the first column is told apart by the next."""
    names = sql.SQL(", ").join(sql.Identifier(_known(columns, column)) for column in order)
    return sql.SQL(" AND ({}) > ({})").format(names, sql.SQL(", ").join([sql.Placeholder()] * len(order)))


def _order(columns: Columns, order: Columns) -> sql.Composed:
    parts: list[sql.Composable] = []
    for column in order:
        direction = sql.SQL(" DESC") if column.startswith("-") else sql.SQL("")
        parts.append(sql.Identifier(_known(columns, column.removeprefix("-"))) + direction)
    return sql.SQL(", ").join(parts)


def _known(columns: Columns, column: str) -> str:
    assert column in columns, f"no column {column} among {', '.join(columns)}"
    return column
