"""Mutants of the seeds for some seconds; the first input that breaks a promise is kept."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from time import monotonic, process_time

from services.intake.tests.fuzz_hl7.mutator import mutate
from services.intake.tests.fuzz_hl7.target import examine, kept_seeds

SECONDS_DEFAULT = 20.0
SECONDS_OF_ONE_MAX = 2.0


class Defect(AssertionError):
    """An input broke a promise; the message says where it is kept, and with which seed it came."""


def run(seconds: float, seed: int, keep: Path) -> Counter[str]:
    """How often each verdict came.

    Raises:
        Defect: an input raised something, or took more of the processor than `SECONDS_OF_ONE_MAX`.
    """
    dice, seeds, verdicts = random.Random(seed), kept_seeds(), Counter[str]()
    end = monotonic() + seconds
    while monotonic() < end:
        raw = mutate(dice, dice.choice(seeds), seeds)
        began = process_time()
        try:
            verdicts[examine(raw)] += 1
            assert process_time() - began < SECONDS_OF_ONE_MAX, "too slow"
        except Exception as error:
            keep.write_bytes(raw)
            raise Defect(f"seed {seed}: {type(error).__name__}: {error}; kept in {keep}") from error
    return verdicts
