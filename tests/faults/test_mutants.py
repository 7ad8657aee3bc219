"""The mutants keep up with the code that they break; that their tests notice them is shown by `make mutants`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .mutants import MUTANTS, ROOT, Mutant

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_still_fits_its_package_and_its_tests_exist(mutant: Mutant, tmp_path: Path) -> None:
    package = tmp_path / Path(mutant.source).name
    shutil.copytree(ROOT / mutant.source, package, ignore=shutil.ignore_patterns("__pycache__"))
    for patch in mutant.patches:
        patch.apply(package)
        compile((package / patch.file).read_text(encoding="utf-8"), patch.file, "exec")
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert f"def {name.partition('[')[0]}(" in (ROOT / file).read_text(encoding="utf-8")
