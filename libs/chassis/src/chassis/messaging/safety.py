"""What start-up and readiness ask of NATS: every setting that could lose a message is refused by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import httpx
from canonical.envelope import STREAMS
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    PersistMode,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError

from chassis.domain import Unavailable, UnsafeSetting
from chassis.messaging.declaration import filters_of
from chassis.messaging.topology import (
    BATCH_MAX,
    CONSUMES,
    DUPLICATE_WINDOW_SECONDS,
    Durable,
    Topology,
    lease_bucket_of,
)

MONITORING_TIMEOUT_SECONDS = 3.0


async def refuse_unsafe_streams(
    js: JetStreamContext, topology: Topology, service: str, monitoring_urls: Sequence[str]
) -> None:
    """Compares what `service` publishes to and reads from with the declaration, and every server's way to write.

    Raises:
        UnsafeSetting: the first setting that may lose or skip messages.
        Unavailable: a server's monitoring address does not answer.
    """
    for url in monitoring_urls or ("",):
        await refuse_unsafe_server(url)
    for name in (service, *CONSUMES[service]):
        config = await _stream_config(js, STREAMS[name])
        for fault in unsafe_stream_settings(config, topology.stream(name)):
            raise fault
    await _stream_config(js, f"KV_{lease_bucket_of(service)}")
    for durable in topology.durables(service):
        for fault in unsafe_consumer_settings(await _consumer_config(js, durable), durable, topology):
            raise fault


async def refuse_unsafe_server(monitoring_url: str) -> None:
    """Raises UnsafeSetting unless the server syncs every write before it acknowledges."""
    if not monitoring_url:
        raise UnsafeSetting("nats.monitoring_url", "not given", "given, so that sync_interval can be seen")
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=MONITORING_TIMEOUT_SECONDS) as http:
            answer = (await http.get(f"{monitoring_url}/jsz")).json()
    except httpx.TransportError as error:
        raise Unavailable(f"the monitoring address of NATS does not answer: {type(error).__name__}") from None
    raise_unless_synced(answer)


def raise_unless_synced(jsz: Mapping[str, object]) -> None:
    """Judges an answer of `/jsz`."""
    config = jsz.get("config")
    synced = config.get("sync_always") if isinstance(config, Mapping) else None
    if synced is not True:
        raise UnsafeSetting("jetstream.sync_interval", "a delay", "always")


def unsafe_stream_settings(found: StreamConfig, wanted: StreamConfig) -> Iterator[UnsafeSetting]:
    """Every setting of a stream in which it falls short of the declaration."""
    name = wanted.name
    exact: tuple[tuple[str, object, object], ...] = (
        ("retention", found.retention, RetentionPolicy.LIMITS),
        ("storage", found.storage, StorageType.FILE),
        ("discard", found.discard, DiscardPolicy.NEW),
        ("subjects", found.subjects, wanted.subjects),
        ("deny_delete", bool(found.deny_delete), True),
        ("allow_atomic", bool(found.allow_atomic), True),
        ("no_ack", bool(found.no_ack), False),
        ("persist_mode_is_async", found.persist_mode == PersistMode.ASYNC, False),
    )
    for setting, value, needed in exact:
        if value != needed:
            yield UnsafeSetting(f"{name}.{setting}", _shown(value), _shown(needed))
    if (found.num_replicas or 1) < (wanted.num_replicas or 1):
        yield UnsafeSetting(f"{name}.num_replicas", found.num_replicas, f"at least {wanted.num_replicas}")
    if (found.duplicate_window or 0) < DUPLICATE_WINDOW_SECONDS:
        yield UnsafeSetting(f"{name}.duplicate_window", found.duplicate_window, f"{DUPLICATE_WINDOW_SECONDS} s")
    if found.max_age and (not wanted.max_age or found.max_age < wanted.max_age):
        yield UnsafeSetting(f"{name}.max_age", found.max_age, wanted.max_age or "unlimited")


def unsafe_consumer_settings(found: ConsumerConfig, durable: Durable, topology: Topology) -> Iterator[UnsafeSetting]:
    """Every setting of a durable that could skip a message or give it to two readers at once for no reason."""
    exact: tuple[tuple[str, object, object], ...] = (
        ("ack_policy", found.ack_policy, AckPolicy.EXPLICIT),
        ("max_deliver", found.max_deliver, -1),
        ("filter_subjects", sorted(filters_of(found)), sorted(durable.filter_subjects)),
    )
    for setting, value, needed in exact:
        if value != needed:
            yield UnsafeSetting(f"{durable.name}.{setting}", _shown(value), _shown(needed))
    if (found.ack_wait or 0) < topology.ack_wait_seconds:
        yield UnsafeSetting(f"{durable.name}.ack_wait", found.ack_wait, f"at least {topology.ack_wait_seconds} s")
    if 0 < (found.max_ack_pending or 0) < BATCH_MAX:
        yield UnsafeSetting(f"{durable.name}.max_ack_pending", found.max_ack_pending, f"at least {BATCH_MAX}")


async def _stream_config(js: JetStreamContext, name: str) -> StreamConfig:
    try:
        return (await js.stream_info(name)).config
    except NotFoundError:
        raise UnsafeSetting(name, "missing", "declared by the operator's job") from None


async def _consumer_config(js: JetStreamContext, durable: Durable) -> ConsumerConfig:
    try:
        config: ConsumerConfig = (await js.consumer_info(durable.stream, durable.name)).config
    except NotFoundError:
        raise UnsafeSetting(durable.name, "missing", "declared by the operator's job") from None
    return config


def _shown(value: object) -> str:
    return str(getattr(value, "value", value))
