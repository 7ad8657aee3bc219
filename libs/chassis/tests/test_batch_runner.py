"""A batch is retried in place by the class of its failure, kept alive meanwhile, and never acknowledged for nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from chassis.domain import Transient, Unavailable
from chassis.failure_policy import SCHEDULES, FailureClass
from chassis.messaging.backlog import Backlog
from chassis.messaging.batch_runner import BatchRunner, GaveUp
from chassis.messaging.consumer import Handled
from chassis.messaging.delivery import Delivery

BATCH = [Delivery("billing.intake.patient-registered.v1.3.k", {}, b"{}", 1)]


class Scripted:
    """Fails as its script says, then handles."""

    name = "claims-intake"

    def __init__(self, failures: Sequence[Exception], *, only_isolated: bool = False, seconds: float = 0.0) -> None:
        self.failures = list(failures)
        self.only_isolated = only_isolated
        self.seconds = seconds
        self.isolated: list[bool] = []
        self.backlog = Backlog()

    def handle(self, deliveries: Sequence[Delivery], *, isolate: bool = False) -> Handled:
        self.isolated.append(isolate)
        time.sleep(self.seconds)
        if self.failures:
            raise self.failures.pop(0)
        if self.only_isolated and not isolate:
            raise KeyError("a bug")
        return Handled(done=len(deliveries))


class Run:
    """Runs one batch and counts how often its messages were kept alive."""

    def __init__(self, consumer: Scripted, *, keep_alive_seconds: float = 20.0) -> None:
        self.consumer = consumer
        self.kept_alive = 0
        self.stopping = asyncio.Event()
        self.runner = BatchRunner(consumer, ThreadPoolExecutor(1), self.stopping, keep_alive_seconds=keep_alive_seconds)

    async def keep_alive(self) -> None:
        self.kept_alive += 1

    async def batch(self) -> Handled | None:
        return await self.runner.run(BATCH, self.keep_alive)


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = {found: type(schedule)(0.001, 1, 0.001, schedule.attempts_max) for found, schedule in SCHEDULES.items()}
    monkeypatch.setattr("chassis.messaging.batch_runner.SCHEDULES", quick)


def test_a_transient_failure_is_tried_again_until_it_holds() -> None:
    async def main() -> None:
        run = Run(Scripted([Transient("lost"), Transient("lost"), Unavailable("down"), Unavailable("down")] * 5))
        handled = await run.batch()
        assert handled is not None
        assert handled.done == 1
        assert run.consumer.isolated == [False] * 21
        assert not run.runner.failing

    asyncio.run(main())


def test_a_bug_is_tried_three_times_and_then_message_by_message() -> None:
    async def main() -> None:
        run = Run(Scripted([], only_isolated=True))
        assert (await run.batch()) is not None
        assert run.consumer.isolated == [False, False, False, True]

    asyncio.run(main())


def test_a_bug_that_no_message_explains_ends_the_process() -> None:
    async def main() -> None:
        run = Run(Scripted([RuntimeError("who knows")] * 100))
        with pytest.raises(GaveUp, match="claims-intake"):
            await run.batch()
        assert len(run.consumer.isolated) == 6

    asyncio.run(main())


def test_a_stop_while_waiting_gives_the_batch_up_unacknowledged() -> None:
    async def main() -> None:
        run = Run(Scripted([Unavailable("down")] * 100_000))
        work = asyncio.create_task(run.batch())
        await asyncio.sleep(0.05)
        run.stopping.set()
        assert await asyncio.wait_for(work, 2) is None

    asyncio.run(main())


def test_a_slow_batch_is_kept_alive() -> None:
    async def main() -> None:
        run = Run(Scripted([], seconds=0.2), keep_alive_seconds=0.05)
        await run.batch()
        assert run.kept_alive >= 2

    asyncio.run(main())


def test_an_outage_is_probed_without_end_and_a_bug_is_not() -> None:
    assert SCHEDULES[FailureClass.OUTAGE].attempts_max is None
    assert SCHEDULES[FailureClass.UNCLASSIFIED].attempts_max == 3
