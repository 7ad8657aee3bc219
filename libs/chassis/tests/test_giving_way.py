"""Bulk in short slices, with rests while somebody waits and without while nobody does."""

from __future__ import annotations

import pytest
from chassis.inbound.giving_way import AWAITED_SECONDS, REST_SECONDS_MAX, SLICE_MAX, SLICE_SECONDS, GivingWay
from chassis.inbound.receiving_queue import ReceivingQueue


class Desk:
    """Works through numbers, each for so long; every rest takes its time too."""

    def __init__(self) -> None:
        self.now = 100.0
        self.rests: list[float] = []
        self.way = GivingWay(monotonic=lambda: self.now, rest=self.rest)

    def rest(self, seconds: float) -> None:
        self.rests.append(round(seconds, 6))
        self.now += seconds

    def work(self, count: int, seconds_each: float, *, awaited: bool = True) -> None:
        for _ in self.way.paced(range(count)):
            if awaited:
                self.way.note_delivery()
            self.now += seconds_each


def test_bulk_does_not_rest_while_nobody_waits() -> None:
    desk = Desk()
    desk.work(100, SLICE_SECONDS, awaited=False)
    assert desk.rests == []


def test_bulk_rests_after_each_slice_as_long_as_it_took_while_somebody_waits() -> None:
    desk = Desk()
    desk.work(3, 0.25)
    assert desk.rests[:3] == [0.25] * 3


def test_what_takes_a_moment_is_gathered_into_slices() -> None:
    desk = Desk()
    desk.work(80, SLICE_SECONDS / 8)
    assert sum(desk.rests) == pytest.approx(80 * SLICE_SECONDS / 8)
    assert len(desk.rests) < 15


def test_what_ends_before_a_slice_is_full_rests_too() -> None:
    desk = Desk()
    desk.work(1, SLICE_SECONDS / 2)
    assert desk.rests == [SLICE_SECONDS / 2]


def test_no_rest_is_long() -> None:
    desk = Desk()
    for _ in desk.way.paced([1]):
        desk.now += 10.0
        desk.way.note_delivery()
    assert desk.rests[0] == REST_SECONDS_MAX


def test_two_files_at_once_rest_as_long_as_both_work() -> None:
    desk = Desk()
    other = desk.way.paced(range(2))
    next(other)
    desk.work(1, 0.1)
    assert desk.rests[0] == 0.2
    list(other)
    desk.work(1, 0.1)
    assert desk.rests[-2:] == [0.1, 0.0]


def test_nobody_waits_a_second_after_the_last_came() -> None:
    desk = Desk()
    assert not desk.way.is_awaited
    desk.way.note_delivery()
    assert desk.way.is_awaited
    desk.now += AWAITED_SECONDS
    assert not desk.way.is_awaited


def test_slices_are_short_and_nothing_is_made_before_its_turn() -> None:
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return number

    slices = Desk().way.slices(map(make, range(2 * SLICE_MAX + 5)))
    assert next(slices) == made == list(range(SLICE_MAX))
    assert [len(each) for each in slices] == [SLICE_MAX, 5]


def test_a_slice_of_nothing_is_none() -> None:
    assert list(Desk().way.slices([])) == []


def test_each_delivery_to_a_queue_is_noted_though_it_is_refused() -> None:
    noted: list[None] = []
    queue: ReceivingQueue[int, int] = ReceivingQueue(
        lambda numbers: list(numbers), on_delivery=lambda: noted.append(None)
    )
    assert queue.submit(1).result(5) == 1
    queue.stop()
    with pytest.raises(Exception, match="closing"):
        queue.submit(2)
    assert len(noted) == 2
