"""The receiving queue outlives every caller that gives up."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future

import pytest
from chassis.domain import Transient
from chassis.inbound import receiving_queue
from chassis.inbound.receiving_queue import ReceivingQueue

WAIT_SECONDS = 5


class GivesUpAtTheLastMoment(Future[str]):
    """A caller that cancels just after the queue has looked whether it still waits."""

    def cancelled(self) -> bool:
        seen = super().cancelled()
        self.cancel()
        return seen


def test_a_caller_that_gives_up_at_the_last_moment_does_not_stop_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    queue: ReceivingQueue[str, str] = ReceivingQueue(lambda deliveries: [each.upper() for each in deliveries])
    monkeypatch.setattr(receiving_queue, "Future", GivesUpAtTheLastMoment)
    queue.submit("first")
    monkeypatch.undo()
    assert queue.submit("second").result(WAIT_SECONDS) == "SECOND"
    queue.stop()


def test_a_caller_that_gave_up_before_does_not_stop_the_queue() -> None:
    def down(deliveries: Sequence[str]) -> list[str]:
        if "lost" in deliveries:
            raise Transient("the database is away")
        return list(deliveries)

    queue: ReceivingQueue[str, str] = ReceivingQueue(down)
    queue.submit("lost").cancel()
    received = next(answer for _ in range(100) if (answer := _answer(queue)))
    assert received == "kept"
    queue.stop()


def _answer(queue: ReceivingQueue[str, str]) -> str:
    try:
        return queue.submit("kept").result(WAIT_SECONDS)
    except Transient:
        return ""


def test_the_thread_at_which_callers_wait_takes_short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    took: list[str] = []
    monkeypatch.setattr(receiving_queue, "take_short_turns", lambda: took.append(threading.current_thread().name))
    queue: ReceivingQueue[str, str] = ReceivingQueue(list)
    assert queue.submit("first").result(WAIT_SECONDS) == "first"
    assert took == ["receiving-queue"]
    queue.stop()
