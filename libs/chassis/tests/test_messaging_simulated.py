"""Relay and consumer on a bus that breaks every promise JetStream does not make: the same end for every seed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from uuid import UUID

import pytest
from canonical.ids import derive
from chassis.domain import Transient, Unavailable
from chassis.eventstore.memory import MemoryEventStore
from chassis.messaging.consumer import BatchConsumer
from chassis.messaging.relay import READ_MAX, Relay
from chassis.messaging.simulated import Misbehaviour, SimulatedBus
from chassis.testing import FixedClock, context
from chassis.testing.sample_service import ANNOUNCER, NOTER, SIGHTINGS, announce, memory_store, noting

CONSUMES = {"intake": (), "claims": ("intake",)}
STEPS_MAX = 3_000
PATIENTS = [derive("simulated-patient", number) for number in range(40)]


class Simulation:
    """Announces patients, some of which wait for others, and lets time run until all is quiet."""

    def __init__(self, seed: int, misbehaviour: Misbehaviour) -> None:
        self.random = Random(seed)
        self.bus = SimulatedBus(seed, CONSUMES, misbehaviour)
        self.announcer = memory_store(ANNOUNCER)
        self.noter = memory_store(NOTER)
        self.consumer: BatchConsumer = noting(self.noter, FixedClock())["intake"]
        self.relay = self.new_relay()

    def new_relay(self) -> Relay:
        return Relay("intake", self.announcer, self.bus.streams["intake"], ANNOUNCER.publishing)

    def run(self) -> None:
        left = list(PATIENTS)
        for _ in range(STEPS_MAX):
            if left:
                self._announce(left)
            self._relay()
            self._deliver()
            if not left and self._is_done():
                return
        raise AssertionError("not quiet in time")

    def _announce(self, left: list[UUID]) -> None:
        """Every third patient waits for the next one, which may come much later."""
        patient = left.pop(0)
        waits = PATIENTS.index(patient) % 3 == 0 and left
        announce(
            self.announcer,
            context(),
            [patient],
            kind="waiting.v1" if waits else "patient.v1",
            fact=left[0] if waits else None,
        )

    def _relay(self) -> None:
        if self.random.random() < 0.1:
            self.relay = self.new_relay()
        try:
            self.relay.step()
        except (Transient, Unavailable):
            return

    def _deliver(self) -> None:
        deliveries = self.bus.deliver("claims", "intake", batch_max=7)
        if self.random.random() < 0.15:
            self.bus.redeliver("claims", "intake")
            return
        self.consumer.handle(deliveries)
        if self.random.random() < 0.15:
            self.bus.redeliver("claims", "intake")
            return
        self.bus.acknowledge("claims", "intake")
        self.consumer.release(None)

    def _is_done(self) -> bool:
        return (
            len(self.bus.streams["intake"].messages) == len(PATIENTS)
            and self.bus.is_quiet()
            and not self.noter.parked(only_waiting=True)
        )


def sightings(store: MemoryEventStore) -> dict[UUID, int]:
    return {UUID(str(row["patient_id"])): int(str(row["count"])) for row in store.rows(SIGHTINGS, {})}


@pytest.mark.parametrize("seed", range(60))
def test_every_seed_ends_with_each_patient_noted_once(seed: int) -> None:
    simulation = Simulation(seed, Misbehaviour.rough())
    simulation.run()
    assert sightings(simulation.noter) == dict.fromkeys(PATIENTS, 1)


def test_the_stream_keeps_order_and_ids_whatever_happens() -> None:
    simulation = Simulation(3, Misbehaviour.rough())
    simulation.run()
    positions = [message.position for message in simulation.bus.streams["intake"].messages]
    assert positions == sorted(set(positions))


def test_a_replay_of_the_whole_stream_changes_nothing() -> None:
    simulation = Simulation(5, Misbehaviour())
    simulation.run()
    before = simulation.noter.last_position()
    simulation.bus.replay("claims", "intake")
    while not simulation.bus.is_quiet():
        simulation.consumer.handle(simulation.bus.deliver("claims", "intake"))
        simulation.bus.acknowledge("claims", "intake")
    assert simulation.noter.last_position() == before


def test_the_same_seed_gives_the_same_story() -> None:
    stories = []
    for _ in range(2):
        simulation = Simulation(11, Misbehaviour.rough())
        simulation.run()
        events = [entry.event for entry in simulation.noter.log(0, 1_000)]
        stories.append([(event.originator_id, event.TOPIC) for event in events])
    assert stories[0] == stories[1]


def test_the_bad_day_does_happen() -> None:
    struck = {"twice": 0, "late": 0}
    for seed in range(10):
        bus = SimulatedBus(seed, CONSUMES, Misbehaviour.rough())
        store = memory_store(ANNOUNCER)
        announce(store, context(), PATIENTS)
        relay = Relay("intake", store, bus.streams["intake"], ANNOUNCER.publishing)
        for _ in range(10):
            try:
                relay.step()
            except (Transient, Unavailable):
                continue
        sequences = [delivery.stream_sequence for delivery in bus.deliver("claims", "intake")]
        struck["twice"] += len(sequences) - len(set(sequences))
        struck["late"] += len(PATIENTS) - len(set(sequences))
    assert all(struck.values())


def test_reading_ahead_publishes_the_same_in_the_same_order_on_a_bad_day() -> None:
    events = [derive("long-log", number) for number in range(4 * READ_MAX + 7)]
    bus = SimulatedBus(7, CONSUMES, Misbehaviour.rough())
    store, stream = memory_store(ANNOUNCER), bus.streams["intake"]
    announce(store, context(), events)
    with ThreadPoolExecutor(1) as ahead:
        relay = Relay("intake", store, stream, ANNOUNCER.publishing, ahead=ahead)
        for _ in range(100):
            with suppress(Transient, Unavailable):
                relay.step()
    assert [message.position for message in stream.messages] == list(range(1, len(events) + 1))
