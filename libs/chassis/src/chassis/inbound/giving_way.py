"""Takes bulk in short slices, and rests as long as each took while somebody waits at a door: a file never holds up a person."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

SLICE_MAX = 10
SLICE_SECONDS = 0.02
REST_SECONDS_MAX = 0.5
AWAITED_SECONDS = 1.0

_T = TypeVar("_T")


class GivingWay:
    """What bulk of one process shares with its doors: these say when somebody waits, and bulk asks between its slices.

    Slices are short all the time, for whoever comes next may come in the middle of one. Where several files are in hand
    at once, each rests as long as all of them work.
    """

    def __init__(
        self, *, monotonic: Callable[[], float] = time.monotonic, rest: Callable[[float], None] = time.sleep
    ) -> None:
        self._monotonic = monotonic
        self._rest = rest
        self._awaited_at = float("-inf")
        self._in_hand = 0
        self._lock = threading.Lock()

    def note_delivery(self) -> None:
        """Somebody waits for an answer now; safe from any thread."""
        self._awaited_at = self._monotonic()

    @property
    def is_awaited(self) -> bool:
        """Whether anybody came within the last second."""
        return self._monotonic() - self._awaited_at < AWAITED_SECONDS

    def paced(self, items: Iterable[_T]) -> Iterator[_T]:
        """The items, with rests in between and after the last; to make each and what is done with it count as work."""
        with self._one_more():
            began = self._monotonic()
            for item in items:
                yield item
                if self._monotonic() - began >= SLICE_SECONDS:
                    began = self._rested_since(began)
            self._rested_since(began)

    def slices(self, items: Iterable[_T]) -> Iterator[list[_T]]:
        """The items ten by ten, paced: each slice is to be made durable by itself."""
        left = iter(items)
        return self.paced(iter(lambda: list(islice(left, SLICE_MAX)), []))

    def _rested_since(self, began: float) -> float:
        """Rests for what was done since then, where somebody waits; when the next slice begins."""
        if self.is_awaited:
            self._rest(min((self._monotonic() - began) * self._in_hand, REST_SECONDS_MAX))
        return self._monotonic()

    @contextmanager
    def _one_more(self) -> Iterator[None]:
        with self._lock:
            self._in_hand += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_hand -= 1
