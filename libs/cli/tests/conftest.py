"""A runner of commands, and where the files of other projects are, if they are here."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real files: `THROUGHLINE_CORPUS`, or `../shared/data` beside the repository."""
    configured = os.environ.get("THROUGHLINE_CORPUS")
    folder = Path(configured) if configured else Path(__file__).resolve().parents[4] / "shared" / "data"
    if not (folder / "INDEX.tsv").is_file():
        pytest.skip("the folder of real files is not here; set THROUGHLINE_CORPUS")
    return folder


@pytest.fixture(scope="session")
def corpus_facts(corpus: Path) -> dict[Path, str]:
    """The expected facts of each X12 file, as INDEX.tsv words them."""
    with (corpus / "INDEX.tsv").open(newline="", encoding="utf-8") as index:
        rows = list(csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {corpus / row["file"]: row["expected_facts (own script)"] for row in rows if row["file"].startswith("x12/")}
