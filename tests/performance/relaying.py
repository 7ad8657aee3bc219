"""How fast the relay carries a store's events to JetStream, beside bare atomic batches of the same bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time
from uuid import uuid4

import claims.main
from chassis.eventstore.postgres import PostgresEventStore
from chassis.messaging.delivery import Outgoing
from chassis.messaging.nats_connection import Closing, connect_publisher
from chassis.messaging.nats_stream import NatsStream, publish_command
from chassis.messaging.relay import Relay, StreamTail

from tests.performance.figures import Bar, Baseline, Figure
from tests.performance.side_nats import connected, login_of, side_nats
from tests.performance.stopwatch import seconds_of
from tests.performance.world import World

BAR = Bar(10_000, 25_000)
BATCH = 500
SHAPE = claims.main.SHAPE


@dataclass
class Recording:
    """A stream that keeps what goes through it, so that the same bytes can be published again without us."""

    stream: NatsStream
    published: list[Outgoing] = field(default_factory=list)

    def tail(self) -> StreamTail:
        return self.stream.tail()

    def publish(self, batch: Sequence[Outgoing], expected_last_sequence: int) -> int:
        self.published.extend(batch)
        return self.stream.publish(batch, expected_last_sequence)


def relaying(world: World) -> Figure:
    """The row: all that claims has announced, published once more into an empty stream. No service runs meanwhile."""
    world.stop_services()
    dsn = world.seeded.database(SHAPE.name).app_dsn
    with PostgresEventStore(dsn, SHAPE.registry(), SHAPE.all_projections, SHAPE.all_tables) as store:
        stored = store.last_position()
        published, seconds, used = asyncio.run(_relay(world.folder / "side", store))
    bare = asyncio.run(_bare(world.folder / "side-bare", published))
    return Figure(
        row="relay",
        work=f"claims' store → JetStream: {len(published):,} public events of {stored:,} stored",
        value=len(published) / seconds,
        unit="events/s",
        bar=BAR,
        baseline=Baseline("bare atomic batches of the same bytes", len(published) / bare),
        details=(
            f"{stored / seconds:,.0f} stored events/s; {used / len(published) * 1e6:.0f} µs of our CPU a public event",
        ),
    )


async def _relay(folder: Path, store: PostgresEventStore) -> tuple[list[Outgoing], float, float]:
    """What was published, the seconds it took, and how many of them were our CPU's."""
    async with side_nats(folder) as server:
        closing = Closing()
        client = await connect_publisher(login_of(server, SHAPE.name), closing)
        recording = Recording(NatsStream(client, asyncio.get_running_loop(), SHAPE.name))
        with ThreadPoolExecutor(1) as ahead:
            relay = Relay(SHAPE.name, store, recording, SHAPE.publishing, ahead=ahead)
            await asyncio.to_thread(relay.refill)
            used = process_time()
            seconds = await asyncio.to_thread(seconds_of, lambda: [None for _ in iter(relay.step, 0)])
            used = process_time() - used
        closing.wanted = True
        await client.close()
    return recording.published, seconds, used


async def _bare(folder: Path, messages: Sequence[Outgoing]) -> float:
    """Seconds to write the batches, made beforehand, and to await each one's acknowledgement."""
    remaining = iter(messages)
    batches = []
    while batch := list(islice(remaining, BATCH)):
        batches.append(_commands(batch))
    async with side_nats(folder) as server:
        client = await connected(server, SHAPE.name)
        began = perf_counter()
        for commands, last, headers in batches:
            await client._send_command(commands)
            await client._flush_pending()
            reply = await client.request(last.subject, last.data, timeout=5, headers=headers)
            assert "error" not in json.loads(reply.data), "the server took the batch"
        seconds = perf_counter() - began
        await client.close()
    return seconds


def _commands(batch: Sequence[Outgoing]) -> tuple[bytes, Outgoing, dict[str, str]]:
    """All messages but the last as they go over the wire, and the last, which commits the batch."""
    batch_id = uuid4().hex
    headers = [
        {**message.headers, "Nats-Batch-Id": batch_id, "Nats-Batch-Sequence": str(number)}
        for number, message in enumerate(batch, 1)
    ]
    commands = [publish_command(message, each) for message, each in zip(batch[:-1], headers, strict=False)]
    return b"".join(commands), batch[-1], headers[-1] | {"Nats-Batch-Commit": "1"}
