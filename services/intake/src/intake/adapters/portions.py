"""Cuts the claims of one remittance into parts that can be announced: at most 500 claims and well under a megabyte."""

from __future__ import annotations

from canonical.remittance import CLAIMS_PER_CHUNK_MAX

CHUNK_WEIGHT_MAX = 6_000
CLAIM_WEIGHT_MAX = 6_000


def weight_of(lines: int, adjustments: int) -> int:
    """The size of a claim in a public event, in units of about a hundred bytes."""
    return 4 + 2 * lines + adjustments


class Portions:
    """Counts claims in; `count` is how many parts there are so far."""

    def __init__(self) -> None:
        self.count = 0
        self._claims = 0
        self._weight = 0

    def opens_next(self, weight: int) -> bool:
        """Counts a claim in; whether it begins a new part."""
        if self.count and self._claims < CLAIMS_PER_CHUNK_MAX and self._weight + weight <= CHUNK_WEIGHT_MAX:
            self._claims += 1
            self._weight += weight
            return False
        self.count += 1
        self._claims, self._weight = 1, weight
        return True
