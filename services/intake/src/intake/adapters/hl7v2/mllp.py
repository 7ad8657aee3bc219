"""The MLLP server: frames in, acknowledgements out, each only after its message is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime

import structlog
from chassis.domain import Transient, Unavailable
from chassis.telemetry.metrics import DOOR_REFUSALS

from intake.adapters.hl7v2.acknowledgement import acknowledgement
from intake.adapters.hl7v2.segments import MESSAGE_BYTES_MAX
from intake.adapters.hl7v2.translation import read_message
from intake.application.deliveries import InboundDelivery, Outcome

START_BLOCK = b"\x0b"
END_BLOCK = b"\x1c\r"
FRAME_BYTES_MAX = MESSAGE_BYTES_MAX + 16
CONNECTIONS_MAX = 200
IDLE_SECONDS = 600
FRAME_SECONDS = 30
ANSWER_SECONDS = 60

Submit = Callable[[InboundDelivery], "Future[Outcome]"]
_log = structlog.get_logger(__name__)


class BadFrame(Exception):
    """Bytes that are no MLLP frame: the connection cannot be trusted any further."""


class MllpDoor:
    """Serves MLLP. A connection's messages are taken one after the other, in order.

    A message that could not be kept gets no answer, and its connection is closed: the sender sends it again.
    """

    def __init__(self, submit: Submit, clock: Callable[[], datetime], *, actor: str = "door:mllp") -> None:
        self._submit = submit
        self._clock = clock
        self._actor = actor
        self._connections: set[asyncio.Task[None]] = set()

    async def serve(self, host: str, port: int, *, started: Callable[[int], None] | None = None) -> None:
        """Serves until it is cancelled; `started` is told the port."""
        server = await asyncio.start_server(self._connected, host, port, limit=FRAME_BYTES_MAX)
        if started:
            started(server.sockets[0].getsockname()[1])
        try:
            async with server:
                await server.serve_forever()
        finally:
            for task in self._connections:
                task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._connections) >= CONNECTIONS_MAX:
            writer.close()
            return
        self._connections.add(task)
        try:
            while (frame := await _read_frame(reader)) is not None:
                writer.write(START_BLOCK + await self._answer(frame) + END_BLOCK)
                await writer.drain()
        except (BadFrame, TimeoutError, ConnectionError, Transient, Unavailable) as failure:
            _log.warning("mllp connection closed", error=failure)
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, frame: bytes) -> bytes:
        reading = read_message(frame, actor=self._actor)
        answered = asyncio.wrap_future(self._submit(reading.delivery))
        outcome = await asyncio.wait_for(answered, ANSWER_SECONDS)
        if not outcome.accepted:
            DOOR_REFUSALS.labels("mllp", outcome.rule).inc()
        return acknowledgement(reading, outcome, self._clock())


async def _read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """The content of the next frame; None when the sender has closed the connection between frames.

    Raises:
        BadFrame: it does not begin with a start block, or is too large.
        TimeoutError: it does not go on.
    """
    start = await asyncio.wait_for(reader.read(1), IDLE_SECONDS)
    if not start:
        return None
    if start != START_BLOCK:
        raise BadFrame
    try:
        frame = await asyncio.wait_for(reader.readuntil(END_BLOCK), FRAME_SECONDS)
    except (asyncio.LimitOverrunError, asyncio.IncompleteReadError):
        raise BadFrame from None
    return frame[: -len(END_BLOCK)]
