"""The stream of one service on JetStream: atomic batches, fenced by the last sequence; called from worker threads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar
from uuid import uuid4

from canonical.envelope import STREAMS
from nats.aio.client import Client
from nats.errors import (
    ConnectionClosedError,
    ConnectionDrainingError,
    ConnectionReconnectingError,
    NoRespondersError,
    OutboundBufferLimitError,
    StaleConnectionError,
)
from nats.errors import TimeoutError as NatsTimeout
from nats.js.errors import APIError, NotFoundError

from chassis.domain import Bug, Transient, Unavailable
from chassis.messaging.delivery import Outgoing
from chassis.messaging.relay import Fenced, StreamTail
from chassis.messaging.topology import MAX_MESSAGE_BYTES

ACK_TIMEOUT_SECONDS = 5.0
CALL_TIMEOUT_SECONDS = 30.0
HEADER_ROOM_BYTES = 8 * 1024
WRONG_LAST_SEQUENCE = 10071
DUPLICATE_IN_BATCH = 10201

_T = TypeVar("_T")


class PublishRefused(Unavailable):
    """The server took nothing of the batch, for a reason that no second relay explains."""


class TooLarge(Bug):
    """A public event that no message can hold; its service must announce large facts in parts."""


class NatsStream:
    """Implements StreamPort; `loop` is the running loop of `client`, never the caller's thread."""

    def __init__(self, client: Client, loop: asyncio.AbstractEventLoop, service: str) -> None:
        self._client = client
        self._loop = loop
        self._name = STREAMS[service]
        self._js = client.jetstream(timeout=ACK_TIMEOUT_SECONDS)

    def tail(self) -> StreamTail:
        """Where the stream ends.

        Raises:
            Transient, Unavailable: no answer.
        """
        return self._call(self._tail())

    def publish(self, batch: Sequence[Outgoing], expected_last_sequence: int) -> int:
        """Publishes all of the batch or nothing; see StreamPort."""
        assert batch, "an empty batch has no acknowledgement"
        return self._call(self._publish(batch, expected_last_sequence))

    def _call(self, work: Coroutine[Any, Any, _T]) -> _T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(CALL_TIMEOUT_SECONDS)
        except (NatsTimeout, StaleConnectionError, FutureTimeout) as error:
            future.cancel()
            raise Transient(f"{self._name}: no answer ({type(error).__name__}); the batch may have arrived") from None
        except (
            NoRespondersError,
            OutboundBufferLimitError,
            ConnectionClosedError,
            ConnectionDrainingError,
            ConnectionReconnectingError,
        ) as error:
            raise Unavailable(f"{self._name}: {type(error).__name__}") from None

    async def _tail(self) -> StreamTail:
        try:
            state = (await self._js.stream_info(self._name)).state
            if not state.messages:
                return StreamTail(state.last_seq, 0)
            last = await self._js.get_msg(self._name, state.last_seq)
        except NotFoundError:
            raise Unavailable(f"{self._name}: the stream or its last message is not there") from None
        except APIError as error:
            raise Unavailable(f"{self._name}: {error.err_code}") from None
        return StreamTail(state.last_seq, int((last.headers or {})["ce-position"]))

    async def _publish(self, batch: Sequence[Outgoing], expected_last_sequence: int) -> int:
        self._refuse_oversize(batch)
        batch_id = uuid4().hex
        if len(batch) > 1:
            commands = [
                publish_command(message, _headers(message, batch_id, number, expected_last_sequence))
                for number, message in enumerate(batch[:-1], start=1)
            ]
            await self._send(b"".join(commands))
        headers = _headers(batch[-1], batch_id, len(batch), expected_last_sequence) | {"Nats-Batch-Commit": "1"}
        reply = await self._client.request(
            batch[-1].subject, batch[-1].data, timeout=ACK_TIMEOUT_SECONDS, headers=headers
        )
        return self._sequence_of(reply.data, len(batch))

    def _refuse_oversize(self, batch: Sequence[Outgoing]) -> None:
        for message in batch:
            if len(message.data) > MAX_MESSAGE_BYTES - HEADER_ROOM_BYTES:
                raise TooLarge(
                    f"{self._name}: event {message.message_id} has {len(message.data)} bytes; publish it in parts"
                )

    async def _send(self, commands: bytes) -> None:
        """Writes many publish commands at once: one by one through the client they cost four times as much."""
        if not self._client.is_connected:
            raise OutboundBufferLimitError
        await self._client._send_command(commands)
        await self._client._flush_pending()

    def _sequence_of(self, acknowledgement: bytes, expected_count: int) -> int:
        answer = json.loads(acknowledgement)
        error = answer.get("error")
        if error:
            code = error.get("err_code")
            if code in (WRONG_LAST_SEQUENCE, DUPLICATE_IN_BATCH):
                raise Fenced(f"{self._name}: {code}")
            raise PublishRefused(f"{self._name}: error {code}: {error.get('description')}")
        if answer.get("stream") != self._name or answer.get("count") != expected_count:
            raise PublishRefused(f"{self._name}: the acknowledgement is for another batch")
        return int(answer["seq"])


def publish_command(message: Outgoing, headers: Mapping[str, str]) -> bytes:
    """The HPUB command of one message; a line break in a value becomes a space, so that it cannot add a header."""
    lines = "\r\n".join([f"{name}: {value}" for name, value in headers.items()])
    if lines.count("\n") != len(headers) - 1 or lines.count("\r") != len(headers) - 1:
        clean = {name: " ".join(value.split()) for name, value in headers.items()}
        lines = "\r\n".join([f"{name}: {value}" for name, value in clean.items()])
    block = f"NATS/1.0\r\n{lines}\r\n\r\n".encode()
    total = len(block) + len(message.data)
    return b"HPUB %b %d %d\r\n%b%b\r\n" % (message.subject.encode(), len(block), total, block, message.data)


def _headers(message: Outgoing, batch_id: str, number: int, expected_last_sequence: int) -> dict[str, str]:
    headers = {**message.headers, "Nats-Batch-Id": batch_id, "Nats-Batch-Sequence": str(number)}
    if number == 1:
        headers["Nats-Expected-Last-Sequence"] = str(expected_last_sequence)
    return headers
