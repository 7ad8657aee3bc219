"""Keeping raw messages and reading them back, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from canonical.ids import derive

from chassis.eventstore import EventStore, RawSpan, Row, Where, Work
from chassis.eventstore.work import UnknownAggregate
from chassis.inbound.message import INBOUND_MESSAGES, InboundMessage, message_id
from chassis.inbound.spans import NoSuchBytes, SpanPlan, cover
from chassis.keys import Sealer, ToSeal, entity_key_id

SPAN_KIND = "raw-span.v1"
MESSAGES_OF_ONE_DELIVERY_MAX = 100


class RawTampered(RuntimeError):
    """The kept spans are not those that the message's event tells of."""


class ExpiredRaw(LookupError):
    """The raw bytes were kept as long as the policy says; the message tells when they were deleted, and their hash."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery as the door saw it. `delivery_key` is the sender's own name for it: control id, file name, event id.

    What is under no patient's key goes under `entity`'s. None of these fields may hold PHI.
    """

    source_system: str
    delivery_key: str
    format: str
    entity: str
    source_reference: str = ""


def message_id_of(sealer: Sealer, arrival: Arrival, raw: bytes) -> UUID:
    """The id that these bytes have when they arrive so: for `Work.prefetch` and for asking whether they came before."""
    return message_id(arrival.source_system, arrival.delivery_key, sealer.content_address(raw))


def keep(work: Work, sealer: Sealer, arrival: Arrival, raw: bytes, spans: Sequence[SpanPlan]) -> InboundMessage:
    """Keeps the bytes, every one of them sealed under one key, as part of this work's commit.

    A repeated delivery of the same bytes gives the message as it is, with its verdict, and keeps nothing again.

    Raises:
        SpansFault: the plans overlap, or leave the message.
        ErasedKey: one of the keys has been erased.
    """
    address = sealer.content_address(raw)
    message = work.get_or_new(InboundMessage, message_id(arrival.source_system, arrival.delivery_key, address))
    if message.exists:
        return message
    kept = _sealed_spans(sealer, message.id, raw, cover(spans, len(raw), entity_key_id(arrival.entity)))
    message.trigger_event(
        InboundMessage.Received,
        source_system=arrival.source_system,
        delivery_key=arrival.delivery_key,
        source_reference=arrival.source_reference,
        format=arrival.format,
        entity=arrival.entity,
        size_bytes=len(raw),
        content_address=address.hex(),
        span_count=len(kept),
        span_digest=_digest(kept),
    )
    work.keep_spans(kept)
    return message


def read_raw(store: EventStore, sealer: Sealer, identity: UUID) -> bytes:
    """The whole message, byte for byte.

    Raises:
        UnknownAggregate: there is no such message.
        RawTampered: the spans are not what the event says.
        ExpiredRaw: they have been deleted by policy.
        ErasedKey: a part of it has been erased; `read_span` still reads the others.
    """
    return b"".join(_opened(sealer, _verified_spans(store, identity)))


def read_span(store: EventStore, sealer: Sealer, identity: UUID, start: int, length: int) -> bytes:
    """Some bytes of a message; only the keys of these are needed.

    Raises:
        NoSuchBytes: the range does not lie within the message. Else as `read_raw`.
    """
    spans = _verified_spans(store, identity)
    size = spans[-1].start + spans[-1].length if spans else 0
    if start < 0 or length < 0 or start + length > size:
        raise NoSuchBytes(f"bytes {start}+{length} of a message of {size}")
    touched = [span for span in spans if span.start < start + length and start < span.start + span.length]
    if not touched:
        return b""
    offset = start - touched[0].start
    return b"".join(_opened(sealer, touched))[offset : offset + length]


def messages_by_delivery(store: EventStore, source_system: str, delivery_key: str) -> list[Row]:
    """The messages that came under one delivery key, oldest first; more than one means that its bytes differed."""
    where = {"source_system": source_system, "delivery_key": delivery_key}
    return store.rows(INBOUND_MESSAGES, where, order=["received_at"], limit=MESSAGES_OF_ONE_DELIVERY_MAX)


def messages_by_deliveries(store: EventStore, arrivals: Iterable[Arrival]) -> dict[tuple[str, str], set[UUID]]:
    """The ids of the messages that came under these delivery keys, by source system and key, with a query per source."""
    keys: dict[str, set[str]] = {}
    for arrival in arrivals:
        keys.setdefault(arrival.source_system, set()).add(arrival.delivery_key)
    found: dict[tuple[str, str], set[UUID]] = {}
    for source, wanted in keys.items():
        where: Where = {"source_system": source, "delivery_key": sorted(wanted)}
        for row in store.rows(INBOUND_MESSAGES, where, limit=len(wanted) * MESSAGES_OF_ONE_DELIVERY_MAX):
            identity = row["message_id"]
            assert isinstance(identity, UUID)
            found.setdefault((source, str(row["delivery_key"])), set()).add(identity)
    return found


def _sealed_spans(sealer: Sealer, identity: UUID, raw: bytes, plans: Sequence[SpanPlan]) -> list[RawSpan]:
    wanted = [
        ToSeal(raw[plan.start : plan.end], plan.key_id, SPAN_KIND, _place(identity, ordinal, plan.start, plan.length))
        for ordinal, plan in enumerate(plans)
    ]
    return [
        RawSpan(identity, ordinal, plan.start, plan.length, plan.key_id, ciphertext)
        for ordinal, (plan, ciphertext) in enumerate(zip(plans, sealer.seal_bytes_many(wanted), strict=True))
    ]


def _opened(sealer: Sealer, spans: Sequence[RawSpan]) -> list[bytes]:
    return sealer.open_bytes_many(
        [ToSeal(s.ciphertext, s.key_id, SPAN_KIND, _place(s.message_id, s.ordinal, s.start, s.length)) for s in spans]
    )


def _place(identity: UUID, ordinal: int, start: int, length: int) -> UUID:
    return derive("raw-span", identity, ordinal, start, length)


def _verified_spans(store: EventStore, identity: UUID) -> list[RawSpan]:
    history = store.load([identity]).get(identity)
    received = history.events[0] if history else None
    if history is None or not isinstance(received, InboundMessage.Received):
        raise UnknownAggregate(f"no InboundMessage {identity}")
    for event in history.events:
        if isinstance(event, InboundMessage.RawExpired):
            kept = f"after {event.keep_days} days, on {event.timestamp.date()}"
            raise ExpiredRaw(f"its raw bytes expired {kept}; their hash is {received.content_address}")
    spans = store.spans(identity)
    if len(spans) != received.span_count or _digest(spans) != received.span_digest:
        raise RawTampered(f"the spans of message {identity} are not those that were kept")
    return spans


def _digest(spans: Sequence[RawSpan]) -> str:
    """SHA-256 over each span's ordinal, start and length (8 bytes each), key id, and the hash of its ciphertext."""
    digest = sha256()
    for span in spans:
        for number in (span.ordinal, span.start, span.length):
            digest.update(number.to_bytes(8, "big"))
        digest.update(span.key_id.bytes + sha256(span.ciphertext).digest())
    return digest.hexdigest()
