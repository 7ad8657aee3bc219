"""A coverage that pays after another: the second by rank is the secondary payer, and so on."""

from __future__ import annotations

from collections.abc import Mapping

from canonical.classes import CanonicalModel, Public
from canonical.sealed import Sealed

FIRST_RANK = 1
RANKS_MAX = 3


class NextCoverage(CanonicalModel):
    """`payer` is the source's code; `coverage` is sealed, and `fingerprint` keyed."""

    payer: Public[str]
    has_member_id: bool
    coverage: Sealed
    fingerprint: Public[str]

    def says_the_same_as(self, other: NextCoverage | None) -> bool:
        """Equal in everything readable; sealing the same details twice gives two ciphertexts."""
        return other is not None and (self.payer, self.fingerprint) == (other.payer, other.fingerprint)


def in_order(coverages: Mapping[int, NextCoverage]) -> tuple[NextCoverage, ...]:
    """Those after the first, in the order in which they pay."""
    return tuple(coverages[rank] for rank in sorted(coverages))
