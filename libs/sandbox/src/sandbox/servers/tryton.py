"""A real Tryton ERP on the local PostgreSQL, made from a cached template and served on loopback by waitress."""

import fcntl
import hashlib
import inspect
import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import psycopg

from sandbox import tryton_module
from sandbox.commands import installed_program, run_to_end
from sandbox.folders import default_cache_folder, generated_secrets, private_folder, write_private
from sandbox.ports import kept_ports
from sandbox.processes import ManagedProcess
from sandbox.servers import tryton_plan, tryton_setup
from sandbox.servers.postgres import PostgresServer, binary
from sandbox.servers.tryton_plan import INTEGRATION_USER, TrytonEntity, TrytonInfo, TrytonPlan

DATABASE = "tryton"
ROLE = "tryton"
MODULES = ("account_invoice", "analytic_account", "throughline")
DISTRIBUTIONS = (
    "trytond",
    "trytond-account",
    "trytond-account-invoice",
    "trytond-analytic-account",
    "trytond-company",
    "proteus",
    "psycopg",
)
ACTIVATION_TIMEOUT_SECONDS = 600.0
START_DEADLINE_SECONDS = 180.0
HEALTH_TIMEOUT_SECONDS = 10.0
THREADS = 8
MAX_REQUEST_BYTES = 10 * 1024**2


class TrytonServer:
    """One Tryton with its own database, legal entities, chart and integration key.

    The first start on a machine activates the modules, which takes the better part of a minute; what comes out is kept
    in the cache folder as a dump without secrets, from which every later suite starts in seconds.
    """

    def __init__(
        self,
        folder: Path,
        postgres: PostgresServer,
        *,
        plan: TrytonPlan | None = None,
        port: int | None = None,
        cache_folder: Path | None = None,
        detached: bool = False,
    ) -> None:
        self.folder = private_folder(folder)
        self.port = port or kept_ports(folder / "ports.json", ["tryton"])["tryton"]
        self.info_file = folder / "tryton-info.json"
        self._postgres = postgres
        self._plan = plan or TrytonPlan()
        self._cache = cache_folder or default_cache_folder()
        self._secrets = generated_secrets(folder / "secrets.json", ["database", "api_key"])
        self._configuration = folder / "trytond.conf"
        address = f"--listen=127.0.0.1:{self.port}"
        self.process = ManagedProcess(
            "tryton",
            [sys.executable, "-m", "waitress", address, f"--threads={THREADS}", "trytond.application:app"],
            env={"TRYTOND_CONFIG": str(self._configuration), "TRYTOND_DATABASE_NAMES": DATABASE},
            log_file=folder / "tryton.log",
            record_file=folder / "tryton.json",
            detached=detached,
        )

    @property
    def base_url(self) -> str:
        """The server; the REST API of its database is at /tryton/rest."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def info(self) -> TrytonInfo:
        """Where the ERP is, its key and its ids; written by the first start."""
        return TrytonInfo.read(self.info_file)

    def start(self) -> None:
        """Make the database if this folder has none yet, start the server and wait until it answers a query.

        Raises:
            CommandFailed: the database could not be made.
            DidNotStart: the server did not become healthy.
        """
        write_private(self._configuration, self._configured())
        if not self.info_file.exists():
            entities = self._make_database()
            info = TrytonInfo(self.base_url, DATABASE, self._secrets["api_key"], entities)
            write_private(self.info_file, info.to_json())
        self.process.start()
        self.process.wait_until_healthy(self.is_healthy, START_DEADLINE_SECONDS)

    def stop(self) -> None:
        """End the server; its database stays."""
        self.process.stop()

    def suspend(self) -> None:
        """Let every request hang, as an overloaded ERP does."""
        self.process.suspend()

    def resume(self) -> None:
        """Answer again, the requests that waited first."""
        self.process.resume()

    def is_healthy(self) -> bool:
        """Whether the REST API answers a query with the integration's key."""
        try:
            answer = httpx.get(
                f"{self.base_url}/{DATABASE}/rest/model/company.company",
                headers={"Authorization": f"Bearer {self._secrets['api_key']}"},
                timeout=HEALTH_TIMEOUT_SECONDS,
                trust_env=False,
            )
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _configured(self) -> str:
        role = f"{ROLE}:{self._secrets['database']}@127.0.0.1:{self._postgres.port}"
        return (
            f"[database]\nuri = postgresql://{role}/\npath = {self.folder / 'attachments'}\n"
            f"[request]\nmax_size = {MAX_REQUEST_BYTES}\nmax_size_authenticated = {MAX_REQUEST_BYTES}\n"
        )

    def _make_database(self) -> dict[str, TrytonEntity]:
        """Fill an empty database from the cached dump of this plan, making the dump first if need be."""
        self._empty_database()
        base = self._cache / f"tryton-{_fingerprint(_activation_sources())}.dump"
        planned = self._cache / f"tryton-{_fingerprint([*_activation_sources(), *_plan_sources(self._plan)])}.dump"
        ids = planned.with_suffix(".json")
        with _only_one(self._cache / "tryton.lock"):
            if planned.exists():
                self._restore(planned)
            else:
                self._restore_or_activate(base)
                write_private(ids, self._set_up())
                self._dump(planned)
        self._add_key()
        return {code: TrytonEntity(**entity) for code, entity in json.loads(ids.read_text(encoding="utf-8")).items()}

    def _empty_database(self) -> None:
        password = self._secrets["database"]
        self._postgres.drop_database(DATABASE)
        self._postgres.ensure_database(
            DATABASE, owner_role=ROLE, owner_password=password, app_role=ROLE, app_password=password
        )

    def _restore_or_activate(self, base: Path) -> None:
        if base.exists():
            self._restore(base)
            return
        # Nobody ever knows the administrator's password; people look at the ERP by a user of their own.
        password_file = self.folder / "administrator.password"
        write_private(password_file, secrets.token_hex(24))
        command = [str(installed_program("trytond", "bin/trytond-admin")), "-c", str(self._configuration)]
        options = ["--all", "--email", "erp@example.invalid", "--activate-dependencies", "-u", *MODULES]
        try:
            run_to_end(
                [sys.executable, *command, "-d", DATABASE, *options],
                env={"TRYTONPASSFILE": str(password_file)},
                timeout_seconds=ACTIVATION_TIMEOUT_SECONDS,
            )
        finally:
            password_file.unlink()
        self._dump(base)

    def _set_up(self) -> str:
        order = {
            "database_uri": self._dsn(),
            "config_file": str(self._configuration),
            "plan": self._plan.to_json(),
        }
        return run_to_end([sys.executable, "-m", tryton_setup.__name__], stdin=json.dumps(order))

    def _dump(self, file: Path) -> None:
        unfinished = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
        self._run_on_the_database([str(binary("pg_dump")), "--format=custom", "--file", str(unfinished)])
        unfinished.rename(file)

    def _restore(self, file: Path) -> None:
        options = ["--no-owner", "--no-privileges", "--single-transaction"]
        self._run_on_the_database([str(binary("pg_restore")), *options, str(file)])

    def _run_on_the_database(self, argv: list[str]) -> None:
        where = ["--host=127.0.0.1", f"--port={self._postgres.port}", f"--username={ROLE}", f"--dbname={DATABASE}"]
        run_to_end([argv[0], *where, *argv[1:]], env={"PGPASSWORD": self._secrets["database"]})

    def _add_key(self) -> None:
        with psycopg.connect(self._dsn()) as connection:
            connection.execute(
                'INSERT INTO res_user_application (create_uid, create_date, application, state, key, "user") '
                "SELECT 0, now(), 'rest', 'validated', %s, id FROM res_user WHERE login = %s",
                (self._secrets["api_key"], INTEGRATION_USER),
            )

    def _dsn(self) -> str:
        return self._postgres.dsn(DATABASE, ROLE, self._secrets["database"])


def _activation_sources() -> list[str]:
    module = Path(tryton_module.__path__[0])
    files = sorted(file for file in module.iterdir() if file.is_file())
    versions = [f"{name} {version(name)}" for name in DISTRIBUTIONS]
    return [*MODULES, *versions, *(file.read_text(encoding="utf-8") for file in files)]


def _plan_sources(plan: TrytonPlan) -> list[str]:
    return [inspect.getsource(tryton_plan), inspect.getsource(tryton_setup), plan.to_json()]


def _fingerprint(texts: list[str]) -> str:
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:16]


@contextmanager
def _only_one(lock_file: Path) -> Iterator[None]:
    """One run at a time makes or reads the template; the others wait for it rather than make it too."""
    private_folder(lock_file.parent)
    with lock_file.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
