"""The way to the ERP: an HTTP proxy on loopback that can lose replies, answer 500, be slow, or be down."""

from __future__ import annotations

import asyncio

from sandbox.world.fault_proxy import CHUNK_BYTES_MAX, FaultProxy, Link
from sandbox.world.misbehaviour import Fault

_METHODS = (b"GET ", b"POST ", b"PUT ", b"DELETE ", b"PATCH ", b"HEAD ", b"OPTIONS ")
_DRAIN_SECONDS = 1
_BODY = b"the sandbox was asked for this error"
SERVER_ERROR_REPLY = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


class ErpProxy(FaultProxy):
    """A `FaultProxy` that also answers SERVER_ERROR: status 500, and the ERP never sees the request.

    A target is a text in the request's first bytes, such as its method or path. TIMEOUT_AFTER_WORK forwards the request, waits
    for the ERP's reply (the work is done), and drops it.
    """

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _answered_here(self, chunk: bytes, reader: asyncio.StreamReader, link: Link) -> bool:
        if not chunk.startswith(_METHODS) or not self.misbehaviour.strike_content(Fault.SERVER_ERROR, chunk):
            return False
        link.client.write(SERVER_ERROR_REPLY)
        await link.client.drain()
        # Closing over unread bytes would reset the connection, and the client might lose the answer.
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while await reader.read(CHUNK_BYTES_MAX):
                    pass
        except TimeoutError:
            pass
        return True
