"""`python -m services.intake.tests.fuzz_hl7.coverage_guided [libFuzzer options] [folder]`: inputs that reach new code."""

from __future__ import annotations

import random
import sys

import atheris

with atheris.instrument_imports(include=["intake.adapters.hl7v2"]):
    from services.intake.tests.fuzz_hl7.mutator import mutate
    from services.intake.tests.fuzz_hl7.target import examine, kept_seeds

SEEDS = kept_seeds()


def one_of_ours(data: bytes, size_max: int, seed: int) -> bytes:
    """Our own mutant three times of four, libFuzzer's else."""
    dice = random.Random(seed)
    if dice.randrange(4):
        return mutate(dice, data or dice.choice(SEEDS), SEEDS)[:size_max]
    return bytes(atheris.Mutate(data, size_max))


def take(data: bytes) -> None:
    examine(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, take, custom_mutator=one_of_ours)
    atheris.Fuzz()
