"""Given events, when a command, then events or a refusal: an aggregate's rules as sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from canonical.ids import derive

from chassis.domain import Aggregate, Context, ContextSource, Event, Refusal
from chassis.testing.contexts import context

_A = TypeVar("_A", bound=Aggregate)
_ENVELOPE = frozenset(Event.model_fields)


@dataclass(frozen=True)
class Happened:
    """An event by its class and its own fields, without the envelope."""

    kind: type[Event]
    fields: dict[str, Any]


def happened(kind: type[Event], **fields: Any) -> Happened:
    """An event that happened, or that is expected to."""
    return Happened(kind, fields)


def given(
    kind: type[_A], events: Iterable[Happened] = (), *, identity: UUID | None = None, at: Context | None = None
) -> Given[_A]:
    """An aggregate with a history."""
    aggregate = kind(identity or derive("test", kind.__name__), ContextSource(at or context()))
    for event in events:
        aggregate.trigger_event(event.kind, **event.fields)
    aggregate.pending.clear()
    return Given(aggregate)


class Given(Generic[_A]):
    """An aggregate before a command."""

    def __init__(self, aggregate: _A) -> None:
        self.aggregate = aggregate

    def when(self, command: Callable[[_A], object]) -> Outcome:
        """Runs the command, and keeps what it recorded or how it refused."""
        refusal: Refusal | None = None
        try:
            command(self.aggregate)
        except Refusal as refused:
            refusal = refused
        return Outcome(list(self.aggregate.pending), refusal)


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    events: list[Event]
    refusal: Refusal | None

    def then(self, *expected: Happened) -> None:
        """Exactly these events were recorded, in this order; none given means nothing happened."""
        assert self.refusal is None, f"it was refused: {self.refusal!r}"
        assert [_without_envelope(event) for event in self.events] == [_complete(event) for event in expected]

    def then_refused(self, rule: type[Refusal], match: str = "") -> None:
        """It was refused by this rule, with a message that holds `match`, and nothing was recorded."""
        assert type(self.refusal) is rule, f"expected {rule.__name__}, got {self.refusal!r}"
        assert re.search(match, str(self.refusal)), f"{str(self.refusal)!r} does not say {match!r}"
        assert self.events == [], "a refused command recorded events"


def _without_envelope(event: Event) -> Happened:
    return Happened(type(event), {name: value for name, value in event if name not in _ENVELOPE})


def _complete(expected: Happened) -> Happened:
    """With the defaults of the fields that the test leaves out."""
    defaults = {
        name: field.get_default(call_default_factory=True)
        for name, field in expected.kind.model_fields.items()
        if name not in _ENVELOPE and not field.is_required()
    }
    return Happened(expected.kind, defaults | expected.fields)
