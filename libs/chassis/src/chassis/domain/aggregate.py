"""Aggregates and their events: commands check and then record; `apply` only assigns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict


class Meta(BaseModel):
    """Who and what caused an event, kept with it for ever.

    `causation_id` is the message or command that was answered, `correlation_id` the first cause of the story,
    `source_*` where that came from outside.
    """

    model_config = ConfigDict(frozen=True)

    correlation_id: UUID
    causation_id: UUID
    actor: str
    source_system: str = ""
    source_reference: str = ""
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """When and why things happen now: the instant of the clock and the cause.

    `is_one_call` says that nothing but this one call ever records under its causation id.
    """

    now: datetime
    meta: Meta
    is_one_call: bool = False


class ContextSource:
    """Holds the context of the message in hand; every aggregate of one unit of work shares one source.

    `recorded` names the aggregate of each event triggered so far, in order, so that the newest can be taken back.
    """

    __slots__ = ("current", "recorded")

    def __init__(self, current: Context) -> None:
        self.current = current
        self.recorded: list[UUID] = []


class Event(BaseModel):
    """A stored event: private to its service, kept for ever under its `TOPIC`.

    A change of shape raises `class_version` and adds `upcast_v<n>_v<n+1>(state: dict) -> None`, which mends an older
    state in place. PHI is refused in its fields; it may hold `canonical.sealed.Sealed`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64", hide_input_in_errors=True
    )

    TOPIC: ClassVar[str]
    class_version: ClassVar[int] = 1

    originator_id: UUID
    originator_version: int
    timestamp: AwareDatetime
    meta: Meta

    def apply(self, aggregate: Any) -> None:
        """Moves the aggregate's state on. It assigns, and never raises."""


class Aggregate:
    """One consistency boundary. A subclass sets its initial state in `start`, and nests its events.

    `version` is the number of events it has had; 0 means it does not exist yet. `snapshot_every` above zero keeps a
    snapshot each so many events; the subclass then gives `snapshot` and `restore`.
    """

    snapshot_every: ClassVar[int] = 0

    def __init__(self, identity: UUID, source: ContextSource) -> None:
        self.id = identity
        self.version = 0
        self.pending: list[Event] = []
        self._source = source
        self.start()

    def start(self) -> None:
        """Assigns the state of an aggregate that has no event yet."""

    @property
    def exists(self) -> bool:
        return self.version > 0

    @property
    def context(self) -> Context:
        return self._source.current

    def trigger_event(self, event_class: type[Event], **fields: Any) -> None:
        """Records one event, and applies it."""
        context = self._source.current
        event = event_class(
            originator_id=self.id,
            originator_version=self.version + 1,
            timestamp=context.now,
            meta=context.meta,
            **fields,
        )
        self.pending.append(event)
        self._source.recorded.append(self.id)
        self.evolve(event)

    def evolve(self, event: Event) -> None:
        """Takes one event of its own history, in order."""
        assert event.originator_id == self.id, "an event of another aggregate"
        assert event.originator_version == self.version + 1, "a gap in the history"
        event.apply(self)
        self.version = event.originator_version

    @classmethod
    def rebuilt(cls, identity: UUID, history: list[Event], source: ContextSource) -> Self:
        """The aggregate as its history left it."""
        aggregate = cls(identity, source)
        for event in history:
            aggregate.evolve(event)
        return aggregate

    def snapshot(self) -> BaseModel:
        """The state as a model; only asked of classes with `snapshot_every`."""
        raise Unsnapshottable(type(self).__name__)

    def restore(self, state: bytes) -> None:
        """Assigns the state that `snapshot` gave, from its JSON."""
        raise Unsnapshottable(type(self).__name__)


class Unsnapshottable(TypeError):
    """An aggregate asks for snapshots without saying what they are."""
