"""A store that an earlier version made is upgraded by the documented command, and nothing starts on it before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from chassis.eventstore.migrations import migrate
from chassis.eventstore.postgres import PostgresEventStore
from chassis.eventstore.schema import GRANTS, STEPS, create_read_model, fingerprint
from chassis.eventstore.tables import Table
from chassis.eventstore.work import Work, transact
from chassis.inbound import INBOUND_MESSAGES, Arrival, ExpiredRaw, keep, read_raw
from chassis.inbound.retention import KEEP_DAYS, RawRetention, RetentionPolicy
from chassis.keys import MemoryKeyStore, Sealer
from chassis.postgres import SchemaMissing, apply_steps
from chassis.postgres.migration import Owner
from chassis.runtime.operate import main as operate
from chassis.runtime.start_up import refuse_unready_store
from chassis.testing import context
from intake.main import SHAPE
from psycopg import sql
from sandbox.servers.postgres import PostgresServer

pytestmark = pytest.mark.servers
APP = "intake_app"
EARLIER = Table(
    INBOUND_MESSAGES.name,
    {name: kind for name, kind in INBOUND_MESSAGES.columns.items() if name != "is_raw_kept"},
    INBOUND_MESSAGES.key,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as running:
        roles = {"owner_role": "intake_owner", "owner_password": "o", "app_role": APP, "app_password": "a"}
        running.ensure_database("intake", **roles)
        yield running


def make_earlier_schema(owner: str) -> None:
    """What the step before the last left: raw bytes that nothing may delete, and messages that know nothing of it."""

    def afterwards(connection: Owner) -> None:
        for grant in GRANTS:
            if "expire_raw_spans" not in grant:
                connection.execute(sql.SQL(grant).format(app=sql.Identifier(APP)))
        for statement in create_read_model(EARLIER):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO read_models (name, fingerprint, is_built) VALUES (%s, %s, true)",
            (EARLIER.name, fingerprint(EARLIER)),
        )

    assert apply_steps(owner, STEPS[:1], afterwards) == [1]


def keep_message(store: PostgresEventStore, sealer: Sealer) -> UUID:
    """A message of the earlier version; its row is left out, for rows are made anew from the log."""

    def decide(work: Work) -> UUID:
        message = keep(work, sealer, Arrival("ehr", "k", "hl7v2", "NORTH"), b"MSH|", [])
        message.accept()
        return message.id

    return transact(store, context(), decide)


def test_an_earlier_store_refuses_the_start_until_it_is_migrated_and_is_whole_then(
    server: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    sealer = Sealer(MemoryKeyStore())
    owner, app = server.dsn("intake", "intake_owner", "o"), server.dsn("intake", APP, "a")
    make_earlier_schema(owner)
    with PostgresEventStore(app, SHAPE.registry(), (), ()) as earlier:
        message_id = keep_message(earlier, sealer)
    with PostgresEventStore(app, SHAPE.registry(), SHAPE.all_projections, SHAPE.all_tables) as store:
        with pytest.raises(SchemaMissing, match=r"version 2 is needed, found 1: run `.*operate migrate` as its owner"):
            refuse_unready_store(store, may_rebuild=True)
        told = {"THROUGHLINE_OWNER_URL": owner, "THROUGHLINE_APP_ROLE": APP}
        assert operate(["migrate", "intake.main:SHAPE"], told) == 0
        assert capsys.readouterr().out == "applied: 2\n"
        refuse_unready_store(store, may_rebuild=True)
        assert [row["is_raw_kept"] for row in store.rows(INBOUND_MESSAGES, {})] == [True]
        assert read_raw(store, sealer, message_id) == b"MSH|"
        assert migrate(owner, SHAPE.all_tables, APP) == []
        later = context().now + timedelta(days=KEEP_DAYS + 1)
        assert RawRetention(store, lambda: later, RetentionPolicy, "intake").run() == 1
        with pytest.raises(ExpiredRaw):
            read_raw(store, sealer, message_id)


def test_raw_bytes_of_an_earlier_store_cannot_be_deleted_by_hand_before_or_after(server: PostgresServer) -> None:
    with (
        psycopg.connect(server.dsn("intake", "intake_owner", "o"), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"),
    ):
        connection.execute("DELETE FROM raw_spans")
