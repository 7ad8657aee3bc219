"""What a service does when a public event arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from canonical.envelope import Envelope, PublicEvent

from chassis.eventstore.work import Work

_E = TypeVar("_E", bound=PublicEvent)


def no_needs(event: Any) -> Iterable[UUID]:
    """For a reaction that only makes new aggregates, or derives what it needs itself."""
    return ()


@dataclass(frozen=True)
class Reaction(Generic[_E]):
    """`act` answers one event inside the batch's work; `needs` names the aggregates to load beforehand, for all at once.

    `act` may raise Refusal (a case is opened, the batch goes on) or NotYet (the message waits).
    """

    event: type[_E]
    act: Callable[[Work, _E, Envelope], None]
    needs: Callable[[_E], Iterable[UUID]] = no_needs

    @property
    def type_key(self) -> tuple[str, str]:
        return (self.event.SERVICE, self.event.TYPE)
