"""When an ERP is left alone: for a while after it was away, with questions that it could not answer a moment ago, and for who goes first."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ledger_adapter.application.lanes import Lane

PAUSE_MIN = timedelta(seconds=1)
PAUSE_MAX = timedelta(seconds=30)
ASK_AGAIN = timedelta(seconds=1)
BESIDE = timedelta(seconds=10)


@dataclass(slots=True)
class Pauses:
    """How long each entity's ERP is left alone; forgotten by a restart, which only means one more question."""

    until: dict[str, datetime] = field(default_factory=dict)
    length: dict[str, timedelta] = field(default_factory=dict)

    def holds(self, entity: str, now: datetime) -> bool:
        return entity in self.until and now < self.until[entity]

    def lengthen(self, entity: str, now: datetime) -> None:
        self.length[entity] = min(self.length.get(entity, PAUSE_MIN / 2) * 2, PAUSE_MAX)
        self.until[entity] = now + self.length[entity]

    def end(self, entity: str) -> None:
        self.until.pop(entity, None)
        self.length.pop(entity, None)


@dataclass(slots=True)
class Questions:
    """When entries of unknown outcome were last asked for, by entity and lane."""

    asked_at: dict[tuple[str, int], datetime] = field(default_factory=dict)

    def may_ask(self, place: tuple[str, int], now: datetime, *, is_busy: bool) -> bool:
        """Whether to ask now: beside new entries once a second, for an ERP by files may have thousands in hand."""
        if is_busy and now - self.asked_at.get(place, now - ASK_AGAIN) < ASK_AGAIN:
            return False
        self.asked_at[place] = now
        return True


@dataclass(slots=True)
class Pace:
    """Whether patients' money has come lately, so that other lanes take short turns."""

    last_first: datetime | None = None
    is_short: bool = False

    def is_beside(self, now: datetime, *, is_first_here: bool) -> bool:
        """Notes whether any is here now; whether other lanes go beside it."""
        if is_first_here:
            self.last_first = now
        self.is_short = self.last_first is not None and now - self.last_first < BESIDE
        return self.is_short

    def is_slow_for(self, lane: Lane) -> bool:
        return self.is_short and lane is not Lane.PATIENT_PAYMENT
