"""One real PostgreSQL for all tests of the chassis, with a fresh database for each test that asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import psycopg
import pytest
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.migrations import migrate
from chassis.eventstore.postgres import PostgresEventStore
from chassis.testing import sample
from sandbox.servers.postgres import PostgresServer

OWNER, APP = "sample_owner", "sample_app"
OWNER_PASSWORD, APP_PASSWORD = "owner-secret", "app-secret"
_numbers = count(1)


@dataclass(frozen=True)
class Database:
    """A migrated database: where its owner, its application and the superuser connect."""

    name: str
    owner: str
    app: str
    admin: str


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as running:
        yield running


@pytest.fixture(scope="session")
def make_empty_database(postgres_server: PostgresServer) -> Callable[[str], Database]:
    def make(name: str) -> Database:
        postgres_server.ensure_database(
            name, owner_role=OWNER, owner_password=OWNER_PASSWORD, app_role=APP, app_password=APP_PASSWORD
        )
        return database_named(postgres_server, name)

    return make


@pytest.fixture(scope="session")
def template(make_empty_database: Callable[[str], Database]) -> Database:
    made = make_empty_database("sample_template")
    migrate(made.owner, sample.TABLES, APP)
    return made


@pytest.fixture
def database(postgres_server: PostgresServer, template: Database) -> Database:
    name = f"sample_{next(_numbers)}"
    with psycopg.connect(postgres_server.admin_dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template.name} OWNER {OWNER}".encode())
    return database_named(postgres_server, name)


@pytest.fixture
def postgres_store(database: Database) -> Iterator[PostgresEventStore]:
    with open_store(database.app) as store:
        yield store


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.servers)])
def store(request: pytest.FixtureRequest) -> MemoryEventStore | PostgresEventStore:
    if request.param == "memory":
        return MemoryEventStore(sample.registry(), [sample.project_purses])
    opened: PostgresEventStore = request.getfixturevalue("postgres_store")
    return opened


def open_store(dsn: str) -> PostgresEventStore:
    return PostgresEventStore(dsn, sample.registry(), [sample.project_purses], sample.TABLES)


def database_named(server: PostgresServer, name: str) -> Database:
    return Database(
        name=name,
        owner=server.dsn(name, OWNER, OWNER_PASSWORD),
        app=server.dsn(name, APP, APP_PASSWORD),
        admin=server.admin_dsn(name),
    )
