"""The library's connection pool, made from a DSN."""

from __future__ import annotations

from eventsourcing.postgres import PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

CONNECT_TIMEOUT_SECONDS = 5.0
IDLE_IN_TRANSACTION_SECONDS = 30.0
RECONNECT_TIMEOUT_SECONDS = 5.0
CONNECTION_AGE_SECONDS = 3600.0


class Datastore(PostgresDatastore):
    """Connects when first used, so that a service can start, and say what is wrong, while its database is away."""

    def __init__(self, dsn: str, *, pool_size: int, pool_overflow: int) -> None:
        settings = {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value is not None}
        super().__init__(
            dbname=settings.pop("dbname"),
            host=settings.pop("host", ""),
            port=settings.pop("port", "5432"),
            user=settings.pop("user"),
            password=settings.pop("password", ""),
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            idle_in_transaction_session_timeout=IDLE_IN_TRANSACTION_SECONDS,
            pool_size=pool_size,
            max_overflow=pool_overflow,
            conn_max_age=CONNECTION_AGE_SECONDS,
        )
        assert isinstance(self.pool.kwargs, dict)
        self.pool.kwargs.update(settings)
        # The pool's own patience doubles its pauses up to minutes; after this time the next caller asks for a new one.
        self.pool.reconnect_timeout = RECONNECT_TIMEOUT_SECONDS

    def register_type_adapters(self) -> None:
        """The library's composite type is for its own insert, which we do not use."""
