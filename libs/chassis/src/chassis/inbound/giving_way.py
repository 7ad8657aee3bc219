"""Takes bulk in short slices while somebody waits at a door, and rests as long as each took: a file never holds up a person."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

SLICE_MAX = 10
REST_SECONDS_MAX = 0.5

_D = TypeVar("_D")
_O = TypeVar("_O")


class GivingWay(Generic[_D, _O]):
    """Receives as `receive` does, each slice durable by itself; in one piece while `is_awaited` says that nobody waits."""

    def __init__(
        self,
        receive: Callable[[Sequence[_D]], list[_O]],
        is_awaited: Callable[[], bool],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._receive = receive
        self._is_awaited = is_awaited
        self._monotonic = monotonic
        self._rest = rest

    def __call__(self, deliveries: Sequence[_D]) -> list[_O]:
        outcomes: list[_O] = []
        while left := deliveries[len(outcomes) :]:
            began = self._monotonic()
            if not self._is_awaited():
                return outcomes + self._receive(left)
            outcomes += self._receive(left[:SLICE_MAX])
            self._rest(min(self._monotonic() - began, REST_SECONDS_MAX))
        return outcomes
