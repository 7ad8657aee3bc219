"""Stored events that can announce nothing are passed by the relay unread; the others are announced as ever."""

from __future__ import annotations

from uuid import uuid4

import pytest
from canonical.ids import derive
from chassis.domain import Event
from chassis.eventstore import EventRegistry
from chassis.eventstore.announcing import Announcements
from chassis.eventstore.registry import UnknownTopic
from chassis.messaging.relay import Relay
from chassis.messaging.simulated import Misbehaviour, SimulatedBus
from chassis.testing import context
from chassis.testing.sample_service import ANNOUNCER, Announced, announce, memory_store, publishing
from eventsourcing.persistence import StoredEvent

PATIENTS = [derive("announced-patient", number) for number in range(5)]


def relayed(announcements: Announcements, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int, int]:
    """How many events the relay got past, how many of them were decoded, and how many messages are in the stream."""
    bus = SimulatedBus(1, {"intake": (), "claims": ("intake",)}, Misbehaviour())
    store = memory_store(ANNOUNCER)
    announce(store, context(), PATIENTS)
    decode, decoded = store.registry.decode, []

    def count(stored: StoredEvent) -> Event:
        decoded.append(stored.topic)
        return decode(stored)

    monkeypatch.setattr(store.registry, "decode", count)
    passed = Relay("intake", store, bus.streams["intake"], announcements).step()
    return passed, len(decoded), len({each.stream_sequence for each in bus.deliver("claims", "intake")})


def test_what_can_announce_nothing_is_passed_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    assert relayed(Announcements(), monkeypatch) == (5, 0, 0)


def test_what_announces_something_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    announcements = Announcements()
    announcements.of(Announced.Registered)(publishing)
    assert announcements.topics == {Announced.Registered.TOPIC}
    assert relayed(announcements, monkeypatch) == (5, 5, 5)


def test_an_event_that_this_build_does_not_know_is_never_passed() -> None:
    with pytest.raises(UnknownTopic):
        EventRegistry(()).logged(1, StoredEvent(uuid4(), 1, "sample.newer.event", b"{}"))
