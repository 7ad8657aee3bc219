"""Many webhooks, or posted payments, in one transaction: each has its own answer, and the stores are asked as often as for one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from canonical.ids import derive
from canonical.money import Money
from chassis.eventstore import Row, Table, Where
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.port import History
from chassis.keys import Sealer
from chassis.testing import context
from payments.application.doors import Answer, Doors, GatewayMessage
from payments.application.posting import PaymentPosting, PaymentToPost, TakenAt
from payments.domain.gateway_facts import PaymentArrived
from payments.domain.patient_account import account_id_of
from payments.main import SHAPE

from .examples import DAY, PATIENT
from .key_trips import KeysOfADatabase
from .world import World, adjudication


class CountingStore(MemoryEventStore):
    """Counts the questions that it is asked."""

    asked = 0
    loaded = 0

    def load(self, ids: Iterable[UUID]) -> dict[UUID, History]:
        wanted = list(ids)
        self.asked += 1
        self.loaded += len(wanted)
        return super().load(wanted)

    def rows(
        self, table: Table, where: Where, *, order: Sequence[str] = (), limit: int = 1000, after: Row | None = None
    ) -> list[Row]:
        self.asked += 1
        return super().rows(table, where, order=order, limit=limit, after=after)


def paid(number: int, raw: bytes = b"", patient_id: UUID = PATIENT) -> GatewayMessage:
    fact = PaymentArrived(f"pi_{number}", Money(100), DAY, "NORTH", account_id_of("NORTH", patient_id))
    return GatewayMessage(raw or b"%d" % number, f"evt_{number}", fact)


def at_the_desk(patient_id: UUID) -> PaymentToPost:
    key = f"payment-{patient_id}"
    return PaymentToPost(key, None, patient_id, "NORTH", Money(100), TakenAt.CHECK, DAY, "", context())


def test_one_event_with_other_content_is_refused_within_one_batch_too() -> None:
    world = World()
    world.deliver(adjudication(2500))
    answers = world.doors.receive_webhooks([paid(1), paid(1), paid(1, b"other"), paid(2)])
    assert answers == [Answer.TAKEN, Answer.REPEATED, Answer.REFUSED, Answer.TAKEN]
    assert world.open_cases() == ["OtherContent"]


def test_a_hundred_webhooks_ask_the_store_as_often_as_one() -> None:
    asked = []
    for count in (1, 100):
        store = CountingStore(SHAPE.registry(), SHAPE.all_projections)
        world = World(store)
        world.deliver(adjudication(2500))
        before = store.asked
        assert world.doors.receive_webhooks([paid(number) for number in range(count)]) == [Answer.TAKEN] * count
        asked.append(store.asked - before)
    assert asked[0] == asked[1] <= 6


def test_what_came_before_is_known_by_its_row_and_nothing_of_it_is_loaded() -> None:
    store = CountingStore(SHAPE.registry(), SHAPE.all_projections)
    world = World(store)
    world.deliver(adjudication(2500))
    told = [paid(number) for number in range(10)]
    world.doors.receive_webhooks(told)
    before = store.loaded, store.last_position()
    assert world.doors.receive_webhooks(told) == [Answer.REPEATED] * 10
    assert (store.loaded, store.last_position()) == before


def test_the_keys_of_all_patients_of_a_batch_are_asked_for_at_once() -> None:
    world = World()
    patients = [derive("patient", number) for number in range(20)]
    for number, patient in enumerate(patients):
        world.deliver(adjudication(2500, number, patient_id=patient, encounter_id=derive("encounter", number)))
    keys = KeysOfADatabase()
    doors = Doors(world.store, Sealer(keys), world.clock, "NORTH")
    doors.receive_webhooks([paid(1)])
    before = keys.trips
    told = [paid(number, patient_id=patient) for number, patient in enumerate(patients, 2)]
    assert doors.receive_webhooks(told) == [Answer.TAKEN] * 20
    assert keys.trips == before + 1


def test_the_keys_of_all_who_pay_in_a_batch_are_asked_for_at_once() -> None:
    keys = KeysOfADatabase()
    posting = PaymentPosting(World().store, Sealer(keys))
    patients = [derive("patient", number) for number in range(20)]
    posting.post([at_the_desk(PATIENT)])
    before = keys.trips
    posting.post([at_the_desk(patient) for patient in patients])
    assert keys.trips == before + 1
