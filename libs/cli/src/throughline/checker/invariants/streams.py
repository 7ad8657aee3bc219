"""I9: the streams are as they must be, complete, and read to their ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from throughline.checker.identity import PARTITIONS
from throughline.checker.result import Failures, Result, judged
from throughline.checker.vocabulary import REACTS, STREAMS
from throughline.checker.world import World

NANOSECONDS = 1_000_000_000
DUPLICATE_WINDOW_SECONDS = 600
ACK_WAIT_SECONDS = 60
BATCH_MAX = 500

Answer = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Nats:
    """What the server says: each stream's and each consumer's own JSON, and whether every write is synced first."""

    streams: Mapping[str, Answer]
    consumers: Mapping[str, tuple[Answer, ...]]
    sync_always: object
    replicas: int = 1
    faults: tuple[str, ...] = field(default=())


def streams_are_whole(world: World, nats: Nats) -> Result:
    """I9. Replicas are at least those asked for; nothing is pending, nothing unacknowledged, nothing deleted."""
    failures = Failures()
    failures.extend(nats.faults)
    if nats.sync_always is not True:
        failures.add(f"the server's sync_always is {nats.sync_always}")
    counts: dict[str, int] = {}
    for service in world.stores:
        name = STREAMS[service]
        answer = nats.streams.get(name)
        if answer is None:
            failures.add(f"{name}: the stream is not there")
            continue
        failures.extend(f"{name}: {fault}" for fault in _setting_faults(service, answer, nats.replicas))
        failures.extend(f"{name}: {fault}" for fault in _state_faults(world, service, answer))
        failures.merge(world.stream(service).failures, f"{name}: ")
        counts[name] = world.stream(service).count
    durables = 0
    for service in world.stores:
        for upstream in REACTS.get(service, ()):
            found = _durables(nats, service, upstream)
            durables += len(found)
            failures.extend(_consumer_faults(world, service, upstream, found))
    return judged("I9", "Streams are complete and read to their ends", failures, messages=counts, durables=durables)


def _setting_faults(service: str, answer: Answer, replicas: int) -> Iterable[str]:
    config = _part(answer, "config")
    wanted = {
        "retention": "limits",
        "storage": "file",
        "discard": "new",
        "subjects": [f"billing.{service}.>"],
        "deny_delete": True,
        "allow_atomic": True,
    }
    for name, value in wanted.items():
        if config.get(name) != value:
            yield f"{name} is {config.get(name)}, not {value}"
    if config.get("no_ack") or config.get("persist_mode") == "async":
        yield "it acknowledges before it has written"
    if _number(config, "num_replicas") < replicas:
        yield f"{config.get('num_replicas')} replicas, not {replicas}"
    if _number(config, "duplicate_window") < DUPLICATE_WINDOW_SECONDS * NANOSECONDS:
        yield f"duplicate_window is {config.get('duplicate_window')} ns"


def _state_faults(world: World, service: str, answer: Answer) -> Iterable[str]:
    state = _part(answer, "state")
    if _number(state, "num_deleted") or state.get("lost"):
        yield f"{_number(state, 'num_deleted')} messages are deleted inside it"
    stream = world.stream(service)
    if _number(state, "messages") != stream.count:
        yield f"it holds {_number(state, 'messages')} messages, {stream.count} were read"
    last = world.stores[service].log.position
    if stream.last_position > last:
        yield f"its last message is of position {stream.last_position}, the log ends at {last}"


def _durables(nats: Nats, service: str, upstream: str) -> list[Answer]:
    prefix = f"{service}-{upstream}-g"
    return [answer for answer in nats.consumers.get(STREAMS[upstream], ()) if _name(answer).startswith(prefix)]


def _consumer_faults(world: World, service: str, upstream: str, durables: list[Answer]) -> Iterable[str]:
    covered: set[int] = set()
    for answer in durables:
        partitions = partitions_of(_filters(answer), upstream)
        covered |= partitions
        for fault in _one_consumer(world, upstream, answer, partitions):
            yield f"{_name(answer)}: {fault}"
    if len(covered) != PARTITIONS:
        yield f"{service} reads {len(covered)} of {PARTITIONS} partitions of {upstream}"


def _one_consumer(world: World, upstream: str, answer: Answer, partitions: set[int]) -> Iterable[str]:
    config = _part(answer, "config")
    if config.get("ack_policy") != "explicit" or config.get("deliver_policy") != "all":
        yield f"ack_policy {config.get('ack_policy')}, deliver_policy {config.get('deliver_policy')}"
    if _number(config, "max_deliver", -1) != -1:
        yield f"max_deliver is {config.get('max_deliver')}: messages may be given up"
    if _number(config, "ack_wait") < ACK_WAIT_SECONDS * NANOSECONDS:
        yield f"ack_wait is {config.get('ack_wait')} ns"
    if 0 < _number(config, "max_ack_pending") < BATCH_MAX:
        yield f"max_ack_pending is {config.get('max_ack_pending')}, less than a batch"
    if not world.settled:
        return
    pending, unacknowledged = _number(answer, "num_pending"), _number(answer, "num_ack_pending")
    if pending or unacknowledged:
        yield f"{pending} messages pending, {unacknowledged} unacknowledged"
    ends = world.stream(upstream).last_by_partition
    last = max((sequence for partition, sequence in ends.items() if partition in partitions), default=0)
    if ack_floor(answer) < last:
        yield f"acknowledged up to {ack_floor(answer)}, the last message for it is {last}"


def partitions_of(filters: Iterable[str], upstream: str) -> set[int]:
    """The partitions that filter subjects let through."""
    found: set[int] = set()
    for subject in filters:
        tokens = subject.split(".")
        if subject == f"billing.{upstream}.>":
            found |= set(range(PARTITIONS))
        elif tokens[:4] == ["billing", upstream, "*", "*"] and len(tokens) > 4 and tokens[4].isdigit():
            found.add(int(tokens[4]))
    return found


def floors(nats: Nats) -> dict[tuple[str, str], dict[int, int]]:
    """By consuming service and upstream: the sequence up to which each partition has been acknowledged."""
    found: dict[tuple[str, str], dict[int, int]] = {}
    for service, upstreams in REACTS.items():
        for upstream in upstreams:
            by_partition = found.setdefault((service, upstream), {})
            for answer in _durables(nats, service, upstream):
                for partition in partitions_of(_filters(answer), upstream):
                    by_partition[partition] = ack_floor(answer)
    return found


def ack_floor(answer: Answer) -> int:
    return _number(_part(answer, "ack_floor"), "stream_seq")


def _filters(answer: Answer) -> list[str]:
    config = _part(answer, "config")
    many = config.get("filter_subjects")
    if isinstance(many, list):
        return [str(subject) for subject in many]
    one = config.get("filter_subject")
    return [str(one)] if one else []


def _name(answer: Answer) -> str:
    return str(answer.get("name", ""))


def _part(answer: Answer, name: str) -> Answer:
    part = answer.get(name)
    return part if isinstance(part, dict) else {}


def _number(answer: Answer, name: str, absent: int = 0) -> int:
    value = answer.get(name, absent)
    return value if isinstance(value, int) else absent
