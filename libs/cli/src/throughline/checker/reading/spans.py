"""The raw bytes of inbound messages: all there, without a gap, and those that the events vouch for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from throughline.checker.books.every_store import Inbound
from throughline.checker.result import Failures

ROWS_AT_ONCE = 2000
_SPANS = (
    "SELECT message_id, ordinal, start, length, key_id, sha256(ciphertext) FROM raw_spans ORDER BY message_id, ordinal"
)


class Span(NamedTuple):
    """One kept piece of a raw message, with the hash of its ciphertext."""

    message_id: UUID
    ordinal: int
    start: int
    length: int
    key_id: UUID
    digest: bytes


def check_spans(connection: Connection[TupleRow], inbound: Mapping[str, Inbound], failures: Failures) -> int:
    """Compares the spans of every message with its event; gives how many there are."""
    with connection.cursor(name="spans", binary=True) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(_SPANS)
        counted = _Counted(Span(*row) for row in cursor)
        failures.extend(span_faults(counted, inbound))
        return counted.count


class _Counted:
    """Counts what is iterated."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self.count = 0
        self._spans = spans

    def __iter__(self) -> Iterator[Span]:
        for span in self._spans:
            self.count += 1
            yield span


def span_faults(spans: Iterable[Span], inbound: Mapping[str, Inbound]) -> Iterable[str]:
    """Messages whose kept bytes are not those of their event. Spans come by message and ordinal."""
    kept: set[str] = set()
    for message_id, group in groupby(spans, lambda span: span.message_id):
        identity, pieces = str(message_id), list(group)
        kept.add(identity)
        message = inbound.get(identity)
        if message is None:
            yield f"raw spans of message {identity}, which was never received"
            continue
        if message.is_expired:
            yield f"message {identity}: its raw bytes expired, and are still here"
            continue
        if (len(pieces), digest_of(pieces)) != (message.span_count, message.span_digest):
            yield f"message {identity}: its raw spans are not those that were kept"
        if not _is_whole(pieces, message.size_bytes):
            yield f"message {identity}: its raw spans do not make its {message.size_bytes} bytes"
    for identity, message in inbound.items():
        if message.span_count and identity not in kept and not message.is_expired:
            yield f"message {identity}: its raw bytes are gone"


def digest_of(spans: Iterable[Span]) -> str:
    """SHA-256 over ordinal, start, length (8 bytes each), key id and the hash of the ciphertext of each span."""
    digest = sha256()
    for span in spans:
        for number in (span.ordinal, span.start, span.length):
            digest.update(number.to_bytes(8, "big"))
        digest.update(span.key_id.bytes + span.digest)
    return digest.hexdigest()


def _is_whole(spans: Iterable[Span], size_bytes: int) -> bool:
    at = 0
    for ordinal, span in enumerate(spans):
        if (span.ordinal, span.start) != (ordinal, at):
            return False
        at += span.length
    return at == size_bytes
