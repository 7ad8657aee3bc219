"""A real PostgreSQL that holds the claims of one module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chassis.eventstore.migrations import migrate
from chassis.eventstore.postgres import PostgresEventStore
from claims.main import SHAPE
from sandbox.servers.postgres import PostgresServer


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresEventStore]:
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as server:
        roles = {"owner_role": "claims_owner", "owner_password": "o", "app_role": "claims_app", "app_password": "a"}
        server.ensure_database("claims", **roles)
        migrate(server.dsn("claims", "claims_owner", "o"), SHAPE.all_tables, "claims_app")
        dsn = server.dsn("claims", "claims_app", "a")
        with PostgresEventStore(dsn, SHAPE.registry(), SHAPE.all_projections, SHAPE.all_tables) as opened:
            yield opened
