"""Inbound messages: every byte that came through a door, kept sealed, and what was made of it."""

from chassis.inbound.keeping import (
    Arrival,
    ExpiredRaw,
    RawTampered,
    keep,
    message_id_of,
    messages_by_deliveries,
    messages_by_delivery,
    read_raw,
    read_span,
)
from chassis.inbound.message import (
    INBOUND_MESSAGES,
    AlreadyDecided,
    Fact,
    InboundMessage,
    MessageState,
    project_inbound_messages,
)
from chassis.inbound.spans import NoSuchBytes, SpanPlan, SpansFault, cover

__all__ = [
    "INBOUND_MESSAGES",
    "AlreadyDecided",
    "Arrival",
    "ExpiredRaw",
    "Fact",
    "InboundMessage",
    "MessageState",
    "NoSuchBytes",
    "RawTampered",
    "SpanPlan",
    "SpansFault",
    "cover",
    "keep",
    "message_id_of",
    "messages_by_deliveries",
    "messages_by_delivery",
    "project_inbound_messages",
    "read_raw",
    "read_span",
]
