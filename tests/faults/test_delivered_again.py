"""Everything delivered again: from the beginning, twice, out of order, beyond the window; read models and streams rebuilt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import partial
from importlib import import_module
from random import Random

import pytest
from canonical.envelope import STREAMS
from chassis.eventstore.postgres import PostgresEventStore
from chassis.messaging.declaration import declare, empty_for_refill
from chassis.messaging.topology import CONSUMES, USERS, Topology
from chassis.runtime.core import ServiceShape
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from throughline.stack.roster import MEMBERS

from tests.integration.state import Facts, rest_of
from tests.integration.story import differences, settled_as, small_story, until
from tests.integration.suite import Bench, broken_promises

pytestmark = [pytest.mark.servers, pytest.mark.slow]

SHAPES: Mapping[str, ServiceShape] = {member.name: import_module(member.module).SHAPE for member in MEMBERS}
Kept = dict[str, list[RawStreamMsg]]


@pytest.fixture(scope="module")
def told(servers: Bench, undisturbed: Facts) -> Iterator[Bench]:
    """A suite to which the story has been told; each test leaves it as it found it."""
    servers.renew()
    servers.start_services()
    with small_story(servers) as story:
        story.tell()
        assert differences(undisturbed, settled_as(servers, undisturbed)) == {}
        assert broken_promises(servers.folder) == {}
        yield servers
        assert story.erp.booked_twice == []
    servers.kill_services()


def test_every_consumer_starting_over_changes_nothing(told: Bench, undisturbed: Facts) -> None:
    before = logs_of(told)
    told.stop_services()
    told.at_nats("operator", start_over)
    told.start_services()
    until(lambda: rest_of(told).is_quiet, "every message is read again")
    assert differences(undisturbed, settled_as(told, undisturbed)) == {}
    assert logs_of(told) == before
    assert broken_promises(told.folder) == {}


def test_a_message_published_again_within_the_window_is_not_kept_again(told: Bench) -> None:
    kept = told.at_nats("checker", keep_streams)
    for service, messages in kept.items():
        assert told.at_nats(USERS[service], partial(publish_again, messages=messages)) == len(messages)
    assert contents_of(told.at_nats("checker", keep_streams)) == contents_of(kept)


def test_whole_streams_again_in_any_order_beyond_the_window_change_nothing(told: Bench, undisturbed: Facts) -> None:
    before, kept = logs_of(told), told.at_nats("checker", keep_streams)
    told.stop_services()
    told.at_nats("operator", lambda client: with_window(client, told.topology, 0.1))
    for number, (service, messages) in enumerate(sorted(kept.items())):
        shuffled = Random(number).sample(messages, len(messages))
        repeated = told.at_nats(USERS[service], partial(publish_again, messages=shuffled))
        assert repeated == 0, "the window has passed, so every copy is kept"
    told.at_nats("operator", lambda client: with_window(client, told.topology, None))
    told.start_services()
    until(lambda: rest_of(told).is_quiet, "every copy is read")
    assert differences(undisturbed, settled_as(told, undisturbed)) == {}
    assert logs_of(told) == before


def test_streams_filled_again_from_the_stores_hold_what_they_held(told: Bench, undisturbed: Facts) -> None:
    before = logs_of(told)
    originals = {service: once(messages) for service, messages in told.at_nats("checker", keep_streams).items()}
    told.stop_services()
    for service in CONSUMES:
        told.at_nats("operator", partial(empty_for_refill, topology=told.topology, service=service))
    told.start_services({member.name: {"THROUGHLINE_REFILL_STREAM": "true"} for member in MEMBERS})
    until(lambda: rest_of(told).is_quiet, "every message is published and read again")
    refilled = told.at_nats("checker", keep_streams)
    assert {service: once(messages) for service, messages in refilled.items()} == originals
    assert all(len(messages) == len(once(messages)) for messages in refilled.values())
    assert differences(undisturbed, settled_as(told, undisturbed)) == {}
    assert logs_of(told) == before
    assert broken_promises(told.folder) == {}


@pytest.mark.parametrize("service", list(SHAPES))
def test_read_models_rebuilt_from_the_log_equal_the_live_ones(told: Bench, service: str) -> None:
    shape = SHAPES[service]
    dsn = told.database(service).owner_dsn
    with PostgresEventStore(dsn, shape.registry(), shape.all_projections, shape.all_tables) as store:
        live = {table.name: store.read_model_hash(table) for table in shape.all_tables}
        assert store.rebuild_read_models() == told.count(service, "SELECT count(*) FROM stored_events")
        assert {table.name: store.read_model_hash(table) for table in shape.all_tables} == live


def logs_of(bench: Bench) -> dict[str, int]:
    """How many events each service has recorded, and how many messages it has answered."""
    return {
        member.name: bench.count(
            member.name, "SELECT (SELECT count(*) FROM stored_events) * 1000000 + (SELECT count(*) FROM inbox)"
        )
        for member in MEMBERS
    }


async def start_over(client: Client) -> None:
    """Deletes every durable and makes it again: all of it is delivered once more."""
    js = client.jetstream(timeout=10)
    topology = Topology(ack_wait_seconds=5)
    for durable in topology.all_durables():
        await js.delete_consumer(durable.stream, durable.name)
    await declare(client, topology)


async def keep_streams(client: Client) -> Kept:
    """Every message of every stream, in order."""
    js = client.jetstream(timeout=10)
    kept: Kept = {}
    for service, stream in STREAMS.items():
        state = (await js.stream_info(stream)).state
        kept[service] = [await js.get_msg(stream, seq) for seq in range(state.first_seq, state.last_seq + 1) if seq]
    return kept


async def publish_again(client: Client, messages: list[RawStreamMsg]) -> int:
    """Publishes the same bytes under the same ids; how many of them the stream said it knew."""
    js: JetStreamContext = client.jetstream(timeout=10)
    known = 0
    for message in messages:
        assert message.subject is not None
        answer = await js.publish(message.subject, message.data or b"", headers=plain(message.headers))
        known += bool(answer.duplicate)
    return known


def plain(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Without what only belongs to the batch that it was first published in."""
    return {
        name: value for name, value in (headers or {}).items() if not name.startswith(("Nats-Batch", "Nats-Expected"))
    }


async def with_window(client: Client, topology: Topology, seconds: float | None) -> None:
    """Gives every stream another duplicate window, or the declared one."""
    js = client.jetstream(timeout=10)
    for wanted in topology.streams().values():
        if seconds is not None:
            wanted.duplicate_window = seconds
        await js.update_stream(wanted)


def once(messages: list[RawStreamMsg]) -> dict[str, str]:
    """A hash of subject, headers and data by message id, for each of which there is one content only."""
    found: dict[str, str] = {}
    for message in messages:
        headers = plain(message.headers)
        content = repr((message.subject, sorted(headers.items()), message.data))
        hashed = hashlib.sha256(content.encode()).hexdigest()
        assert found.setdefault(headers["Nats-Msg-Id"], hashed) == hashed
    return found


def contents_of(kept: Kept) -> dict[str, list[bytes | None]]:
    return {service: [message.data for message in messages] for service, messages in kept.items()}
