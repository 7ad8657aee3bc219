"""Every real FHIR file is accepted or refused for a stated, right reason, and gives the charges that a biller reading it expects."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from canonical.money import Money
from intake.adapters.fhir import FhirNames, Sender, Submission, read_submission
from intake.domain.facts import ChargeSeen

from .world import IntakeUnderTest

CONFIGURED = os.environ.get("THROUGHLINE_CORPUS")
CORPUS = Path(CONFIGURED) if CONFIGURED else Path(__file__).resolve().parents[4] / "shared" / "data"
PAGE = Path(__file__).resolve().parents[3] / "docs" / "fhir-verdicts.md"
FILES = sorted((CORPUS / "fhir").rglob("*.json"))
pytestmark = pytest.mark.skipif(not FILES, reason="the folder of real files is not here; set THROUGHLINE_CORPUS")
WHY = {
    "resource-type": "Not what a source of charges sends: remittances come as X12 835, and the rest bills nothing.",
    "bundle-type": "What is to be stored is a transaction or a batch; a collection (prior authorisation) or an answer is neither.",
    "delivery-key": "A transaction needs a name of its own, or the same bytes sent again could not be told from a new one.",
    "contained": "Its patient is contained and has no number: nobody could tell whose bill it is.",
    "claim-use": "A request for prior authorisation is no bill: it has neither price nor day of service.",
    "claim-type": "Pharmacies bill by NCPDP, not by 837.",
    "coverage-status": "A cancelled coverage pays nothing.",
    "unknown-reference": "It belongs to a patient (or stands with an encounter) that has not come in; sent after them, it is taken.",
    "currency": "The books are in dollars.",
    "diagnosis-code": "Codes of the example (654456) are none of ICD-10-CM, and the services none of CPT or HCPCS.",
    "date-too-old": "Services of 2014 are beyond any timely filing, and their codes none of CPT or HCPCS.",
}
HEAD = """# FHIR: our verdict on every real file

Written by a test (`THROUGHLINE_WRITE_VERDICTS=1 pytest services/intake/tests/test_fhir_corpus.py`), which also keeps it in line with
what the door does. Each file is sent alone, by a client of one source, to a system that knows nothing yet. What is accepted of
organisations and practitioners is kept and versioned; codes that master data does not know hold what is billed with them.

| file | verdict | first finding | why that is right |
|---|---|---|---|
"""


class Judged(NamedTuple):
    file: str
    accepted: bool
    place: str
    rule: str
    note: str


def read(path: Path, *, numbered: bool = False) -> Submission:
    """The file as the door reads it; with `numbered`, a patient who is contained in it has a number."""
    content = re.sub(rb'"source"\s*:\s*"#[^"]*"\s*,', b"", path.read_bytes())
    if numbered:
        number = rb'"resourceType": "Patient", "identifier": [{"type": {"coding": [{"code": "MR"}]}, "value": "1"}],'
        content = content.replace(b'"resourceType": "Patient",', number)
    return read_submission(content, FhirNames(), Sender("service:ehr", ("ehr-north",)))


def judged(path: Path) -> Judged:
    (outcome,) = IntakeUnderTest().intake.messages.receive(list(read(path).deliveries))
    place, rule, note = (*outcome.findings[0].split(": ", 2), "")[:3] if outcome.findings else ("", "", "")
    return Judged(str(path.relative_to(CORPUS / "fhir")), outcome.accepted, place, rule, note)


def index_row(path: Path) -> str:
    with (CORPUS / "INDEX.tsv").open(newline="", encoding="utf-8") as index:
        rows = csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE)
        name = str(path.relative_to(CORPUS))
        return next(row["expected_facts (own script)"] for row in rows if row["file"] == name)


def test_every_file_is_there() -> None:
    assert len(FILES) == 35


def test_the_page_of_verdicts_says_what_the_door_does() -> None:
    lines = []
    for path in FILES:
        found = judged(path)
        why = WHY[found.rule] if found.rule else "Nothing that billing needs is missing."
        finding = f"`{found.place}` {found.rule}: {found.note}" if found.rule else ""
        lines.append(f"| `{found.file}` | {'accepted' if found.accepted else 'refused'} | {finding} | {why} |")
    expected = HEAD + "\n".join(lines) + "\n"
    if os.environ.get("THROUGHLINE_WRITE_VERDICTS"):
        PAGE.write_text(expected, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == expected, (
        "write it anew with THROUGHLINE_WRITE_VERDICTS=1, and look at it"
    )


@pytest.mark.parametrize("path", [path for path in FILES if "Claim-" in path.name], ids=lambda path: path.stem)
def test_a_claim_is_read_to_the_sum_of_its_items(path: Path) -> None:
    submission = read(path, numbered=True)
    charges = [fact for fact in submission.deliveries[0].facts if isinstance(fact, ChargeSeen)]
    told = re.search(r"items=(\d+) sum\(item\.net\)=([0-9.]+)", index_row(path))
    assert told is not None
    if "pharmacy" in path.read_text(encoding="utf-8"):
        assert charges == []
        return
    assert len(charges) == int(told[1])
    assert Money.total(charge.amount for charge in charges if charge.amount) == Money.of(f"{float(told[2]):.2f}")
