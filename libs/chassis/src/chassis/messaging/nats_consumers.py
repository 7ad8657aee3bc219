"""The consumers of one service on NATS: FastStream pulls, our batch runner handles, and only then we acknowledge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import structlog
from canonical.envelope import registered_events
from faststream import AckPolicy
from faststream.nats import JStream, NatsBroker, PullSub
from faststream.nats.security import NatsUserPassword
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from chassis.eventstore.work import CrashPoint, no_crash
from chassis.messaging.batch_runner import BatchRunner, GaveUp
from chassis.messaging.consumer import BatchConsumer, Handled
from chassis.messaging.delivery import Delivery
from chassis.messaging.leases import RENEWAL_SECONDS, Lease
from chassis.messaging.nats_connection import CONSUMER_BUFFER_BYTES, Closing, NatsLogin, connection_arguments
from chassis.messaging.steady_pull import SteadyPull
from chassis.messaging.topology import BATCH_MAX, Durable, Topology, lease_bucket_of
from chassis.telemetry.metrics import BATCH_MESSAGES, BATCH_SECONDS, LEASE_HELD, MESSAGES, RECEIVED

PULL_SECONDS = 1.0
ACK_SYNC_SECONDS = 5
STOP_SECONDS = 15.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Reading:
    """One durable of this replica: what reads it, and whether it does now."""

    durable: Durable
    subscriber: Any
    runner: BatchRunner
    lease: Lease | None = None
    active: bool = False


class NatsConsumers:
    """Reads every durable of one service that this replica holds a lease on.

    `after_batch` runs in the loop after each saved batch; `on_fatal` when the process must not go on.
    """

    def __init__(
        self,
        login: NatsLogin,
        topology: Topology,
        consumers: Sequence[tuple[str, BatchConsumer]],
        executor: Executor,
        *,
        replica: str,
        after_batch: Callable[[Handled], None],
        on_fatal: Callable[[BaseException], None],
        crash_point: CrashPoint = no_crash,
    ) -> None:
        self._login = login
        self._closing = Closing()
        self._stopping = asyncio.Event()
        self._replica = replica
        self._after_batch = after_batch
        self._on_fatal = on_fatal
        self._crash_point = crash_point
        self._broker = make_broker(login, self._closing)
        by_upstream = dict(consumers)
        self._readings = [
            self._reading(
                durable,
                BatchRunner(
                    by_upstream[durable.upstream],
                    executor,
                    self._stopping,
                    crash_point=crash_point,
                    keep_alive_seconds=topology.ack_wait_seconds / 3,
                ),
            )
            for durable in topology.durables(login.service)
            if durable.upstream in by_upstream
        ]
        self._tasks: list[asyncio.Task[None]] = []

    async def connect(self) -> Client:
        """Connects; the connection may be used for questions about streams."""
        return await self._broker.connect()

    async def start(self) -> None:
        """Starts to read, durable by durable, as leases come in."""
        client = await self.connect()
        bucket = await client.jetstream(timeout=ACK_SYNC_SECONDS).key_value(lease_bucket_of(self._login.service))
        for reading in self._readings:
            reading.lease = Lease(bucket, reading.durable.name, self._replica)
            await self._follow_lease(reading)
        self._tasks = [asyncio.create_task(self._keep_lease(reading)) for reading in self._readings]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    async def drain(self) -> None:
        """Stops pulling, lets the batches in hand finish, and gives the leases back."""
        self._stopping.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*(self._pause(reading) for reading in self._readings))
        for reading in self._readings:
            if reading.lease is not None:
                await reading.lease.release()

    async def stop(self) -> None:
        """Drains and closes the connection."""
        await self.drain()
        self._closing.wanted = True
        await self._broker.stop()

    @property
    def held(self) -> list[str]:
        """The durables this replica reads now."""
        return [reading.durable.name for reading in self._readings if reading.active]

    @property
    def failing(self) -> list[str]:
        """The durables whose batch in hand has failed and is being tried again."""
        return [reading.durable.name for reading in self._readings if reading.runner.failing]

    def _reading(self, durable: Durable, runner: BatchRunner) -> _Reading:
        subscriber = self._broker.subscriber(
            f"billing.{durable.upstream}.g{durable.group}",
            durable=durable.name,
            stream=JStream(durable.stream, declare=False),
            pull_sub=PullSub(batch=True, batch_size=BATCH_MAX, timeout=PULL_SECONDS),
            ack_policy=AckPolicy.MANUAL,
            inbox_prefix=self._login.inbox_prefix + b".",
            decoder=_undecoded,
            no_reply=True,
        )

        async def handle(messages: list[Msg]) -> None:
            await self._batch(durable, runner, messages)

        subscriber(handle)
        return _Reading(durable, subscriber, runner)

    async def _batch(self, durable: Durable, runner: BatchRunner, messages: list[Msg]) -> None:
        started = time.monotonic()
        deliveries = [delivery_of(message) for message in messages]
        runner.backlog.took(durable.name, deliveries[-1], len(deliveries))
        try:
            handled = await runner.run(deliveries, lambda: _still_working(messages))
        except GaveUp as fatal:
            self._on_fatal(fatal)
            return
        if handled is None:
            return
        self._crash_point("before-ack")
        await acknowledge(messages)
        runner.backlog.saved(durable.name, deliveries[-1])
        _count(f"{durable.service}-{durable.upstream}", deliveries, handled, time.monotonic() - started)
        self._after_batch(handled)

    async def _keep_lease(self, reading: _Reading) -> None:
        while not self._stopping.is_set():
            await asyncio.sleep(RENEWAL_SECONDS)
            await self._follow_lease(reading)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._on_fatal(error)

    async def _follow_lease(self, reading: _Reading) -> None:
        assert reading.lease is not None
        held = await reading.lease.hold()
        if held and not reading.active:
            await self._resume(reading)
        elif not held and reading.active:
            _log.warning("lease lost", durable=reading.durable.name)
            await self._pause(reading)

    async def _resume(self, reading: _Reading) -> None:
        durable = reading.durable
        try:
            pull = await SteadyPull.start(await self.connect(), durable.stream, durable.name)
            await reading.subscriber.start()
            # Its pull task has not run yet: nothing is awaited between the making of that task and here.
            unused, reading.subscriber.subscription = reading.subscriber.subscription, pull
            await unused.unsubscribe()
        except (NatsError, TimeoutError) as error:
            _log.warning("durable not readable yet", durable=reading.durable.name, error=type(error).__name__)
            return
        reading.active = True
        LEASE_HELD.labels(reading.durable.name).set(1)

    async def _pause(self, reading: _Reading) -> None:
        if not reading.active:
            return
        reading.active = False
        reading.runner.backlog.forget(reading.durable.name)
        LEASE_HELD.labels(reading.durable.name).set(0)
        try:
            await asyncio.wait_for(reading.subscriber.stop(), STOP_SECONDS)
        except (NatsError, TimeoutError) as error:
            _log.warning("durable not released", durable=reading.durable.name, error=type(error).__name__)


def make_broker(login: NatsLogin, closing: Closing) -> NatsBroker:
    """FastStream's broker with every default that loses messages or prints payloads replaced."""
    arguments: dict[str, Any] = connection_arguments(login, closing, buffer_bytes=CONSUMER_BUFFER_BYTES)
    return NatsBroker(
        **arguments,
        security=NatsUserPassword(login.user, login.password),
        apply_types=False,
        graceful_timeout=STOP_SECONDS,
        logger=None,
    )


async def _undecoded(message: Any) -> list[Msg]:
    """Leaves the batch as it came: what is not valid must become a case of ours, not a log line of FastStream's."""
    raw: list[Msg] = message.raw_message
    return raw


def delivery_of(message: Msg) -> Delivery:
    """The transport-neutral form; a reply subject that names a domain has two tokens more before the sequence."""
    tokens = message.reply.split(".")
    sequence, behind = (tokens[5], tokens[8]) if len(tokens) == 9 else (tokens[7], tokens[10])
    return Delivery(message.subject, message.headers or {}, message.data, int(sequence), int(behind))


async def acknowledge(messages: Sequence[Msg]) -> None:
    """Acknowledges each message, and waits for the server's word on the last; what is lost comes again and is known."""
    try:
        for message in messages[:-1]:
            await message.ack()
        await messages[-1].ack_sync(timeout=ACK_SYNC_SECONDS)
    except NatsError as error:
        _log.warning("acknowledgement not confirmed", error=type(error).__name__, messages=len(messages))


async def _still_working(messages: Sequence[Msg]) -> None:
    try:
        for message in messages:
            await message.in_progress()
    except NatsError as error:
        _log.info("could not extend the time to acknowledge", error=type(error).__name__)


def _count(consumer: str, deliveries: Sequence[Delivery], handled: Handled, seconds: float) -> None:
    BATCH_MESSAGES.labels(consumer).observe(len(deliveries))
    BATCH_SECONDS.labels(consumer).observe(seconds)
    for outcome in ("done", "repeated", "ignored", "refused", "parked"):
        count = getattr(handled, outcome)
        if count:
            MESSAGES.labels(consumer, outcome).inc(count)
    kinds: dict[str, int] = {}
    for delivery in deliveries:
        kind = known_type(delivery.subject)
        kinds[kind] = kinds.get(kind, 0) + 1
    for kind, count in kinds.items():
        RECEIVED.labels(consumer, kind).inc(count)


def known_type(subject: str) -> str:
    """The event's type where it is one of ours, else `unknown`: a label must not grow with what a stranger sends."""
    tokens = subject.split(".")
    is_known = len(tokens) == 6 and (tokens[1], tokens[2]) in _known_types(len(registered_events()))
    return tokens[2] if is_known else "unknown"


@lru_cache(maxsize=1)
def _known_types(registered: int) -> frozenset[tuple[str, str]]:
    return frozenset((service, kind) for service, kind, _ in registered_events())
