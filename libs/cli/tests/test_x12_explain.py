"""`throughline x12 explain`: a file in words, with the segment of each finding quoted and no patient in the quote."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from throughline.main import app
from typer.testing import CliRunner
from x12.samples import SampleAdjustment, SampleClaim, SampleLine, SampleRemittance, interchange

CLAIM = SampleClaim(
    "PCN77", (SampleLine(10_000, (SampleAdjustment("CO", "45", 3_000), SampleAdjustment("PR", "3", 2_000))),)
)
BALANCED = interchange(SampleRemittance((CLAIM,), (("WO:PCN66", 500),)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "remittance.835"
    path.write_bytes(BALANCED)
    return path


def told(runner: CliRunner, path: Path, *options: str) -> str:
    return runner.invoke(app, ["x12", "explain", *options, str(path)]).stdout


def test_a_sound_remittance_is_told_in_words(runner: CliRunner, file: Path) -> None:
    text = told(runner, file)
    assert "Everything in it adds up and can be used." in text
    assert "SAMPLE HEALTH PLAN pays SAMPLE CLINIC 45.00 by bank transfer on 2026-04-01, trace TRACE0001." in text
    assert "1 claim with 1 line: 1 processed as primary." in text
    assert "WO (overpayment recovered) lowers the payment by 5.00." in text
    assert "50.00 paid on claims, less 5.00 of provider adjustments, is 45.00: that is the payment." in text
    assert "Nothing is wrong with it." in text


def test_a_wrong_amount_is_told_with_its_place_and_its_segment(runner: CliRunner, file: Path) -> None:
    file.write_bytes(BALANCED.replace(b"SVC*HC:99213:25*100.00*50.00", b"SVC*HC:99213:25*100.00*50.01"))
    text = told(runner, file)
    assert re.search(r"Segment 17 \(SVC\), claim 1, line 1: .*; 50\.00 is expected, 50\.01 stands there\.", text)
    assert "     SVC*HC:99213:25*100.00*50.01**1\n" in text
    assert "Because of this it is quarantined. (rule line_unbalanced)" in text


def test_the_provider_adjustment_that_explains_a_residual_is_pointed_at(runner: CliRunner, file: Path) -> None:
    file.write_bytes(BALANCED.replace(b"BPR*I*45.00", b"BPR*I*50.00"))
    text = told(runner, file)
    assert "but the payment is 50.00: 5.00 too much." in text
    assert "left out of BPR02" in text
    assert "PLB*1912301953*20261231*WO:(masked)*5.00" in text


PLACES = [
    (b"NM1*QC*1*SAMPLE*ROBIN", b"NM1*QC*1*CANARY*CANARY*CANARY"),
    (b"*MI*WPCN77", b"*MI*CANARY"),
    (b"CLP*PCN77*", b"CLP*CANARY*"),
    (b"ICNPCN77", b"CANARY"),
    (b"REF*6R*", b"REF*SY*CANARY"),
    (b"N3*1 MAIN ST", b"N3*CANARY"),
    (b"DTM*232*20260301", b"DTM*232*CANARY"),
    (b"DTM*472*", b"CANARY*CANARY~DTM*472*"),
    (b"WO:PCN66", b"WO:CANARY"),
    (b"*100.00*50.00**1", b"*CANARY*50.00**1"),
    (b"CAS*CO*45", b"CAS*CO*CANARY VON BERG"),
    (b"LX*1", b"LX*1~DMG*D8*CANARY*F"),
]


@pytest.mark.parametrize(("before", "after"), PLACES)
def test_no_quote_names_a_patient(runner: CliRunner, file: Path, before: bytes, after: bytes) -> None:
    """Every segment is made a finding by a rule of its own, so that every segment is quoted."""
    assert before in BALANCED
    raw = BALANCED.replace(before, after)
    file.write_bytes(raw)
    stranger = runner.invoke(app, ["x12", "explain", str(file)]).output
    everything = raw.replace(b"LX*1~", b"").replace(b"CLP*", b"LX*1~CLX*")
    file.write_bytes(everything)
    assert "CANARY" not in stranger + runner.invoke(app, ["x12", "explain", "--findings", "500", str(file)]).output


def test_what_is_no_amount_is_shown_by_its_shape(runner: CliRunner, file: Path) -> None:
    file.write_bytes(BALANCED.replace(b"*100.00*50.00**1", b"*1OO.00*50.00**1"))
    assert "SVC*HC:99213:25*(shaped 9AA.99)*50.00" in told(runner, file)


def test_the_findings_told_are_bounded_and_the_rest_is_counted(runner: CliRunner, file: Path) -> None:
    file.write_bytes(BALANCED.replace(b"CAS*", b"CAZ*"))
    text = told(runner, file, "--findings", "1")
    assert text.count("(rule ") == 1
    assert re.search(r"And \d+ more; --findings shows more of them\.", text)


def test_standard_input_is_explained(runner: CliRunner) -> None:
    result = runner.invoke(app, ["x12", "explain", "-"], input=BALANCED)
    assert (result.exit_code, "accepted" in result.stdout) == (0, True)


def test_exit_codes_tell_scripts_what_happened(runner: CliRunner, file: Path, tmp_path: Path) -> None:
    file.write_bytes(BALANCED.replace(b"BPR*I*45.00", b"BPR*I*50.00"))
    assert runner.invoke(app, ["x12", "explain", str(file)]).exit_code == 1
    file.write_bytes(b"%PDF-1.7")
    assert runner.invoke(app, ["x12", "explain", str(file)]).exit_code == 2
    assert runner.invoke(app, ["x12", "explain", str(tmp_path / "absent")]).exit_code == 2


def test_every_real_file_is_explained(runner: CliRunner, corpus_facts: dict[Path, str]) -> None:
    for path in corpus_facts:
        result = runner.invoke(app, ["x12", "explain", str(path)])
        assert result.exit_code in (0, 1, 2), path.name
        assert len(result.stdout) > 60, path.name


def test_an_acknowledgement_tells_what_became_of_each_set(runner: CliRunner, file: Path) -> None:
    body = "ST*999*0001~AK1*HC*17~AK2*837*1~IK5*R*5~AK2*837*2~IK5*A~AK9*P*2*2*1~SE*8*0001~"
    start, end = BALANCED.index(b"ST*"), BALANCED.index(b"GE*")
    raw = BALANCED[:start] + body.encode() + BALANCED[end:]
    file.write_bytes(raw.replace(b"GS*HP", b"GS*FA").replace(b"005010X221A1", b"005010X231A1"))
    assert "It answers for 2 sets: 1 rejected, 1 accepted." in told(runner, file)


def test_the_text_is_data_too(runner: CliRunner, file: Path) -> None:
    data = json.loads(told(runner, file, "--json"))
    assert data["verdict"] == "accepted"
    assert "\n".join(data["lines"]) + "\n" == told(runner, file)


def master_data(path: Path, rules: dict[str, str]) -> Path:
    empty = {"version": "1", "entities": [], "payers": [], "providers": []}
    path.write_text(json.dumps({**empty, "trading_partners": [{"code": "SAMPLEPLAN", "rules": rules}]}))
    return path


def test_the_rules_of_a_trading_partner_hold_where_its_master_data_is_given(
    runner: CliRunner, file: Path, tmp_path: Path
) -> None:
    file.write_bytes(BALANCED.replace(b"SE*", b"SE*1"))
    partner = str(master_data(tmp_path / "world.json", {"se01_count": "finding"}))
    for command in ("inspect", "explain"):
        assert runner.invoke(app, ["x12", command, str(file)]).exit_code == 1
        assert runner.invoke(app, ["x12", command, "--master-data", partner, str(file)]).exit_code == 0


def test_a_rule_that_cannot_be_is_refused_by_name(runner: CliRunner, file: Path, tmp_path: Path) -> None:
    partner = master_data(tmp_path / "world.json", {"claim_unbalanced": "finding"})
    result = runner.invoke(app, ["x12", "inspect", "--master-data", str(partner), str(file)])
    assert result.exit_code == 2
    assert "claim_unbalanced" in result.output
    assert runner.invoke(app, ["x12", "inspect", "--master-data", str(file), str(file)]).exit_code == 2
