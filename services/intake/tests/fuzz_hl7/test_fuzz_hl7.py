"""Twenty seconds of fuzzing for every build, and each kept seed in every quick run."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from services.intake.tests.fuzz_hl7.mutator import mutate
from services.intake.tests.fuzz_hl7.running import SECONDS_DEFAULT, run
from services.intake.tests.fuzz_hl7.target import SEEDS, examine, kept_seeds
from services.intake.tests.world import IntakeUnderTest

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("path", sorted(SEEDS.iterdir()), ids=lambda path: str(path.name))
def test_every_kept_seed_gets_the_verdict_in_its_name(path: Path) -> None:
    assert examine(path.read_bytes()) == path.name.split(".")[1]


def test_mutants_get_every_verdict_and_break_no_promise() -> None:
    dice, seeds = random.Random(7), kept_seeds()
    verdicts = {examine(mutate(dice, dice.choice(seeds), seeds)) for _ in range(400)}
    assert verdicts == {"accepted", "refused", "rejected"}


def test_mutants_are_kept_and_answered_by_the_whole_service() -> None:
    dice, seeds = random.Random(11), kept_seeds()
    mutants = [mutate(dice, dice.choice(seeds), seeds) for _ in range(120)]
    outcomes = IntakeUnderTest().receive(*mutants)
    assert {bool(each.findings) for each in outcomes if each.accepted} == {False}
    assert all(each.findings for each in outcomes if not each.accepted)


@pytest.mark.slow
def test_twenty_seconds_of_mutants_break_no_promise(tmp_path: Path) -> None:
    verdicts = run(SECONDS_DEFAULT, random.SystemRandom().getrandbits(32), tmp_path / "defect.hl7")
    assert verdicts.total() > 1_000


@pytest.mark.slow
def test_twenty_seconds_of_inputs_that_reach_new_code_break_no_promise(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris has no wheel for this Python or machine")
    module = "services.intake.tests.coverage_guided"
    limits = (
        f"-max_total_time={SECONDS_DEFAULT:.0f}",
        "-timeout=10",
        "-max_len=20000",
        f"-artifact_prefix={tmp_path}/",
    )
    command = [sys.executable, "-m", module, "hl7", *limits, str(tmp_path), str(SEEDS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
