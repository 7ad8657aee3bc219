"""Draws that depend on a seed and on what they are drawn for, never on the order in which somebody asks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")


class Dice:
    """Seeded draws: the same seed, name and purpose give the same number on every machine and Python version."""

    def __init__(self, *seed: object) -> None:
        self._seed = "\x1f".join(str(part) for part in seed)

    def below(self, limit: int, *purpose: object) -> int:
        """A number from 0 to `limit - 1`."""
        text = "\x1f".join([self._seed, *(str(part) for part in purpose)])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % limit

    def between(self, low: int, high: int, *purpose: object) -> int:
        """A number from `low` to `high`, both included."""
        return low + self.below(high - low + 1, *purpose)

    def chance(self, percent: int, *purpose: object) -> bool:
        """True in `percent` of a hundred purposes."""
        return self.below(100, *purpose) < percent

    def choice(self, options: Sequence[_T], *purpose: object) -> _T:
        return options[self.below(len(options), *purpose)]

    def letters(self, length: int, *purpose: object) -> str:
        """`length` characters of `[a-z0-9]`, as opaque ids are made of."""
        alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
        return "".join(self.choice(alphabet, *purpose, index) for index in range(length))
