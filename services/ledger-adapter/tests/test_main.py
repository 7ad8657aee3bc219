"""The service refuses to start on settings that it cannot work with, and names them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chassis.domain import UnsafeSetting
from ledger_adapter.main import SHAPE, LedgerSettings, main, serve

ROOT = Path(__file__).parents[1]
NEEDED = {
    "THROUGHLINE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "THROUGHLINE_NATS_URL": "nats://127.0.0.1:1",
    "THROUGHLINE_NATS_USER": "ledger",
    "THROUGHLINE_NATS_PASSWORD": "secret",
}


def settings(**more: str) -> LedgerSettings:
    return LedgerSettings.from_environment(NEEDED | {f"THROUGHLINE_{name}": value for name, value in more.items()})


def test_without_its_environment_the_service_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in NEEDED:
        monkeypatch.delenv(name, raising=False)
    assert main() == 78
    assert "THROUGHLINE_DATABASE_URL" in capsys.readouterr().err


def test_master_data_and_books_are_needed(tmp_path: Path) -> None:
    with pytest.raises(UnsafeSetting, match="MASTER_DATA_PATH"):
        serve(settings())
    with pytest.raises(UnsafeSetting, match="BOOKS_PATH"):
        serve(settings(MASTER_DATA_PATH=str(tmp_path / "master.json")))


@pytest.mark.parametrize("content", ["{", "{}", json.dumps({"erps": {}, "charts": {}, "entities": {}})])
def test_a_books_file_that_does_not_fit_is_refused_by_name(tmp_path: Path, content: str) -> None:
    books = tmp_path / "books.json"
    books.write_text(content)
    with pytest.raises(UnsafeSetting, match="BOOKS_PATH"):
        serve(settings(MASTER_DATA_PATH=str(tmp_path / "master.json"), BOOKS_PATH=str(books)))


def test_how_charges_are_batched_comes_from_the_settings() -> None:
    batching = settings(CHARGES_QUIET_SECONDS="0.5", CHARGES_PER_ENTRY_MAX="10").batching
    assert (batching.quiet.total_seconds(), batching.postings_max) == (0.5, 10)


def test_no_read_model_and_no_topic_has_two_owners() -> None:
    names = [table.name for table in SHAPE.all_tables]
    assert len(names) == len(set(names))
    assert all(topic.startswith(("ledger.", "chassis.")) for topic in SHAPE.registry().classes)


def test_a_site_rule_that_is_not_allowed_refuses_the_start_and_is_named(tmp_path: Path) -> None:
    books, rules = ROOT / "books.sample.json", tmp_path / "rules.json"
    entry = {"group": "CO", "reason": "45", "account": "contractual-allowance"}
    rules.write_text(json.dumps({"edition": "1", "adjustments": [entry]}))
    master = tmp_path / "master.json"
    with pytest.raises(UnsafeSetting, match=r"(?s)SITE_RULES_PATH.*rule 1 \(CO-45 to contractual-allowance"):
        serve(settings(MASTER_DATA_PATH=str(master), BOOKS_PATH=str(books), SITE_RULES_PATH=str(rules)))
