"""`python -m services.intake.tests.coverage_guided fhir|hl7 [libFuzzer options] [folder]`: inputs that reach new code."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

import atheris

ADAPTERS = {"fhir": "intake.adapters.fhir", "hl7": "intake.adapters.hl7v2"}
Mutate = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def main(name: str, options: Sequence[str]) -> None:
    """Fuzzes one reader until an option of libFuzzer, a defect or a person stops it."""
    with atheris.instrument_imports(include=[ADAPTERS[name]]):
        mutate: Mutate = import_module(f"services.intake.tests.fuzz_{name}.mutator").mutate
        target = import_module(f"services.intake.tests.fuzz_{name}.target")
    examine: Callable[[bytes], object] = target.examine
    seeds: Sequence[bytes] = target.kept_seeds()

    def one_of_ours(data: bytes, size_max: int, seed: int) -> bytes:
        """Our own mutant three times of four, libFuzzer's else."""
        dice = random.Random(seed)
        if dice.randrange(4):
            return mutate(dice, data or dice.choice(seeds), seeds)[:size_max]
        return bytes(atheris.Mutate(data, size_max))

    def take(data: bytes) -> None:
        examine(data)

    atheris.Setup([sys.argv[0], *options], take, custom_mutator=one_of_ours)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
