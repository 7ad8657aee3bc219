"""One contract for the simulated stream and the real one: whole batches, fenced, no id twice, found again by the tail."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import nats
import pytest
from chassis.domain import Transient, Unavailable
from chassis.messaging.declaration import declare
from chassis.messaging.delivery import Outgoing
from chassis.messaging.nats_connection import Closing, NatsLogin, connect_publisher
from chassis.messaging.nats_stream import NatsStream, TooLarge, publish_command
from chassis.messaging.relay import READ_MAX, Fenced, RefillNeeded, Relay, StreamPort, StreamTail
from chassis.messaging.simulated import Misbehaviour, SimulatedStream
from chassis.messaging.topology import Topology
from chassis.testing import context
from chassis.testing.sample_service import ANNOUNCER, announce, memory_store
from sandbox.servers.nats import NatsServer

_T = TypeVar("_T")


class LoopThread:
    """An event loop in a thread of its own, as the service has one."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)


async def declared(server: NatsServer, topology: Topology) -> None:
    login = server.login("operator")
    client = await nats.connect(
        login.url, user=login.user, password=login.password, inbox_prefix=login.inbox_prefix.encode()
    )
    await declare(client, topology)
    await client.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    with NatsServer(tmp_path, consumers=Topology().durables_by_user()) as running:
        asyncio.run(declared(running, Topology()))
        yield running


@pytest.fixture
def real_stream(server: NatsServer) -> Iterator[NatsStream]:
    loop, closing = LoopThread(), Closing()
    login = server.login("intake")
    client = loop.run(connect_publisher(NatsLogin("intake", login.url, login.user, login.password), closing))
    yield NatsStream(client, loop.loop, "intake")
    closing.wanted = True
    loop.run(client.close())
    loop.stop()


@pytest.fixture(params=["simulated", pytest.param("nats", marks=pytest.mark.servers)])
def stream(request: pytest.FixtureRequest) -> StreamPort:
    if request.param == "simulated":
        return SimulatedStream()
    found: NatsStream = request.getfixturevalue("real_stream")
    return found


def message(position: int, identity: str = "") -> Outgoing:
    headers = {"Nats-Msg-Id": identity or str(uuid4()), "ce-position": str(position)}
    return Outgoing(f"billing.intake.patient-registered.v1.3.{uuid4().hex}", headers, b"{}", position)


def test_a_fresh_stream_ends_at_nothing(stream: StreamPort) -> None:
    assert stream.tail() == StreamTail(0, 0)


def test_the_tail_names_the_last_sequence_and_the_position_behind_it(stream: StreamPort) -> None:
    assert stream.publish([message(7), message(8)], 0) == 2
    assert stream.tail() == StreamTail(2, 8)


def test_a_batch_of_one_is_published(stream: StreamPort) -> None:
    assert stream.publish([message(1)], 0) == 1


def test_a_relay_that_is_behind_is_fenced_off_and_publishes_nothing(stream: StreamPort) -> None:
    stream.publish([message(1)], 0)
    with pytest.raises(Fenced):
        stream.publish([message(2), message(3)], 0)
    with pytest.raises(Fenced):
        stream.publish([message(2)], 5)
    assert stream.tail() == StreamTail(1, 1)


def test_a_batch_with_a_published_id_is_refused_whole(stream: StreamPort) -> None:
    stream.publish([message(1, "the-same")], 0)
    with pytest.raises(Fenced):
        stream.publish([message(2), message(3, "the-same")], 1)
    assert stream.tail() == StreamTail(1, 1)


def test_the_largest_batch_of_the_relay_is_published_whole(stream: StreamPort) -> None:
    assert stream.publish([message(number) for number in range(1, 201)], 0) == 200


def test_a_value_from_outside_cannot_add_a_header() -> None:
    command = publish_command(message(1), {"ce-sourcereference": "A1\r\nNats-Batch-Commit: 1", "ce-actor": "é"})
    assert b"ce-sourcereference: A1 Nats-Batch-Commit: 1\r\n" in command
    head, _, rest = command.partition(b"\r\n")
    block, total = (int(number) for number in head.split()[2:])
    assert rest[:block].endswith(b"\r\n\r\n")
    assert len(rest) == total + 2


def test_two_relays_on_one_stream_publish_every_event_once(stream: StreamPort) -> None:
    store = memory_store(ANNOUNCER)
    announce(store, context(), [uuid4() for _ in range(30)])
    relays = [Relay("intake", store, stream, ANNOUNCER.publishing) for _ in range(2)]
    for relay in relays * 2:
        relay.step()
    announce(store, context(), [uuid4() for _ in range(30)])
    for relay in relays * 3:
        relay.step()
    assert stream.tail() == StreamTail(60, 60)


def test_an_empty_stream_beside_a_recorded_position_is_refilled_only_by_name(stream: StreamPort) -> None:
    store = memory_store(ANNOUNCER)
    announce(store, context(), [uuid4()])
    store.record_relay_position(1)
    relay = Relay("intake", store, stream, ANNOUNCER.publishing)
    with pytest.raises(RefillNeeded):
        relay.step()
    relay.refill()
    relay.step()
    assert stream.tail() == StreamTail(1, 1)


def test_a_refill_that_died_half_way_goes_on_where_the_stream_ends(stream: StreamPort) -> None:
    count = READ_MAX + 50
    store = memory_store(ANNOUNCER)
    announce(store, context(), [uuid4() for _ in range(count)])
    store.record_relay_position(count)
    died = Relay("intake", store, stream, ANNOUNCER.publishing)
    died.refill()
    died.step()
    assert stream.tail() == StreamTail(READ_MAX, READ_MAX)
    Relay("intake", store, stream, ANNOUNCER.publishing).step()
    assert stream.tail() == StreamTail(count, count)


def test_a_lost_acknowledgement_is_mended_by_the_next_step() -> None:
    lossy = SimulatedStream(misbehaviour=Misbehaviour(publish_acknowledgement_lost=1.0))
    store = memory_store(ANNOUNCER)
    announce(store, context(), [uuid4() for _ in range(3)])
    relay = Relay("intake", store, lossy, ANNOUNCER.publishing)
    with pytest.raises(Transient):
        relay.step()
    relay.step()
    assert lossy.tail() == StreamTail(3, 3)


@pytest.mark.servers
def test_an_event_that_no_message_holds_is_refused_before_the_server_hangs_up(real_stream: NatsStream) -> None:
    large = replace(message(1), data=b"x" * 1_000_000)
    with pytest.raises(TooLarge, match="in parts"):
        real_stream.publish([large, message(2)], 0)
    assert real_stream.publish([message(3)], 0) == 1


@pytest.mark.servers
def test_a_server_that_is_gone_is_told_and_the_relay_goes_on_when_it_is_back(
    server: NatsServer, real_stream: NatsStream
) -> None:
    real_stream.publish([message(1)], 0)
    server.kill9()
    with pytest.raises((Transient, Unavailable)):
        real_stream.publish([message(2)], 1)
    server.start()
    _until(lambda: real_stream.tail().last_sequence >= 1)
    assert real_stream.publish([message(3)], real_stream.tail().last_sequence) >= 2


def _until(holds: Callable[[], bool], seconds: float = 15.0) -> None:
    done = threading.Event()
    for _ in range(int(seconds / 0.1)):
        try:
            if holds():
                return
        except (Transient, Unavailable):
            pass
        done.wait(0.1)
    raise AssertionError("it did not come back in time")
