"""What a validator says of an outbound interchange."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ValidationError:
    """One violation. `position` counts from ST = 1, 0 outside of a set. `scope` is isa, gs, st, seg or ele. No values in it."""

    position: int
    segment: str
    scope: str
    code: str
    message: str
