"""What stored events announce: one function for each that announces anything; every other announces nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from canonical.envelope import PublicEvent

from chassis.domain import Event

_E = TypeVar("_E", bound=Event)
_Announce = Callable[[_E], Iterable[PublicEvent]]


class Announcements:
    """Called with a stored event, it gives its public ones, in order. `topics` are those that may have any.

    The relay need not read the others.
    """

    def __init__(self) -> None:
        self._announce: dict[str, Callable[[Any], Iterable[PublicEvent]]] = {}

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(self._announce)

    def of(self, kind: type[_E]) -> Callable[[_Announce[_E]], _Announce[_E]]:
        """Lets a function say what events of one class announce."""
        assert kind.TOPIC not in self._announce, f"two functions announce {kind.TOPIC}"

        def announced_by(announce: _Announce[_E]) -> _Announce[_E]:
            self._announce[kind.TOPIC] = announce
            return announce

        return announced_by

    def __call__(self, event: Event) -> Iterable[PublicEvent]:
        announce = self._announce.get(event.TOPIC)
        return announce(event) if announce else ()
