"""Streams and durables that break every promise JetStream does not make: what is stored stays, the rest is luck."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from chassis.domain import Transient, Unavailable
from chassis.messaging.delivery import Delivery, Outgoing
from chassis.messaging.relay import Fenced, StreamTail
from chassis.messaging.simulated import SimulatedStream

from .mischief import Kind, Mischief

BATCH_MAX = 40


class FaultyStream:
    """Implements StreamPort over a stream that keeps every promise."""

    def __init__(self, mischief: Mischief) -> None:
        self.inner = SimulatedStream()
        self._mischief = mischief

    @property
    def messages(self) -> Sequence[Outgoing]:
        return self.inner.messages

    def tail(self) -> StreamTail:
        self._reach()
        return self.inner.tail()

    def publish(self, batch: Sequence[Outgoing], expected_last_sequence: int) -> int:
        self._reach()
        if self._mischief.strikes(Kind.BUS_PUBLISH_LOST):
            raise Transient("simulated: the batch was lost on its way")
        try:
            last = self.inner.publish(batch, expected_last_sequence)
        except Fenced:
            self._mischief.note(Kind.BUS_RELAY_FENCED)
            raise
        if self._mischief.strikes(Kind.BUS_PUBLISH_ACK_LOST):
            raise Transient("simulated: the batch arrived, its acknowledgement did not")
        return last

    def _reach(self) -> None:
        if self._mischief.strikes(Kind.BUS_STREAM_DOWN):
            raise Unavailable("simulated: the stream does not answer")


@dataclass
class _Durable:
    """What one durable still has to deliver: `due` in order, `held` delivered and not acknowledged."""

    stream: FaultyStream
    taken: int = 0
    due: list[int] = field(default_factory=list)
    held: set[int] = field(default_factory=set)
    highest: int = 0


class Bus:
    """Every stream by its service, every durable by (service, upstream)."""

    def __init__(self, random: Random, mischief: Mischief, consumes: Mapping[str, Iterable[str]]) -> None:
        self._random = random
        self._mischief = mischief
        self.streams = {service: FaultyStream(mischief) for service in consumes}
        self._durables = {
            (service, upstream): _Durable(self.streams[upstream])
            for service, upstreams in consumes.items()
            for upstream in upstreams
        }

    @property
    def durables(self) -> Sequence[tuple[str, str]]:
        return tuple(self._durables)

    def deliver(self, service: str, upstream: str) -> list[Delivery]:
        """A batch: some of what is due, now and then out of order, with messages twice, or from the very first again."""
        durable = self._durables[service, upstream]
        if self._mischief.strikes(Kind.BUS_REPLAYED):
            durable.taken, durable.due, durable.held = 0, [], set()
        self._take(durable)
        chosen = self._choose(durable)
        if chosen and min(chosen) < durable.highest:
            self._mischief.note(Kind.BUS_REORDERED)
        durable.highest = max([durable.highest, *chosen])
        durable.due = [sequence for sequence in durable.due if sequence not in set(chosen)]
        durable.held |= set(chosen)
        again = [sequence for sequence in chosen if self._mischief.strikes(Kind.BUS_DELIVERED_TWICE)]
        return [_delivery(durable.stream, sequence) for sequence in (*chosen, *again)]

    def _choose(self, durable: _Durable) -> list[int]:
        """The oldest of what is due, or, where some is delayed, any part of it."""
        portion = durable.due[:BATCH_MAX]
        if not portion or not self._mischief.strikes(Kind.BUS_DELAYED):
            return portion[: self._random.randint(1, BATCH_MAX)]
        return [sequence for sequence in portion if self._random.random() < 0.5]

    def acknowledge(self, service: str, upstream: str, deliveries: Iterable[Delivery]) -> None:
        """Acknowledges a batch; a lost acknowledgement lets its message come again."""
        durable = self._durables[service, upstream]
        for sequence in sorted({delivery.stream_sequence for delivery in deliveries} & durable.held):
            durable.held.discard(sequence)
            if self._mischief.strikes(Kind.BUS_ACK_LOST):
                durable.due = sorted({*durable.due, sequence})

    def redeliver(self, service: str, upstream: str) -> None:
        """What was delivered and not acknowledged comes again: a crash, a failed batch, or too long a wait."""
        durable = self._durables[service, upstream]
        durable.due = sorted({*durable.due, *durable.held})
        durable.held = set()

    def wipe_sometimes(self) -> str:
        """An operator deletes a stream with its durables and makes them anew; the name of its service, or nothing."""
        if not self._mischief.strikes(Kind.BUS_STREAM_WIPED):
            return ""
        service = self._random.choice(list(self.streams))
        self.streams[service].inner.wipe()
        for place, durable in self._durables.items():
            if place[1] == service:
                self._durables[place] = _Durable(durable.stream)
        return service

    def is_quiet(self) -> bool:
        """Whether every durable has had everything acknowledged."""
        for durable in self._durables.values():
            self._take(durable)
        return not any(durable.due or durable.held for durable in self._durables.values())

    def _take(self, durable: _Durable) -> None:
        end = len(durable.stream.messages)
        durable.due.extend(range(durable.taken + 1, end + 1))
        durable.taken = end


def _delivery(stream: FaultyStream, sequence: int) -> Delivery:
    message = stream.messages[sequence - 1]
    return Delivery(message.subject, message.headers, message.data, sequence)
