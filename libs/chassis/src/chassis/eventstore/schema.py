"""The tables of an event store, as SQL: append-only by right and by trigger, read models by their declaration."""

from __future__ import annotations

import hashlib
import json
from typing import LiteralString

from psycopg import sql

from chassis.eventstore.tables import SqlType, Table
from chassis.postgres import Step

# Of the library's own table only what its reading methods need is kept. The settings of autovacuum are the library's:
# an append-only table never has dead rows worth a vacuum, but its statistics must follow.
_EVENTS: LiteralString = """
CREATE TABLE stored_events (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text COLLATE "C" NOT NULL,
    state bytea NOT NULL,
    notification_id bigint NOT NULL CONSTRAINT stored_events_notification_id_idx UNIQUE,
    chain bytea NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (originator_id, originator_version)
) WITH (
    autovacuum_vacuum_threshold = 100000000,
    autovacuum_vacuum_scale_factor = 0.5,
    autovacuum_analyze_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.01
)
"""

_INBOX: LiteralString = """
CREATE TABLE inbox (
    id uuid PRIMARY KEY,
    content_hash bytea NOT NULL,
    answered_at timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""

_PARKED: LiteralString = """
CREATE TABLE parked_messages (
    message_id uuid PRIMARY KEY,
    consumer text COLLATE "C" NOT NULL,
    key uuid NOT NULL,
    waiting_for uuid,
    case_id uuid,
    subject text COLLATE "C" NOT NULL,
    headers jsonb NOT NULL,
    data bytea NOT NULL,
    parked_at timestamptz NOT NULL,
    reason text NOT NULL,
    turn bigint GENERATED ALWAYS AS IDENTITY
)
"""

_SPANS: LiteralString = """
CREATE TABLE raw_spans (
    message_id uuid NOT NULL,
    ordinal integer NOT NULL,
    start bigint NOT NULL,
    length bigint NOT NULL,
    key_id uuid NOT NULL,
    ciphertext bytea NOT NULL,
    PRIMARY KEY (message_id, ordinal)
)
"""

_SNAPSHOTS: LiteralString = """
CREATE TABLE snapshots (
    aggregate_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    topic text COLLATE "C" NOT NULL,
    state bytea NOT NULL
)
"""

_RELAY: LiteralString = """
CREATE TABLE relay_position (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL
)
"""

_READ_MODELS: LiteralString = """
CREATE TABLE read_models (
    name text COLLATE "C" PRIMARY KEY,
    fingerprint text NOT NULL,
    is_built boolean NOT NULL
)
"""

_REFUSE: LiteralString = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: it is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$
"""

_REFUSE_RAW: LiteralString = """
CREATE FUNCTION refuse_change_of_raw() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('throughline.expiring', true) = 'yes' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% on % is refused: it is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$
"""

_EXPIRE_RAW: LiteralString = """
CREATE FUNCTION expire_raw_spans(ids uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM unnest(ids) AS wanted (id) WHERE NOT EXISTS (
            SELECT 1 FROM stored_events e
            WHERE e.originator_id = wanted.id AND e.topic = 'chassis.inbound-message.raw-expired'
        )
    ) THEN
        RAISE EXCEPTION 'raw bytes go only where the log says so' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('throughline.expiring', 'yes', true);
    DELETE FROM raw_spans WHERE message_id = ANY (ids);
    PERFORM set_config('throughline.expiring', '', true);
END
$$
"""


def _guard(table: LiteralString) -> tuple[LiteralString, ...]:
    """ALWAYS: the guard also holds in a session that replays a replication stream."""
    return (
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only",
    )


STEPS = (
    Step(
        1,
        "event store",
        (
            _EVENTS,
            _INBOX,
            _PARKED,
            "CREATE INDEX parked_messages_key_idx ON parked_messages (key, turn)",
            "CREATE INDEX parked_messages_waiting_for_idx ON parked_messages (waiting_for, turn)",
            "CREATE INDEX parked_messages_consumer_idx ON parked_messages (consumer, turn)",
            _SPANS,
            _SNAPSHOTS,
            _RELAY,
            _READ_MODELS,
            _REFUSE,
            *_guard("stored_events"),
            *_guard("inbox"),
            *_guard("raw_spans"),
        ),
    ),
    Step(
        2,
        "raw bytes expire where the log says so",
        (
            _REFUSE_RAW,
            _EXPIRE_RAW,
            "REVOKE ALL ON FUNCTION expire_raw_spans(uuid[]) FROM PUBLIC",
            "DROP TRIGGER append_only ON raw_spans",
            "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON raw_spans "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_raw()",
            "ALTER TABLE raw_spans ENABLE ALWAYS TRIGGER append_only",
        ),
    ),
)

GRANTS: tuple[LiteralString, ...] = (
    "GRANT USAGE ON SCHEMA public TO {app}",
    "GRANT SELECT, INSERT ON stored_events, inbox, raw_spans TO {app}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON parked_messages, snapshots TO {app}",
    "GRANT SELECT, INSERT, UPDATE ON relay_position TO {app}",
    "GRANT SELECT, UPDATE (is_built) ON read_models TO {app}",
    "GRANT SELECT ON schema_migrations TO {app}",
    "GRANT EXECUTE ON FUNCTION expire_raw_spans(uuid[]) TO {app}",
)


def sql_type(kind: SqlType) -> sql.SQL:
    """The column type; text compares by code point, so that PostgreSQL and memory order rows alike."""
    return sql.SQL('text COLLATE "C"') if kind == "text" else sql.SQL(kind)


def create_read_model(table: Table) -> list[sql.Composed]:
    """The statements that make a read model's table and its indexes."""
    columns = [sql.SQL("{} {}").format(sql.Identifier(name), sql_type(kind)) for name, kind in table.columns.items()]
    statements = [
        sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}))").format(
            sql.Identifier(table.name), sql.SQL(", ").join(columns), _names(table.key)
        )
    ]
    for index in table.indexes:
        name = sql.Identifier(f"{table.name}_{'_'.join(index)}_idx"[:63])
        statements.append(sql.SQL("CREATE INDEX {} ON {} ({})").format(name, sql.Identifier(table.name), _names(index)))
    return statements


def fingerprint(table: Table) -> str:
    """What tells one declaration of a read model from another."""
    declaration = json.dumps([list(table.columns.items()), table.key, table.indexes])
    return hashlib.sha256(declaration.encode()).hexdigest()


def _names(columns: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)
