"""The local PostgreSQL is real, keeps what it committed, and gives each role only what is meant for it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sandbox.process_records import wait_until
from sandbox.servers.postgres import PostgresServer

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as running:
        yield running


def make_claims_database(server: PostgresServer) -> tuple[str, str]:
    server.ensure_database(
        "claims", owner_role="claims_owner", owner_password="o1", app_role="claims_app", app_password="a1"
    )
    return server.dsn("claims", "claims_owner", "o1"), server.dsn("claims", "claims_app", "a1")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", "127.0.0.1"),
        ("max_connections", "200"),
        ("password_encryption", "scram-sha-256"),
    ],
)
def test_the_settings_that_keep_data_are_on(server: PostgresServer, setting: str, value: str) -> None:
    with psycopg.connect(server.admin_dsn()) as connection:
        row = connection.execute("SELECT current_setting(%s)", (setting,)).fetchone()
    assert row == (value,)


def test_a_wrong_password_is_refused(server: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.dsn("postgres", "throughline_admin", "guess"))


def test_the_owner_makes_tables_and_the_application_reads_them_only_when_granted(server: PostgresServer) -> None:
    owner, app = make_claims_database(server)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE claim (id int)")
        with psycopg.connect(app, autocommit=True) as as_app:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                as_app.execute("SELECT * FROM public.claim")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                as_app.execute("CREATE TABLE public.mine (id int)")
            connection.execute("GRANT USAGE ON SCHEMA public TO claims_app")
            connection.execute("GRANT SELECT ON claim TO claims_app")
            assert as_app.execute("SELECT * FROM claim").fetchall() == []


def test_making_a_database_again_keeps_its_content_and_sets_the_password(server: PostgresServer) -> None:
    owner, _ = make_claims_database(server)
    with psycopg.connect(owner) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (id int)")
    server.ensure_database(
        "claims", owner_role="claims_owner", owner_password="o2", app_role="claims_app", app_password="a1"
    )
    with psycopg.connect(server.dsn("claims", "claims_owner", "o2")) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    make_claims_database(server)


def test_a_role_of_one_database_cannot_enter_another(server: PostgresServer) -> None:
    make_claims_database(server)
    server.ensure_database("payments", owner_role="p_owner", owner_password="o", app_role="p_app", app_password="a")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(server.dsn("payments", "claims_app", "a1"))


def test_two_callers_may_make_the_same_database_at_once(server: PostgresServer) -> None:
    def make(_: int) -> None:
        server.ensure_database("shared", owner_role="s_owner", owner_password="o", app_role="s_app", app_password="a")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(make, range(4)))
    with psycopg.connect(server.dsn("shared", "s_app", "a")) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("s_app",)


def test_what_was_committed_survives_kill_9(tmp_path: Path) -> None:
    with PostgresServer(tmp_path) as server:
        owner, _ = make_claims_database(server)
        with psycopg.connect(owner) as connection:
            connection.execute("CREATE TABLE claim AS SELECT 17 AS id")
        server.kill9()
        server.start()
        with psycopg.connect(owner) as connection:
            assert connection.execute("SELECT id FROM claim").fetchall() == [(17,)]


def test_a_stopped_server_leaves_no_process_even_with_a_client_connected(tmp_path: Path) -> None:
    server = PostgresServer(tmp_path)
    server.start()
    connection = psycopg.connect(server.admin_dsn())
    record = server.process.record
    assert record is not None
    family = record.identity.family()
    assert len(family) > 3

    server.stop()

    assert wait_until(lambda: not any(member.is_running() for member in family), 1)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")


def test_two_first_starts_at_once_share_one_template(tmp_path: Path) -> None:
    servers = [PostgresServer(tmp_path / name, cache_folder=tmp_path / "cache") for name in ("one", "two")]
    try:
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(PostgresServer.start, servers))
        assert all(server.is_healthy() for server in servers)
    finally:
        for server in servers:
            server.stop()
    assert len(list((tmp_path / "cache").iterdir())) == 1
