"""Bulk in slices while somebody waits, and in one piece while nobody does."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.inbound.giving_way import REST_SECONDS_MAX, SLICE_MAX, GivingWay
from chassis.inbound.receiving_queue import ReceivingQueue


class Desk:
    """Takes numbers, a second each, and answers each with its double."""

    def __init__(self, awaited: list[bool], seconds_each: float = 0.01) -> None:
        self.now = 0.0
        self.slices: list[int] = []
        self.rests: list[float] = []
        self._awaited = awaited
        self._seconds_each = seconds_each
        self.bulk: GivingWay[int, int] = GivingWay(
            self.take, lambda: self._awaited.pop(0), monotonic=lambda: self.now, rest=self.rests.append
        )

    def take(self, numbers: Sequence[int]) -> list[int]:
        self.slices.append(len(numbers))
        self.now += self._seconds_each * len(numbers)
        return [2 * number for number in numbers]


def test_bulk_is_taken_in_one_piece_while_nobody_waits() -> None:
    desk = Desk([False])
    assert desk.bulk(range(95)) == [2 * number for number in range(95)]
    assert (desk.slices, desk.rests) == ([95], [])


def test_bulk_is_taken_in_slices_with_a_rest_as_long_as_each_while_somebody_waits() -> None:
    desk = Desk([True, True, False])
    assert desk.bulk(range(95)) == [2 * number for number in range(95)]
    assert desk.slices == [SLICE_MAX, SLICE_MAX, 95 - 2 * SLICE_MAX]
    assert [round(rest, 6) for rest in desk.rests] == [0.01 * SLICE_MAX] * 2


def test_no_rest_is_long() -> None:
    desk = Desk([True], seconds_each=10.0)
    desk.bulk([1])
    assert desk.rests == [REST_SECONDS_MAX]


def test_nothing_is_nothing() -> None:
    assert Desk([]).bulk([]) == []


def test_a_queue_is_in_use_from_its_first_delivery_until_a_second_after_the_last() -> None:
    now = 100.0
    queue: ReceivingQueue[int, int] = ReceivingQueue(lambda numbers: list(numbers), monotonic=lambda: now)
    assert not queue.is_in_use
    assert queue.submit(1).result(5) == 1
    assert queue.is_in_use
    now += 1.5
    assert not queue.is_in_use
    queue.stop()
