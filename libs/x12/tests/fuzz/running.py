"""Runs mutations against the reader for some seconds, and keeps the first input that breaks something."""

from __future__ import annotations

import random
import resource
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, process_time

from x12.findings import Verdict

from libs.x12.tests.fuzz.mutator import mutate
from libs.x12.tests.fuzz.target import examine, kept_seeds

SECONDS_OF_ONE_MAX = 5.0
POOL_MAX = 400


@dataclass(frozen=True)
class Run:
    """What a run has seen. `grown_mb` is how much the peak memory of the process has risen."""

    seed: int
    inputs: int
    verdicts: dict[Verdict, int]
    slowest_seconds: float
    grown_mb: float


class Defect(AssertionError):
    """An input broke a promise; the message says where it is kept, and with which seed it came."""


def fuzz(seconds: float, seed: int, keep: Path) -> Run:
    """Mutants of the seeds, and of mutants that were still readable, until the time is over.

    Raises:
        Defect: an input raised something, or took more of the processor than `SECONDS_OF_ONE_MAX`.
    """
    dice = random.Random(seed)
    seeds = kept_seeds()
    pool = list(seeds)
    verdicts: Counter[Verdict] = Counter()
    slowest, before = 0.0, _peak_mb()
    end = monotonic() + seconds
    while monotonic() < end:
        raw = mutate(dice, dice.choice(pool), seeds)
        verdict, took = _examined(raw, seed, keep)
        verdicts[verdict] += 1
        slowest = max(slowest, took)
        if verdict is not Verdict.REFUSED and len(raw) < 20_000:
            pool[len(seeds) :] = [*pool[len(seeds) :], raw][-POOL_MAX:]
    return Run(seed, verdicts.total(), dict(verdicts), slowest, _peak_mb() - before)


def _examined(raw: bytes, seed: int, keep: Path) -> tuple[Verdict, float]:
    began = process_time()
    try:
        verdict = examine(raw)
    except Exception as error:
        keep.write_bytes(raw)
        raise Defect(f"seed {seed}: {type(error).__name__}: {error}; the input is kept in {keep}") from error
    took = process_time() - began
    if took > SECONDS_OF_ONE_MAX:
        keep.write_bytes(raw)
        raise Defect(f"seed {seed}: {took:.1f} s for {len(raw)} bytes; the input is kept in {keep}")
    return verdict, took


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
