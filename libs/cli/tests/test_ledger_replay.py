"""`throughline ledger replay`: facts of the streams as files, and what the ledger's rules made of them, as people read it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from throughline.checker.records import Message
from throughline.ledger import commands
from throughline.ledger.replaying import Told, replayed, write_facts
from throughline.main import app
from throughline.outcome import Unreachable
from typer.testing import CliRunner

PLACE = {
    "entity": "NORTH",
    "account": "ar-payer",
    "party": "ACME",
    "payer_class": "",
    "department": "N-FM",
    "cost_center": "",
    "location": "",
}
SAME: Told = {
    "same": True,
    "stored_hash": "ab" * 32,
    "replayed_hash": "ab" * 32,
    "stored_journals": 3,
    "replayed_journals": 3,
    "facts": 11,
    "seconds": 0.5,
    "differences": [],
    "journals_that_differ": 0,
    "journals": [],
    "only_stored_postings": [],
    "only_replayed_postings": [],
}
OTHER = SAME | {
    "same": False,
    "replayed_hash": "cd" * 32,
    "differences": [PLACE | {"stored_minor": -4000, "replayed_minor": 1000}],
    "journals_that_differ": 1,
    "journals": [
        {
            "journal_id": "3f0d7a3c-98a1-5c67-8a34-0f4c2c1d9e77",
            "entity": "NORTH",
            "kind": "remittance",
            "effective_date": "2026-03-16",
            "stored": True,
            "replayed": False,
            "differences": [],
        }
    ],
}


class Streams:
    """Two messages, the first of them at a sequence."""

    def __init__(self, first: int = 1) -> None:
        self.first = first

    def bounds(self, service: str) -> tuple[int, int]:
        return self.first, self.first + 1

    def messages(self, service: str, first: int, last: int) -> Iterator[Message]:
        for sequence in range(first, last + 1):
            yield Message(sequence, f"billing.{service}", {"Nats-Msg-Id": str(sequence)}, b"\x00{}")


def test_each_message_is_a_line_with_its_bytes(tmp_path: Path) -> None:
    write_facts(Streams(), "intake", tmp_path / "intake.jsonl")  # type: ignore[arg-type]
    first, second = map(json.loads, (tmp_path / "intake.jsonl").read_text().splitlines())
    assert (first["sequence"], second["headers"]) == (1, {"Nats-Msg-Id": "2"})
    assert base64.b64decode(first["data"]) == b"\x00{}"


def test_a_stream_that_dropped_its_oldest_messages_is_no_ground_for_a_replay(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="begins at 5"):
        write_facts(Streams(5), "intake", tmp_path / "intake.jsonl")  # type: ignore[arg-type]


def test_a_folder_without_a_suite_is_not_reachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        replayed(tmp_path, "", None)


@pytest.mark.parametrize(
    ("told", "code", "expected"),
    [
        (SAME, 0, ("11 facts replayed in 0.5 s (22/s)", "The same journals, to the byte.")),
        (OTHER, 1, ("ar-payer", "-40.00", "50.00", "only booked", "1 journals differ")),
    ],
)
def test_the_outcome_is_told_and_is_the_exit_code(
    runner: CliRunner,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    told: Told,
    code: int,
    expected: tuple[str, ...],
) -> None:
    (tmp_path / "client.json").write_text("{}")
    monkeypatch.setattr(commands, "replayed", lambda folder, entity, site_rules: told)
    result = runner.invoke(app, ["ledger", "replay", "--state", str(tmp_path)])
    assert result.exit_code == code, result.output
    for words in expected:
        assert words in result.output
    as_json = runner.invoke(app, ["ledger", "replay", "--state", str(tmp_path), "--json"])
    assert json.loads(as_json.stdout) == told
