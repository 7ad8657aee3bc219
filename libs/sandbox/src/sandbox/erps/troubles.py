"""What an ERP's double does to calls on request, before or after the work is done, and when too many come at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.world.misbehaviour import Fault, Misbehaviour

HOLD_SECONDS_MAX = 5.0
ErrorBody = Callable[[int], bytes]
"""The body with which this ERP says a status, as JSON."""


class TroubledErp:
    """Stands before an ERP's double. The target of a request to misbehave is a part of `METHOD /path`.

    Without doing the work: THROTTLE (429 with `Retry-After: measure`; none where it is below 0), SERVER_ERROR (503), RESET.
    After the work: ERROR_AFTER_WORK (500), RESET_AFTER_WORK, TIMEOUT_AFTER_WORK (silent until the client gives up).
    SLOW does the work after `measure` ms. More than `concurrency` calls at once are answered 429.
    """

    def __init__(
        self, app: ASGIApp, misbehaviour: Misbehaviour, error_body: ErrorBody, *, concurrency: int = 0
    ) -> None:
        self.concurrency = concurrency
        self.running_max = 0
        self.refused_as_too_many = 0
        self._app = app
        self._misbehaviour = misbehaviour
        self._error_body = error_body
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = f"{scope['method']} {scope['path']}".encode()
        self._running += 1
        self.running_max = max(self.running_max, self._running)
        try:
            if self.concurrency and self._running > self.concurrency:
                self.refused_as_too_many += 1
                await self._refuse(send, 429, {})
            elif not await self._refused(call, send):
                await self._work(call, scope, receive, send)
        finally:
            self._running -= 1

    async def _refused(self, call: bytes, send: Send) -> bool:
        """Whether the call was turned away before anything was done."""
        throttled = self._misbehaviour.strike_content(Fault.THROTTLE, call)
        if throttled:
            after = {} if throttled.measure < 0 else {"retry-after": str(throttled.measure)}
            await self._refuse(send, 429, after)
        elif self._misbehaviour.strike_content(Fault.SERVER_ERROR, call):
            await self._refuse(send, 503, {})
        elif self._misbehaviour.strike_content(Fault.RESET, call):
            await _break_off(send)
        else:
            return False
        return True

    async def _work(self, call: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        slow = self._misbehaviour.strike_content(Fault.SLOW, call)
        if slow:
            await asyncio.sleep(slow.measure / 1000)
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self._app(scope, receive, keep)
        if self._misbehaviour.strike_content(Fault.ERROR_AFTER_WORK, call):
            await self._refuse(send, 500, {})
        elif self._misbehaviour.strike_content(Fault.RESET_AFTER_WORK, call):
            await _break_off(send)
        elif self._misbehaviour.strike_content(Fault.TIMEOUT_AFTER_WORK, call):
            await _wait_until_left(receive)
        else:
            for message in answer:
                await send(message)

    async def _refuse(self, send: Send, status: int, headers: dict[str, str]) -> None:
        body = self._error_body(status)
        told = {"content-type": "application/json", "content-length": str(len(body)), **headers}
        raw = [(name.encode(), value.encode()) for name, value in told.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})


async def _break_off(send: Send) -> None:
    """Begins an answer that the server cannot end: it closes the connection."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
    await send({"type": "http.response.body", "body": b"", "more_body": True})


async def _wait_until_left(receive: Receive) -> None:
    try:
        async with asyncio.timeout(HOLD_SECONDS_MAX):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        pass
