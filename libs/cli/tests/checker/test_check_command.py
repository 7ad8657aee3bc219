"""The command: what it says where there is nothing to check, and how it shows results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from throughline.checker.commands import counted
from throughline.checker.evidence import Evidence, NoEvidence
from throughline.checker.result import FAILURES_SHOWN_MAX, Failures, judged, skipped
from throughline.main import app
from typer.testing import CliRunner

CONTENT = {
    "stores": {name: {"dsn": f"postgresql://{name}"} for name in ("intake", "claims", "payments", "ledger")},
    "nats": {"url": "nats://x", "user": "checker", "password": "p", "inbox_prefix": "_INBOX_checker"},
    "nats_monitoring": "http://x",
    "erp": {"kind": "tryton", "info": "tryton-info.json"},
    "processes": ["a/process.json"],
}


def test_without_evidence_nothing_can_be_read(runner: CliRunner, tmp_path: Path) -> None:
    answer = runner.invoke(app, ["check", "--state", str(tmp_path), "--json"])
    assert answer.exit_code == 3
    assert "checker.json is missing" in json.loads(answer.stdout)["error"]["message"]


def test_evidence_that_lacks_a_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "checker.json").write_text(json.dumps({**CONTENT, "stores": {"intake": {"dsn": "x"}}}))
    with pytest.raises(NoEvidence, match="claims, payments, ledger"):
        Evidence.read(tmp_path)


def test_evidence_says_where_everything_is(tmp_path: Path) -> None:
    (tmp_path / "checker.json").write_text(json.dumps(CONTENT))
    evidence = Evidence.read(tmp_path)
    assert list(evidence.dsns) == ["intake", "claims", "payments", "ledger"]
    assert evidence.erp_info == Path("tryton-info.json")
    assert evidence.settled
    assert Evidence.of({**CONTENT, "erp": None, "settled": False}).no_erp


def test_failures_are_shown_up_to_a_bound_and_counted_beyond() -> None:
    failures = Failures()
    failures.extend(f"place {number}" for number in range(FAILURES_SHOWN_MAX + 5))
    result = judged("I1", "Debits equal credits", failures, postings=3)
    assert len(result.failures) == FAILURES_SHOWN_MAX + 1
    assert result.failures[-1] == "and 5 more"
    assert result.holds is False
    merged = Failures()
    merged.merge(failures, "ledger: ")
    assert merged.count == FAILURES_SHOWN_MAX + 5
    assert merged.shown[0] == "ledger: place 0"


def test_what_was_skipped_neither_holds_nor_fails() -> None:
    result = skipped("I10", "No PHI", "no canaries were planted")
    assert result.as_json() == {
        "name": "I10",
        "title": "No PHI",
        "holds": None,
        "value": {"skipped": "no canaries were planted"},
        "failures": [],
    }
    assert counted({"open_items": 2, "items": ["a"], "sums": {"x": 1}}) == "open items 2"
