"""One declaration says who publishes what, who reads whom, and which partitions each durable holds."""

from __future__ import annotations

from uuid import uuid5

import pytest
from canonical.envelope import PARTITIONS, STREAMS, partition_of
from canonical.ids import NAMESPACE
from chassis.domain import UnsafeSetting
from chassis.messaging.safety import raise_unless_synced, unsafe_consumer_settings, unsafe_stream_settings
from chassis.messaging.topology import BATCH_MAX, CONSUMES, USERS, Durable, Topology, inbox_prefix_of, lease_bucket_of
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, PersistMode, RetentionPolicy, StorageType

KEYS = [uuid5(NAMESPACE, str(number)) for number in range(300)]


def matches(subject: str, pattern: str) -> bool:
    tokens, wanted = subject.split("."), pattern.split(".")
    if wanted[-1] == ">":
        return tokens[: len(wanted) - 1] == wanted[:-1]
    return len(tokens) == len(wanted) and all(w in ("*", t) for t, w in zip(tokens, wanted, strict=True))


@pytest.mark.parametrize("groups", [1, 2, 3, 8, PARTITIONS])
def test_every_key_is_read_by_exactly_one_group(groups: int) -> None:
    durables = [d for d in Topology(partition_groups=groups).durables("claims") if d.upstream == "intake"]
    for key in KEYS:
        subject = f"billing.intake.patient-registered.v1.{partition_of(key)}.{key.hex}"
        readers = [d for d in durables if any(matches(subject, pattern) for pattern in d.filter_subjects)]
        assert len(readers) == 1


def test_durables_are_named_by_service_upstream_and_group() -> None:
    names = [durable.name for durable in Topology(partition_groups=2).durables("ledger")]
    assert names == [
        "ledger-intake-g0",
        "ledger-intake-g1",
        "ledger-claims-g0",
        "ledger-claims-g1",
        "ledger-payments-g0",
        "ledger-payments-g1",
    ]


def test_nobody_reads_its_own_stream_or_one_that_does_not_exist() -> None:
    for service, upstreams in CONSUMES.items():
        assert service not in upstreams
        assert set(upstreams) <= set(STREAMS)


def test_every_service_publishes_to_one_stream_of_its_own() -> None:
    streams = Topology().streams()
    assert {config.name for config in streams.values()} == set(STREAMS.values())
    assert all(config.subjects == [f"billing.{service}.>"] for service, config in streams.items())


def test_the_permissions_name_the_ledgers_user() -> None:
    assert USERS["ledger"] == "ledger-adapter"
    assert ("BILLING_CLAIMS", "ledger-claims-g0") in Topology().durables_by_user()["ledger-adapter"]
    assert lease_bucket_of("ledger") == "LEASES_LEDGER_ADAPTER"
    assert inbox_prefix_of("ledger") == "_INBOX_ledger-adapter"


@pytest.mark.parametrize(
    "wrong", [{"partition_groups": 0}, {"partition_groups": 33}, {"replicas": 2}, {"ack_wait_seconds": 1}]
)
def test_a_topology_that_cannot_hold_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Topology(**wrong)


STREAM_FAULTS = [
    ("discard", DiscardPolicy.OLD, "discard"),
    ("retention", RetentionPolicy.INTEREST, "retention"),
    ("storage", StorageType.MEMORY, "storage"),
    ("num_replicas", 1, "num_replicas"),
    ("deny_delete", False, "deny_delete"),
    ("allow_atomic", False, "allow_atomic"),
    ("no_ack", True, "no_ack"),
    ("persist_mode", PersistMode.ASYNC, "persist_mode_is_async"),
    ("duplicate_window", 120, "duplicate_window"),
    ("max_age", 3600, "max_age"),
    ("subjects", ["billing.claims.>"], "subjects"),
]


@pytest.mark.parametrize(("field", "value", "named"), STREAM_FAULTS)
def test_each_unsafe_stream_setting_is_named(field: str, value: object, named: str) -> None:
    topology = Topology(replicas=3, max_age_seconds=7 * 86_400)
    found = topology.stream("intake").evolve(**{field: value})
    faults = list(unsafe_stream_settings(found, topology.stream("intake")))
    assert [fault.setting for fault in faults] == [f"BILLING_INTAKE.{named}"]


def test_a_stream_as_declared_has_no_fault() -> None:
    topology = Topology()
    assert not list(unsafe_stream_settings(topology.stream("intake"), topology.stream("intake")))


DURABLE = Durable("claims", "intake", 0, ("billing.intake.>",))
CONSUMER_FAULTS = [
    ("ack_policy", AckPolicy.ALL),
    ("ack_policy", AckPolicy.NONE),
    ("max_deliver", 5),
    ("filter_subjects", ["billing.intake.*.*.3.*"]),
    ("ack_wait", 5),
    ("max_ack_pending", BATCH_MAX - 1),
]


@pytest.mark.parametrize(("field", "value"), CONSUMER_FAULTS)
def test_each_unsafe_consumer_setting_is_named(field: str, value: object) -> None:
    found: ConsumerConfig = Topology().consumer(DURABLE).evolve(**{field: value})
    faults = list(unsafe_consumer_settings(found, DURABLE, Topology()))
    assert [fault.setting for fault in faults] == [f"claims-intake-g0.{field}"]


def test_a_server_that_syncs_later_is_refused_by_name() -> None:
    with pytest.raises(UnsafeSetting) as refused:
        raise_unless_synced({"config": {"sync_interval": 120_000_000_000}})
    assert refused.value.setting == "jetstream.sync_interval"
    assert refused.value.needed == "always"
