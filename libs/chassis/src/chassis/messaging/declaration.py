"""The operator's job: makes streams, durables and lease buckets as declared, and refuses what would lose data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from canonical.envelope import STREAMS
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, StreamConfig
from nats.js.errors import NotFoundError

from chassis.messaging.topology import CONSUMES, Durable, Topology


class WouldLoseData(Exception):
    """The declared change could drop messages that somebody has not read; the operator must do it by hand."""


@dataclass(slots=True)
class Declared:
    """What the job made and what it changed, by name."""

    made: list[str]
    changed: list[str]


async def declare(client: Client, topology: Topology) -> Declared:
    """Makes what is missing and brings the rest to the declaration; running it again changes nothing.

    Raises:
        WouldLoseData: an existing stream or consumer differs in a way that only a drained one may change.
    """
    js = client.jetstream(timeout=10)
    declared = Declared([], [])
    for stream in topology.streams().values():
        await _declare_stream(js, stream, declared)
    for durable in topology.all_durables():
        await _declare_consumer(js, durable, topology.consumer(durable), declared)
    for service in CONSUMES:
        await _declare_bucket(js, topology, service, declared)
    return declared


async def empty_for_refill(client: Client, topology: Topology, service: str) -> None:
    """Deletes the stream of one service with its consumers and makes them anew; the service then refills it by name."""
    await client.jetstream(timeout=10).delete_stream(STREAMS[service])
    await declare(client, topology)


async def _declare_stream(js: JetStreamContext, wanted: StreamConfig, declared: Declared) -> None:
    assert wanted.name is not None
    try:
        found = (await js.stream_info(wanted.name)).config
    except NotFoundError:
        await js.add_stream(wanted)
        declared.made.append(wanted.name)
        return
    for reason in _losses(found, wanted):
        raise WouldLoseData(f"{wanted.name}: {reason}")
    if _stream_view(found) != _stream_view(wanted):
        await js.update_stream(wanted)
        declared.changed.append(wanted.name)


def _losses(found: StreamConfig, wanted: StreamConfig) -> Iterator[str]:
    for setting in ("retention", "storage", "subjects"):
        if getattr(found, setting) != getattr(wanted, setting):
            yield f"{setting} would go from {getattr(found, setting)} to {getattr(wanted, setting)}"
    if (found.num_replicas or 1) > (wanted.num_replicas or 1):
        yield f"replicas would go down from {found.num_replicas} to {wanted.num_replicas}"
    for setting, unlimited in (("max_age", 0), ("max_bytes", -1)):
        before, after = getattr(found, setting) or unlimited, getattr(wanted, setting) or unlimited
        if after != unlimited and (before == unlimited or after < before):
            yield f"{setting} would shrink from {before} to {after}"


def _stream_view(config: StreamConfig) -> tuple[object, ...]:
    return (
        config.discard,
        config.max_age or 0,
        config.max_bytes or -1,
        config.max_msg_size,
        config.num_replicas,
        config.duplicate_window,
        bool(config.deny_delete),
        bool(config.deny_purge),
        bool(config.allow_atomic),
        bool(config.allow_direct),
    )


async def _declare_consumer(js: JetStreamContext, durable: Durable, wanted: ConsumerConfig, declared: Declared) -> None:
    try:
        found = (await js.consumer_info(durable.stream, durable.name)).config
    except NotFoundError:
        await js.add_consumer(durable.stream, wanted)
        declared.made.append(durable.name)
        return
    if found.ack_policy != wanted.ack_policy or found.deliver_policy != wanted.deliver_policy:
        raise WouldLoseData(f"{durable.name}: its ack or deliver policy is another; delete it once it is drained")
    if sorted(filters_of(found)) != sorted(filters_of(wanted)):
        raise WouldLoseData(f"{durable.name}: it reads other partitions; drain all groups before changing their number")
    if _consumer_view(found) != _consumer_view(wanted):
        await js.add_consumer(durable.stream, wanted)
        declared.changed.append(durable.name)


def filters_of(config: ConsumerConfig) -> list[str]:
    """The filter subjects, whichever of the two fields holds them."""
    return list(config.filter_subjects or ([config.filter_subject] if config.filter_subject else []))


def _consumer_view(config: ConsumerConfig) -> tuple[object, ...]:
    return (config.ack_wait, config.max_deliver, config.max_ack_pending, config.num_replicas or 1)


async def _declare_bucket(js: JetStreamContext, topology: Topology, service: str, declared: Declared) -> None:
    config = topology.lease_bucket(service)
    try:
        await js.stream_info(f"KV_{config.bucket}")
    except NotFoundError:
        await js.create_key_value(config)
        declared.made.append(config.bucket)
