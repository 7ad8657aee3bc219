"""A clock that moves only when told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class FixedClock:
    """Gives the same instant until it is moved. Called, it is the clock that services take."""

    def __init__(self, now: datetime = START) -> None:
        assert now.tzinfo is not None, "instants are aware"
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **units: float) -> datetime:
        """Moves on by days, hours, minutes or seconds, as in `timedelta`."""
        self.now += timedelta(**units)
        return self.now
