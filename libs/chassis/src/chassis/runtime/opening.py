"""Opens what a service works on, by its settings: its event store and the key store."""

from __future__ import annotations

from chassis.domain import UnsafeSetting
from chassis.eventstore.postgres import PostgresEventStore
from chassis.keys import FileMasterKey
from chassis.keys.postgres import PostgresKeyStore
from chassis.runtime.core import ServiceShape
from chassis.runtime.settings import Settings


def open_event_store(settings: Settings, shape: ServiceShape) -> PostgresEventStore:
    """The store of a service; connections are opened when first needed."""
    dsn = settings.database_url.get_secret_value()
    return PostgresEventStore(dsn, shape.registry(), shape.all_projections, shape.all_tables)


def open_key_store(settings: Settings) -> PostgresKeyStore:
    """The key store, with the master key of the deployment.

    Raises:
        UnsafeSetting: no key database or no master key file is given.
    """
    dsn = settings.keys_database_url.get_secret_value()
    if not dsn:
        raise UnsafeSetting("THROUGHLINE_KEYS_DATABASE_URL", "not given", "given where PHI is sealed or opened")
    if settings.master_key_file is None:
        raise UnsafeSetting("THROUGHLINE_MASTER_KEY_FILE", "not given", "given where PHI is sealed or opened")
    return PostgresKeyStore(dsn, FileMasterKey(settings.master_key_file))
