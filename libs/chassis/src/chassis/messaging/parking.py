"""Messages that wait: their order, and what each of them waits for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from canonical.envelope import Envelope

from chassis.domain import NotYet
from chassis.eventstore.port import ParkedMessage
from chassis.eventstore.work import Work

Place = tuple[int, int]
"""Where a message stands in the story of its key: sequence and ordinal."""


def wait_on(work: Work, parked: ParkedMessage, early: NotYet) -> None:
    """Keeps what a message waits for by now, where that is another thing than before: only that will release it."""
    if early.waiting_for != parked.waiting_for:
        work.unpark(parked.message_id)
        work.park(replace(parked, waiting_for=early.waiting_for, reason=str(early)[:500]))


def place_of(parked: ParkedMessage) -> Place:
    envelope = Envelope.from_headers(parked.headers)
    return (envelope.sequence, envelope.ordinal)


def in_order(waiting: Iterable[ParkedMessage]) -> list[ParkedMessage]:
    """Each key's messages together and in their own order, whatever order they were parked in."""
    by_key: dict[UUID, list[ParkedMessage]] = {}
    for message in waiting:
        by_key.setdefault(message.key, []).append(message)
    return [message for messages in by_key.values() for message in sorted(messages, key=place_of)]
