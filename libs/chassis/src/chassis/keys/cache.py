"""Keys kept in memory for a while: bounded in number, and in age, so that an erased key is forgotten everywhere soon."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from uuid import UUID


class KeyCache:
    """Forgets the least recently used key beyond `keys_max`, and every key after `age_seconds`."""

    def __init__(self, keys_max: int, age_seconds: float, monotonic: Callable[[], float]) -> None:
        self._keys_max = keys_max
        self._age_seconds = age_seconds
        self._monotonic = monotonic
        self._kept: OrderedDict[UUID, tuple[float, bytes]] = OrderedDict()
        self._lock = Lock()

    def find(self, key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """The keys that are here and young enough."""
        found: dict[UUID, bytes] = {}
        oldest = self._monotonic() - self._age_seconds
        with self._lock:
            for key_id in key_ids:
                kept = self._kept.get(key_id)
                if kept is not None and kept[0] >= oldest:
                    self._kept.move_to_end(key_id)
                    found[key_id] = kept[1]
        return found

    def keep(self, keys: Mapping[UUID, bytes]) -> None:
        now = self._monotonic()
        with self._lock:
            for key_id, key in keys.items():
                self._kept[key_id] = (now, key)
                self._kept.move_to_end(key_id)
            while len(self._kept) > self._keys_max:
                self._kept.popitem(last=False)

    def forget(self, key_id: UUID) -> None:
        with self._lock:
            self._kept.pop(key_id, None)
