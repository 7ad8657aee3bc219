"""The MLLP server: frames in, acknowledgements out, each only after its message is durable."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path

import structlog
from chassis.domain import Transient, Unavailable, UnsafeSetting
from chassis.inbound.awaited_answers import AwaitedAnswers
from chassis.inbound.receiving_queue import TooBusy
from chassis.telemetry.logs import frames_of
from chassis.telemetry.metrics import DOOR_REFUSALS, FAILURES

from intake.adapters.hl7v2.acknowledgement import acknowledgements
from intake.adapters.hl7v2.frames import CHUNK_BYTES, END_BLOCK, START_BLOCK, BadFrame, FrameReader
from intake.adapters.hl7v2.reading import EVERY_SOURCE, read_message
from intake.adapters.hl7v2.site_profiles import SiteProfiles, default_profiles
from intake.application.deliveries import InboundDelivery, Outcome

CONNECTIONS_MAX = 200
IDLE_SECONDS = 600.0
FRAME_SECONDS = 30.0
ANSWER_SECONDS = 60.0
SEND_SECONDS = 30.0
HANDSHAKE_SECONDS = 10.0
BUSY_WAIT_SECONDS = 0.05
BUSY_WAITS_MAX = round(ANSWER_SECONDS / BUSY_WAIT_SECONDS)
PEER_CHARACTERS_MAX = 64

NEEDS_ROW = "a row of source_clients in the master data that holds today"

Submit = Callable[[InboundDelivery], "Future[Outcome]"]
_log = structlog.get_logger(__name__)


class UnlistedClient(Exception):
    """Master data names no source for this client: what it sends waits with it, unanswered, until there is one."""


class MllpDoor:
    """Serves MLLP. A connection's messages are taken one after the other, in order.

    A message that could not be kept gets no answer, and its connection is closed: the sender sends it again. While too
    many messages wait already, nothing more is read. With `tls`, who shows a certificate is named as the actor by it.

    A client speaks for the sources (MSH-3) that `sources_of` gives for the name in its certificate, or for `client`, whose
    port this is, where it shows none. A client without any source is hung up on: its messages stay in its own queue, where a
    rejection would end them. Where neither names anybody, every source may be spoken for.
    """

    def __init__(
        self,
        submit: Submit,
        clock: Callable[[], datetime],
        *,
        profiles: SiteProfiles | None = None,
        tls: ssl.SSLContext | None = None,
        sources_of: Callable[[str], tuple[str, ...]] | None = None,
        client: str = "",
        actor: str = "door:mllp",
        idle_seconds: float = IDLE_SECONDS,
        frame_seconds: float = FRAME_SECONDS,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self._submit = submit
        self._clock = clock
        self._profiles = profiles or default_profiles()
        self._tls = tls
        self._sources_of = sources_of
        self._client = client
        self._actor = actor
        self._idle_seconds = idle_seconds
        self._frame_seconds = frame_seconds
        self._connections_max = connections_max
        self._connections: set[asyncio.Task[None]] = set()
        self._awaited = AwaitedAnswers()

    async def serve(self, host: str, port: int, *, started: Callable[[int], None] | None = None) -> None:
        """Serves until it is cancelled; `started` is told the port."""
        handshake = HANDSHAKE_SECONDS if self._tls else None
        server = await asyncio.start_server(
            self._connected, host, port, limit=CHUNK_BYTES, ssl=self._tls, ssl_handshake_timeout=handshake
        )
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
        if len(self._connections) >= self._connections_max:
            DOOR_REFUSALS.labels("mllp", "too-many-connections").inc()
            writer.close()
            return
        self._connections.add(task)
        try:
            await self._converse(reader, writer)
        except BadFrame as bad:
            DOOR_REFUSALS.labels("mllp", "frame").inc()
            _log.warning("mllp connection closed", reason=str(bad))
        except UnlistedClient as unlisted:
            DOOR_REFUSALS.labels("mllp", "unlisted-client").inc()
            _log.warning("mllp connection closed", reason="unlisted-client", client=str(unlisted), needs=NEEDS_ROW)
        except (TimeoutError, ConnectionError, ssl.SSLError, Transient, Unavailable) as failure:
            _log.warning("mllp connection closed", error=failure)
        except Exception as bug:  # noqa: BLE001 - nothing is acknowledged, and what the fault says may quote the message
            FAILURES.labels("mllp", "bug").inc()
            _log.error("mllp connection closed by a bug", error=bug, frames=frames_of(bug))
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = FrameReader(reader, idle_seconds=self._idle_seconds, frame_seconds=self._frame_seconds)
        shown = _certified(writer)
        actor = f"{self._actor}:{shown}" if shown else self._actor
        while (frame := await frames.next_frame()) is not None:
            for answer in await self._answers(frame, actor, self._sources(shown or self._client)):
                writer.write(START_BLOCK + answer + END_BLOCK)
            await asyncio.wait_for(writer.drain(), SEND_SECONDS)

    def _sources(self, client: str) -> Sequence[str]:
        """For which a client may speak now: master data may change while a connection lasts.

        Raises:
            UnlistedClient: for none.
        """
        if not self._sources_of or not client:
            return (EVERY_SOURCE,)
        if sources := self._sources_of(client):
            return sources
        raise UnlistedClient(client)

    async def _answers(self, frame: bytes, actor: str, sources: Sequence[str]) -> list[bytes]:
        reading = read_message(frame, actor=actor, profiles=self._profiles, sources=sources)
        outcome = await self._awaited.result_of(await self._submitted(reading.delivery), ANSWER_SECONDS)
        if not outcome.accepted:
            DOOR_REFUSALS.labels("mllp", outcome.rule).inc()
        return acknowledgements(reading.header, outcome, self._clock(), rejected=reading.rejected)

    async def _submitted(self, delivery: InboundDelivery) -> Future[Outcome]:
        """Waits, for a bounded time and without reading on, until the delivery finds a place.

        Raises:
            TooBusy: none became free.
        """
        for _ in range(BUSY_WAITS_MAX):
            try:
                return self._submit(delivery)
            except TooBusy:
                await asyncio.sleep(BUSY_WAIT_SECONDS)
        return self._submit(delivery)


def server_tls(certificate: Path, key: Path, client_authorities: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or newer; where authorities are given, only who shows a certificate of theirs may send.

    Raises:
        UnsafeSetting: a file cannot be read, or key and certificate do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
        if client_authorities is not None:
            context.load_verify_locations(client_authorities)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError):
        setting = "THROUGHLINE_MLLP_TLS_CERTIFICATE"
        raise UnsafeSetting(setting, "unusable", "a certificate, its key, and readable authorities") from None
    return context


def _certified(writer: asyncio.StreamWriter) -> str:
    """The common name of the sender's certificate; empty where it showed none, or one that names nobody."""
    certificate = writer.get_extra_info("peercert") or {}
    names = (value for part in certificate.get("subject", ()) for key, value in part if key == "commonName")
    name = str(next(names, ""))
    return name if name.isprintable() and len(name) <= PEER_CHARACTERS_MAX else ""
