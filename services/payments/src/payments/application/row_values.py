"""Values of read-model rows, with the type that their column has."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID


def uuid_of(value: object) -> UUID:
    assert isinstance(value, UUID)
    return value


def int_of(value: object) -> int:
    assert isinstance(value, int)
    return value


def instant_of(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value
