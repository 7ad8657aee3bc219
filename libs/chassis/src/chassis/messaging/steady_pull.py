"""Pulls batches from a durable with one open request at a time: at once when something comes, silent when nothing does.

It stands in for nats-py's `fetch` below FastStream. That one waits for a full batch or its whole time, so that a short
time means fifty requests a second on an idle stream and a long one means late messages; and when its time runs out at
the wrong moment FastStream drops what was fetched so far, which then comes again only after a minute.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from typing import Self

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout

from chassis.messaging.topology import MAX_MESSAGE_BYTES

BURST_PAUSE_SECONDS = 0.002
BURST_PAUSES_MAX = 10
TROUBLE_PAUSE_SECONDS = 0.2
EXPIRES_SECONDS = 1.0
GRACE_SECONDS = 0.5
# A remittance of 100,000 claims is 200 large messages. Saved as one batch they would hold its memory all at once, and
# nobody downstream could begin; so a batch is bounded in bytes too, always large enough for any one message.
PULL_BYTES_MAX = MAX_MESSAGE_BYTES + 128 * 1024
SERVED = ("Batch Completed", "Message Size Exceeds MaxBytes")
"""What the server says of a request that is bounded in bytes when it has given all that was asked for."""

_log = structlog.get_logger(__name__)


class SteadyPull:
    """What FastStream's batch subscriber needs of a subscription: `fetch` and `unsubscribe`."""

    def __init__(self, client: Client, stream: str, durable: str, inbox: str) -> None:
        self._client = client
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._inbox = inbox
        self._arrived: deque[Msg] = deque()
        self._something = asyncio.Event()
        self._requests = 0
        self._open_until = 0.0
        self._open_for = 0
        self._given: list[Msg] = []
        self._gave_a_part = False
        self._subscription: Subscription | None = None

    @classmethod
    async def start(cls, client: Client, stream: str, durable: str) -> Self:
        """Listens on an inbox of its own; the client's inbox prefix is what the service may hear."""
        pull = cls(client, stream, durable, client.new_inbox())
        pull._subscription = await client.subscribe(f"{pull._inbox}.*", cb=pull._take)
        return pull

    async def fetch(self, batch: int, timeout: float | None) -> list[Msg]:
        """What has come, at most `batch`; waits up to `timeout` for the first and moments for its burst.

        FastStream asks again for the rest of a batch; it is told at once that there is no more, and hands over.

        Raises:
            nats.errors.TimeoutError: nothing came.
        """
        if self._gave_a_part:
            self._gave_a_part = False
            raise NatsTimeout
        if not self._arrived:
            await self._wait(batch, timeout or EXPIRES_SECONDS)
        await self._burst(batch)
        if not self._arrived:
            raise NatsTimeout
        given = [self._arrived.popleft() for _ in range(min(batch, len(self._arrived)))]
        self._gave_a_part = len(given) < batch
        self._given = given
        return given

    async def unsubscribe(self) -> None:
        """Hears no more, and gives back what nobody has acknowledged, so that the next reader need not wait for it.

        It never fails: a subscriber that could not unsubscribe would keep its old subscription and read no more.
        """
        try:
            if self._subscription is not None:
                await self._subscription.unsubscribe()
            for message in (*self._given, *self._arrived):
                if not message.is_acked:
                    await message.nak()
        except NatsError as error:
            _log.info("unsubscribed while disconnected", error=type(error).__name__)
        self._arrived.clear()

    async def _wait(self, batch: int, seconds: float) -> None:
        """Waits for the first message, with an open request all the time."""
        now = time.monotonic()
        deadline = now + seconds
        while not self._arrived and now < deadline:
            self._something.clear()
            if self._open_for <= 0 or now >= self._open_until:
                await self._request(batch)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._something.wait(), min(deadline, self._open_until) - now)
            now = time.monotonic()

    async def _request(self, batch: int) -> None:
        self._requests += 1
        self._open_until = time.monotonic() + EXPIRES_SECONDS + GRACE_SECONDS
        self._open_for = batch
        limits = {"batch": batch, "max_bytes": PULL_BYTES_MAX, "expires": int(EXPIRES_SECONDS * 1e9)}
        request = json.dumps(limits).encode()
        try:
            await self._client.publish(self._subject, request, reply=self._reply)
        except NatsError as error:
            _log.info("pull not sent", error=type(error).__name__)
            await asyncio.sleep(TROUBLE_PAUSE_SECONDS)

    @property
    def _reply(self) -> str:
        """The inbox of the request that is open now: a status on another one is about a request of the past."""
        return f"{self._inbox}.{self._requests}"

    async def _burst(self, batch: int) -> None:
        """Lets a burst that has begun arrive, for twenty milliseconds at most."""
        for _ in range(BURST_PAUSES_MAX):
            before = len(self._arrived)
            if before >= batch or self._open_for <= 0:
                return
            await asyncio.sleep(BURST_PAUSE_SECONDS)
            if len(self._arrived) == before:
                return

    async def _take(self, message: Msg) -> None:
        headers = message.headers or {}
        status = headers.get("Status") if not message.data else None
        if status is None:
            self._arrived.append(message)
            self._open_for -= 1
        elif message.subject == self._reply:
            await self._closed(status, headers.get("Description", ""))
        self._something.set()

    async def _closed(self, status: str, why: str) -> None:
        """The server closed the request: its time is up (408), it is served, or asking again at once would not help."""
        if status not in ("404", "408") and why not in SERVED:
            await asyncio.sleep(TROUBLE_PAUSE_SECONDS)
        self._open_for = 0
