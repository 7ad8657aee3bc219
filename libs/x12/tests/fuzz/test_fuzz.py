"""A minute of fuzzing for every build, and each kept seed in every quick run; an hour is `python -m libs.x12.tests.fuzz --seconds 3600`."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from x12.findings import Verdict

from libs.x12.tests.fuzz.mutator import mutate
from libs.x12.tests.fuzz.running import fuzz
from libs.x12.tests.fuzz.target import SEEDS, examine, kept_seeds

ROOT = Path(__file__).resolve().parents[4]
GROWN_MB_MAX = 200


@pytest.mark.parametrize("path", sorted(SEEDS.iterdir()), ids=lambda path: str(path.stem))
def test_every_kept_seed_gets_the_verdict_in_its_name(path: Path) -> None:
    assert examine(path.read_bytes()).value == path.suffixes[0][1:]


def test_three_hundred_mutants_break_no_promise() -> None:
    dice, seeds = random.Random(7), kept_seeds()
    verdicts = {examine(mutate(dice, dice.choice(seeds), seeds)) for _ in range(300)}
    assert verdicts == set(Verdict)


@pytest.mark.slow
def test_half_a_minute_of_mutants_breaks_no_promise_and_takes_no_memory(tmp_path: Path) -> None:
    run = fuzz(30, random.SystemRandom().getrandbits(32), tmp_path / "defect.x12")
    assert run.inputs > 500
    assert run.grown_mb < GROWN_MB_MAX, run


@pytest.mark.slow
def test_half_a_minute_of_inputs_that_reach_new_code_breaks_no_promise(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris has no wheel for this Python or machine")
    found = tmp_path / "found"
    shutil.copytree(SEEDS, found)
    options = [
        "-max_total_time=30",
        "-timeout=20",
        "-rss_limit_mb=800",
        "-max_len=30000",
        f"-artifact_prefix={tmp_path}/",
    ]
    command = [sys.executable, "-m", "libs.x12.tests.fuzz.coverage_guided", *options, str(found)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    assert "DONE" in done.stderr
