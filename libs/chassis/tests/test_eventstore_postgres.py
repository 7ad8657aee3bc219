"""What only the store on PostgreSQL can show: the chain, concurrency, lost replies, rights, settings."""

from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import psycopg
import pytest
from canonical.ids import derive
from canonical.money import Money
from chassis.domain import Event, Transient
from chassis.eventstore import (
    Commit,
    EventRegistry,
    InboxEntry,
    RawSpan,
    Table,
    VersionConflict,
    Work,
    put,
    queries,
    transact,
)
from chassis.eventstore.chain import BrokenChain
from chassis.eventstore.migrations import SCHEMA_VERSION, migrate
from chassis.eventstore.postgres import PostgresEventStore, refuse_unsafe_settings
from chassis.postgres import SchemaMissing, UnsafeSetting, refuse_unsafe_values
from chassis.testing import context
from chassis.testing.sample import OWNERS, PURSES, TABLES, Purse, project_purses, purse_id, registry
from psycopg.conninfo import make_conninfo
from sandbox.servers.postgres import PostgresServer

pytestmark = pytest.mark.servers
APP = "sample_app"


def fill(store: PostgresEventStore, name: object, *cents: int) -> None:
    transact(store, context(), lambda work: decide_fill(work, name, cents))


def decide_fill(work: Work, name: object, cents: tuple[int, ...]) -> None:
    purse = work.get_or_new(Purse, purse_id(name))
    if not purse.exists:
        purse.open(f"owner of {name}")
    for amount in cents:
        purse.fill(Money(amount))


def chain_by_hand(rows: list[tuple[Any, ...]]) -> list[bytes]:
    """The documented rule once more, from the database's rows alone."""
    previous, links = b"\x00" * 32, []
    for position, identity, version, topic, state in rows:
        digest = hashlib.sha256()
        for part in (
            previous,
            position.to_bytes(8, "big"),
            identity.bytes,
            version.to_bytes(8, "big"),
            topic.encode("utf-8"),
            hashlib.sha256(state).digest(),
        ):
            digest.update(part)
        previous = digest.digest()
        links.append(previous)
    return links


def test_every_event_is_chained_to_the_one_before_from_the_first_on(
    database: Any, postgres_store: PostgresEventStore
) -> None:
    for name in "abc":
        fill(postgres_store, name, 1, 2)
    with psycopg.connect(database.app) as connection:
        columns = "notification_id, originator_id, originator_version, topic, state"
        rows = connection.execute(f"SELECT {columns} FROM stored_events ORDER BY 1".encode()).fetchall()
        chain = [c for (c,) in connection.execute("SELECT chain FROM stored_events ORDER BY notification_id")]
    assert chain == chain_by_hand(rows)
    assert postgres_store.verify_chain() == (9, chain[-1])


@pytest.mark.parametrize(
    ("tampering", "position"),
    [
        (
            "UPDATE stored_events SET state = convert_to(replace(convert_from(state, 'UTF8'), '0.02 USD', '0.03 USD'), 'UTF8') WHERE notification_id = 3",
            3,
        ),
        ("UPDATE stored_events SET topic = 'sample.purse.closed' WHERE notification_id = 4", 4),
        ("DELETE FROM stored_events WHERE notification_id = 2", 2),
        (
            "UPDATE stored_events SET originator_version = 9 WHERE notification_id = 5;"
            "UPDATE stored_events SET originator_version = 2 WHERE notification_id = 6",
            5,
        ),
    ],
)
def test_whoever_changes_history_behind_the_guard_is_found_and_where(
    database: Any, postgres_store: PostgresEventStore, tampering: str, position: int
) -> None:
    for name in "abc":
        fill(postgres_store, name, 1, 2)
    with psycopg.connect(database.admin, autocommit=True) as connection:
        connection.execute("ALTER TABLE stored_events DISABLE TRIGGER append_only")
        connection.execute(tampering.encode())
    with pytest.raises(BrokenChain, match=f"position {position} "):
        postgres_store.verify_chain()


def test_eight_writers_leave_no_hole_and_a_tailing_reader_skips_nothing(
    database: Any, make_store: Callable[[str], PostgresEventStore]
) -> None:
    writers, rounds, conflicts = 8, 25, list[int]()
    stop = threading.Event()
    seen: list[int] = []
    store = make_store(database.app)

    def tail() -> None:
        while True:
            finished = stop.wait(0.002)
            found = store.log(seen[-1] if seen else 0, 50)
            seen.extend(logged.position for logged in found)
            if finished and not found:
                return

    def write(writer: int) -> None:
        for number in range(rounds):
            fill(store, (writer, number), 1, 2)
            while True:
                try:
                    fill(store, "shared", 1)
                    break
                except VersionConflict:
                    conflicts.append(writer)

    fill(store, "shared")
    with ThreadPoolExecutor(writers + 1) as pool:
        reading = pool.submit(tail)
        writing = [pool.submit(write, writer) for writer in range(writers)]
        wait(writing)
        stop.set()
        reading.result()
        for written in writing:
            written.result()
    expected = writers * rounds * 4 + 1
    assert seen == list(range(1, expected + 1))
    assert store.verify_chain()[0] == expected
    assert store.rows(PURSES, {"purse_id": purse_id("shared")})[0]["fills"] == writers * rounds


def test_the_log_is_read_by_bytes_too_and_never_less_than_one_event(
    postgres_store: PostgresEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(postgres_store, "a", 1, 2, 3, 4)
    (size,) = {len(postgres_store.registry.encode(logged.event).state) for logged in postgres_store.log(1, 10)}

    def positions(after: int, bytes_max: int) -> list[int]:
        monkeypatch.setattr(queries, "LOG_BYTES_MAX", bytes_max)
        return [logged.position for logged in postgres_store.log(after, 10)]

    assert positions(1, 1) == [2]
    assert positions(1, 2 * size) == [2, 3]
    assert positions(3, 2 * size + 1) == [4, 5]
    assert positions(5, 1) == []


def test_snapshots_may_be_dropped_at_any_time(database: Any, postgres_store: PostgresEventStore) -> None:
    fill(postgres_store, "a", *range(1, 30))
    before = Work(postgres_store, context()).require(Purse, purse_id("a"))
    with psycopg.connect(database.app) as connection:
        assert connection.execute("DELETE FROM snapshots").rowcount == 1
    after = Work(postgres_store, context()).require(Purse, purse_id("a"))
    assert (after.version, after.snapshot()) == (before.version, before.snapshot())


class ReplyCutter:
    """A TCP proxy that, once armed, swallows the next reply to a COMMIT and closes both sides."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.armed = threading.Event()
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            for source, target, is_reply in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pump, args=(source, target, is_reply), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, is_reply: bool) -> None:
        try:
            while data := source.recv(65536):
                if is_reply and self.armed.is_set() and b"COMMIT\x00" in data:
                    self.armed.clear()
                    self.cuts += 1
                    break
                target.sendall(data)
        except OSError:
            pass
        for side in (source, target):
            try:
                side.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def cutter(postgres_server: PostgresServer) -> Iterator[ReplyCutter]:
    proxy = ReplyCutter(postgres_server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def make_store() -> Iterator[Callable[[str], PostgresEventStore]]:
    opened: list[PostgresEventStore] = []

    def make(dsn: str) -> PostgresEventStore:
        opened.append(PostgresEventStore(dsn, registry(), [project_purses], TABLES))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def test_a_commit_whose_reply_is_lost_is_a_conflict_and_its_events_are_there_once(
    database: Any, cutter: ReplyCutter, make_store: Callable[[str], PostgresEventStore]
) -> None:
    store = make_store(make_conninfo(database.app, port=cutter.port))
    fill(store, "warm up")
    purse = Purse.rebuilt(purse_id("a"), [], Work(store, context())._source)
    purse.open("ann")
    cutter.armed.set()
    with pytest.raises(VersionConflict):
        store.save(Commit(events=list(purse.pending), inbox=[InboxEntry(derive("message", 1), b"x")]))
    assert cutter.cuts == 1
    assert [event.originator_version for event in store.load([purse.id])[purse.id].events] == [1]
    assert store.answered([derive("message", 1)]) == {derive("message", 1): b"x"}


def test_deciding_again_after_a_lost_reply_finds_the_work_done(
    database: Any, cutter: ReplyCutter, make_store: Callable[[str], PostgresEventStore]
) -> None:
    store = make_store(make_conninfo(database.app, port=cutter.port))
    fill(store, "a", 100)
    message = derive("message", 1)
    attempts: list[bool] = []

    def decide(work: Work) -> None:
        attempts.append(message in store.answered([message]))
        if not attempts[-1]:
            work.answer(InboxEntry(message, b"x"))
            decide_fill(work, "a", (5,))

    cutter.armed.set()
    transact(store, context(), decide)
    assert attempts == [False, True]
    assert cutter.cuts == 1
    assert store.rows(PURSES, {})[0]["balance_minor"] == 105
    assert store.verify_chain()[0] == 3


def test_a_database_that_cannot_be_reached_is_a_technical_failure(
    database: Any, make_store: Callable[[str], PostgresEventStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.eventstore.datastore.CONNECT_TIMEOUT_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    store = make_store(make_conninfo(database.app, port=port))
    with pytest.raises(Transient):
        store.last_position()


def test_a_log_locked_for_too_long_is_a_technical_failure_and_not_waited_for_again(
    database: Any, postgres_store: PostgresEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chassis.eventstore import recorder

    short = ("SET LOCAL lock_timeout = '100ms'", recorder.TAKE_LOG_LOCK[1])
    monkeypatch.setattr(recorder, "TAKE_LOG_LOCK", short)
    with psycopg.connect(database.app) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", (recorder.LOG_LOCK,))
        with pytest.raises(Transient, match="the log was locked"):
            fill(postgres_store, "a")
    fill(postgres_store, "a")
    assert postgres_store.last_position() == 1


def test_the_store_works_again_after_a_restart_of_the_server(
    postgres_server: PostgresServer, database: Any, postgres_store: PostgresEventStore
) -> None:
    fill(postgres_store, "a", 1)
    postgres_server.restart()
    fill(postgres_store, "a", 2)
    assert postgres_store.verify_chain()[0] == 3


@pytest.mark.parametrize("table", ["stored_events", "inbox", "raw_spans"])
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "ALTER TABLE {table} DISABLE TRIGGER append_only",
        "DROP TRIGGER append_only ON {table}",
        "DROP TABLE {table}",
        "ALTER TABLE {table} OWNER TO sample_app",
        "SET session_replication_role = 'replica'",
    ],
)
def test_the_application_cannot_remove_or_unguard(database: Any, table: str, statement: str) -> None:
    with (
        psycopg.connect(database.app, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.format(table=table).encode())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stored_events SET state = ''",
        "UPDATE inbox SET content_hash = ''",
        "UPDATE raw_spans SET ciphertext = ''",
        "UPDATE schema_migrations SET version = 2",
        "INSERT INTO schema_migrations (version, name) VALUES (9, 'x')",
        "CREATE TABLE mine (id int)",
        "BEGIN; LOCK TABLE stored_events IN EXCLUSIVE MODE",
    ],
)
def test_the_application_cannot_change_what_is_written(database: Any, statement: str) -> None:
    with (
        psycopg.connect(database.app, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_raw_bytes_go_only_where_the_log_says_so(database: Any, postgres_store: PostgresEventStore) -> None:
    message_id = derive("message", "kept")
    span = RawSpan(message_id, 0, 0, 3, message_id, b"abc")
    postgres_store.save(Commit(spans=[span]))
    with (
        psycopg.connect(database.app, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="where the log says so"),
    ):
        connection.execute("SELECT expire_raw_spans(ARRAY[%s]::uuid[])", (message_id,))
    assert postgres_store.spans(message_id) == [span]


@pytest.mark.parametrize("role", ["owner", "admin"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE stored_events SET state = ''", "DELETE FROM inbox", "TRUNCATE raw_spans", "DELETE FROM stored_events"],
)
def test_even_the_owner_meets_the_guard(
    database: Any, postgres_store: PostgresEventStore, role: str, statement: str
) -> None:
    fill(postgres_store, "a")
    with (
        psycopg.connect(getattr(database, role), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="is refused: it is append-only"),
    ):
        connection.execute(statement.encode())
    assert postgres_store.last_position() == 1


def test_four_migrations_at_once_leave_one_schema(make_empty_database: Any) -> None:
    database = make_empty_database("migrated_at_once")
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: migrate(database.owner, TABLES, APP), range(4)))
    assert sorted(applied) == [[], [], [], list(range(1, SCHEMA_VERSION + 1))]
    assert migrate(database.owner, TABLES, APP) == []


def test_a_service_refuses_a_database_that_was_not_migrated(
    make_empty_database: Any, make_store: Callable[[str], PostgresEventStore]
) -> None:
    store = make_store(make_empty_database("not_migrated").app)
    with pytest.raises(SchemaMissing, match=f"schema version {SCHEMA_VERSION} is needed, found 0: run `python"):
        store.refuse_missing_schema()


def test_a_read_model_that_changed_is_made_anew_and_named_until_it_is_rebuilt(
    database: Any, postgres_store: PostgresEventStore
) -> None:
    fill(postgres_store, "a", 5)
    wider = Table(OWNERS.name, {**OWNERS.columns, "note": "text"}, OWNERS.key)

    def project(event: Event) -> Any:
        if isinstance(event, Purse.Filled):
            yield put(wider, owner="o", day=event.timestamp.date(), note="n")

    store = PostgresEventStore(database.app, EventRegistry((Purse,)), [project], (wider,))
    with store:
        with pytest.raises(SchemaMissing, match="read model purse_owners"):
            store.refuse_missing_schema()
        migrate(database.owner, (wider,), APP)
        store.refuse_missing_schema()
        assert store.stale_read_models() == ["purse_owners"]
        assert store.rows(wider, {}) == []
        store.rebuild_read_models()
        assert store.stale_read_models() == []
        assert [row["note"] for row in store.rows(wider, {})] == ["n"]


def test_a_rebuild_that_fails_leaves_the_read_models_as_they_were(
    database: Any, postgres_store: PostgresEventStore
) -> None:
    fill(postgres_store, "a", 5)
    before = postgres_store.read_model_hash(PURSES)
    with (
        PostgresEventStore(database.app, EventRegistry(()), [project_purses], TABLES) as ignorant,
        pytest.raises(LookupError),
    ):
        ignorant.rebuild_read_models()
    assert postgres_store.read_model_hash(PURSES) == before


def test_safe_settings_are_let_pass(postgres_store: PostgresEventStore) -> None:
    refuse_unsafe_settings(postgres_store)


def test_a_role_without_synchronous_commit_is_refused(
    database: Any, make_store: Callable[[str], PostgresEventStore]
) -> None:
    store = make_store(make_conninfo(database.app, options="-c synchronous_commit=off"))
    with pytest.raises(UnsafeSetting, match="synchronous_commit is off; it must be on or remote_apply"):
        refuse_unsafe_settings(store)


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_does_not_write_through_is_refused(
    postgres_server: PostgresServer, postgres_store: PostgresEventStore, setting: str
) -> None:
    with psycopg.connect(postgres_server.admin_dsn(), autocommit=True) as admin:
        admin.execute(f"ALTER SYSTEM SET {setting} = off".encode())
        admin.execute("SELECT pg_reload_conf()")
        try:
            with pytest.raises(UnsafeSetting, match=f"{setting} is off; it must be on"):
                wait_for_refusal(postgres_store)
        finally:
            admin.execute(f"ALTER SYSTEM RESET {setting}".encode())
            admin.execute("SELECT pg_reload_conf()")


def wait_for_refusal(store: PostgresEventStore) -> None:
    for _ in range(200):
        refuse_unsafe_settings(store)
        threading.Event().wait(0.02)


def test_the_librarys_database_functions_are_refused(postgres_store: PostgresEventStore) -> None:
    postgres_store.datastore.enable_db_functions = True
    with pytest.raises(UnsafeSetting, match="POSTGRES_ENABLE_DB_FUNCTIONS is on; it must be off"):
        refuse_unsafe_settings(postgres_store)


@pytest.mark.parametrize(
    ("values", "setting"),
    [
        ({"synchronous_commit": "local"}, "synchronous_commit"),
        ({"synchronous_commit": "remote_write"}, "synchronous_commit"),
        ({"fsync": "off", "synchronous_commit": "on"}, "fsync"),
        ({"data_checksums": "off"}, "data_checksums"),
        ({"synchronous_commit": "remote_apply", "data_checksums": None}, None),
    ],
)
def test_which_values_are_unsafe(values: dict[str, str | None], setting: str | None) -> None:
    if setting is None:
        refuse_unsafe_values(values)
        return
    with pytest.raises(UnsafeSetting) as refused:
        refuse_unsafe_values(values)
    assert (refused.value.setting, refused.value.value) == (setting, values[setting])
