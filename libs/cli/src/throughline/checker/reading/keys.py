"""The key database: which keys there are, and which were destroyed on purpose. Nothing wrapped is read."""

from __future__ import annotations

from throughline.checker.reading.stores import snapshot

_KNOWN = "SELECT key_id::text FROM patient_keys UNION SELECT key_id::text FROM erased_keys"


def known_keys(dsn: str) -> frozenset[str]:
    """The ids of every key that was ever made.

    Raises:
        psycopg.Error: the database cannot be read.
    """
    with snapshot(dsn) as connection:
        return frozenset(str(row[0]) for row in connection.execute(_KNOWN))
