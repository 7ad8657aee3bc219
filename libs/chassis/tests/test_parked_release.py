"""What waits is released also in a service that is never quiet."""

from __future__ import annotations

from uuid import UUID, uuid4

from canonical.envelope import Envelope
from canonical.events.intake import PatientRegistered
from canonical.ids import derive
from chassis.domain import NotYet
from chassis.eventstore import ParkedMessage, Work
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.port import Commit
from chassis.messaging.consumer import BatchConsumer, Handled
from chassis.messaging.reactions import Reaction
from chassis.messaging.relay import outgoing
from chassis.runtime.sweep_loops import ParkedRelease
from chassis.testing import FixedClock, context
from chassis.testing.clock import START
from chassis.testing.sample_service import ANNOUNCER, NOTER, SIGHTINGS, Noted, announce, memory_store, note_id, noting


def park_too_late(store: MemoryEventStore, patient_id: UUID, awaited: UUID, consumer: str) -> None:
    """Parks an announcement as a batch does that commits just after what it waits for was saved."""
    announcer = memory_store(ANNOUNCER)
    announce(announcer, context(), [patient_id], kind="waiting.v1", fact=awaited)
    (entry,) = announcer.log(0, 1)
    (event,) = ANNOUNCER.publishing(entry.event)
    message = outgoing("intake", entry, event, 0)
    envelope = Envelope.from_headers(message.headers)
    store.save(
        Commit(
            parked=[
                ParkedMessage(
                    message_id=envelope.id,
                    consumer=consumer,
                    key=envelope.key,
                    waiting_for=note_id(awaited),
                    case_id=None,
                    subject=message.subject,
                    headers=dict(message.headers),
                    data=message.data,
                    parked_at=START,
                    reason="another patient comes first",
                )
            ]
        )
    )


def test_a_message_parked_just_after_what_it_waits_for_moved_is_released_in_a_busy_service() -> None:
    store = memory_store(NOTER)
    consumers = list(noting(store, FixedClock()).values())
    awaited, late = uuid4(), uuid4()
    work = Work(store, context())
    work.get_or_new(Noted, note_id(awaited)).trigger_event(Noted.Seen, patient_id=awaited)
    work.commit()
    park_too_late(store, late, awaited, consumers[0].name)
    release = ParkedRelease(consumers)
    for number in range(100):
        release.note(Handled(touched={derive("busy", number)}))
        release.run()
    assert late in {row["patient_id"] for row in store.rows(SIGHTINGS, {})}
    assert store.parked() == []


def test_a_message_that_waits_for_a_second_thing_is_released_by_that() -> None:
    store = memory_store(NOTER)
    first, second, late = uuid4(), uuid4(), uuid4()
    park_too_late(store, late, first, "claims-intake")

    def when_registered_note_after_both(work: Work, event: PatientRegistered, envelope: Envelope) -> None:
        for awaited in (first, second):
            if work.get(Noted, note_id(awaited)) is None:
                raise NotYet(note_id(awaited), "another patient comes first")
        work.get_or_new(Noted, note_id(event.patient_id)).trigger_event(Noted.Seen, patient_id=event.patient_id)

    reaction = Reaction(PatientRegistered, when_registered_note_after_both, lambda event: [note_id(event.patient_id)])
    consumer = BatchConsumer("claims-intake", store, [reaction], FixedClock())
    for awaited in (first, second):
        work = Work(store, context())
        work.get_or_new(Noted, note_id(awaited)).trigger_event(Noted.Seen, patient_id=awaited)
        work.commit()
        released = consumer.release({note_id(awaited)})

    assert (released.done, store.parked()) == (1, [])
