"""Brings the answers of other threads to an event loop: those of one batch in one go, for each trip wakes the loop."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar

_T = TypeVar("_T")
_Answer = tuple["asyncio.Future[Any]", "Future[Any]"]


class AwaitedAnswers:
    """For the coroutines of one event loop that wait for what the receiving queue does."""

    def __init__(self) -> None:
        self._arrived: list[_Answer] = []
        self._lock = threading.Lock()

    async def result_of(self, future: Future[_T], seconds_max: float) -> _T:
        """The result of the future. Who gives up waiting cancels it.

        Raises:
            TimeoutError: it did not come in time. Else what the future was given.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[_T] = loop.create_future()
        future.add_done_callback(partial(self._note, loop, waiter))
        try:
            async with asyncio.timeout(seconds_max):
                return await waiter
        finally:
            future.cancel()

    def _note(self, loop: asyncio.AbstractEventLoop, waiter: asyncio.Future[Any], done: Future[Any]) -> None:
        """On whatever thread the future is done."""
        with self._lock:
            self._arrived.append((waiter, done))
            is_first = len(self._arrived) == 1
        if is_first and not loop.is_closed():
            loop.call_soon_threadsafe(self._hand_out)

    def _hand_out(self) -> None:
        with self._lock:
            arrived, self._arrived = self._arrived, []
        for waiter, done in arrived:
            if waiter.done():
                continue
            error = None if done.cancelled() else done.exception()
            if done.cancelled():
                waiter.cancel()
            elif error is not None:
                waiter.set_exception(error)
            else:
                waiter.set_result(done.result())
