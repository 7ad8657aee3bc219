"""The stored events that a service knows, by topic: an allow-list, checked for PHI, with upcasting."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from typing import Any

from canonical.classes import DataClass, Unclassified, walk_classes
from eventsourcing.persistence import StoredEvent

from chassis.domain import Aggregate, Event
from chassis.domain.aggregate import Meta
from chassis.eventstore.port import LoggedEvent

_ENVELOPE_FIELDS = frozenset(Event.model_fields)


class UnknownTopic(LookupError):
    """A stored event whose topic no code of this service claims; it is never guessed."""


class NewerEvent(RuntimeError):
    """A stored event of a version that this build does not know: the reader must be renewed first."""


class EventRegistry:
    """Maps stored events to classes and back.

    Raises:
        Unclassified: a field of an event that no data class is known of, or that holds PHI in the clear.
    """

    def __init__(self, aggregates: Iterable[type[Aggregate]]) -> None:
        self.aggregates = tuple(aggregates)
        self.classes: dict[str, type[Event]] = {}
        for aggregate in self.aggregates:
            for event_class in events_of(aggregate):
                self._register(event_class)

    def _register(self, event_class: type[Event]) -> None:
        topic = event_class.TOPIC
        if self.classes.setdefault(topic, event_class) is not event_class:
            raise TypeError(f"two events claim the topic {topic}")
        refuse_clear_phi(event_class)

    def encode(self, event: Event) -> StoredEvent:
        whole = event.__pydantic_serializer__.to_json(event)
        # Its id and version stand first in it (see `Event`) and in columns of their own; to leave them out of the writing takes
        # the serializer longer than writing them.
        state = b"{" + whole[whole.index(b",", whole.index(b",") + 1) + 1 :]
        if event.class_version > 1:
            state = b'{"class_version":%d,' % event.class_version + state[1:]
        return StoredEvent(event.originator_id, event.originator_version, event.TOPIC, state)

    def logged(self, position: int, stored: StoredEvent) -> LoggedEvent:
        """The event with its place in the log.

        Raises:
            UnknownTopic: the topic is not registered, so that nobody can say what the event means.
        """
        if stored.topic not in self.classes:
            raise UnknownTopic(stored.topic)
        return LoggedEvent(position, stored.topic, partial(self.decode, stored))

    def decode(self, stored: StoredEvent) -> Event:
        """The event of a stored row, brought to today's version; fields that a newer build added are left out (ADR 17).

        Raises:
            UnknownTopic: the topic is not registered.
            NewerEvent: written by a newer build.
        """
        event_class = self.classes.get(stored.topic)
        if event_class is None:
            raise UnknownTopic(stored.topic)
        prefix = b'{"originator_id":"%s","originator_version":%d,' % (
            str(stored.originator_id).encode(),
            stored.originator_version,
        )
        if event_class.class_version == 1 and not stored.state.startswith(b'{"class_version"'):
            return event_class.model_validate_json(prefix + stored.state[1:], extra="ignore")
        return event_class.model_validate_json(prefix + _upcast(event_class, stored.state)[1:], extra="ignore")


def _upcast(event_class: type[Event], state: bytes) -> bytes:
    content: dict[str, Any] = json.loads(state)
    version = content.pop("class_version", 1)
    if version > event_class.class_version:
        raise NewerEvent(f"{event_class.TOPIC} version {version}; this build knows {event_class.class_version}")
    while version < event_class.class_version:
        getattr(event_class, f"upcast_v{version}_v{version + 1}")(content)
        version += 1
    return json.dumps(content).encode()


def events_of(aggregate: type[Aggregate]) -> list[type[Event]]:
    """The events nested in an aggregate class, those of its bases included."""
    found: dict[str, type[Event]] = {}
    for owner in reversed(aggregate.__mro__):
        for name, value in vars(owner).items():
            if isinstance(value, type) and issubclass(value, Event) and value is not Event:
                found[name] = value
    return list(found.values())


def refuse_clear_phi(event_class: type[Event]) -> None:
    """Raises Unclassified for a field without a data class, or one that may hold PHI or PII unsealed."""
    for name, field in event_class.model_fields.items():
        if name in _ENVELOPE_FIELDS:
            continue
        for path, found in walk_classes(_single(event_class, name)) if field else ():
            if found in (DataClass.PHI, DataClass.PII):
                raise Unclassified(f"{event_class.__qualname__}.{path}: PHI and PII are stored only sealed")


def _single(event_class: type[Event], name: str) -> Any:
    class OneField:
        model_fields = {name: event_class.model_fields[name]}

    OneField.__name__ = event_class.__qualname__
    return OneField


__all__ = ["EventRegistry", "Meta", "NewerEvent", "UnknownTopic", "events_of", "refuse_clear_phi"]
