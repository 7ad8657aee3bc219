"""The few questions one may ask of the store, as SQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from psycopg import sql

from chassis.eventstore.recorder import Statement
from chassis.eventstore.tables import Order, Table, Where

HISTORIES = """
SELECT originator_id, originator_version, topic, state, false FROM stored_events
WHERE originator_id = ANY(%b) ORDER BY originator_id, originator_version
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
LOG = """
SELECT originator_id, originator_version, topic, state, notification_id FROM stored_events
WHERE notification_id > %s ORDER BY notification_id LIMIT %s
"""
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
_PARKED = """
SELECT message_id, consumer, key, waiting_for, case_id, subject, headers, data, parked_at, reason
FROM parked_messages WHERE {where} ORDER BY turn LIMIT %s
"""


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


def rows(table: Table, where: Where, order: Order, limit: int) -> Statement:
    """Rows of a read model, ordered as asked and then by key."""
    condition, parameters = _where(table, where)
    query = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT %s").format(
        _names(list(table.columns)), sql.Identifier(table.name), condition, _order(table, order)
    )
    return Statement(query, [*parameters, limit])


def sums(table: Table, columns: Sequence[str], group_by: Sequence[str], where: Where) -> Statement:
    """The groups' own columns, then the sums, then the count."""
    condition, parameters = _where(table, where)
    totals = [sql.SQL("COALESCE(sum({}), 0)::bigint").format(sql.Identifier(_known(table, c))) for c in columns]
    groups = [sql.Identifier(_known(table, column)) for column in group_by]
    query = sql.SQL("SELECT {} FROM {} WHERE {}").format(
        sql.SQL(", ").join([*groups, *totals, sql.SQL("count(*)")]), sql.Identifier(table.name), condition
    )
    if groups:
        by = sql.SQL(", ").join(groups)
        query += sql.SQL(" GROUP BY {} ORDER BY {}").format(by, by)
    return Statement(query + sql.SQL(" HAVING count(*) > 0") if not groups else query, parameters)


def _where(table: Table, where: Where) -> tuple[sql.Composable, list[object]]:
    conditions: list[sql.Composable] = [sql.SQL("true")]
    parameters: list[object] = []
    for column, wanted in where.items():
        name = sql.Identifier(_known(table, column))
        if wanted is None:
            conditions.append(sql.SQL("{} IS NULL").format(name))
        elif isinstance(wanted, list | tuple | set | frozenset):
            some = [value for value in wanted if value is not None]
            template = "({} = ANY(%s) OR {} IS NULL)" if len(some) < len(wanted) else "{} = ANY(%s)"
            conditions.append(sql.SQL(template).format(name, name))
            parameters.append(some)
        else:
            conditions.append(sql.SQL("{} = %s").format(name))
            parameters.append(wanted)
    return sql.SQL(" AND ").join(conditions), parameters


def _order(table: Table, order: Order) -> sql.Composed:
    parts: list[sql.Composable] = []
    for column in (*order, *table.key):
        direction = sql.SQL(" DESC") if column.startswith("-") else sql.SQL("")
        parts.append(sql.Identifier(_known(table, column.removeprefix("-"))) + direction)
    return sql.SQL(", ").join(parts)


def _known(table: Table, column: str) -> str:
    assert column in table.columns, f"{table.name} has no column {column}"
    return column


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
