"""The event store as its users see it: load many, save one batch whole, read the log, ask the read models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chassis.domain import Event, Transient
from chassis.eventstore.tables import Order, Question, Row, Table, Where


class VersionConflict(Transient):
    """Somebody else moved one of the aggregates, or answered one of the messages; load again and decide again.

    A COMMIT whose reply was lost looks the same: after loading again the batch turns out to be done.
    """


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """A message or command that has been answered. The hash tells a repetition from other content under one id."""

    id: UUID
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """A message that waits (`waiting_for` names the aggregate) or was refused (`case_id` names its case).

    `key` is the message's own key: its successors under the same key wait behind it.
    """

    message_id: UUID
    consumer: str
    key: UUID
    waiting_for: UUID | None
    case_id: UUID | None
    subject: str
    headers: Mapping[str, str]
    data: bytes
    parked_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class RawSpan:
    """A piece of a raw message, ciphertext under one key; the pieces in order are the message, byte for byte."""

    message_id: UUID
    ordinal: int
    start: int
    length: int
    key_id: UUID
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class SeenRows:
    """How many rows a question found when a batch was decided: with any other number it was decided on old news."""

    question: Question
    count: int


@dataclass(slots=True)
class Commit:
    """One batch: everything of it is saved, or nothing. Unparking comes before parking."""

    events: list[Event] = field(default_factory=list)
    inbox: list[InboxEntry] = field(default_factory=list)
    parked: list[ParkedMessage] = field(default_factory=list)
    unparked: list[UUID] = field(default_factory=list)
    spans: list[RawSpan] = field(default_factory=list)
    snapshots: list[SnapshotRow] = field(default_factory=list)
    expired: list[UUID] = field(default_factory=list)
    """Messages whose spans are deleted; each has an event that says so."""
    seen: list[SeenRows] = field(default_factory=list)
    unmoved: dict[UUID, int] = field(default_factory=dict)
    """Aggregates that the batch was decided on and does not change, each with its version."""

    @property
    def is_empty(self) -> bool:
        return not (self.events or self.inbox or self.parked or self.unparked or self.spans)


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """The JSON state of an aggregate at a version; a cache that may be dropped at any time."""

    aggregate_id: UUID
    version: int
    topic: str
    state: bytes


class LoggedEvent:
    """A stored event with its place in the log; it is decoded when it is first asked for."""

    __slots__ = ("_decode", "_event", "position", "topic")

    def __init__(self, position: int, topic: str, decode: Callable[[], Event]) -> None:
        self.position = position
        self.topic = topic
        self._decode = decode
        self._event: Event | None = None

    @property
    def event(self) -> Event:
        """
        Raises:
            NewerEvent: written by a newer build.
        """
        if self._event is None:
            self._event = self._decode()
        return self._event


@dataclass(frozen=True, slots=True)
class History:
    """What is loaded of one aggregate: perhaps a snapshot, and the events after it."""

    snapshot: SnapshotRow | None
    events: list[Event]


class EventStore(Protocol):
    """The truth of one service. Calls block; they are made from worker threads, never on an event loop."""

    def load(self, ids: Iterable[UUID]) -> dict[UUID, History]:
        """The histories of all ids that have one, in one query."""
        ...

    def story(self, identity: UUID, *, after: int = 0, limit: int | None = None) -> list[Event]:
        """The stored events of one aggregate above a version, snapshots or not; for who looks, and not for who decides."""
        ...

    def answered(self, ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """Which of the messages have been answered, each with the hash of what was answered."""
        ...

    def save(self, commit: Commit) -> int:
        """Saves one batch with the read-model rows its events change; the position of its last event, or 0.

        Raises:
            VersionConflict: an aggregate's version or an inbox id is taken, a message to unpark is gone, a raw
                message is kept already, or what was seen of a read model has changed.
            Transient: the database could not be reached or refused for a technical reason; nothing may be assumed.
        """
        ...

    def log(self, after: int, limit: int) -> Sequence[LoggedEvent]:
        """Stored events above a position, in order; fewer than `limit` where they are large, but one if there is one."""
        ...

    def last_position(self) -> int:
        """The position of the newest event, 0 where there is none."""
        ...

    def parked(
        self,
        *,
        keys: Iterable[UUID] | None = None,
        waiting_for: Iterable[UUID] | None = None,
        message_ids: Iterable[UUID] | None = None,
        consumer: str | None = None,
        only_waiting: bool = False,
        limit: int = 1000,
    ) -> list[ParkedMessage]:
        """Parked messages in the order they were parked; every filter given must hold.

        `only_waiting` leaves out what was refused and waits for a person.
        """
        ...

    def spans(self, message_id: UUID) -> list[RawSpan]:
        """The pieces of a raw message, in order."""
        ...

    def rows(
        self, table: Table, where: Where, *, order: Order = (), limit: int = 1000, after: Row | None = None
    ) -> list[Row]:
        """Committed rows of a read model. `order` names columns, a leading minus reverses.

        With `after`, a row of the page before, those that follow it; then nothing is reversed, and what orders is never null.
        """
        ...

    def rows_of_each(self, questions: Sequence[Question]) -> list[list[Row]]:
        """The rows of several questions, asked all at once: each trip to the database waits for its turn on a busy machine."""
        ...

    def sums(self, table: Table, columns: Sequence[str], group_by: Sequence[str], where: Where) -> list[Row]:
        """The sums of `columns` (and `count`) by the columns of `group_by`, ordered by them."""
        ...

    def relay_position(self) -> int:
        """How far the outbox has been published, as far as this database knows."""
        ...

    def record_relay_position(self, position: int) -> None: ...
