"""The fuzz of the FHIR reader, for as long as a build may take; longer runs by `python -m services.intake.tests.coverage_guided fhir`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.intake.tests.fuzz_fhir.__main__ import fuzz
from services.intake.tests.fuzz_fhir.target import SEEDS, examine

SECONDS = float(os.environ.get("THROUGHLINE_FUZZ_SECONDS", "20"))


@pytest.mark.parametrize("path", sorted(SEEDS.iterdir()), ids=lambda path: str(path.name))
def test_every_seed_is_understood_but_those_that_are_named_refused(path: Path) -> None:
    assert examine(path.read_bytes()) == (".refused." not in path.name)


@pytest.mark.slow
def test_no_mutant_breaks_a_promise(tmp_path: Path) -> None:
    inputs, understood = fuzz(SECONDS, 20260301, tmp_path / "defect.json")
    assert inputs > 100
    assert understood > 10
