"""MLLP frames: a start block, a message, an end block."""

from __future__ import annotations

import asyncio

from intake.adapters.hl7v2.wire import MESSAGE_BYTES_MAX

START_BLOCK = b"\x0b"
END_BLOCK = b"\x1c\r"
FRAME_BYTES_MAX = MESSAGE_BYTES_MAX + 16
BETWEEN_BYTES_MAX = 64
CHUNK_BYTES = 65_536
_BLANKS = b"\r\n \t"


class BadFrame(Exception):
    """Bytes that are no MLLP frame: the connection cannot be trusted any further."""


class FrameReader:
    """The frames of one connection. Between two frames a few blanks are forgiven, and nothing else."""

    def __init__(self, reader: asyncio.StreamReader, *, idle_seconds: float, frame_seconds: float) -> None:
        self._reader = reader
        self._idle_seconds = idle_seconds
        self._frame_seconds = frame_seconds
        self._read = bytearray()

    async def next_frame(self) -> bytes | None:
        """The content of the next frame; None when the sender has closed the connection between frames.

        Raises:
            BadFrame: no start block begins it, another one stands in it, it is too large, or it breaks off.
            TimeoutError: nothing comes for `idle_seconds`, or the frame is not whole after `frame_seconds`.
        """
        while not self._began():
            chunk = await asyncio.wait_for(self._reader.read(CHUNK_BYTES), self._idle_seconds)
            if not chunk:
                return None
            self._read += chunk
        return await asyncio.wait_for(self._rest(), self._frame_seconds)

    def _began(self) -> bool:
        blanks = len(self._read) - len(self._read.lstrip(_BLANKS))
        if blanks > BETWEEN_BYTES_MAX:
            raise BadFrame("blanks between frames")
        del self._read[:blanks]
        if self._read and not self._read.startswith(START_BLOCK):
            raise BadFrame("bytes outside a frame")
        return bool(self._read)

    async def _rest(self) -> bytes:
        searched = 0
        while (end := self._read.find(END_BLOCK, searched)) < 0:
            if len(self._read) > FRAME_BYTES_MAX:
                raise BadFrame("too large")
            searched = max(0, len(self._read) - 1)
            chunk = await self._reader.read(CHUNK_BYTES)
            if not chunk:
                raise BadFrame("broken off")
            self._read += chunk
        frame = bytes(self._read[1:end])
        del self._read[: end + len(END_BLOCK)]
        if START_BLOCK in frame:
            raise BadFrame("a frame within a frame")
        return frame
