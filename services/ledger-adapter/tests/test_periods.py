"""Closed periods: late entries go into the next open one or wait, and what waited goes on when its period is opened."""

from __future__ import annotations

from datetime import date

import pytest
from canonical.events.ledger import JournalConfirmed
from ledger_adapter.adapters.fake_erp import ErpFault, FakeErp, OneErpForAll
from ledger_adapter.application import periods
from ledger_adapter.application.lanes import LANE_OF
from ledger_adapter.application.periods import PERIODS
from ledger_adapter.application.ports import RefusalKind
from ledger_adapter.application.posting import NOT_SENT, JournalPosting
from ledger_adapter.application.publishing import publish
from ledger_adapter.application.queries import JOURNALS
from ledger_adapter.domain.period_calendar import FiscalPeriod, LatePolicy, PeriodState, posting_day
from ledger_adapter.domain.subledger import GroupKind

from .examples import charged, deposit
from .world import World

MARCH, APRIL, MAY = (2026, 3), (2026, 4), (2026, 5)


def month(number: int, state: PeriodState) -> FiscalPeriod:
    return FiscalPeriod(name=str(number), start=date(2026, number, 1), end=date(2026, number, 28), state=state)


YEAR = (
    month(1, PeriodState.LOCKED),
    month(2, PeriodState.SOFT_CLOSED),
    month(3, PeriodState.OPEN),
    month(4, PeriodState.OPEN),
)


@pytest.mark.parametrize(
    ("day", "policy", "booked_on"),
    [
        (date(2026, 3, 5), LatePolicy.NEXT_OPEN, date(2026, 3, 5)),
        (date(2026, 3, 5), LatePolicy.HOLD, date(2026, 3, 5)),
        (date(2026, 2, 5), LatePolicy.NEXT_OPEN, date(2026, 3, 1)),
        (date(2026, 1, 28), LatePolicy.NEXT_OPEN, date(2026, 3, 1)),
        (date(2026, 2, 5), LatePolicy.HOLD, None),
        (date(2025, 12, 31), LatePolicy.HOLD, date(2025, 12, 31)),
        (date(2026, 2, 28), LatePolicy.HOLD, None),
    ],
)
def test_the_day_of_booking_follows_from_periods_and_policy(
    day: date, policy: LatePolicy, booked_on: date | None
) -> None:
    assert posting_day(day, YEAR, policy) == booked_on


def test_without_an_open_period_after_it_an_entry_waits() -> None:
    assert posting_day(date(2026, 1, 5), YEAR[:2], LatePolicy.NEXT_OPEN) is None


def closed_march(policy: LatePolicy = LatePolicy.NEXT_OPEN) -> World:
    world = World(erp=FakeErp(told_months={MARCH, APRIL, MAY}, closed_months={MARCH}), late_policy=policy)
    world.settle()
    return world


def journal(world: World) -> dict[str, object]:
    (row,) = world.rows(JOURNALS)
    return {name: row[name] for name in ("state", "effective_date", "posting_date")}


def test_a_late_entry_is_booked_in_the_next_open_period_and_keeps_its_business_date() -> None:
    world = closed_march()
    world.deliver(charged())
    world.settle()
    (document,) = world.erp.documents
    assert document.effective_date == date(2026, 4, 1)
    assert journal(world) == {
        "state": "confirmed",
        "effective_date": date(2026, 3, 2),
        "posting_date": date(2026, 4, 1),
    }
    heads = [
        public.head
        for entry in world.store.log(0, 100)
        for public in publish(entry.event)
        if isinstance(public, JournalConfirmed)
    ]
    assert [(head.effective_date, head.posting_date) for head in heads] == [(date(2026, 3, 2), date(2026, 4, 1))]


def test_an_entry_in_an_open_period_has_no_other_date() -> None:
    world = World(erp=FakeErp(told_months={MARCH}))
    world.deliver(charged())
    world.settle()
    assert journal(world)["posting_date"] is None


def test_an_entry_that_may_not_move_waits_with_a_case_until_its_period_is_opened() -> None:
    world = closed_march(LatePolicy.HOLD)
    world.deliver(charged())
    world.settle()
    assert world.journals() == {"charges": ["held-for-period"]}
    assert world.cases() == ["PeriodClosed"]
    assert not world.erp.documents
    world.erp.closed_months.clear()
    for _ in range(3):
        world.clock.advance(seconds=31)
        world.sweep()
    assert journal(world) == {"state": "confirmed", "effective_date": date(2026, 3, 2), "posting_date": None}
    assert world.cases() == []


def test_a_refusal_that_the_calendar_did_not_foresee_waits_for_the_erps_next_word() -> None:
    world = World(erp=FakeErp(told_months={MARCH, APRIL}))
    world.settle()
    world.erp.closed_months.add(MARCH)
    world.deliver(charged())
    world.settle()
    assert world.journals() == {"charges": ["held-for-period"]}
    for _ in range(2):
        world.clock.advance(seconds=31)
        world.sweep()
    assert journal(world)["posting_date"] == date(2026, 4, 1)
    assert world.journals() == {"charges": ["confirmed"]}


def test_an_erp_that_refuses_a_period_that_it_calls_open_is_not_asked_over_and_over() -> None:
    world = World(erp=FakeErp(told_months={MARCH}))
    world.settle()
    world.deliver(charged())
    world.erp.told_months.add(APRIL)
    world.erp.refused_numbers = _AlwaysClosed()
    for _ in range(10):
        world.clock.advance(seconds=31)
        world.sweep()
    assert world.journals() == {"charges": ["held-for-period"]}
    assert world.erp.refused_numbers.asked <= 3


class _AlwaysClosed(dict[str, RefusalKind]):
    asked = 0

    def __contains__(self, number: object) -> bool:
        return True

    def __getitem__(self, number: str) -> RefusalKind:
        self.asked += 1
        return RefusalKind.PERIOD_CLOSED


def test_an_entry_of_unknown_outcome_keeps_the_day_that_it_was_sent_with() -> None:
    world = closed_march()
    world.erp.faults = [ErpFault.SEEN_LATE]
    world.deliver(charged())
    world.settle()
    world.erp.closed_months.clear()
    for _ in range(4):
        world.clock.advance(seconds=31)
        world.sweep()
    (document,) = world.erp.documents
    assert document.effective_date == date(2026, 4, 1)
    assert journal(world) | {"effective_date": None} == {
        "state": "confirmed",
        "effective_date": None,
        "posting_date": date(2026, 4, 1),
    }


def test_periods_are_kept_as_the_erp_told_them_last() -> None:
    world = closed_march()
    assert {str(row["name"]): row["state"] for row in world.rows(PERIODS, entity="NORTH")} == {
        "2026-03": "soft-closed",
        "2026-04": "open",
        "2026-05": "open",
    }
    world.erp.locked_months.add(MARCH)
    world.clock.advance(seconds=31)
    world.sweep()
    assert [row["state"] for row in world.rows(PERIODS, entity="NORTH", name="2026-03")] == ["locked"]
    before = world.store.last_position()
    world.clock.advance(seconds=31)
    world.sweep()
    assert world.store.last_position() == before


def test_an_entry_whose_process_died_after_sending_keeps_the_day_that_it_was_sent_with() -> None:
    erp = FakeErp(told_months={MARCH, APRIL})
    world = World(erp=erp)
    world.settle()
    world.deliver(deposit())
    posting = JournalPosting(
        world.store, world.clock, OneErpForAll(erp, ("NORTH",)), erp.name, crash_point=dies_after_the_erp
    )
    with pytest.raises(Died):
        posting.run()
    erp.closed_months.add(MARCH)
    for number in list(erp.unseen) or [document.number for document in erp.documents]:
        erp.unseen[number] = 2
    for _ in range(4):
        world.clock.advance(seconds=31)
        world.sweep()
    (document,) = erp.documents
    assert document.effective_date == date(2026, 3, 17)
    assert journal(world) == {"state": "confirmed", "effective_date": date(2026, 3, 17), "posting_date": None}


def test_an_entry_refused_on_the_day_that_it_was_sent_with_goes_into_a_period_that_is_open_already() -> None:
    erp = FakeErp(told_months={MARCH, APRIL})
    world = World(erp=erp)
    world.settle()
    erp.faults = [ErpFault.TIMEOUT_BEFORE_WORK]
    world.deliver(deposit())
    posting = JournalPosting(world.store, world.clock, OneErpForAll(erp, ("NORTH",)), erp.name)
    posting._send("NORTH", erp, posting._due("NORTH", LANE_OF[GroupKind.DEPOSIT], NOT_SENT))
    assert journal(world)["state"] == "uncertain"
    erp.closed_months.add(MARCH)
    for _ in range(4):
        world.clock.advance(seconds=31)
        world.sweep()
    assert journal(world) == {
        "state": "confirmed",
        "effective_date": date(2026, 3, 17),
        "posting_date": date(2026, 4, 1),
    }
    assert world.cases() == []


def test_days_that_stay_closed_keep_no_others_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periods, "HELD_PER_RUN_MAX", 1)
    erp = FakeErp(told_months={MARCH, APRIL}, closed_months={MARCH, APRIL})
    world = World(erp=erp, late_policy=LatePolicy.HOLD)
    world.settle()
    world.deliver(charged(1), charged(2, day=date(2026, 4, 2)))
    world.settle()
    assert world.journals() == {"charges": ["held-for-period", "held-for-period"]}
    erp.closed_months.remove(APRIL)
    for _ in range(3):
        world.clock.advance(seconds=31)
        world.sweep()
    assert world.journals() == {"charges": ["confirmed", "held-for-period"]}


class Died(BaseException):
    """The process died here."""


def dies_after_the_erp(step: str) -> None:
    if step == "after-erp":
        raise Died(step)
