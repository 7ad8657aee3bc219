"""Whatever goes wrong, and in whatever order, a story ends as it does when nothing goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from sandbox.world.oracle import expected_outcomes, expected_totals
from sandbox.world.payer import PAYER_SEED
from sandbox.world.scenario import Scenario

from .simulation.mischief import Kind, UnknownFaults, rates_of
from .simulation.run import Outcome, run
from .simulation.story import ENCOUNTERS, STORIES, TODAY, story_seed

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(1, 25)
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


@pytest.mark.parametrize("story", range(STORIES))
def test_a_story_without_faults_ends_as_the_payers_rules_alone_say(story: int) -> None:
    scenario = Scenario.tell(story_seed(story), ENCOUNTERS, TODAY)
    found: dict[tuple[str, str], list[int]] = {}
    claims = run(story, ("none",)).fingerprint["claims by entity and payer"]
    assert isinstance(claims, dict)
    for (entity, payer, state), sums in claims.items():
        if state != "held":
            place = found.setdefault((entity, payer), [0] * len(sums))
            found[entity, payer] = [before + more for before, more in zip(place, sums, strict=True)]
    expected = {
        place: [
            each.claim_count,
            each.charge.minor,
            each.paid.minor,
            each.contractual.minor,
            each.denied.minor,
            each.patient.minor,
        ]
        for place, each in expected_totals(expected_outcomes(scenario, PAYER_SEED)).items()
    }
    assert found == expected


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
