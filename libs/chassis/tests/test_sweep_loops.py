"""When sweeps run: after commits, but not more often than they rest; and on until there is nothing more to do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chassis.runtime.core import Sweep
from chassis.runtime.sweep_loops import ROUNDS_MAX, SweepLoop
from chassis.runtime.wake import Hub

SHORT_SECONDS, LONG_SECONDS = 10.0, 1200.0


@contextmanager
def running(sweep: Sweep) -> Iterator[Hub]:
    hub = Hub()
    loop = SweepLoop(sweep, hub, may_run=lambda: True)
    loop.start()
    try:
        yield hub
    finally:
        hub.stop()
        loop.join(10)
        assert not loop.is_alive()


class Idle:
    """Finds nothing to do, and counts how often it was asked."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self) -> int:
        self.runs += 1
        return 0


def after(condition: Callable[[], bool]) -> bool:
    for _ in range(500):
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_a_commit_wakes_a_sweep_that_has_rested() -> None:
    idle = Idle()
    with running(Sweep("often", SHORT_SECONDS, idle)) as hub:
        assert after(lambda: idle.runs == 1)
        hub.wake()
        assert after(lambda: idle.runs == 2), "long before its own time"


def test_commits_do_not_wake_a_sweep_that_rests() -> None:
    idle = Idle()
    with running(Sweep("seldom", LONG_SECONDS, idle)) as hub:
        assert after(lambda: idle.runs == 1)
        for _ in range(20):
            hub.wake()
            time.sleep(0.01)
        assert idle.runs == 1


def test_a_sweep_does_not_rest_before_it_has_found_nothing_more() -> None:
    left = [0] * (ROUNDS_MAX + 5)
    ended = threading.Event()

    def run() -> int:
        if not left:
            ended.set()
            return 0
        left.pop()
        return 1

    with running(Sweep("much", LONG_SECONDS, run)):
        assert ended.wait(10)
