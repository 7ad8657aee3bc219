"""Columns of values as PostgreSQL's arrays, in its binary form.

A batch of 500 events has tens of thousands of values, and the driver's own writer of arrays takes them one by one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from struct import Struct
from typing import Any, get_args

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

from chassis.domain import Bug
from chassis.eventstore.tables import SqlType, Value

_NULL = b"\xff\xff\xff\xff"
_UUID_LENGTH = b"\x00\x00\x00\x10"
_LENGTH = Struct(">i")
_INTEGER = Struct(">ii")
_BIGINT = Struct(">iq")
_HEADER = Struct(">iiIii")
_DAY_ZERO = date(2000, 1, 1).toordinal()
_INSTANT_ZERO = datetime(2000, 1, 1, tzinfo=UTC)
_TRUE, _FALSE = b"\x00\x00\x00\x01\x01", b"\x00\x00\x00\x01\x00"


class Packed:
    """One array, ready for the wire; a subclass for each type of element."""

    __slots__ = ("wire",)

    def __init__(self, wire: bytes) -> None:
        self.wire = wire


class _PackedDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Packed) -> Buffer:
        return obj.wire


def packed(kind: SqlType, values: Sequence[Value]) -> Packed:
    """The values, None for null, as one parameter of an array type; its placeholder is `%b`.

    Raises:
        Bug: an instant without its time zone.
    """
    elements = _ELEMENTS[kind](values)
    shape = (1, int(_NULL in elements), _OIDS[kind], len(elements), 1) if elements else (0, 0, _OIDS[kind], 0, 0)
    header = _HEADER.pack(*shape)
    return _ARRAYS[kind](b"".join([header if elements else header[:12], *elements]))


class _Known(dict[Any, bytes]):
    """Elements made once each: columns say the same things over and over."""

    def __init__(self, make: Callable[[Any], bytes]) -> None:
        super().__init__({None: _NULL})
        self._make = make

    def __missing__(self, value: Any) -> bytes:
        made = self[value] = self._make(value)
        return made


def _uuids(values: Sequence[Any]) -> list[bytes]:
    """Rows of one event stand together and share its ids, so most are the same object as in the row before."""
    elements = []
    before, element = None, _NULL
    for value in values:
        if value is not before:
            element = _NULL if value is None else _UUID_LENGTH + value.int.to_bytes(16, "big")
            before = value
        elements.append(element)
    return elements


def _integers(values: Sequence[Any]) -> list[bytes]:
    pack = _INTEGER.pack
    return [_NULL if value is None else pack(4, value) for value in values]


def _bigints(values: Sequence[Any]) -> list[bytes]:
    pack = _BIGINT.pack
    return [_NULL if value is None else pack(8, value) for value in values]


def _booleans(values: Sequence[Any]) -> list[bytes]:
    return [_NULL if value is None else _TRUE if value else _FALSE for value in values]


def _byteas(values: Sequence[Any]) -> list[bytes]:
    return [_NULL if value is None else _sized(value) for value in values]


def _jsonbs(values: Sequence[Any]) -> list[bytes]:
    return [_NULL if value is None else _sized(b"\x01" + json.dumps(value).encode()) for value in values]


def _texts(values: Sequence[Any]) -> list[bytes]:
    return list(map(_Known(lambda value: _sized(value.encode())).__getitem__, values))


def _dates(values: Sequence[Any]) -> list[bytes]:
    return list(map(_Known(lambda value: _INTEGER.pack(4, value.toordinal() - _DAY_ZERO)).__getitem__, values))


def _instants(values: Sequence[Any]) -> list[bytes]:
    return list(map(_Known(_instant).__getitem__, values))


def _instant(value: datetime) -> bytes:
    if value.tzinfo is None:
        raise Bug("a read model takes no instant without its time zone")
    since = value - _INSTANT_ZERO
    return _BIGINT.pack(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def _sized(content: bytes) -> bytes:
    return _LENGTH.pack(len(content)) + content


_ELEMENTS: dict[SqlType, Callable[[Sequence[Any]], list[bytes]]] = {
    "uuid": _uuids,
    "text": _texts,
    "bigint": _bigints,
    "integer": _integers,
    "boolean": _booleans,
    "date": _dates,
    "timestamptz": _instants,
    "jsonb": _jsonbs,
    "bytea": _byteas,
}


def _array_of(kind: SqlType) -> type[Packed]:
    """The class whose instances the driver sends as arrays of this type."""
    made = type(f"Packed_{kind}", (Packed,), {"__slots__": ()})
    oid = psycopg.adapters.types[kind].array_oid
    psycopg.adapters.register_dumper(made, type(f"Packed_{kind}_dumper", (_PackedDumper,), {"oid": oid}))
    return made


_KINDS: tuple[SqlType, ...] = get_args(SqlType)
_OIDS = {kind: psycopg.adapters.types[kind].oid for kind in _KINDS}
_ARRAYS = {kind: _array_of(kind) for kind in _KINDS}
assert set(_ELEMENTS) == set(_KINDS), "every type of a column can be written"
