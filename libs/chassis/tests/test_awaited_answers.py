"""Answers of another thread reach those who wait for them on an event loop, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

import pytest
from chassis.domain import Transient
from chassis.inbound.awaited_answers import AwaitedAnswers

SECONDS_MAX = 10.0


def test_every_answer_of_a_batch_reaches_the_one_who_waits_for_it() -> None:
    async def main() -> list[int]:
        awaited = AwaitedAnswers()
        futures: list[Future[int]] = [Future() for _ in range(50)]

        def answer() -> None:
            for number, future in enumerate(futures):
                future.set_result(number)

        thread = threading.Timer(0.01, answer)
        thread.start()
        found = await asyncio.gather(*(awaited.result_of(each, SECONDS_MAX) for each in futures))
        thread.join()
        return list(found)

    assert asyncio.run(main()) == list(range(50))


def test_an_answer_that_was_there_before_is_not_missed() -> None:
    async def main() -> int:
        done: Future[int] = Future()
        done.set_result(7)
        return await AwaitedAnswers().result_of(done, SECONDS_MAX)

    assert asyncio.run(main()) == 7


def test_a_failure_is_told_to_the_one_who_waits_alone() -> None:
    async def main() -> tuple[Any, Any]:
        awaited = AwaitedAnswers()
        failing: Future[int] = Future()
        holding: Future[int] = Future()
        failing.set_exception(Transient("the database is away"))
        holding.set_result(1)
        waiting: list[Coroutine[Any, Any, int]] = [awaited.result_of(each, SECONDS_MAX) for each in (failing, holding)]
        first, second = await asyncio.gather(*waiting, return_exceptions=True)
        return first, second

    first, second = asyncio.run(main())
    assert isinstance(first, Transient)
    assert second == 1


def test_who_gives_up_waiting_cancels_what_they_waited_for() -> None:
    async def main() -> Future[int]:
        never: Future[int] = Future()
        with pytest.raises(TimeoutError):
            await AwaitedAnswers().result_of(never, 0.01)
        return never

    assert asyncio.run(main()).cancelled()
