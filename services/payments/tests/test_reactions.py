"""Remittances and adjudications have the same effect, whatever the order and number of their copies."""

import random

import pytest
from canonical.envelope import Envelope
from canonical.money import Money
from chassis.messaging import Delivery
from payments.application.patient_rows import ACCOUNTS, ACTIVITY
from payments.application.queries import RECEIPTS, REMITTANCES

from .examples import summary
from .world import World, adjudication, remittance


def test_an_accepted_remittance_is_passed_on_whole() -> None:
    world = World()
    world.deliver(*remittance(summary()))
    (row,) = world.rows(REMITTANCES)
    assert (row["payment_minor"], row["chunks_accepted"], row["claim_count"]) == (8000, 1, 1)


def test_a_second_copy_is_recorded_and_nothing_of_it_is_passed_on() -> None:
    world = World()
    world.deliver(*remittance(summary()), *remittance(summary(copy=2)))
    assert [row["verdict"] for row in world.rows(RECEIPTS)].count("duplicate") == 1
    assert world.rows(REMITTANCES)[0]["chunks_accepted"] == 1
    assert world.open_cases() == []


def test_other_content_under_the_same_trace_is_a_persons_to_judge() -> None:
    world = World()
    world.deliver(*remittance(summary()), *remittance(summary(copy=2, content="other", paid=9000)))
    assert world.open_cases() == ["RemittanceConflict"]
    assert world.rows(REMITTANCES)[0]["payment_minor"] == 8000


def test_a_remittance_with_reversals_is_passed_on_whole() -> None:
    world = World()
    world.deliver(*remittance(summary(reversal_count=1)))
    assert world.open_cases() == []
    assert (world.rows(REMITTANCES)[0]["reversal_count"], world.rows(REMITTANCES)[0]["chunks_accepted"]) == (1, 1)


def test_a_head_that_does_not_add_up_is_a_persons_to_judge_and_nothing_of_it_is_passed_on() -> None:
    world = World()
    world.deliver(*remittance(summary(payment=Money(7999))))
    assert world.open_cases() == ["RemittanceUnbalanced"]
    assert world.rows(REMITTANCES) == []


def test_a_chunk_that_overtakes_its_head_waits_for_it() -> None:
    world = World()
    head, chunk = remittance(summary())
    world.deliver(chunk)
    assert world.rows(REMITTANCES) == []
    assert len(world.store.parked()) == 1
    world.deliver(head)
    assert world.rows(REMITTANCES)[0]["chunks_accepted"] == 1
    assert world.store.parked() == []


@pytest.mark.parametrize("seed", range(12))
def test_duplicates_and_reordering_change_nothing(seed: int) -> None:
    messages = [*remittance(summary()), *remittance(summary("TRACE2", paid=500)), adjudication(), adjudication(700, 1)]
    straight, shuffled = World(), World()
    straight.deliver(*messages)
    mixed: list[Delivery] = messages * 3
    random.Random(seed).shuffle(mixed)
    shuffled.deliver(*mixed)
    tables = (REMITTANCES, RECEIPTS, ACCOUNTS)
    assert shuffled.state(*tables) == straight.state(*tables)
    assert shuffled.rows(ACCOUNTS)[0]["responsibility_minor"] == 3200
    assert shuffled.store.parked() == []


def test_the_same_event_id_with_other_content_is_reported() -> None:
    world = World()
    first, other = adjudication(2500), adjudication(2501)
    assert Envelope.from_headers(first.headers).id == Envelope.from_headers(other.headers).id
    world.deliver(first, other)
    assert world.open_cases() == ["SameIdOtherContent"]
    assert Money(int(str(world.rows(ACCOUNTS)[0]["responsibility_minor"]))) == Money(2500)


def test_what_the_next_payer_owes_is_not_the_patients() -> None:
    world = World()
    world.deliver(adjudication(2500, next_payer="MEDIGAP"))
    assert [row["responsibility_minor"] for row in world.rows(ACCOUNTS)] == [0]


def test_a_match_and_its_undoing_are_causes_of_their_own() -> None:
    world = World()
    messages = [
        adjudication(2500, match=1),
        adjudication(-2500, match=2, kind="unmatched"),
        adjudication(2500, match=3),
    ]
    world.deliver(*messages, *messages)
    assert world.rows(ACCOUNTS)[0]["responsibility_minor"] == 2500
    assert len(world.rows(ACTIVITY)) == 3
    assert world.open_cases() == []
