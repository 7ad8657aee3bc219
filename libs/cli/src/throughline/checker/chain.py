"""The log itself: positions without a hole, versions in a row, and a hash chain that verifies from the first event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from throughline.checker.records import StoredEvent
from throughline.checker.result import Failures

GENESIS = bytes(32)


def link(previous: bytes, event: StoredEvent) -> bytes:
    """SHA-256 of the link before, position, id, version, topic and the hash of the state as stored."""
    return sha256(
        previous
        + event.position.to_bytes(8, "big")
        + event.id.bytes
        + event.version.to_bytes(8, "big")
        + event.topic.encode()
        + sha256(event.state).digest()
    ).digest()


@dataclass(slots=True)
class Followed:
    """How far a log was followed, and where it does not hold."""

    count: int = 0
    position: int = 0
    chain: bytes = GENESIS
    versions: dict[bytes, int] = field(default_factory=dict)
    failures: Failures = field(default_factory=Failures)


def follow(events: Iterable[StoredEvent], followed: Followed) -> Iterator[StoredEvent]:
    """Passes the events on, and notes each that breaks the chain.

    After a break it goes on from the stored link, so that one changed event is one failure and not all after it.
    """
    for event in events:
        if event.position != followed.position + 1:
            followed.failures.add(f"position {followed.position + 1} is missing; {event.position} follows")
        if event.chain != link(followed.chain, event):
            followed.failures.add(f"position {event.position} ({event.topic}) does not verify")
        version = followed.versions.get(event.id.bytes, 0) + 1
        if event.version != version:
            followed.failures.add(f"position {event.position}: {event.id} has version {event.version}, not {version}")
        followed.versions[event.id.bytes] = event.version
        followed.position, followed.chain = event.position, event.chain
        followed.count += 1
        yield event
