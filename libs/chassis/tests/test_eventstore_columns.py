"""Arrays in PostgreSQL's binary form, read back by the server."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from uuid import UUID

import psycopg
import pytest
from chassis.domain import Bug
from chassis.eventstore.columns import packed
from chassis.eventstore.tables import SqlType, Value
from sandbox.servers.postgres import PostgresServer


class Colour(StrEnum):
    RED = "red"


EAST = timezone(timedelta(hours=5, minutes=30))
CASES: list[tuple[SqlType, list[Value]]] = [
    ("uuid", [UUID(int=0), UUID(int=2**128 - 1), None]),
    ("text", ["", "a", "a", 'quote " and \\ and {braces}, NULL', "größer €", Colour.RED, None]),
    ("bigint", [0, -1, 2**63 - 1, -(2**63), None]),
    ("integer", [0, -1, 2**31 - 1, -(2**31), None]),
    ("boolean", [True, False, None]),
    ("date", [date(1999, 12, 31), date(2000, 1, 1), date(2026, 2, 28), date(1, 1, 1), None]),
    (
        "timestamptz",
        [
            datetime(2026, 7, 1, 12, 0, 0, 1, UTC),
            datetime(1999, 12, 31, 23, 59, 59, 999_999, UTC),
            datetime(2026, 7, 1, 12, 0, tzinfo=EAST),
            None,
        ],
    ),
    ("jsonb", [{"a": [1, "€", None]}, [], "text", None]),
    ("bytea", [b"", b"\x00\xff\\", None]),
]


@pytest.mark.servers
@pytest.mark.parametrize(("kind", "values"), CASES, ids=[kind for kind, _ in CASES])
def test_a_column_arrives_as_it_was_sent(postgres_server: PostgresServer, kind: SqlType, values: list[Value]) -> None:
    for sent in (values, values[:-1], [None, None], []):
        with psycopg.connect(postgres_server.admin_dsn()) as connection:
            row = connection.execute(f"SELECT %b::{kind}[]".encode(), (packed(kind, sent),)).fetchone()
        assert row == (sent,)


def test_an_instant_without_its_time_zone_is_refused() -> None:
    with pytest.raises(Bug, match="time zone"):
        packed("timestamptz", [datetime(2026, 7, 1)])
