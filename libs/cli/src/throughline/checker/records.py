"""Raw records as they are read: rows of the logs and messages of the streams. Ids are texts everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

State = Mapping[str, Any]


class StoredEvent(NamedTuple):
    """One row of a log, as stored."""

    position: int
    id: UUID
    version: int
    topic: str
    state: bytes
    chain: bytes


class Fact(NamedTuple):
    """A stored event whose state has been read."""

    position: int
    id: str
    version: int
    topic: str
    state: State


class Message(NamedTuple):
    """One message of a stream."""

    sequence: int
    subject: str
    headers: Mapping[str, str]
    data: bytes

    @property
    def id(self) -> str:
        return self.headers.get("Nats-Msg-Id", "")


class Parked(NamedTuple):
    """One row of the messages that wait."""

    message_id: str
    consumer: str
    key: str
    waiting_for: str | None
    case_id: str | None
    type: str
    reason: str


class Published(NamedTuple):
    """What is remembered of a message: enough to find its effects. `data` is kept for the types that have them."""

    id: str
    sequence: int
    type: str
    partition: int
    content_hash: bytes
    data: State
