"""Validates whatever leaves, against the implementation guide that it names."""

from __future__ import annotations

from itertools import islice

from x12.guide_validation import guide_violations
from x12.violations import ValidationError

ERRORS_MAX = 1_000


def validate(raw: bytes) -> list[ValidationError]:
    """Violations of the guide that GS08 names, in file order, at most `ERRORS_MAX`; empty for a file that may leave.

    Anything else than a readable interchange of a known guide gives an error too, never an exception.
    """
    return list(islice(guide_violations(raw), ERRORS_MAX))
