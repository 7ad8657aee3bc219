"""`throughline x12 inspect`: the facts of real files, in words and as data, with exit codes for scripts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from canonical.money import Money
from throughline.main import app
from typer.testing import CliRunner
from x12.samples import SampleRemittance, interchange, random_claims

BALANCED = interchange(SampleRemittance(tuple(random_claims(3, seed=1)), (("WO:A", 500),)))
ONE_CENT_OUT = re.sub(
    rb"BPR\*I\*([0-9]+)\.([0-9]{2})", lambda m: b"BPR*I*%d.%02d" % (int(m[1]), (int(m[2]) + 1) % 100), BALANCED
)


@pytest.fixture
def balanced(tmp_path: Path) -> Path:
    path = tmp_path / "balanced.835"
    path.write_bytes(BALANCED)
    return path


@pytest.fixture
def one_cent_out(tmp_path: Path) -> Path:
    assert ONE_CENT_OUT != BALANCED
    path = tmp_path / "one-cent-out.835"
    path.write_bytes(ONE_CENT_OUT)
    return path


def inspected(runner: CliRunner, *files: Path) -> dict[str, Any]:
    result = runner.invoke(app, ["x12", "inspect", "--json", *map(str, files)])
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def sets_of(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [found for each in report["interchanges"] for found in each["transaction_sets"]]


def total(sets: list[dict[str, Any]], key: str) -> Money:
    return Money.total(Money.of(each[key]) for each in sets)


def fact(facts: str, name: str) -> str:
    match = re.search(rf"(?<![A-Z0-9]){name}=(-?[0-9.]+)(?![0-9.+])", facts)
    assert match, f"{name} is not among the facts"
    return match.group(1)


def test_every_remittance_of_the_corpus_equals_the_index(runner: CliRunner, corpus_facts: dict[Path, str]) -> None:
    compared = 0
    for path, facts in corpus_facts.items():
        if "/835/" not in str(path):
            continue
        sets = sets_of(inspected(runner, path))
        payment = "BPR02sum" if "BPR02sum" in facts else "BPR02"
        for name, key in {"CLP03": "clp03", "CLP04": "clp04", "PLB": "plb", payment: "bpr02"}.items():
            assert total(sets, key) == Money.of(fact(facts, name)), (path.name, name)
        assert sum(each["claims"] for each in sets) == int(fact(facts, "CLP")), path.name
        assert ("balances=yes" in facts) == all(each["residual"] == "0.00" for each in sets), path.name
        compared += 1
    assert compared == 11


def test_every_837_of_the_corpus_equals_the_index(runner: CliRunner, corpus_facts: dict[Path, str]) -> None:
    compared = 0
    for path, facts in corpus_facts.items():
        if "CLM02=" not in facts:
            continue
        sets = [each for each in sets_of(inspected(runner, path)) if each["type"] == "837"]
        assert total(sets, "clm02") == Money.of(fact(facts, "CLM02"))
        assert sum(each["claims"] for each in sets) == int(fact(facts, "CLM"))
        compared += 1
    assert compared > 20


def test_every_file_of_the_corpus_gets_an_answer_and_a_documented_exit_code(
    runner: CliRunner, corpus_facts: dict[Path, str]
) -> None:
    for path in corpus_facts:
        result = runner.invoke(app, ["x12", "inspect", str(path)])
        verdict = re.search(r": (accepted|quarantined|refused)$", result.stdout.split("\n")[0])
        assert verdict, path.name
        assert result.exit_code in ((0,) if verdict.group(1) == "accepted" else (1, 2)), path.name


INTERCHANGE_KEYS = {"control", "sender", "receiver", "verdict", "transaction_sets", "findings"}
SET_KEYS = {
    *(
        "type",
        "version",
        "control",
        "verdict",
        "claims",
        "clp03",
        "clp04",
        "plb",
        "bpr02",
        "clm02",
        "residual",
        "findings",
    ),
}
FINDING_KEYS = {"severity", "level", "segment", "rule", "residual"}


def test_the_data_has_the_documented_keys(runner: CliRunner, balanced: Path, one_cent_out: Path) -> None:
    report = inspected(runner, balanced, one_cent_out)
    assert [each["file"] for each in report["files"]] == [each["file"] for each in report["interchanges"]]
    assert all(set(each) >= INTERCHANGE_KEYS for each in report["interchanges"])
    sound, unsound = sets_of(report)
    assert set(sound) >= SET_KEYS
    assert (sound["type"], sound["verdict"], sound["claims"], sound["findings"]) == ("835", "accepted", 3, [])
    assert (sound["plb"], sound["residual"], sound["clm02"]) == ("5.00", "0.00", None)
    assert BALANCED[sound["offset"] : sound["offset"] + sound["length"]].startswith(b"ST*835*")
    assert set(unsound["findings"][0]) >= FINDING_KEYS


def test_every_key_of_the_data_stands_in_the_help(runner: CliRunner, one_cent_out: Path) -> None:
    words = set(re.findall(r"\w+", runner.invoke(app, ["x12", "inspect", "--help"]).stdout))
    report = inspected(runner, one_cent_out)
    (only,) = sets_of(report)
    keys = {*report, *report["files"][0], *report["interchanges"][0], *only, *only["findings"][0]}
    assert keys <= words


def test_segments_count_from_one_at_isa_in_every_interchange(runner: CliRunner, balanced: Path) -> None:
    balanced.write_bytes(BALANCED + ONE_CENT_OUT.replace(b"IEA*1*000000001", b"IEA*1*000000002"))
    report = inspected(runner, balanced)
    (envelope_finding,) = report["interchanges"][1]["findings"]
    assert (envelope_finding["segment"], envelope_finding["level"]) == (ONE_CENT_OUT.count(b"~"), "interchange")
    (finding,) = sets_of(report)[1]["findings"]
    assert ONE_CENT_OUT.split(b"~")[finding["segment"] - 1].startswith(b"BPR*")


def test_a_balanced_file_ends_with_zero(runner: CliRunner, balanced: Path) -> None:
    result = runner.invoke(app, ["x12", "inspect", str(balanced)])
    assert result.exit_code == 0
    assert "accepted" in result.stdout
    assert "CLP04 paid" in result.stdout


def test_one_cent_out_is_quarantined_with_residual_segment_and_rule(runner: CliRunner, one_cent_out: Path) -> None:
    result = runner.invoke(app, ["x12", "inspect", "--json", str(one_cent_out)])
    assert result.exit_code == 1
    (only,) = sets_of(json.loads(result.stdout))
    (finding,) = only["findings"]
    assert only["verdict"] == "quarantined"
    assert (finding["segment"], finding["level"], finding["severity"]) == (4, "transaction", "quarantine")
    assert finding["rule"] == "transaction_unbalanced"
    assert finding["residual"].lstrip("-") in ("0.01", "0.99")
    assert only["residual"] == finding["residual"]


def test_what_is_no_x12_ends_with_two(runner: CliRunner, tmp_path: Path) -> None:
    other = tmp_path / "letter.txt"
    other.write_bytes(b"%PDF-1.7 and so on")
    result = runner.invoke(app, ["x12", "inspect", "--json", str(other)])
    assert result.exit_code == 2
    assert json.loads(result.stdout)["files"][0]["refusal"]["rule"] == "no_isa"


def test_a_missing_file_is_named_and_does_not_hide_the_others(
    runner: CliRunner, balanced: Path, tmp_path: Path
) -> None:
    result = runner.invoke(app, ["x12", "inspect", "--json", str(tmp_path / "absent"), str(balanced)])
    first, second = json.loads(result.stdout)["files"]
    assert result.exit_code == 2
    assert first["refusal"]["rule"] == "unreadable_file"
    assert second["verdict"] == "accepted"
    assert "absent: No such file" in result.stderr


def test_standard_input_is_read(runner: CliRunner) -> None:
    result = runner.invoke(app, ["x12", "inspect", "--json", "-"], input=BALANCED)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["files"][0]["bytes"] == len(BALANCED)


def test_no_name_of_a_patient_is_printed(runner: CliRunner, balanced: Path, one_cent_out: Path) -> None:
    marked = BALANCED.replace(b"NM1*QC*1*", b"NM1*QC*1*CANARY-")
    assert marked != BALANCED
    balanced.write_bytes(marked)
    for options in ([], ["--json"]):
        result = runner.invoke(app, ["x12", "inspect", *options, str(balanced), str(one_cent_out)])
        assert "CANARY" not in result.output


def test_control_characters_of_a_file_do_not_reach_the_terminal(runner: CliRunner, balanced: Path) -> None:
    sender = re.search(rb"ISA(?:\*[^*]*){5}\*([^*]*)\*", BALANCED)
    assert sender
    balanced.write_bytes(BALANCED.replace(sender[1], b"\x1b[31m[b]X[/b]".ljust(15), 1))
    result = runner.invoke(app, ["x12", "inspect", str(balanced)])
    assert "\x1b" not in result.stdout
    assert "[b]X[/b]" in result.stdout


def test_a_command_that_is_not_installed_says_so(runner: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "throughline.checker.commands", None)
    result = runner.invoke(app, ["check"])
    assert result.exit_code == 3
    assert "not part of this installation" in result.stderr
