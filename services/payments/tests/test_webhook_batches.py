"""Many webhooks in one transaction: each has its own answer, and the store is asked as often as for one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from canonical.money import Money
from chassis.eventstore import Row, Table, Where
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.port import History
from payments.application.doors import Answer, GatewayMessage
from payments.domain.gateway_facts import PaymentArrived
from payments.domain.patient_account import account_id_of
from payments.main import SHAPE

from .examples import DAY, PATIENT
from .world import World, adjudication


class CountingStore(MemoryEventStore):
    """Counts the questions that it is asked."""

    asked = 0

    def load(self, ids: Iterable[UUID]) -> dict[UUID, History]:
        self.asked += 1
        return super().load(ids)

    def rows(
        self, table: Table, where: Where, *, order: Sequence[str] = (), limit: int = 1000, after: Row | None = None
    ) -> list[Row]:
        self.asked += 1
        return super().rows(table, where, order=order, limit=limit, after=after)


def paid(number: int, raw: bytes = b"") -> GatewayMessage:
    fact = PaymentArrived(f"pi_{number}", Money(100), DAY, "NORTH", account_id_of("NORTH", PATIENT))
    return GatewayMessage(raw or b"%d" % number, f"evt_{number}", fact)


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
