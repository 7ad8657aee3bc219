"""An entity that moves to another ERP: what was on its way to the earlier one is not sent to the other, and nobody overlooks it."""

from __future__ import annotations

import pytest
from ledger_adapter.adapters.fake_erp import ErpFault, FakeErp, OneErpForAll
from ledger_adapter.application.posting import JournalPosting
from ledger_adapter.application.queries import JOURNALS
from ledger_adapter.domain.journal_entry import JournalState

from .examples import patient_paid
from .world import World

ROUNDS = 6


class Killed(Exception):
    """The process is gone."""


def post(world: World, erp: FakeErp, dies_at: str = "") -> None:
    def crash_point(step: str) -> None:
        if step == dies_at:
            raise Killed(step)

    posting = JournalPosting(world.store, world.clock, OneErpForAll(erp, ("NORTH",)), erp.name, crash_point=crash_point)
    for _ in range(ROUNDS):
        world.clock.advance(seconds=40)
        try:
            posting.run()
        except Killed:
            return


def erps() -> tuple[FakeErp, FakeErp]:
    return FakeErp(name="earlier"), FakeErp(name="later")


def states(world: World) -> list[object]:
    return [row["state"] for row in world.rows(JOURNALS)]


@pytest.mark.parametrize("step", ["before-erp", "after-erp"])
def test_what_may_be_booked_at_the_earlier_erp_is_not_sent_to_the_later(step: str) -> None:
    world, (earlier, later) = World(), erps()
    world.deliver(patient_paid())
    post(world, earlier, dies_at=step)
    post(world, later)
    assert later.documents == []
    assert states(world) == [JournalState.PROBED]
    assert world.cases() == ["SentElsewhere"]
    post(world, earlier)
    assert states(world) == [JournalState.CONFIRMED]
    assert len(earlier.documents) == 1


def test_an_entry_of_unknown_outcome_waits_for_the_erp_that_it_was_sent_to() -> None:
    world, (earlier, later) = World(), erps()
    earlier.faults = [ErpFault.TIMEOUT_AFTER_WORK]
    world.deliver(patient_paid())
    JournalPosting(world.store, world.clock, OneErpForAll(earlier, ("NORTH",)), earlier.name, batch_max=1)._send(
        "NORTH", earlier, world.rows(JOURNALS)
    )
    assert states(world) == [JournalState.UNCERTAIN]
    post(world, later)
    assert (len(earlier.documents), len(later.documents)) == (1, 0)
    assert world.cases() == ["SentElsewhere"]


def test_what_is_booked_and_not_confirmed_yet_is_confirmed_where_it_is_booked() -> None:
    world, (earlier, later) = World(), erps()
    world.deliver(patient_paid())
    posting = JournalPosting(world.store, world.clock, OneErpForAll(earlier, ("NORTH",)), earlier.name)
    posting._send("NORTH", earlier, world.rows(JOURNALS))
    assert states(world) == [JournalState.POSTED]
    post(world, later)
    assert states(world) == [JournalState.POSTED]
    post(world, earlier)
    assert states(world) == [JournalState.CONFIRMED]


def test_what_was_not_sent_yet_goes_to_the_later_erp() -> None:
    world, (_, later) = World(), erps()
    world.deliver(patient_paid())
    post(world, later)
    assert states(world) == [JournalState.CONFIRMED]
    assert len(later.documents) == 1
