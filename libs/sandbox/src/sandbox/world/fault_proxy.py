"""A TCP proxy on loopback that breaks connections on request: in front of PostgreSQL, NATS, or anything else."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Self, TypeVar

from sandbox.world.misbehaviour import Fault, Misbehaviour, Strike

_T = TypeVar("_T")
CHUNK_BYTES_MAX = 65_536
SETTLE_SECONDS_MAX = 1.0
CALL_SECONDS_MAX = 10


class Link:
    """One client's connection through the proxy; `lost_reply` is set while the server's next reply must vanish."""

    def __init__(self, writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]) -> None:
        self.client, self.server = writers
        self.lost_reply: Strike | None = None

    def abort(self) -> None:
        """Reset both ends, as a cut cable or a killed process does."""
        for writer in (self.client, self.server):
            writer.transport.abort()


class FaultProxy:
    """Forwards bytes both ways until told otherwise; a context manager, with its own thread.

    Requests to `misbehaviour`; a target is a text that the client's bytes must contain (`COMMIT`, `POST`):
    DOWN (the next connections are reset), TIMEOUT_AFTER_WORK (forwards, swallows the reply, and resets after `measure` ms),
    CUT (forwards `measure` bytes of the reply, then resets), SLOW and HOLD (forward after `measure` ms).
    `go_down` refuses every connection and resets the open ones until `come_up`.
    """

    def __init__(self, upstream_port: int, *, port: int = 0, misbehaviour: Misbehaviour | None = None) -> None:
        self.misbehaviour = misbehaviour or Misbehaviour()
        self.swallowed_count = 0
        self._upstream_port = upstream_port
        with socket.create_server(("127.0.0.1", port)) as probe:
            self.port = int(probe.getsockname()[1])
        self._links: set[Link] = set()
        self._listener: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)

    def start(self) -> None:
        """Listen on `port`."""
        self._thread.start()
        self.come_up()

    def stop(self) -> None:
        """Reset every connection and end the thread."""
        self.go_down()
        self._call(self._settle())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=CALL_SECONDS_MAX)
        self._loop.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def go_down(self) -> None:
        """Refuse new connections and reset the open ones."""
        self._call(self._go_down())

    def come_up(self) -> None:
        """Listen again on the same port."""
        self._call(self._come_up())

    def _call(self, work: Coroutine[None, None, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_SECONDS_MAX)

    async def _come_up(self) -> None:
        if self._listener is None:
            self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _go_down(self) -> None:
        if self._listener:
            self._listener.close()
            self._listener = None
        for link in tuple(self._links):
            link.abort()

    async def _settle(self) -> None:
        """Connections that were reset end by themselves; what is held longer is cancelled."""
        tasks = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
        if tasks:
            _, tasks = await asyncio.wait(tasks, timeout=SETTLE_SECONDS_MAX)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.misbehaviour.strike(Fault.DOWN):
            writer.transport.abort()
            return
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        except OSError:
            writer.transport.abort()
            return
        link = Link((writer, upstream_writer))
        self._links.add(link)
        pumps = [
            asyncio.ensure_future(self._requests(reader, link)),
            asyncio.ensure_future(self._replies(upstream_reader, link)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # The proxy is stopping. asyncio of Python 3.11 reports a cancelled connection handler as a fault.
            link.abort()
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._links.discard(link)
            writer.close()
            upstream_writer.close()

    async def _requests(self, reader: asyncio.StreamReader, link: Link) -> None:
        while chunk := await reader.read(CHUNK_BYTES_MAX):
            for fault in (Fault.SLOW, Fault.HOLD):
                late = self.misbehaviour.strike_content(fault, chunk)
                await asyncio.sleep(late.measure / 1000 if late else 0)
            if await self._answered_here(chunk, reader, link):
                return
            link.lost_reply = (
                self.misbehaviour.strike_content(Fault.TIMEOUT_AFTER_WORK, chunk)
                or self.misbehaviour.strike_content(Fault.CUT, chunk)
                or link.lost_reply
            )
            link.server.write(chunk)
            await link.server.drain()

    async def _answered_here(self, chunk: bytes, reader: asyncio.StreamReader, link: Link) -> bool:
        """For proxies that know their protocol: True where the request was answered without the server."""
        return False

    async def _replies(self, reader: asyncio.StreamReader, link: Link) -> None:
        while chunk := await reader.read(CHUNK_BYTES_MAX):
            if link.lost_reply:
                await self._lose(chunk, link, link.lost_reply)
                return
            link.client.write(chunk)
            await link.client.drain()

    async def _lose(self, chunk: bytes, link: Link, strike: Strike) -> None:
        self.swallowed_count += 1
        if strike.fault is Fault.CUT:
            link.client.write(chunk[: strike.measure])
            await link.client.drain()
        else:
            await asyncio.sleep(strike.measure / 1000)
        link.abort()
