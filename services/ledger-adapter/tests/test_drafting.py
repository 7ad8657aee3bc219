"""Facts become postings, and whole groups of postings become journal entries, in whatever order they come."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from canonical.envelope import PublicEvent
from canonical.ids import derive
from chassis.eventstore.memory import MemoryEventStore
from chassis.eventstore.postgres import PostgresEventStore
from chassis.messaging import BatchConsumer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_adapter.application.queries import CLEARING, JOURNALS, LINES, MANIFESTS, POSTINGS
from ledger_adapter.main import SHAPE

from .examples import (
    REMITTANCE,
    accepted,
    adjudicated,
    applied_later,
    charged,
    delivery,
    deposit,
    patient_paid,
    payment_unknown,
    payout,
)
from .world import World, key_of


@pytest.fixture
def world() -> World:
    return World()


WHOLE_STORY: tuple[PublicEvent, ...] = (
    charged(1),
    charged(2, ("200.00",), payer="MEDICARE"),
    charged(3, ("80.00",), payer=""),
    charged(4, ("50.00",), entity="SOUTH"),
    adjudicated(1, position=0),
    adjudicated(2, "200.00", "0.00", (("CO", "50", "200.00"),), payer="MEDICARE", position=1),
    payment_unknown("25.00", position=2),
    accepted(claims=3, paid="85.00"),
    deposit("85.00"),
    patient_paid("10.00", "5.00"),
    applied_later("5.00"),
    payout("15.00", "0.74", "14.26"),
)

EXPECTED = {
    "NORTH cash": 8500 + 1426,
    "NORTH gateway-clearing": 0,
    "NORTH ar-payer-denied MEDICARE": 20000,
    "NORTH ar-patient PATIENTS-NORTH": 8000 + 1000 - 1000 - 500,
    "NORTH contractual-allowance": 3000,
    "NORTH gross-revenue": -38000,
    "NORTH unapplied-payer": -2500,
    "NORTH processing-fees": 74,
    "SOUTH ar-payer ACME": 5000,
    "SOUTH gross-revenue": -5000,
    "SOUTH contractual-allowance": 1500,
    "SOUTH ar-allowance": -1500,
}
EXPECTED_BALANCES = {place: minor for place, minor in EXPECTED.items() if minor}


def test_the_whole_story_ends_in_confirmed_entries_and_the_erp_agrees(world: World) -> None:
    world.deliver(*WHOLE_STORY)
    world.settle()
    assert world.balances() == EXPECTED_BALANCES
    assert world.balances("intended_minor") == EXPECTED_BALANCES
    assert world.balances("confirmed_minor") == EXPECTED_BALANCES
    assert world.at_the_erp("NORTH") | world.at_the_erp("SOUTH") == EXPECTED_BALANCES
    assert world.cases() == []
    assert world.journals() == {
        "application": ["confirmed"],
        "charges": ["confirmed", "confirmed"],
        "deposit": ["confirmed"],
        "patient-payment": ["confirmed"],
        "payout": ["confirmed"],
        "remittance": ["confirmed"],
    }


def test_all_lines_add_up_to_zero_and_the_clearing_accounts_explain_themselves(world: World) -> None:
    world.deliver(*WHOLE_STORY)
    world.settle()
    assert [row["amount_minor"] for row in world.store.sums(LINES, ["amount_minor"], [], {})] == [0]
    eft = world.rows(CLEARING, account="eft-clearing")
    assert [(row["item_id"], row["amount_minor"], row["postings"]) for row in eft] == [(REMITTANCE, 0, 3)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(order=st.permutations(range(len(WHOLE_STORY))), repeats=st.lists(st.integers(0, len(WHOLE_STORY) - 1)))
def test_order_and_repetition_do_not_matter(order: list[int], repeats: list[int]) -> None:
    world = World()
    for place in [*order, *repeats]:
        world.deliver(WHOLE_STORY[place])
        world.sweep()
    world.settle()
    assert world.balances() == EXPECTED_BALANCES
    assert world.balances("confirmed_minor") == EXPECTED_BALANCES
    assert world.at_the_erp("NORTH") | world.at_the_erp("SOUTH") == EXPECTED_BALANCES
    assert world.cases() == []


def test_a_remittance_is_never_drafted_from_part_of_it(world: World) -> None:
    world.deliver(charged(1), charged(2, ("200.00",)), accepted(claims=2, paid="85.00"), adjudicated(1, position=0))
    world.settle()
    assert "remittance" not in world.journals()
    world.deliver(payment_unknown("25.00", position=1))
    world.settle()
    assert world.journals()["remittance"] == ["confirmed"]


def test_a_remittance_whose_sum_differs_is_not_journalled_but_shown(world: World) -> None:
    world.deliver(charged(1), accepted(claims=1, paid="60.01"), adjudicated(1))
    world.settle()
    assert "remittance" not in world.journals()
    assert world.cases() == ["RemittanceSumDiffers"]
    assert [row["state"] for row in world.rows(MANIFESTS)] == ["differs"]


def test_an_adjudication_waits_for_its_charges(world: World) -> None:
    world.deliver(adjudicated(1))
    assert world.rows(POSTINGS) == []
    assert len(world.store.parked()) == 1
    world.deliver(charged(1))
    assert len(world.rows(POSTINGS)) == 2
    assert world.store.parked() == []


def test_a_second_posting_of_an_encounter_releases_its_own_estimate(world: World) -> None:
    world.deliver(charged(1), sequence=1)
    world.deliver(charged(1, ("40.00",), posting=2), sequence=2)
    world.deliver(adjudicated(1, "40.00", "40.00", (), posting=2))
    assert world.balances()["NORTH ar-allowance"] == -3000


def test_an_unmapped_adjustment_opens_a_case_and_its_remittance_waits(world: World) -> None:
    unmapped = adjudicated(1, paid="90.00", adjustments=(("OA", "18", "10.00"),))
    world.deliver(charged(1), accepted(claims=1, paid="90.00"), unmapped)
    world.settle()
    assert world.cases() == ["UnmappedAdjustment"]
    assert "remittance" not in world.journals()


def test_a_charge_of_a_payer_that_master_data_does_not_know_opens_a_case(world: World) -> None:
    world.deliver(charged(1, payer="NOBODY"))
    assert world.cases() == ["UnknownPayer"]
    assert world.rows(POSTINGS) == []


def test_an_adjudication_for_another_entity_than_the_one_that_charged_opens_a_case(world: World) -> None:
    world.deliver(charged(1), adjudicated(1, entity="SOUTH"))
    assert world.cases() == ["WrongEntity"]


def test_the_same_fact_under_another_event_is_one_posting(world: World) -> None:
    world.deliver(charged(1), sequence=1)
    world.deliver(charged(1), sequence=2)
    assert len(world.rows(POSTINGS)) == 1
    assert world.cases() == []


def test_the_same_fact_with_other_content_is_reported_and_changes_nothing(world: World) -> None:
    world.deliver(charged(1), sequence=1)
    world.deliver(charged(1, ("99.00",)), sequence=2)
    assert world.cases() == ["FactChanged"]
    assert world.balances()["NORTH ar-payer ACME"] == 10000


def test_a_remittance_accepted_again_with_other_content_is_reported(world: World) -> None:
    world.deliver(accepted(), sequence=1)
    world.deliver(accepted(content_hash="beef"), sequence=2)
    assert world.cases() == ["ManifestChanged"]


def test_charges_are_batched_by_entity_and_day(world: World) -> None:
    days = (date(2026, 3, 2), date(2026, 3, 3))
    world.deliver(*(charged(n, day=days[n % 2], entity=("NORTH", "SOUTH")[n // 4]) for n in range(8)))
    world.settle()
    rows = world.rows(JOURNALS)
    assert sorted((str(row["entity"]), row["effective_date"], row["posting_count"]) for row in rows) == [
        ("NORTH", days[0], 2),
        ("NORTH", days[1], 2),
        ("SOUTH", days[0], 2),
        ("SOUTH", days[1], 2),
    ]


def test_a_day_that_is_still_busy_keeps_its_batch_open_until_the_limit(world: World) -> None:
    for number in range(40):
        world.deliver(charged(number))
        world.clock.advance(seconds=1)
        world.sweep()
    assert world.rows(JOURNALS) == []
    for number in range(40, 70):
        world.deliver(charged(number))
        world.clock.advance(seconds=1)
        world.sweep()
    assert [row["posting_count"] for row in world.rows(JOURNALS)] == [60]


def test_a_late_charge_of_a_closed_day_is_in_a_batch_of_its_own(world: World) -> None:
    world.deliver(charged(1))
    world.settle()
    world.deliver(charged(2))
    world.settle()
    assert sorted(int(str(row["posting_count"])) for row in world.rows(JOURNALS)) == [1, 1]
    assert {row["batch"] for row in world.rows(POSTINGS)} == {1, 2}


def test_a_full_batch_is_closed_at_once(world: World) -> None:
    consumer: BatchConsumer = world.core.consumers["intake"]
    consumer.handle([delivery(event, key_of(event)) for event in map(charged, range(150))])
    world.sweep()
    assert [row["posting_count"] for row in world.rows(JOURNALS)] == [100]
    world.settle()
    assert sorted(int(str(row["posting_count"])) for row in world.rows(JOURNALS)) == [50, 100]


def test_of_two_that_close_a_batch_at_once_one_wins(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.deliver(charged(1))
    world.clock.advance(seconds=3)
    other = world.started()
    loaded = world.store.load
    closed: list[int] = []

    def load_while_the_other_closes(ids: object) -> object:
        found = loaded(ids)  # type: ignore[arg-type]
        if not closed:
            closed.append(1)
            closed.append(next(sweep.run() for sweep in other.sweeps if sweep.name == "close-charge-batches"))
        return found

    monkeypatch.setattr(world.store, "load", load_while_the_other_closes)
    world.sweep()
    assert closed == [1, 1]
    assert [row["posting_count"] for row in world.rows(JOURNALS)] == [1]


def test_read_models_rebuilt_from_the_events_are_the_live_ones(world: World) -> None:
    world.deliver(*WHOLE_STORY)
    world.settle()
    live = hashes(world.store)
    world.store.rebuild_read_models()
    assert hashes(world.store) == live


def test_a_remittance_of_nothing_but_zero_payments_moves_what_it_moves(world: World) -> None:
    denied = adjudicated(1, paid="0.00", adjustments=(("CO", "50", "100.00"),))
    world.deliver(charged(1), accepted(claims=1, paid="0.00"), denied)
    world.settle()
    assert world.journals()["remittance"] == ["confirmed"]
    assert "NORTH eft-clearing" not in world.balances()


def test_two_entities_of_one_payout_are_two_facts(world: World) -> None:
    world.deliver(payout(), payout("4.00", "0.00", "4.00", entity="SOUTH"))
    assert len(world.rows(POSTINGS)) == 2


def hashes(store: MemoryEventStore | PostgresEventStore) -> dict[str, str]:
    """The content of every read model, in one hash each."""
    return {table.name: store.read_model_hash(table) for table in SHAPE.all_tables}


def test_the_reader_finds_every_posting_of_an_entry(world: World) -> None:
    world.deliver(*WHOLE_STORY)
    world.settle()
    taken_up: set[UUID] = set()
    for row in world.rows(JOURNALS):
        where = {"journal_id": row["journal_id"]} if row["kind"] != "remittance" else {"group_id": row["group_id"]}
        postings = {posting["posting_id"] for posting in world.store.rows(POSTINGS, where)}
        assert len(postings) == row["posting_count"]
        taken_up |= postings  # type: ignore[arg-type]
    assert taken_up == {row["posting_id"] for row in world.rows(POSTINGS)}
    assert derive("nothing") not in taken_up
