"""Whatever goes wrong, and in whatever order, a story ends as it does when nothing goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from payments.domain.write_off_rules import WriteOffKind
from sandbox.world.misbehaviour import Fault
from sandbox.world.received_claims import PRIMARY, SECONDARY

from tests.contracts.gateway_table import DEALT as GATEWAY_STORIES

from .simulation.engine import Simulation
from .simulation.invariants import (
    Suite,
    each_account_has_what_its_patient_owes_and_paid,
    the_books_are_what_became_of_patients_money,
    the_books_are_what_payers_decided,
)
from .simulation.mischief import Kind, UnknownFaults, rates_of
from .simulation.patient_oracle import ExpectedPatients
from .simulation.run import Outcome, run
from .simulation.story import CHANGES, ODD_DECISIONS, STORIES

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(1, 17)
GATEWAY_STORIES_LEFT_OUT = 6
PROVIDER_LEVEL = (Fault.INTEREST, Fault.LEVY, Fault.REFUND_ACKNOWLEDGED)
pytestmark = pytest.mark.slow


@cache
def outcome_of(seed: int) -> Outcome:
    return run(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_story_with_every_fault_ends_as_without_any(seed: int) -> None:
    outcome = outcome_of(seed)
    assert outcome.holds, outcome.report()


def test_every_kind_of_fault_struck() -> None:
    struck: Counter[Kind] = Counter()
    for seed in SEEDS:
        struck.update(outcome_of(seed).struck)
    never = [kind.value for kind in Kind if not struck[kind]]
    assert not never, f"these were never reached, so the runs prove nothing about them: {never}"


@cache
def told(story: int) -> Simulation:
    """A story without faults, at its end."""
    simulation = Simulation(story, story, rates_of(["none"]))
    simulation.play()
    return simulation


def suite_of(simulation: Simulation, expected: Mapping[tuple[str, str, str], int]) -> Suite:
    patients = simulation.story.patients_end()
    erp, transport, outside = simulation.erp.inner, simulation.transport, simulation.outside
    return Suite(simulation.nodes, simulation.bus, erp, transport, expected, patients, outside)


@pytest.mark.parametrize("story", range(STORIES))
def test_a_story_without_faults_ends_as_the_payers_decisions_alone_say(story: int) -> None:
    simulation = told(story)
    books = simulation.story.books()
    assert list(the_books_are_what_payers_decided(suite_of(simulation, books))) == []
    place = next(iter(books))
    wrong = books | {place: books[place] + 1}
    assert len(list(the_books_are_what_payers_decided(suite_of(simulation, wrong)))) == 1


@pytest.mark.parametrize("story", range(STORIES))
def test_a_story_without_faults_ends_as_the_gateway_and_the_clerks_alone_say(story: int) -> None:
    simulation = told(story)
    suite = suite_of(simulation, simulation.story.books())
    assert list(the_books_are_what_became_of_patients_money(suite)) == []
    assert list(each_account_has_what_its_patient_owes_and_paid(suite)) == []
    place, account_id = next(iter(suite.patients.books)), next(iter(suite.patients.accounts))
    money = suite.patients.accounts[account_id]
    wrong = ExpectedPatients(
        {**suite.patients.books, place: suite.patients.books[place] + 1},
        {**suite.patients.accounts, account_id: replace(money, owed=money.owed + 1)},
    )
    suite.patients = wrong
    assert len(list(the_books_are_what_became_of_patients_money(suite))) == 1
    assert len(list(each_account_has_what_its_patient_owes_and_paid(suite))) == 1


def test_the_stories_together_hold_nearly_every_story_of_the_gateway_and_all_that_clerks_do() -> None:
    patients = [told(story).story.patients for story in range(STORIES)]
    assert len({name for each in patients for name in each.lived}) >= len(GATEWAY_STORIES) - GATEWAY_STORIES_LEFT_OUT
    assert {kind for each in patients for _, kind in each.given_up} >= {WriteOffKind.CHARITY, WriteOffKind.BAD_DEBT}
    assert [any(each.moved for each in patients), any(each.cancelled for each in patients)] == [True, True]


def test_the_stories_together_hold_every_kind_of_payer_traffic() -> None:
    struck = {strike.fault for story in range(STORIES) for strike in told(story).outside.payers.misbehaviour.struck}
    assert struck >= {*ODD_DECISIONS, *CHANGES, Fault.DENIAL_OVERTURNED, *PROVIDER_LEVEL}
    decided = {
        file.claim.sequence
        for story in range(STORIES)
        for _, _, file in told(story).outside.payers.claim_files()
        if file.standing
    }
    assert decided == {PRIMARY, SECONDARY}


def test_stories_without_faults_end_alike_in_every_order() -> None:
    assert run(STORIES, ("none",)).fingerprint == run(2 * STORIES, ("none",)).fingerprint


def test_a_seed_replays_exactly_in_a_process_with_another_hash_seed() -> None:
    command = [sys.executable, "-m", "tests.faults.simulation", "--seed", "3"]
    replays = [
        subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True)
        for seed in ("1", "2")
    ]
    hashes = {replay.stdout.splitlines()[-1] for replay in replays}
    assert hashes == {f"trace {outcome_of(3).trace_hash}"}


def test_other_seeds_do_other_things() -> None:
    assert outcome_of(1).trace_hash != outcome_of(1 + STORIES).trace_hash


def test_a_fault_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownFaults, match="weather: the groups are crash, store, bus"):
        rates_of(["weather"])
