"""Files that were taken whole: the same bytes are taken once, whatever their name, their sender, and however often we start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from canonical.classes import Public
from canonical.ids import derive

from chassis.domain import Aggregate, Context, Event, Meta
from chassis.eventstore import EventStore, Work, transact
from chassis.keys import Sealer


class TakenFile(Aggregate):
    """Id: the keyed hash of the bytes."""

    def start(self) -> None:
        self.name = ""

    class Taken(Event):
        """`name` is the first that the bytes came under."""

        TOPIC = "chassis.taken-file.taken"
        name: Public[str]
        content_address: Public[str]

        def apply(self, file: TakenFile) -> None:
            file.name = self.name

    def take(self, name: str, content_address: str) -> None:
        """The same again changes nothing."""
        if not self.exists:
            self.trigger_event(self.Taken, name=name, content_address=content_address)


class TakenFiles:
    """Remembers files. Names are plain names, which hold no PHI."""

    def __init__(self, store: EventStore, clock: Callable[[], datetime], sealer: Sealer, door: str) -> None:
        self._store = store
        self._clock = clock
        self._sealer = sealer
        self._actor = f"door:{door}"

    def address_of(self, content: bytes) -> str:
        return self._sealer.content_address(content).hex()

    def name_of(self, address: str) -> str | None:
        """The name that the bytes were first taken under; None where they never were."""
        identity = _identity(address)
        work = Work(self._store, self._context(identity))
        known = work.get(TakenFile, identity)
        return known.name if known else None

    def note(self, address: str, name: str) -> None:
        identity = _identity(address)

        def decide(work: Work) -> None:
            work.get_or_new(TakenFile, identity).take(name, address)

        transact(self._store, self._context(identity), decide)

    def _context(self, identity: UUID) -> Context:
        meta = Meta(correlation_id=identity, causation_id=identity, actor=self._actor)
        return Context(self._clock(), meta)


def _identity(address: str) -> UUID:
    return derive("taken-file", address)
