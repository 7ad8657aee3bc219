"""Beside patients' money other lanes take short turns, and full ones again when none has come for a while."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from canonical.ids import derive
from ledger_adapter.adapters.fake_erp import FakeErp, OneErpForAll
from ledger_adapter.application.pauses import BESIDE
from ledger_adapter.application.ports import ErpJournal, Pending, Posted, Refused
from ledger_adapter.application.posting import BATCH_BESIDE_MAX, BATCH_MAX, JournalPosting

from .examples import deposit, patient_paid
from .world import World

DEPOSITS = 2 * BATCH_MAX + 20


@dataclass
class Counting(FakeErp):
    """Notes of which entity, and how large, each batch was."""

    batches: list[tuple[str, int]] = field(default_factory=list)

    def post(self, entity: str, documents: Sequence[ErpJournal]) -> Mapping[str, Posted | Refused | Pending]:
        self.batches.append((entity, len(documents)))
        return super().post(entity, documents)


def burst(*entities: str) -> tuple[World, Counting, JournalPosting]:
    """Many deposits of each entity wait."""
    erp = Counting()
    world = World(erp=erp)
    for place, entity in enumerate(entities):
        ids = [derive("pace", place, number) for number in range(DEPOSITS)]
        world.deliver(*(deposit(remittance_id=each, entity=entity) for each in ids))
    return world, erp, JournalPosting(world.store, world.clock, OneErpForAll(erp, entities), erp.name)


def test_alone_a_batch_is_full() -> None:
    _, erp, posting = burst("NORTH")
    posting.run()
    assert erp.batches == [("NORTH", BATCH_MAX)]


def test_beside_patients_money_a_batch_is_small_and_of_one_entity() -> None:
    world, erp, posting = burst("NORTH", "SOUTH")
    world.deliver(patient_paid())
    posting.run()
    assert [size for _, size in erp.batches] == [1, BATCH_BESIDE_MAX]


def test_each_entity_has_its_turn_beside_patients_money() -> None:
    world, erp, posting = burst("NORTH", "SOUTH")
    for number in range(4):
        world.deliver(patient_paid(number=number))
        posting.run()
    assert {entity for entity, size in erp.batches if size > 1} == {"NORTH", "SOUTH"}


def test_once_no_patients_money_has_come_for_a_while_batches_are_full_again() -> None:
    world, erp, posting = burst("NORTH")
    world.deliver(patient_paid())
    posting.run()
    posting.run()
    world.clock.advance(seconds=BESIDE.total_seconds())
    posting.run()
    assert [size for _, size in erp.batches] == [1, BATCH_BESIDE_MAX, BATCH_BESIDE_MAX, BATCH_MAX]
