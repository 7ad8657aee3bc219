"""The outbox relay: reads the store's log in order and publishes atomic batches, fenced and resumable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Protocol

from canonical.classes import walk_classes
from canonical.envelope import Envelope, PublicEvent
from canonical.ids import derive

from chassis.domain import Event, Unavailable
from chassis.eventstore.announcing import Announcements
from chassis.eventstore.port import EventStore, LoggedEvent
from chassis.eventstore.work import CrashPoint, no_crash
from chassis.messaging.delivery import Outgoing

READ_MAX = 1_500
LONG_EVENTS, LONG_BYTES = 500, 1_000_000
BATCH_MESSAGES_MAX = 500
BATCH_BYTES_MAX = 4_000_000

Publishing = Callable[[Event], Iterable[PublicEvent]]


class Fenced(Exception):
    """Another relay wrote to the stream meanwhile, or our own lost batch did arrive: find the place again."""


class RefillNeeded(Unavailable):
    """The stream never held a message though events were published: it is refilled by name, never by accident."""


@dataclass(frozen=True, slots=True)
class StreamTail:
    """The end of a stream: its last sequence, and the store position behind its last message (0 where empty)."""

    last_sequence: int
    last_position: int


@dataclass(frozen=True, slots=True)
class _Portion:
    """One read of the log, with the public events of each stored one."""

    logged: Sequence[LoggedEvent]
    announced: list[list[Outgoing]]

    @property
    def is_long(self) -> bool:
        """Whether the log is worth reading ahead of it."""
        return len(self.logged) >= LONG_EVENTS or sum(map(_weight, self.announced)) >= LONG_BYTES


class StreamPort(Protocol):
    """The stream of one service. Calls block."""

    def tail(self) -> StreamTail: ...

    def publish(self, batch: Sequence[Outgoing], expected_last_sequence: int) -> int:
        """Publishes all of the batch or nothing; the stream's new last sequence.

        Raises:
            Fenced: the stream is not where the caller thinks, or holds an id of the batch already.
            Transient, Unavailable: no answer; the batch may have arrived.
        """
        ...


class Relay:
    """Publishes what one store recorded. `step` does one portion; a crash at any place is mended by the next `step`.

    With `ahead` the next portion of a long log is read while the one in hand is on its way; what was read ahead is used
    only from the place it was read from.
    """

    def __init__(
        self,
        service: str,
        store: EventStore,
        stream: StreamPort,
        publishing: Publishing,
        *,
        crash_point: CrashPoint = no_crash,
        ahead: Executor | None = None,
    ) -> None:
        self._service = service
        self._ahead = ahead
        self._begun: tuple[int, Future[_Portion]] | None = None
        self._store = store
        self._stream = stream
        self._publishing = publishing
        self._topics = publishing.topics if isinstance(publishing, Announcements) else None
        self._crash_point = crash_point
        self._tail: StreamTail | None = None
        self._position = 0
        self._recorded = 0

    def step(self) -> int:
        """Publishes at most one read of the log; the number of stored events it got past.

        Raises:
            RefillNeeded: see there; call `refill` when it is meant.
            Transient, Unavailable: try again later.
        """
        if self._tail is None:
            self._find_place()
        portion = self._next_portion()
        logged = portion.logged
        try:
            for batch, position in batches(portion.announced, logged):
                self._publish(batch, position)
        except Fenced:
            self._tail = None
            return 0
        except BaseException:
            self._tail = None
            raise
        if not logged and self._position > self._recorded:
            self._store.record_relay_position(self._position)
            self._recorded = self._position
        return len(logged)

    def _next_portion(self) -> _Portion:
        """What comes next, perhaps begun already; and begins what comes after it."""
        begun, self._begun = self._begun, None
        is_next = begun is not None and begun[0] == self._position
        portion = begun[1].result() if begun is not None and is_next else self._read(self._position)
        if self._ahead is not None and portion.is_long:
            after = portion.logged[-1].position
            self._begun = (after, self._ahead.submit(self._read, after))
        return portion

    def _read(self, after: int) -> _Portion:
        logged = self._store.log(after, READ_MAX)
        return _Portion(logged, self._outgoing(logged))

    def refill(self) -> None:
        """Starts over from the first event: for a stream that was wiped on purpose. Ids stay the same."""
        self._tail = self._stream.tail()
        self._position = self._tail.last_position

    @property
    def position(self) -> int:
        return self._position

    def _find_place(self) -> None:
        tail = self._stream.tail()
        recorded = self._store.relay_position()
        if tail.last_sequence == 0 and recorded > 0 and self._announced_before(recorded):
            raise RefillNeeded(f"the stream of {self._service} is empty, but events up to {recorded} were published")
        # What the stream holds tells how far it is, also after a refill that died half-way; the position in the store
        # may be ahead by events without public ones, and is all there is where every message has expired.
        self._position = tail.last_position or recorded
        self._recorded = recorded
        self._tail = tail

    def _announced_before(self, position: int) -> bool:
        """Whether any stored event up to `position` has public events at all."""
        after = 0
        while after < position:
            logged = self._store.log(after, READ_MAX)
            if not logged:
                return False
            for entry in logged:
                if entry.position <= position and any(True for _ in self._announced(entry)):
                    return True
            after = logged[-1].position
        return False

    def _publish(self, batch: Sequence[Outgoing], position: int) -> None:
        assert self._tail is not None
        if batch:
            self._crash_point("before-publish")
            sequence = self._stream.publish(batch, self._tail.last_sequence)
            self._crash_point("after-publish")
            self._tail = StreamTail(sequence, position)
        self._position = position

    def _outgoing(self, logged: Sequence[LoggedEvent]) -> list[list[Outgoing]]:
        return [
            [outgoing(self._service, entry, public, ordinal) for ordinal, public in enumerate(self._announced(entry))]
            for entry in logged
        ]

    def _announced(self, entry: LoggedEvent) -> Iterable[PublicEvent]:
        """The public events of a stored one; what can have none is not even decoded."""
        if self._topics is not None and entry.topic not in self._topics:
            return ()
        return self._publishing(entry.event)


def batches(
    announced: Sequence[Sequence[Outgoing]], logged: Sequence[LoggedEvent]
) -> Iterable[tuple[list[Outgoing], int]]:
    """Atomic batches with the position each one reaches; the public events of one stored event are never parted."""
    batch: list[Outgoing] = []
    size = 0
    position = 0
    for group, entry in zip(announced, logged, strict=True):
        weight = _weight(group)
        if batch and (len(batch) + len(group) > BATCH_MESSAGES_MAX or size + weight > BATCH_BYTES_MAX):
            yield batch, position
            batch, size = [], 0
        batch.extend(group)
        size += weight
        position = entry.position
    if logged:
        yield batch, position


def _weight(group: Sequence[Outgoing]) -> int:
    return sum(len(message.data) for message in group)


def outgoing(service: str, entry: LoggedEvent, public: PublicEvent, ordinal: int) -> Outgoing:
    """The message of one public event; its id follows from the stored event and the ordinal alone."""
    stored = entry.event
    envelope = Envelope.trusted(
        id=derive("public-event", service, stored.originator_id, stored.originator_version, ordinal),
        service=public.SERVICE,
        type=public.TYPE,
        version=public.VERSION,
        key=stored.originator_id,
        sequence=stored.originator_version,
        ordinal=ordinal,
        position=entry.position,
        time=stored.timestamp,
        correlation_id=stored.meta.correlation_id,
        causation_id=stored.meta.causation_id,
        actor=stored.meta.actor,
        source_system=stored.meta.source_system,
        source_reference=stored.meta.source_reference,
        traceparent=stored.meta.traceparent,
        tier=tier_of(type(public)),
    )
    return Outgoing(envelope.subject, envelope.to_headers(), public.model_dump_json().encode(), entry.position)


def tier_of(event: type[PublicEvent]) -> str:
    """`sealed` where the event may carry sealed PHI, else `clear`."""
    known = _TIERS.get(event)
    if known is None:
        paths = [path for path, _ in walk_classes(event)]
        known = "sealed" if any(path.endswith(".ciphertext") or path == "ciphertext" for path in paths) else "clear"
        _TIERS[event] = known
    return known


_TIERS: dict[type[PublicEvent], str] = {}

__all__ = ["Fenced", "Outgoing", "Publishing", "RefillNeeded", "Relay", "StreamPort", "StreamTail"]
