"""The one declaration of streams and durable consumers: who publishes what, who consumes whom, and how it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from canonical.envelope import PARTITIONS, STREAMS
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    KeyValueConfig,
    ReplayPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

CONSUMES: Mapping[str, tuple[str, ...]] = {
    "intake": (),
    "claims": ("intake", "payments"),
    "payments": ("intake", "claims"),
    "ledger": ("intake", "claims", "payments"),
    "reconciliation": ("ledger", "payments"),
}
USERS: Mapping[str, str] = {service: service for service in CONSUMES} | {"ledger": "ledger-adapter"}

DUPLICATE_WINDOW_SECONDS = 600
ACK_WAIT_SECONDS = 60
ACK_WAIT_MIN_SECONDS = 5
ACK_PENDING_MAX = 1000
BATCH_MAX = 500
MAX_MESSAGE_BYTES = 1_000_000

assert BATCH_MAX <= ACK_PENDING_MAX, "a pull larger than max_ack_pending delivers messages twice"


@dataclass(frozen=True, slots=True)
class Durable:
    """One durable consumer: `service` reads the partitions of `group` from the stream of `upstream`."""

    service: str
    upstream: str
    group: int
    filter_subjects: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.service}-{self.upstream}-g{self.group}"

    @property
    def stream(self) -> str:
        return STREAMS[self.upstream]


@dataclass(frozen=True, slots=True)
class Topology:
    """What an operator may choose. `max_age_seconds` and `max_bytes` of zero keep everything.

    `ack_wait_seconds` is how long a batch that a killed process held is out of sight; a living one extends it.
    """

    replicas: int = 1
    max_age_seconds: int = 0
    max_bytes: int = 0
    partition_groups: int = 1
    ack_wait_seconds: int = ACK_WAIT_SECONDS

    def __post_init__(self) -> None:
        if not 1 <= self.partition_groups <= PARTITIONS:
            raise ValueError(f"partition_groups is {self.partition_groups}; it must be 1 to {PARTITIONS}")
        if self.replicas not in (1, 3, 5):
            raise ValueError(f"replicas is {self.replicas}; it must be 1, 3 or 5")
        if self.ack_wait_seconds < ACK_WAIT_MIN_SECONDS:
            raise ValueError(f"ack_wait_seconds is {self.ack_wait_seconds}; it must be {ACK_WAIT_MIN_SECONDS} or more")

    def stream(self, service: str) -> StreamConfig:
        """The stream that `service` alone publishes to; full, it refuses instead of forgetting."""
        return StreamConfig(
            name=STREAMS[service],
            subjects=[f"billing.{service}.>"],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW,
            max_age=self.max_age_seconds,
            max_bytes=self.max_bytes or -1,
            max_msg_size=MAX_MESSAGE_BYTES,
            num_replicas=self.replicas,
            duplicate_window=DUPLICATE_WINDOW_SECONDS,
            deny_delete=True,
            deny_purge=True,
            allow_atomic=True,
            allow_direct=False,
        )

    def streams(self) -> dict[str, StreamConfig]:
        """Every stream by its publisher."""
        return {service: self.stream(service) for service in CONSUMES}

    def durables(self, service: str) -> list[Durable]:
        """The durable consumers of one service, upstream by upstream."""
        return [
            Durable(service, upstream, group, self._filter(upstream, group))
            for upstream in CONSUMES[service]
            for group in range(self.partition_groups)
        ]

    def all_durables(self) -> list[Durable]:
        return [durable for service in CONSUMES for durable in self.durables(service)]

    def consumer(self, durable: Durable) -> ConsumerConfig:
        """The settings of one durable; redelivery has no end, because our own code parks what cannot be handled."""
        return ConsumerConfig(
            durable_name=durable.name,
            name=durable.name,
            filter_subjects=list(durable.filter_subjects),
            deliver_policy=DeliverPolicy.ALL,
            replay_policy=ReplayPolicy.INSTANT,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self.ack_wait_seconds,
            max_deliver=-1,
            max_ack_pending=ACK_PENDING_MAX,
            num_replicas=self.replicas,
        )

    def lease_bucket(self, service: str) -> KeyValueConfig:
        """Where the replicas of one service lease their partition groups."""
        return KeyValueConfig(bucket=lease_bucket_of(service), history=1, replicas=self.replicas)

    def durables_by_user(self) -> dict[str, list[tuple[str, str]]]:
        """Per NATS user, the (stream, durable) pairs it may pull from: the permissions follow from this."""
        return {
            USERS[service]: [(durable.stream, durable.name) for durable in self.durables(service)]
            for service in CONSUMES
        }

    def _filter(self, upstream: str, group: int) -> tuple[str, ...]:
        if self.partition_groups == 1:
            return (f"billing.{upstream}.>",)
        held = range(group, PARTITIONS, self.partition_groups)
        return tuple(f"billing.{upstream}.*.*.{partition}.*" for partition in held)


def lease_bucket_of(service: str) -> str:
    """`LEASES_<USER>`: bucket names take no dash."""
    return f"LEASES_{USERS[service].upper().replace('-', '_')}"


def inbox_prefix_of(service: str) -> str:
    """The prefix of every reply subject of the service; replies anywhere else are denied to it."""
    return f"_INBOX_{USERS[service]}"
