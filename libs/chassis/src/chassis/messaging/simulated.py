"""Streams and queues in memory that misbehave by a seed: duplicates, delays, reordering, lost acknowledgements.

Single-threaded and deterministic; the stream keeps the same promises as JetStream (one contract test for both), and
the bus breaks exactly those that JetStream does not make.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from chassis.domain import Transient, Unavailable
from chassis.messaging.delivery import Delivery, Outgoing
from chassis.messaging.relay import Fenced, StreamTail

BATCH_MAX = 50


@dataclass(frozen=True)
class Misbehaviour:
    """How often each thing goes wrong, 0 to 1."""

    publish_lost: float = 0.0
    publish_acknowledgement_lost: float = 0.0
    delivered_twice: float = 0.0
    delayed: float = 0.0
    acknowledgement_lost: float = 0.0
    unavailable: float = 0.0

    @classmethod
    def rough(cls) -> Misbehaviour:
        """A bad day."""
        return cls(0.02, 0.05, 0.1, 0.2, 0.1, 0.02)


NONE = Misbehaviour()


class SimulatedStream:
    """One service's stream; implements StreamPort. Messages are numbered from 1 and never change."""

    def __init__(self, random: Random | None = None, misbehaviour: Misbehaviour = NONE) -> None:
        self._random = random or Random(0)  # noqa: S311 -- a simulation is replayed from its seed
        self._misbehaviour = misbehaviour
        self._ids: set[str] = set()
        self.messages: list[Outgoing] = []

    def tail(self) -> StreamTail:
        self._fail_sometimes()
        return StreamTail(len(self.messages), self.messages[-1].position if self.messages else 0)

    def publish(self, batch: Sequence[Outgoing], expected_last_sequence: int) -> int:
        """All of the batch or nothing; see StreamPort."""
        assert batch, "an empty batch has no acknowledgement"
        self._fail_sometimes()
        if self._strikes(self._misbehaviour.publish_lost):
            raise Transient("simulated: the batch was lost on its way")
        if expected_last_sequence != len(self.messages):
            raise Fenced(f"simulated: the stream is at {len(self.messages)}")
        ids = [message.message_id for message in batch]
        if len(set(ids)) != len(ids) or not self._ids.isdisjoint(ids):
            raise Fenced("simulated: an id of the batch is there already")
        self._ids.update(ids)
        self.messages.extend(batch)
        if self._strikes(self._misbehaviour.publish_acknowledgement_lost):
            raise Transient("simulated: the batch arrived, its acknowledgement did not")
        return len(self.messages)

    def wipe(self) -> None:
        """As an operator does before a refill: nothing of the stream remains, its sequence neither."""
        self.messages.clear()
        self._ids.clear()

    def _fail_sometimes(self) -> None:
        if self._strikes(self._misbehaviour.unavailable):
            raise Unavailable("simulated: the stream does not answer")

    def _strikes(self, rate: float) -> bool:
        return rate > 0 and self._random.random() < rate


@dataclass
class _Queue:
    """What one durable still has to deliver: `due` in order, `held` delivered and not acknowledged."""

    stream: SimulatedStream
    taken: int = 0
    due: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)


class SimulatedBus:
    """Every stream and every durable of the suite, in memory.

    `deliver` gives a batch and `acknowledge` ends it; a batch that is not acknowledged comes again.
    """

    def __init__(self, seed: int, consumes: Mapping[str, Iterable[str]], misbehaviour: Misbehaviour = NONE) -> None:
        self._random = Random(seed)  # noqa: S311 -- a simulation is replayed from its seed
        self._misbehaviour = misbehaviour
        self.streams = {service: SimulatedStream(self._random, misbehaviour) for service in consumes}
        self._queues = {
            (service, upstream): _Queue(self.streams[upstream])
            for service, upstreams in consumes.items()
            for upstream in upstreams
        }

    @property
    def durables(self) -> list[tuple[str, str]]:
        """Every (service, upstream)."""
        return list(self._queues)

    def deliver(self, service: str, upstream: str, batch_max: int = BATCH_MAX) -> list[Delivery]:
        """A batch: some messages twice, some kept back for later, successors of other keys before them."""
        queue = self._queues[service, upstream]
        self._take(queue)
        chosen: list[int] = []
        kept: list[int] = []
        for sequence in queue.due:
            is_delayed = len(chosen) >= batch_max or self._strikes(self._misbehaviour.delayed)
            (kept if is_delayed else chosen).append(sequence)
        queue.due = kept
        queue.held.extend(chosen)
        repeated = [sequence for sequence in chosen if self._strikes(self._misbehaviour.delivered_twice)]
        return [self._delivery(queue, sequence) for sequence in (*chosen, *repeated)]

    def acknowledge(self, service: str, upstream: str) -> None:
        """Acknowledges what was delivered; an acknowledgement that gets lost lets its message come again."""
        queue = self._queues[service, upstream]
        lost = [sequence for sequence in queue.held if self._strikes(self._misbehaviour.acknowledgement_lost)]
        queue.held = []
        queue.due = sorted({*queue.due, *lost})

    def redeliver(self, service: str, upstream: str) -> None:
        """What was delivered and not acknowledged comes again: a crash, or a batch that failed."""
        queue = self._queues[service, upstream]
        queue.due = sorted({*queue.due, *queue.held})
        queue.held = []

    def replay(self, service: str, upstream: str) -> None:
        """Everything from the first message on comes again, as after a reset of the durable."""
        queue = self._queues[service, upstream]
        queue.taken = 0
        queue.due, queue.held = [], []

    def is_quiet(self) -> bool:
        """Whether every durable has had everything acknowledged."""
        for queue in self._queues.values():
            self._take(queue)
        return not any(queue.due or queue.held for queue in self._queues.values())

    def _take(self, queue: _Queue) -> None:
        end = len(queue.stream.messages)
        queue.due.extend(range(queue.taken + 1, end + 1))
        queue.taken = end

    def _delivery(self, queue: _Queue, sequence: int) -> Delivery:
        message = queue.stream.messages[sequence - 1]
        return Delivery(message.subject, message.headers, message.data, sequence)

    def _strikes(self, rate: float) -> bool:
        return rate > 0 and self._random.random() < rate
