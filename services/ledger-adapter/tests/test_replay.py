"""The whole log once more: the same rules book the same bytes, another rule shows its exact difference, and nothing is written."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from canonical.codes import AccountRole, AdjustmentGroup
from canonical.envelope import PublicEvent
from chassis.domain import UnsafeSetting
from chassis.eventstore.memory import MemoryEventStore
from chassis.messaging import Delivery
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_adapter.adapters.replay_files import facts_in, outcome
from ledger_adapter.application.drafting import BatchingRules
from ledger_adapter.application.reactions import reactions_by_upstream
from ledger_adapter.application.replaying import Replayed, replay
from ledger_adapter.domain.site_rules import NO_SITE_RULES, AdjustmentRule, SiteRules
from ledger_adapter.main import SHAPE, replay_facts

from .examples import MASTER, accepted, adjudicated, charged, delivery, deposit, patient_paid, payout
from .test_credit_balances import april, overpaid, present
from .world import World, key_of, sequence_of

ODD = adjudicated(3, paid="60.00", adjustments=(("OA", "18", "40.00"),), position=2)
FACTS: tuple[PublicEvent, ...] = (
    charged(),
    charged(2, ("60.00", "40.00"), departments=("N-FM", "N-ER")),
    charged(3, ("100.00",)),
    charged(4, ("80.00",), payer="", entity="SOUTH"),
    adjudicated(),
    adjudicated(2, paid="0.00", adjustments=(("CO", "50", "100.00"),), position=1),
    ODD,
    accepted(3, "120.00"),
    deposit("120.00"),
    patient_paid("10.00", "5.00"),
    payout(),
)


def rules(account: AccountRole = AccountRole.CONTRACTUAL_ALLOWANCE) -> SiteRules:
    return SiteRules(
        edition="site-1", adjustments=(AdjustmentRule(group=AdjustmentGroup.OTHER, reason="18", account=account),)
    )


def streams(events: Sequence[PublicEvent]) -> dict[str, list[Delivery]]:
    """What the upstream streams keep, in the order in which they took it."""
    kept: dict[str, list[Delivery]] = {"intake": [], "claims": [], "payments": []}
    for event in events:
        kept[event.SERVICE].append(delivery(event, key_of(event), sequence_of(event)))
    return kept


def booked(events: Sequence[PublicEvent]) -> World:
    world = World(site_rules=rules())
    world.deliver(*events)
    world.settle()
    return world


def replayed(
    world: World, events: Sequence[PublicEvent], site_rules: SiteRules | None = None, entity: str = ""
) -> Replayed:
    scratch = MemoryEventStore(SHAPE.registry())
    reactions = reactions_by_upstream(world.master, site_rules or world.site_rules)
    return replay(world.store, scratch, streams(events), reactions, entity)


def test_the_same_rules_book_the_same_bytes() -> None:
    world = booked(FACTS)
    told = replayed(world, FACTS)
    assert told.is_same
    assert told.stored_hash == told.replayed_hash
    assert (told.places, told.journals, told.fact_count) == ((), (), len(FACTS))
    assert told.stored_count == told.replayed_count == sum(map(len, world.journals().values())) > 4


@settings(max_examples=25, deadline=None)
@given(st.permutations(FACTS), st.integers(1, 3))
def test_in_whatever_order_and_batches_they_were_booked(events: list[PublicEvent], batch: int) -> None:
    world = World(site_rules=rules())
    for event in events:
        world.deliver(event)
        if batch > 1:
            world.clock.advance(seconds=batch)
            world.sweep()
    world.settle()
    assert replayed(world, FACTS).is_same


def test_another_rule_shows_its_exact_difference_and_writes_nothing() -> None:
    world = booked(FACTS)
    position, calls = world.store.last_position(), world.erp.calls
    told = replayed(world, FACTS, NO_SITE_RULES)
    assert not told.is_same
    moved = {(each.place.account, each.place.party): each.replayed_minor - each.stored_minor for each in told.places}
    assert moved[("ar-payer", "ACME")] == 10000
    assert moved[("eft-clearing", "")] == -6000
    assert sum(moved.values()) == 0
    (journal,) = told.journals
    assert journal.stored is not None
    assert journal.stored.kind == "remittance"
    assert len(told.unposted) == 1
    assert (world.store.last_position(), world.erp.calls) == (position, calls)
    assert replayed(world, FACTS).is_same


def test_a_fact_that_is_missing_is_named_by_its_posting() -> None:
    world = booked(FACTS)
    told = replayed(world, FACTS[:-1])
    assert len(told.unposted) == 1
    assert {each.replayed is None for each in told.journals} == {True}


def test_a_fact_that_was_not_booked_is_only_in_the_replay() -> None:
    world = booked(FACTS[:-1])
    told = replayed(world, FACTS)
    assert len(told.unstored) == 1
    assert {each.stored is None for each in told.journals} == {True}


@pytest.mark.parametrize(("entity", "same"), [("NORTH", False), ("SOUTH", True)])
def test_one_entity_is_compared_alone(entity: str, same: bool) -> None:
    assert replayed(booked(FACTS), FACTS, NO_SITE_RULES, entity).is_same is same


def test_open_charges_are_compared_though_no_entry_has_them() -> None:
    world = World(site_rules=rules())
    world.deliver(charged())
    assert replayed(world, (charged(),)).is_same
    assert len(replayed(world, ()).unposted) == 1


def test_what_people_ordered_at_a_months_end_stands() -> None:
    world = april()
    facts = overpaid()
    world.deliver(*facts)
    world.settle()
    present(world)
    told = replayed(world, facts)
    assert told.is_same
    assert told.stored_count == 3


def test_the_batches_of_charges_are_those_of_the_log() -> None:
    world = World()
    many = [charged(number) for number in range(1, 8)]
    for event in many:
        world.deliver(event)
        world.settle()
    assert BatchingRules().postings_max > len(world.journals()["charges"]) == 7
    assert replayed(world, many).is_same


def kept_in(folder: Path) -> None:
    """Writes the facts as the command line does."""
    for upstream, messages in streams(FACTS).items():
        lines = [
            json.dumps(
                {
                    "subject": each.subject,
                    "headers": dict(each.headers),
                    "data": base64.b64encode(each.data).decode(),
                    "sequence": each.stream_sequence,
                }
            )
            for each in messages
        ]
        (folder / f"{upstream}.jsonl").write_text("\n".join(lines))


def test_facts_are_read_from_files_as_the_streams_had_them(tmp_path: Path) -> None:
    kept_in(tmp_path)
    world = booked(FACTS)
    reactions = reactions_by_upstream(world.master, world.site_rules)
    told = replay(world.store, MemoryEventStore(SHAPE.registry()), facts_in(tmp_path), reactions)
    assert told.is_same
    assert outcome(told)["facts"] == len(FACTS)


def test_the_outcome_names_each_difference_with_both_amounts() -> None:
    told = outcome(replayed(booked(FACTS), FACTS, NO_SITE_RULES))
    assert (told["same"], told["journals_that_differ"]) == (False, 1)
    differences = told["differences"]
    assert isinstance(differences, list)
    payer = next(each for each in differences if each["account"] == "ar-payer")
    assert payer["replayed_minor"] - payer["stored_minor"] == 10000
    assert json.dumps(told)


def test_a_replay_without_its_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeSetting):
        replay_facts(tmp_path, {})


def test_standard_output_is_the_outcome_alone_though_facts_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept_in(tmp_path)
    master = tmp_path / "master-data.json"
    master.write_text(MASTER.model_dump_json())
    named = {"THROUGHLINE_DATABASE_URL": "memory", "THROUGHLINE_MASTER_DATA_PATH": str(master)}
    assert replay_facts(tmp_path, named, lambda _: booked(FACTS).store) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["same"], len(told["only_stored_postings"])) == (False, 1)
