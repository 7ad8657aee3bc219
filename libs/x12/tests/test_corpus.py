"""Every real file gives the facts of its index and a verdict that the index justifies, or the reason why not stands in `docs/`."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from x12.findings import Verdict

from libs.x12.tests.corpus_index import facts_of, normal
from libs.x12.tests.corpus_verdicts import Judged, judged, page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "x12-verdicts.md"
_FREQUENCY = "The composite is cut at the separator that is really used, so that the frequency is read."
FACTS_THAT_DIFFER = {
    "x12/835/affect__exhaustive_sample.txt": (
        "NPI ",
        "The sample is masked: one of its qualifiers is the masked text XX and is no NPI's.",
    ),
    "x12/837i/lfh__ppo-repriced-claim.837i": ("CLM=", _FREQUENCY),
    "x12/837p/lfh__demo.example12.837": ("CLM=", _FREQUENCY),
    "x12/837p/lfh__demo.example9.837": ("CLM=", _FREQUENCY),
    "x12/ack/uhin__TA1.edi": (
        "ENVELOPE: ",
        "An interchange of a TA1 and no group writes IEA01 as 1; that is no fault.",
    ),
}
Row = dict[str, str]


@pytest.fixture(scope="module")
def rows(corpus: Path) -> list[Row]:
    with (corpus / "INDEX.tsv").open(newline="", encoding="utf-8") as index:
        found = list(csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [row for row in found if row["file"].startswith("x12/")]


def facts_apart(corpus: Path, rows: list[Row]) -> list[tuple[str, str]]:
    apart = []
    for row in rows:
        ours = facts_of((corpus / row["file"]).read_bytes())
        expected = row["expected_facts (own script)"].split(" | ")
        apart += [(row["file"], fact) for fact in expected if normal(fact) not in ours]
    return apart


def verdicts(corpus: Path, rows: list[Row]) -> list[Judged]:
    suggested, peer = "suggested_strict_verdict", "peer_verdict (pyx12 / peer tests)"
    return [judged(row["file"], row[suggested], row[peer], (corpus / row["file"]).read_bytes()) for row in rows]


def test_the_index_names_every_file_that_is_there(corpus: Path, rows: list[Row]) -> None:
    there = {str(path.relative_to(corpus)) for path in (corpus / "x12").rglob("*") if path.is_file()}
    assert {row["file"] for row in rows} == there
    assert len(there) == 66


def test_every_fact_of_the_index_is_what_the_reader_sees(corpus: Path, rows: list[Row]) -> None:
    apart = facts_apart(corpus, rows)
    unexplained = [
        (file, fact) for file, fact in apart if not fact.startswith(FACTS_THAT_DIFFER.get(file, ("\0", ""))[0])
    ]
    assert unexplained == []
    assert {file for file, _ in apart} == set(FACTS_THAT_DIFFER)


def test_every_verdict_is_justified_by_the_index_or_by_a_reason_of_ours(corpus: Path, rows: list[Row]) -> None:
    assert [row.file for row in verdicts(corpus, rows) if not row.agrees and not row.reason] == []


def test_no_file_whose_money_does_not_add_up_is_accepted(corpus: Path, rows: list[Row]) -> None:
    off = {row["file"] for row in rows if "balances=no" in row["expected_facts (own script)"]}
    assert len(off) == 2
    assert all(row.verdict is not Verdict.ACCEPTED for row in verdicts(corpus, rows) if row.file in off)


def test_the_page_of_verdicts_says_what_the_reader_does(corpus: Path, rows: list[Row]) -> None:
    apart = [(file, fact, FACTS_THAT_DIFFER[file][1]) for file, fact in facts_apart(corpus, rows)]
    expected = page(verdicts(corpus, rows), apart)
    if os.environ.get("THROUGHLINE_WRITE_VERDICTS"):
        PAGE.write_text(expected, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == expected, (
        "write it anew with THROUGHLINE_WRITE_VERDICTS=1, and look at it"
    )
