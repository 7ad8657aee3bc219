"""The MLLP door over real sockets: TLS, bounds, slow senders, and what it does when too much comes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from chassis.domain import UnsafeSetting
from chassis.inbound import INBOUND_MESSAGES
from chassis.inbound.receiving_queue import ReceivingQueue, TooBusy
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from intake.adapters.hl7v2 import MllpDoor, server_tls
from intake.application.deliveries import InboundDelivery, Outcome
from prometheus_client import REGISTRY

from .world import IntakeUnderTest, Wire, encounters, messages_of

MESSAGES = messages_of(encounters(Wire.HL7)[0]).messages
FIRST = b"\x0b" + MESSAGES[0] + b"\x1c\r"
Queue = ReceivingQueue[InboundDelivery, Outcome]
Submit = Callable[[InboundDelivery], "Future[Outcome]"]


@pytest.fixture
def service() -> IntakeUnderTest:
    return IntakeUnderTest()


@pytest.fixture
def queue(service: IntakeUnderTest) -> Iterator[Queue]:
    opened: Queue = ReceivingQueue(service.intake.messages.receive)
    yield opened
    opened.stop()


@asynccontextmanager
async def opened(door: MllpDoor) -> AsyncIterator[int]:
    """The port of a door that is open."""
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(door.serve("127.0.0.1", 0, started=port.set_result))
    try:
        yield await asyncio.wait_for(port, 5)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def answer(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.readuntil(b"\x1c\r"), 5)


async def spoken(port: int, content: bytes, context: ssl.SSLContext | None = None) -> bytes:
    """What comes back for some bytes; empty where the door hangs up."""
    name = "localhost" if context else None
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
    try:
        writer.write(content)
        await writer.drain()
        return await answer(reader)
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        return b""
    finally:
        writer.close()


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / f"{name}.pem", folder / f"{name}.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return public, private


def client_tls(trusted: Path, own: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(trusted))
    if own:
        context.load_cert_chain(*own)
    return context


def test_messages_come_over_tls(service: IntakeUnderTest, queue: Queue, tmp_path: Path) -> None:
    public, private = certificate(tmp_path, "localhost")
    door = MllpDoor(queue.submit, service.clock, tls=server_tls(public, private, None))

    async def talk() -> tuple[bytes, bytes]:
        async with opened(door) as port:
            return await spoken(port, FIRST, client_tls(public)), await spoken(port, FIRST)

    by_tls, in_the_clear = asyncio.run(talk())
    assert b"MSA|AA|" in by_tls
    assert in_the_clear == b""


def test_only_who_shows_a_known_certificate_may_send_and_is_named_by_it(
    service: IntakeUnderTest, queue: Queue, tmp_path: Path
) -> None:
    public, private = certificate(tmp_path, "localhost")
    known, unknown = certificate(tmp_path, "ehr-north"), certificate(tmp_path, "stranger")
    door = MllpDoor(queue.submit, service.clock, tls=server_tls(public, private, known[0]))

    async def talk() -> list[bytes]:
        async with opened(door) as port:
            contexts = [client_tls(public, own) for own in (None, unknown, known)]
            return [await spoken(port, FIRST, context) for context in contexts]

    nobody, stranger, ehr = asyncio.run(talk())
    assert (nobody, stranger) == (b"", b"")
    assert b"MSA|AA|" in ehr
    actors = {entry.event.meta.actor for entry in service.store.log(0, 100)}
    assert actors == {"door:mllp:ehr-north"}


def test_a_certificate_without_its_key_is_refused_at_the_start(tmp_path: Path) -> None:
    public, _ = certificate(tmp_path, "localhost")
    _, other = certificate(tmp_path, "other")
    with pytest.raises(UnsafeSetting, match="THROUGHLINE_MLLP_TLS_CERTIFICATE"):
        server_tls(public, other, None)


def test_a_connection_too_many_is_closed_and_the_others_go_on(service: IntakeUnderTest, queue: Queue) -> None:
    async def talk() -> tuple[bytes, bytes]:
        async with opened(MllpDoor(queue.submit, service.clock, connections_max=1)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(FIRST)
            await answer(reader)
            refused = await spoken(port, FIRST)
            writer.write(FIRST)
            return refused, await answer(reader)

    refused, again = asyncio.run(talk())
    assert refused == b""
    assert b"MSA|AA|" in again


@pytest.mark.parametrize("dribble", [b"", b"\x0bMSH|"])
def test_a_sender_that_does_not_go_on_is_left(service: IntakeUnderTest, queue: Queue, dribble: bytes) -> None:
    async def talk() -> bytes:
        door = MllpDoor(queue.submit, service.clock, idle_seconds=0.05, frame_seconds=0.05)
        async with opened(door) as port:
            return await spoken(port, dribble)

    assert asyncio.run(talk()) == b""


def test_while_too_much_waits_nothing_more_is_read_and_nothing_is_lost(service: IntakeUnderTest) -> None:
    attempts: list[InboundDelivery] = []

    def busy_twice(delivery: InboundDelivery) -> Future[Outcome]:
        attempts.append(delivery)
        if len(attempts) < 3:
            raise TooBusy("others wait")
        future: Future[Outcome] = Future()
        future.set_result(service.receive(delivery)[0])
        return future

    async def talk() -> bytes:
        async with opened(MllpDoor(busy_twice, service.clock)) as port:
            return await spoken(port, FIRST)

    assert b"MSA|AA|" in asyncio.run(talk())
    assert len(attempts) == 3


def test_a_sender_that_wants_no_acknowledgement_gets_none_and_its_message_is_kept(
    service: IntakeUnderTest, queue: Queue
) -> None:
    silent = MESSAGES[0].replace(b"|P|2.5.1\r", b"|P|2.5.1|||NE|NE\r", 1)

    async def talk() -> bytes:
        async with opened(MllpDoor(queue.submit, service.clock)) as port:
            return await spoken(port, b"\x0b" + silent + b"\x1c\r" + b"\x0b" + MESSAGES[-1] + b"\x1c\r")

    assert b"-P03" in asyncio.run(talk())
    assert len({entry.event.meta.causation_id for entry in service.store.log(0, 100)}) == 2


SOURCES = {"ehr-a": (encounters(Wire.HL7)[0].source,), "ehr-b": ("another",), "hub": ("*",)}


@pytest.mark.parametrize(("client", "verdict"), [("ehr-a", "AA"), ("hub", "AA"), ("ehr-b", "AR")])
def test_a_port_speaks_for_the_sources_of_its_client_alone(
    service: IntakeUnderTest, queue: Queue, client: str, verdict: str
) -> None:
    door = MllpDoor(queue.submit, service.clock, sources_of=lambda name: SOURCES.get(name, ()), client=client)

    async def talk() -> bytes:
        async with opened(door) as port:
            return await spoken(port, FIRST)

    said = asyncio.run(talk())
    assert b"MSA|%s|" % verdict.encode() in said
    assert (b"MSH-3: sender: an application for which this client may speak" in said) is (verdict == "AR")


def test_a_client_that_is_not_listed_is_hung_up_on_and_sends_again_once_it_is(
    service: IntakeUnderTest, queue: Queue, tmp_path: Path
) -> None:
    public, private = certificate(tmp_path, "localhost")
    shown = certificate(tmp_path, "ehr-north")
    listed: dict[str, tuple[str, ...]] = {}
    tls = server_tls(public, private, shown[0])
    door = MllpDoor(queue.submit, service.clock, tls=tls, sources_of=lambda name: listed.get(name, ()))

    async def talk() -> tuple[bytes, bytes]:
        async with opened(door) as port:
            before = await spoken(port, FIRST, client_tls(public, shown))
            assert service.store.rows(INBOUND_MESSAGES, {}) == []
            listed["ehr-north"] = SOURCES["ehr-a"]
            return before, await spoken(port, FIRST, client_tls(public, shown))

    labels = {"door": "mllp", "code": "unlisted-client"}
    counted = REGISTRY.get_sample_value("throughline_door_refusals_total", labels) or 0.0
    before, after = asyncio.run(talk())
    assert (before, b"MSA|AA|" in after) == (b"", True)
    assert REGISTRY.get_sample_value("throughline_door_refusals_total", labels) == counted + 1


def test_the_certificate_says_for_whom_and_not_the_port(service: IntakeUnderTest, queue: Queue, tmp_path: Path) -> None:
    public, private = certificate(tmp_path, "localhost")
    shown = certificate(tmp_path, "ehr-b")
    tls = server_tls(public, private, shown[0])
    door = MllpDoor(queue.submit, service.clock, tls=tls, sources_of=lambda name: SOURCES.get(name, ()), client="hub")

    async def talk() -> bytes:
        async with opened(door) as port:
            return await spoken(port, FIRST, client_tls(public, shown))

    assert b"MSA|AR|" in asyncio.run(talk())
    (row,) = service.store.rows(INBOUND_MESSAGES, {})
    assert (row["source_system"], row["state"]) == ("not-its-own", "refused")


def test_a_message_that_another_client_sent_first_is_still_taken_from_its_own(
    service: IntakeUnderTest, queue: Queue
) -> None:
    async def talk(client: str) -> bytes:
        door = MllpDoor(queue.submit, service.clock, sources_of=lambda name: SOURCES.get(name, ()), client=client)
        async with opened(door) as port:
            return await spoken(port, FIRST)

    assert b"MSA|AR|" in asyncio.run(talk("ehr-b"))
    assert b"MSA|AA|" in asyncio.run(talk("ehr-a"))


@pytest.mark.parametrize("head", [b"FHS", b"BHS"])
def test_a_batch_on_a_connection_is_rejected_by_name_and_number(
    service: IntakeUnderTest, queue: Queue, head: bytes
) -> None:
    batch = head + b"|^~\\&|ehr|NORTH|||20260301||||B77\r" + MESSAGES[0] + b"BTS|1\r"

    async def talk() -> bytes:
        async with opened(MllpDoor(queue.submit, service.clock)) as port:
            return await spoken(port, b"\x0b" + batch + b"\x1c\r")

    said = asyncio.run(talk())
    assert b"MSA|AR|B77\r" in said
    assert head + b": batch: one message in a frame; batches come as files" in said
    assert [row["state"] for row in service.store.rows(INBOUND_MESSAGES, {})] == ["refused"]


def test_a_bug_of_ours_acknowledges_nothing_and_leaves_the_door_open(
    service: IntakeUnderTest, queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    bugs = [KeyError("Doe")]

    def submit(delivery: InboundDelivery) -> Future[Outcome]:
        if bugs:
            raise bugs.pop()
        return queue.submit(delivery)

    async def talk() -> tuple[bytes, bytes]:
        async with opened(MllpDoor(submit, service.clock)) as port:
            return await spoken(port, FIRST), await spoken(port, FIRST)

    first, second = asyncio.run(talk())
    assert (first, b"MSA|AA" in second) == (b"", True)
    assert "Doe" not in caplog.text
