"""`python -m libs.x12.tests.fuzz.coverage_guided [libFuzzer options] [folder]`: atheris looks for inputs that reach new code.

Our own mutator does the mutating; what reaches new code is kept in the folder. A broken promise ends the run and leaves its input.
"""

from __future__ import annotations

import random
import sys

import atheris

with atheris.instrument_imports(include=["x12"]):
    from libs.x12.tests.fuzz.mutator import mutate
    from libs.x12.tests.fuzz.target import examine, kept_seeds

SEEDS = kept_seeds()


def mutated(data: bytes, size_max: int, seed: int) -> bytes:
    """A mutant for libFuzzer: now and then one of its own, mostly one of ours."""
    if seed % 4 == 0:
        return bytes(atheris.Mutate(data, size_max))
    return mutate(random.Random(seed), data or SEEDS[seed % len(SEEDS)], SEEDS)[:size_max]


def take(data: bytes) -> None:
    examine(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, take, custom_mutator=mutated)
    atheris.Fuzz()
