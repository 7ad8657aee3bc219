"""`python -m services.intake.tests.fuzz_fhir [--seconds 60] [--seed N]`: mutates the seeds."""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from time import monotonic, process_time

from services.intake.tests.fuzz_fhir.mutator import mutate
from services.intake.tests.fuzz_fhir.target import Broken, examine, kept_seeds

SECONDS_OF_ONE_MAX = 5.0


def fuzz(seconds: float, seed: int, keep: Path) -> tuple[int, int]:
    """How many mutants were read, and how many of them were understood.

    Raises:
        Broken: one of them broke a promise; it is kept.
    """
    dice = random.Random(seed)
    seeds = kept_seeds()
    pool = list(seeds)
    inputs = understood = 0
    end = monotonic() + seconds
    while monotonic() < end:
        raw = mutate(dice, dice.choice(pool), seeds)
        began = process_time()
        try:
            is_understood = examine(raw)
        except Exception as error:
            keep.write_bytes(raw)
            raise Broken(f"seed {seed}: {type(error).__name__}: {error}; the input is kept in {keep}") from error
        if process_time() - began > SECONDS_OF_ONE_MAX:
            keep.write_bytes(raw)
            raise Broken(f"seed {seed}: too slow for {len(raw)} bytes; the input is kept in {keep}")
        inputs += 1
        understood += is_understood
        if is_understood:
            pool[len(seeds) :] = [*pool[len(seeds) :], raw][-200:]
    return inputs, understood


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m services.intake.tests.fuzz_fhir", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    parser.add_argument("--keep", type=Path, default=Path("fuzz-defect.json"))
    given = parser.parse_args()
    inputs, understood = fuzz(given.seconds, given.seed, given.keep)
    sys.stdout.write(f"seed {given.seed}: {inputs} inputs, {understood} understood\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
