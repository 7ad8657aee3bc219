"""The fiscal periods of an entity's books, as its ERP told them last, and on which day a late entry is booked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from uuid import UUID

from canonical.classes import CanonicalModel, Public
from canonical.ids import derive
from chassis.domain import Aggregate, Event


class PeriodState(StrEnum):
    """SOFT_CLOSED: the ERP takes no journals of ours, and its people may open it again. LOCKED: never again."""

    OPEN = "open"
    SOFT_CLOSED = "soft-closed"
    LOCKED = "locked"


class FiscalPeriod(CanonicalModel):
    """One period of an entity's books at its ERP, both days within it."""

    name: Public[str]
    start: Public[date]
    end: Public[date]
    state: PeriodState

    def holds(self, day: date) -> bool:
        return self.start <= day <= self.end


class LatePolicy(StrEnum):
    """What becomes of an entry whose period is closed: it is booked in the first period after it that is open, and keeps its
    effective date, or it waits until its own is opened again."""

    NEXT_OPEN = "next-open"
    HOLD = "hold"


def calendar_id(entity: str) -> UUID:
    """The calendar of one entity's books."""
    return derive("period-calendar", entity)


class PeriodCalendar(Aggregate):
    """What the ERP says of an entity's periods; told anew whenever that changes."""

    def start(self) -> None:
        self.periods: tuple[FiscalPeriod, ...] = ()

    class Told(Event):
        """All periods, the earliest first, and by which ERP."""

        TOPIC = "ledger.period-calendar.told"
        entity: Public[str]
        erp: Public[str]
        periods: tuple[FiscalPeriod, ...]

        def apply(self, calendar: PeriodCalendar) -> None:
            calendar.periods = self.periods

    def tell(self, entity: str, erp: str, periods: Iterable[FiscalPeriod]) -> bool:
        """Whether this is news; an ERP that tells of no period is not believed to have none."""
        told = tuple(sorted(periods, key=lambda period: period.start))
        if not told or told == self.periods:
            return False
        self.trigger_event(self.Told, entity=entity, erp=erp, periods=told)
        return True


def posting_day(day: date, periods: Iterable[FiscalPeriod], policy: LatePolicy) -> date | None:
    """When an entry of this day is booked; None where it has to wait. Days of no period known are the ERP's to judge."""
    known = tuple(periods)
    own = next((period for period in known if period.holds(day)), None)
    if own is None or own.state is PeriodState.OPEN:
        return day
    if policy is LatePolicy.HOLD:
        return None
    later = (period.start for period in known if period.start > day and period.state is PeriodState.OPEN)
    return min(later, default=None)
