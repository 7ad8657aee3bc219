"""The hash chain of a log: each event's link covers the one before it, from the first event of the store.

`link = sha256(previous || position || originator_id || version || topic || sha256(state))`, with position and version
as 8 bytes, big-endian, the id as its 16 bytes, the topic in UTF-8. The first event's predecessor is 32 zero bytes. The
state is as stored, so what is sealed in it stays sealed, and the chain still verifies after a key has been destroyed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from eventsourcing.persistence import StoredEvent

GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class ChainedEvent:
    """A stored event with its place in the log and its link."""

    position: int
    stored: StoredEvent
    chain: bytes


class BrokenChain(RuntimeError):
    """The log is not what was written: an event was changed, removed, moved or put in between."""


def link(previous: bytes, position: int, stored: StoredEvent) -> bytes:
    """The link of one event after the link `previous`."""
    assert isinstance(stored.originator_id, UUID), "our aggregates have UUIDs"
    return sha256(
        previous
        + position.to_bytes(8, "big")
        + stored.originator_id.bytes
        + stored.originator_version.to_bytes(8, "big")
        + stored.topic.encode()
        + sha256(stored.state).digest()
    ).digest()


def verify(events: Iterable[ChainedEvent], *, position: int = 0, previous: bytes = GENESIS) -> tuple[int, bytes]:
    """Follows the chain from a known link on; gives the last position and link.

    Raises:
        BrokenChain: names the first position that does not hold.
    """
    for event in events:
        position += 1
        if event.position != position:
            raise BrokenChain(f"position {position} is missing; found {event.position}")
        previous = link(previous, position, event.stored)
        if event.chain != previous:
            raise BrokenChain(f"position {position} does not verify")
    return position, previous
